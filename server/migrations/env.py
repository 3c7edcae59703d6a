"""Run by alembic: connects the steps with the database that `apply.upgrade` hands over, and names all tables."""

from __future__ import annotations

from alembic import context

from server.alarms import models as alarms
from server.auth import models as auth
from server.catalogue import models as catalogue
from server.circulation import models as circulation
from server.db import Base
from server.edge import models as edge
from server.exports import models as exports
from server.patrons import models as patrons
from server.rooms import models as rooms
from server.telemetry import models as telemetry

TABLES = (auth, patrons, catalogue, circulation, edge, rooms, alarms, telemetry, exports)
"""Every domain's tables; a new domain adds its models here."""

context.configure(
    connection=context.config.attributes["connection"], target_metadata=Base.metadata, render_as_batch=True
)
with context.begin_transaction():
    context.run_migrations()
