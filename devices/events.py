"""What drivers tell the gateway. Frozen values, handed to `emit` in the order they were seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from carrel.contracts.telemetry import Quantity, Reading


class Health(StrEnum):
    """How a Modbus module answers: `degraded` after 1 or 2 failed polls, `lost` after 3 in a row or 2 s."""

    OK = "ok"
    DEGRADED = "degraded"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class ReadingSeen:
    """A device reported or answered a value; one that is `late` was overtaken by a newer one: for the log only."""

    reading: Reading
    late: bool = False


@dataclass(frozen=True, slots=True)
class DeviceSeen:
    """A named Zigbee device is interviewed, bound and reporting; `model` is what it calls itself."""

    device: str
    model: str
    at: datetime
    quantities: tuple[Quantity, ...] = ()


@dataclass(frozen=True, slots=True)
class DeviceJoined:
    """A device came onto the network; `device` is None for one that config.toml does not know."""

    device: str | None
    ieee: str
    at: datetime


@dataclass(frozen=True, slots=True)
class DeviceLeft:
    """A device said that it leaves the network."""

    device: str | None
    ieee: str
    at: datetime


@dataclass(frozen=True, slots=True)
class NetworkChanged:
    """What the Zigbee network looks like has changed: who is in, how far, until when it is open."""


@dataclass(frozen=True, slots=True)
class ContactChanged:
    """A debounced input of an I/O module, or one of a detector (`alarm`, `tamper`, `trouble`, closed at rest).
    The first good reading after a start is told for every input."""

    module: str
    input: str
    closed: bool
    at: datetime


@dataclass(frozen=True, slots=True)
class OutputsRead:
    """The named outputs of a module as read back; told at the first poll and whenever one differs."""

    module: str
    outputs: Mapping[str, bool]
    at: datetime


@dataclass(frozen=True, slots=True)
class ModuleHealth:
    """The health of a module or detector changed; while it is lost, its zones are in fault."""

    module: str
    state: Health
    at: datetime


@dataclass(frozen=True, slots=True)
class LinkUp:
    """The link serves from now on: connected, checked and read once. For the supervisor, which keeps it."""


@dataclass(frozen=True, slots=True)
class BadFrame:
    """Bytes that were no frame, or an answer that could not be right; dropped. For the supervisor, which counts."""

    detail: str


DeviceEvent = (
    ReadingSeen
    | DeviceSeen
    | DeviceJoined
    | DeviceLeft
    | NetworkChanged
    | ContactChanged
    | OutputsRead
    | ModuleHealth
    | LinkUp
    | BadFrame
)
