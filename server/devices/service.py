"""Asks the gateways for what people want of their Zigbee networks."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from carrel.clock import Clock
from carrel.contracts.actuation import CommandStatus
from carrel.contracts.network import DeviceKind, NetworkCommand, NetworkDevice, NetworkState
from server.deps import Principal
from server.devices.errors import (
    DeviceNameTakenError,
    NetworkRefusedError,
    NetworkUnknownError,
    SeveralNetworksError,
    UnknownDeviceError,
    UnknownZoneError,
)
from server.edge.outbox import Order, Outbox
from server.rooms.service import Rooms

EXPIRES_AFTER = timedelta(seconds=60)
TARGET = "zigbee"

Simple = Literal["close", "form", "backup"]
Answer = Literal["done", "sent"]


@dataclass(frozen=True, slots=True)
class Network:
    """A gateway's network; `online` is whether that gateway is there now."""

    gateway: str
    online: bool
    state: NetworkState


@dataclass(frozen=True, slots=True)
class Naming:
    """What a device is to be called, where it hangs and what it is (None: as it says itself)."""

    device: str
    zone: str
    kind: DeviceKind | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """A command and whether it is carried out (`done`) or on its way (`sent`)."""

    id: str
    status: Answer


class Networks:
    """Of one server process; `app.state.network`. Orders block up to 3 s; not inside a transaction.

    Each order raises NetworkRefusedError with the gateway's code when the gateway refuses it.
    """

    def __init__(self, rooms: Rooms, outbox: Outbox, clock: Clock) -> None:
        self._rooms = rooms
        self._outbox = outbox
        self._clock = clock

    def all(self) -> list[Network]:
        """Every network that a gateway has told of."""
        return [
            Network(name, self._rooms.picture.standing(name) == "online", gateway.network)
            for name, gateway in sorted(self._rooms.picture.gateways().items())
            if gateway.network is not None
        ]

    def permit(self, seconds: int, *, gateway: str | None, by: Principal) -> Asked:
        """Open the join window; raises NetworkUnknownError, SeveralNetworksError."""
        command = self._command("permit", by).model_copy(update={"seconds": seconds})
        return self._ask(self._named(gateway), command)

    def simply(self, action: Simple, *, gateway: str | None, by: Principal) -> Asked:
        """Close the join window, form a network or back it up; raises NetworkUnknownError, SeveralNetworksError."""
        return self._ask(self._named(gateway), self._command(action, by))

    def name(self, ieee: str, naming: Naming, *, by: Principal) -> Asked:
        """Name a device; raises UnknownDeviceError, UnknownZoneError, DeviceNameTakenError."""
        network, _ = self._device(ieee)
        rooms = self._rooms.plan.rooms
        if naming.zone not in rooms:
            raise UnknownZoneError(rooms=", ".join(rooms))
        taken = next((d for n in self.all() for d in n.state.devices if d.id == naming.device), None)
        if taken is not None and taken.ieee != ieee:
            raise DeviceNameTakenError(ieee=taken.ieee)
        wish = {"ieee": ieee, "device": naming.device, "zone": naming.zone, "device_kind": naming.kind}
        return self._ask(network, self._command("name", by).model_copy(update=wish))

    def about(self, action: Literal["remove", "reinterview"], ieee: str, *, by: Principal) -> Asked:
        """Remove a device or ask it everything again; raises UnknownDeviceError."""
        network, _ = self._device(ieee)
        return self._ask(network, self._command(action, by).model_copy(update={"ieee": ieee}))

    def _named(self, gateway: str | None) -> Network:
        networks = self.all()
        found = [n for n in networks if gateway in (None, n.gateway)]
        if not found:
            raise NetworkUnknownError
        if len(found) > 1:
            raise SeveralNetworksError(gateways=", ".join(n.gateway for n in found))
        return found[0]

    def _device(self, ieee: str) -> tuple[Network, NetworkDevice]:
        for network in self.all():
            for device in network.state.devices:
                if device.ieee == ieee:
                    return network, device
        raise UnknownDeviceError

    def _command(
        self, action: Literal["form", "permit", "close", "name", "remove", "reinterview", "backup"], by: Principal
    ) -> NetworkCommand:
        expires = self._clock.now() + EXPIRES_AFTER
        return NetworkCommand(id=uuid.uuid4().hex, action=action, by=by.user, expires=expires)

    def _ask(self, network: Network, command: NetworkCommand) -> Asked:
        result = self._outbox.carry_out(Order(network.gateway, TARGET, command), lambda _session: None)
        if result is None:
            return Asked(command.id, "sent")
        if result.status is not CommandStatus.DONE:
            raise NetworkRefusedError(result.code or result.status.value, result.detail)
        return Asked(command.id, "done")
