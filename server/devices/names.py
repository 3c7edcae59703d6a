"""Which device had which name when, so that its history is found after it was renamed.

Readings are stored under the name that a device had when it told them. What was told under a name counts for the
device that has it now or had it next: who takes over the name of a device that is gone takes over its past, one of a
device that lives on under another name does not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from carrel.contracts.network import NetworkState
from server.db import Database
from server.devices import repository
from server.devices.models import DeviceNameRow


@dataclass(frozen=True, slots=True)
class Span:
    """What was told under a name from `since` up to `until` belongs to the device; None is for ever."""

    name: str
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """A device, by its address, had a name; `until` None is now."""

    ieee: str
    name: str
    since: datetime
    until: datetime | None = None


class Names:
    """Of one server process; knows what it wrote last, so that a network told again costs no transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._written: dict[str, Mapping[str, str]] = {}

    def record(self, gateway: str, state: NetworkState) -> None:
        """Take up the names of a gateway's devices as they are now; in a worker thread."""
        now = {device.ieee: device.id for device in state.devices if device.id is not None}
        if self._written.get(gateway) == now:
            return
        with self._database.writing() as session:
            _record(session, gateway, now, state.ts)
        self._written[gateway] = now

    def spans(self, device: str) -> list[Span]:
        """Under which names what this device measured is stored, oldest first; its own name if nothing is known."""
        with self._database.reading() as session:
            rows = repository.around(session, device)
        return spans_of([Held(row.ieee, row.name, row.since, row.until) for row in rows], device)


def spans_of(held: Sequence[Held], device: str) -> list[Span]:
    """Of the device that has the name `device` now. Pure."""
    holder = next((one.ieee for one in held if one.name == device and one.until is None), None)
    if holder is None:
        return [Span(device)]
    living = {one.ieee for one in held if one.until is None}
    return [
        Span(own.name, max(_ends_before(own, held, {holder, *living}), default=None), own.until)
        for own in held
        if own.ieee == holder
    ]


def _ends_before(own: Held, held: Sequence[Held], whose: Set[str]) -> list[datetime]:
    """When the same name ended before for any of these devices."""
    same = (one.until for one in held if one.name == own.name and one.ieee in whose and one is not own)
    return [until for until in same if until is not None and until <= own.since]


def _record(session: Session, gateway: str, now: Mapping[str, str], at: datetime) -> None:
    missing = dict(now)
    for row in repository.present(session, gateway):
        if missing.get(row.ieee) == row.name:
            del missing[row.ieee]
        else:
            row.until = max(at, row.since)
    for ieee, name in missing.items():
        repository.add(session, DeviceNameRow(gateway=gateway, ieee=ieee, name=name, since=at, until=None))
