"""What the audit log is made of."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

_JSON = json.JSONEncoder(ensure_ascii=False).encode

FIRST = "0" * 64
"""What the first row names as the hash before it."""


class Entry(NamedTuple):
    """One thing done. `actor` is a principal's subject, `target` a kind and a key (`patron:12`); no names anywhere."""

    actor: str
    action: str
    target: str
    at: datetime
    detail: str = "{}"
    """Canonical JSON of an object."""

    @property
    def told(self) -> str:
        """What is sealed of it, between its number and the hash before it."""
        at = self.at.astimezone(UTC).isoformat(timespec="microseconds")
        return ", ".join(map(_JSON, (at, self.actor, self.action, self.target, self.detail)))


@dataclass(frozen=True, slots=True)
class Sealed:
    """An entry in its place in the chain."""

    seq: int
    entry: Entry
    prev: str
    hash: str


class UnreadableRowError(Exception):
    """A row holds what no program of ours writes."""

    def __init__(self, seq: int) -> None:
        super().__init__(seq)
        self.seq = seq


@dataclass(frozen=True, slots=True)
class Head:
    """The newest row: where the chain goes on."""

    seq: int = 0
    hash: str = FIRST


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which rows to show; None means any. `target` may be a kind alone (`patron:`)."""

    actor: str | None = None
    target: str | None = None
    action: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    before: int | None = None
