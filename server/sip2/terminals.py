"""How the terminals are: who is connected, when they last spoke and what they said of themselves. In the event loop."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

from server.sip2.profile import Profile

State = Literal["ok", "paper_out", "shutting_down", "unknown"]

STATES: dict[str, State] = {"0": "ok", "1": "paper_out", "2": "shutting_down"}
"""The status code of message 99."""


@dataclass(slots=True)
class Terminal:
    """One terminal as it was last heard; `since` is when it came into its state, `refused` counts refusals."""

    id: str
    place: str
    branch: str
    connections: int = 0
    addresses: tuple[str, ...] = ()
    state: State = "unknown"
    since: datetime | None = None
    last_message: str | None = None
    last_message_at: datetime | None = None
    last_status: str | None = None
    messages: int = 0
    refused: int = 0
    garbled: int = 0

    @property
    def online(self) -> bool:
        """Whether it holds a connection."""
        return self.connections > 0


@dataclass(slots=True)
class Terminals:
    """Of one server process; `app.state.terminals`."""

    rows: dict[str, Terminal] = field(default_factory=dict)
    strangers: int = 0
    """Connections that have not signed in yet."""
    turned_away: int = 0
    """Connections ended for what they sent, or for want of a login or of room."""

    def expect(self, profiles: Iterable[Profile]) -> None:
        """These are the terminals that config.toml names."""
        self.rows = {p.id: Terminal(p.id, p.terminal.place, p.branch) for p in profiles}

    def came(self, terminal: str, address: str) -> None:
        """A connection signed in."""
        row = self.rows[terminal]
        row.connections += 1
        row.addresses = (*row.addresses, address)

    def went(self, terminal: str, address: str) -> None:
        """It is gone."""
        row = self.rows[terminal]
        row.connections -= 1
        left = list(row.addresses)
        left.remove(address)
        row.addresses = tuple(left)

    def heard(self, terminal: str, message: str, now: datetime, *, refused: bool) -> None:
        """It asked for something."""
        row = self.rows[terminal]
        row.messages += 1
        row.refused += refused
        row.last_message, row.last_message_at = message, now

    def told(self, terminal: str, status: str, now: datetime) -> None:
        """It said how it is (message 99)."""
        row = self.rows[terminal]
        state = STATES.get(status, "unknown")
        if state != row.state or row.since is None:
            row.state, row.since = state, now
        row.last_status = status

    def garbled(self, terminal: str) -> None:
        """It sent what could not be read."""
        self.rows[terminal].garbled += 1

    def all(self) -> list[Terminal]:
        """Every terminal, as it is now."""
        return [replace(row) for row in self.rows.values()]

    def problems(self) -> list[Terminal]:
        """Those that somebody should walk to."""
        return [row for row in self.all() if row.state == "paper_out"]

    def rev(self) -> str:
        """Differs when a terminal came, went or changed its state; empty where there is none."""
        if not self.rows:
            return ""
        facts = [(row.id, row.online, row.state) for row in self.rows.values()]
        return hashlib.sha256(repr(facts).encode()).hexdigest()[:12]
