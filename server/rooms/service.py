"""What the rooms are like: the one place that pages, API and live channel ask."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from carrel.clock import Clock
from carrel.contracts.actuation import ActuatorState
from carrel.contracts.health import GatewayStatus, LinkHealth
from carrel.contracts.telemetry import DeviceInfo, Quantity
from carrel.sections import RoomConfig
from environment.samples import PLAUSIBLE
from server.rooms import policy
from server.rooms.errors import UnknownRoomError
from server.rooms.history import History, Spans, own_name
from server.rooms.picture import Picture, Standing
from server.rooms.plan import Plan, Plans, PresentPlan, RoomPlan
from server.rooms.policy import RoomValue
from server.telemetry.store import TelemetryStore


@dataclass(frozen=True, slots=True)
class RoomView:
    """A room now. `rev` is that of `{room}.actuators` on the live channel."""

    config: RoomConfig
    bands: Mapping[Quantity, tuple[float, float]]
    values: Mapping[Quantity, RoomValue]
    devices: Sequence[DeviceInfo]
    actuators: Sequence[ActuatorState]
    rev: str


@dataclass(frozen=True, slots=True)
class GatewayView:
    """A gateway and its links; `status` is the last it told, None when it has told other things but not this.

    `offline_at` is when this server heard it go, None when it did not hear that.
    """

    id: str
    standing: Standing
    status: GatewayStatus | None
    offline_at: datetime | None
    links: Sequence[LinkHealth]


class Rooms:
    """Of one server process; `app.state.rooms`."""

    def __init__(
        self, plan: Plan, picture: Picture, store: TelemetryStore, clock: Clock, *, names: Spans = own_name
    ) -> None:
        """`names` tells under which names a device's past is stored."""
        self.plan: Plans = PresentPlan(plan, picture)
        self.picture = picture
        self.past = History(self.plan, picture, store, names=names)
        self._clock = clock

    def all(self) -> list[RoomView]:
        """Every room, in the order of config.toml."""
        return [self._view(room) for room in self.plan.rooms.values()]

    def one(self, room: str) -> RoomView:
        """One room; raises UnknownRoomError."""
        return self._view(self._plan(room))

    def value(self, room: str, quantity: Quantity) -> RoomValue:
        """A room's value now: the median of its fresh sensors; raises UnknownRoomError."""
        devices = sorted(self._plan(room).sensors.get(quantity, ()))
        samples = self.picture.samples(room, devices, quantity)
        plausible = PLAUSIBLE.get(quantity.value, policy.ANYTHING)
        return policy.room_value(samples, self._clock.now(), self.plan.stale_after, plausible=plausible)

    def gateways(self) -> list[GatewayView]:
        """Every gateway that has been heard of."""
        return [
            GatewayView(id_, self.picture.standing(id_), gateway.status, gateway.offline_at, gateway.links)
            for id_, gateway in sorted(self.picture.gateways().items())
        ]

    def health_rev(self) -> str:
        """The `rev` of `health` on the live channel."""
        return self.picture.health_rev()

    def alarms_rev(self, rev: str) -> str:
        """The `rev` of `alarms` on the live channel: of the alarms themselves, and of whether they would be seen."""
        return f"{rev}.{self.picture.watch_rev()}"

    def actuators_rev(self, room: str) -> str:
        """The `rev` of `{room}.actuators` on the live channel."""
        return self.picture.actuators_rev(room)

    def _plan(self, room: str) -> RoomPlan:
        plan = self.plan.rooms.get(room)
        if plan is None:
            raise UnknownRoomError(rooms=", ".join(self.plan.rooms))
        return plan

    def _view(self, plan: RoomPlan) -> RoomView:
        id_ = plan.config.id
        return RoomView(
            config=plan.config,
            bands=plan.bands,
            values={quantity: self.value(id_, quantity) for quantity in plan.shown},
            devices=self.picture.devices_of(id_),
            actuators=self.picture.actuators(id_),
            rev=self.picture.actuators_rev(id_),
        )
