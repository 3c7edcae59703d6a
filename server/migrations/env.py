"""Run by alembic: connects the steps with the database that `apply.upgrade` hands over, and names all tables."""

from __future__ import annotations

from alembic import context

from server.alarms import models as alarms
from server.audit import models as audit
from server.auth import models as auth
from server.catalogue import models as catalogue
from server.circulation import models as circulation
from server.db import Base
from server.devices import models as devices
from server.edge import models as edge
from server.exports import models as exports
from server.fees import models as fees
from server.holds import models as holds
from server.jobs import models as jobs
from server.lending import models as lending
from server.notices import models as notices
from server.patrons import models as patrons
from server.rooms import models as rooms
from server.rules import models as rules
from server.tasks import models as tasks
from server.telemetry import models as telemetry

TABLES = (
    audit, auth, patrons, catalogue, circulation, edge, rooms, alarms, telemetry, exports, fees, devices, rules,
    lending, holds, tasks, notices, jobs,
)  # fmt: skip
"""Every domain's tables; a new domain adds its models here."""

context.configure(
    connection=context.config.attributes["connection"], target_metadata=Base.metadata, render_as_batch=True
)
with context.begin_transaction():
    context.run_migrations()
