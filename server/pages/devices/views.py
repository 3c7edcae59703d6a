"""What the devices' page shows, made from the network's state; pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from carrel.contracts.network import NetworkDevice
from carrel.contracts.telemetry import DeviceState, Quantity
from server.devices.service import Network
from server.pages.rooms.views import DeviceValue


@dataclass(frozen=True, slots=True)
class QuantityView:
    """The last value of a quantity, whether it is overdue; both None when it was never heard but should have been."""

    quantity: str
    value: float | None
    at: datetime | None
    silent: bool


@dataclass(frozen=True, slots=True)
class MemberView:
    """A device of the network; `room` is the name of its room."""

    device: NetworkDevice
    room: str
    quantities: Sequence[QuantityView]
    battery: float | None

    @property
    def steps_shown(self) -> bool:
        """Whether its way onto the network is worth showing."""
        d = self.device
        return d.state == "joining" or any(step.state in ("running", "failed") for step in d.steps)


@dataclass(frozen=True, slots=True)
class NetworkView:
    """A network with its devices: those without a name first and apart."""

    network: Network
    unnamed: Sequence[MemberView]
    named: Sequence[MemberView]

    @property
    def current(self) -> bool:
        """Whether devices are now as it says; while gateway or radio is away, they were."""
        return self.network.online and self.network.state.state == "running"

    @property
    def heard_at(self) -> datetime | None:
        """When the radio last heard any of its devices; None for never."""
        return max((d.last_seen for d in self.network.state.devices if d.last_seen is not None), default=None)

    def count(self, state: str) -> int:
        """How many named devices are in this state."""
        return sum(member.device.state == state for member in self.named)


def network_view(
    network: Network, rooms: Mapping[str, str], state_of: Callable[[str], DeviceState | None]
) -> NetworkView:
    """Join what the network says with what each device reported; `rooms` are id -> name."""
    members = [_member(device, rooms, state_of) for device in network.state.devices]
    order = {room: number for number, room in enumerate(rooms)}
    named = sorted(
        (m for m in members if m.device.id is not None),
        key=lambda m: (order.get(m.device.zone or "", len(order)), m.device.id or ""),
    )
    return NetworkView(network, [m for m in members if m.device.id is None and m.device.state != "left"], named)


def _member(
    device: NetworkDevice, rooms: Mapping[str, str], state_of: Callable[[str], DeviceState | None]
) -> MemberView:
    state = state_of(device.id) if device.id else None
    values = {q: DeviceValue(q.value, v, state.at.get(q, state.ts)) for q, v in state.values.items()} if state else {}
    heard = [
        QuantityView(q.value, v.value, v.at, q in device.silent) for q, v in values.items() if q is not Quantity.BATTERY
    ]
    never = [QuantityView(q.value, None, None, silent=True) for q in device.silent if q not in values]
    battery = values.get(Quantity.BATTERY)
    level = device.battery_pct if device.battery_pct is not None else battery.value if battery else None
    return MemberView(device, rooms.get(device.zone or "", ""), [*heard, *never], level)
