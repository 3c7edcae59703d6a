"""What the rooms' pages show beside the overview's tiles, as plain values, and what they ask for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from carrel.contracts.actuation import RuleLive
from carrel.web.i18n import Language
from server.pages.dashboard.views import Measurement, RoomTile

StripQuantity = Literal["position", "on", "level"]


@dataclass(frozen=True, slots=True)
class Strip:
    """An actuator whose past is drawn beneath the charts: which device tells of it, as which quantity."""

    actuator: str
    name: str
    device: str
    quantity: StripQuantity


@dataclass(frozen=True, slots=True)
class DeviceValue:
    """The last value of one quantity of a device."""

    quantity: str
    value: float
    at: datetime


@dataclass(frozen=True, slots=True)
class DeviceView:
    """A device of a room; `heard_at` is None when it has not reported since the server started."""

    id: str
    kind: str
    model: str
    values: Sequence[DeviceValue]
    battery: DeviceValue | None
    heard_at: datetime | None


@dataclass(frozen=True, slots=True)
class Charted:
    """A quantity whose past is drawn, with its target."""

    quantity: str
    band: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class RoomPage:
    """One room in full; `stale_after_s` makes a gap of a silence. `dew_point` is None while it is unknown."""

    tile: RoomTile
    charted: Sequence[Charted]
    dew_point: float | None
    strips: Sequence[Strip]
    devices: Sequence[DeviceView]
    devices_rev: str
    rules: Sequence[RuleLive]
    rules_rev: str
    stale_after_s: int


class RoomBook(Protocol):
    """What the rooms' pages ask for; Building does what they want done."""

    def rooms(self, language: Language) -> Sequence[RoomTile]:
        """Every room."""

    def page(self, room: str, language: Language) -> RoomPage | None:
        """One room in full; None if there is none of that id."""


def charted(measurements: Sequence[Measurement]) -> list[Charted]:
    """What is measured, and the dew point where temperature and humidity are."""
    found = [Charted(m.quantity, m.band) for m in measurements]
    derivable = {"temp", "rh"} <= {m.quantity for m in measurements}
    return [*found, Charted("dew_point", None)] if derivable else found
