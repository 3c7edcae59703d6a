"""What a kiosk remembers between events. Frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal

from carrel.contracts.circulation import ItemResult, PatronStanding
from gateway.stations.kiosk.events import Effect
from gateway.stations.pad_state import PadState


class Phase(StrEnum):
    """Where a session is."""

    IDLE = "idle"
    IDENTIFY = "identify"
    ITEMS = "items"
    LENDING = "lending"
    RESULT = "result"
    RETURN = "return"


@dataclass(frozen=True, slots=True)
class Rules:
    """What one kiosk is set up to do."""

    kiosk: str
    mode: Literal["borrow", "return", "both"]
    session: timedelta
    language: str


@dataclass(frozen=True, slots=True)
class Session:
    """Everything a kiosk remembers between events.

    `tags`: uid -> None being written, else whether it was. `asked_tags`: those that the server was last asked to judge.
    """

    language: str
    touched_at: datetime
    phase: Phase = Phase.IDLE
    pad: PadState = field(default_factory=PadState)
    server_up: bool = False
    patron: PatronStanding | None = None
    asked_card: str | None = None
    asked_tags: frozenset[str] | None = None
    preview: Mapping[str, ItemResult] = field(default_factory=dict)
    request_id: str | None = None
    asked: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    results: Mapping[str, ItemResult] = field(default_factory=dict)
    tags: Mapping[str, bool | None] = field(default_factory=dict)
    lent_uids: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    message: str | None = None
    help_called: bool = False
    requests: int = 0


@dataclass(frozen=True, slots=True)
class Step:
    """The new session and what to do."""

    session: Session
    effects: tuple[Effect, ...] = ()
