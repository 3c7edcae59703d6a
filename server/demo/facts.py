"""What `carrel demo facts` tells of the running demo library's server."""

from __future__ import annotations

from typing import Any

from carrel.config import ConfigError
from server.catalogue import service as catalogue
from server.db import looked_at
from server.demo import data
from server.settings import ServerSettings

NONE_YET = "the demo library has not been opened yet: start it with `carrel run`"


def facts(settings: ServerSettings) -> dict[str, Any]:
    """Accounts and patrons with their secrets, and every item with whether it is on loan now; raises ConfigError."""
    if not settings.server.demo:
        raise ConfigError("this is no demo library: 'server.demo' is false")
    people = data.people()
    return {
        "accounts": [{"user": a.user, "password": a.password, "role": a.role.value} for a in people.account],
        "patrons": [{"card": p.card, "pin": p.pin, "name": p.name} for p in people.patron],
        "items": _items(settings),
    }


def terminal(settings: ServerSettings) -> dict[str, Any] | None:
    """The first self-service terminal that signs in; None where none is served."""
    config = settings.server.sip2
    known = next((one for one in config.terminal if one.login), None) if config.enabled else None
    if known is None:
        return None
    institution = known.institution or config.institution
    return {
        "host": config.host, "port": config.port, "login": known.login, "password": known.password,
        "institution": institution,
    }  # fmt: skip


def _items(settings: ServerSettings) -> list[dict[str, Any]]:
    with looked_at(settings.database_url, none_yet=NONE_YET) as database, database.reading() as session:
        items = catalogue.all_items(session)
    if not items:
        raise ConfigError("the demo library is still being filled: try again in a moment")
    return [{"barcode": i.barcode, "title": i.title, "on_loan": i.status == "on_loan"} for i in items]
