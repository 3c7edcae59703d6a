"""The building as the gateways last told it: a cache of what is retained on the broker, never the truth itself.

Written by the event loop only; read from any thread, because every change replaces what it changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from carrel.contracts.actuation import ActuatorState, RulesState
from carrel.contracts.codec import ContractError
from carrel.contracts.health import GatewayStatus, LinkHealth, LinkReport
from carrel.contracts.telemetry import DeviceInfo, DeviceList, DeviceState, Quantity
from server.rooms.policy import Sample, digest

GATEWAYS_LIMIT = 64
DEVICES_LIMIT = 2000
"""Per gateway; a sender of made-up names must not fill the memory."""


@dataclass(frozen=True, slots=True)
class GatewayPicture:
    """One gateway."""

    status: GatewayStatus | None = None
    links: tuple[LinkHealth, ...] = ()
    devices: tuple[DeviceInfo, ...] = ()
    states: Mapping[str, DeviceState] = field(default_factory=dict)
    rules: RulesState | None = None


class Picture:
    """All gateways."""

    def __init__(self) -> None:
        self._gateways: dict[str, GatewayPicture] = {}

    def gateways(self) -> Mapping[str, GatewayPicture]:
        """As they are now; the mapping never changes."""
        return self._gateways

    def set_status(self, gateway: str, status: GatewayStatus) -> None:
        """A gateway came or went."""
        self._put(gateway, replace(self._get(gateway), status=status))

    def set_links(self, gateway: str, links: LinkReport) -> None:
        """How its links are."""
        self._put(gateway, replace(self._get(gateway), links=links.links))

    def set_devices(self, gateway: str, devices: DeviceList) -> None:
        """What hangs on it."""
        self._put(gateway, replace(self._get(gateway), devices=devices.devices))

    def set_rules(self, gateway: str, rules: RulesState) -> None:
        """What its actuators do."""
        self._put(gateway, replace(self._get(gateway), rules=rules))

    def set_device(self, gateway: str, device: str, state: DeviceState) -> None:
        """What a device reported; a restarted gateway tells only what it has heard since, the rest is kept."""
        known = self._get(gateway)
        before = known.states.get(device)
        if before is None and len(known.states) >= DEVICES_LIMIT:
            raise ContractError(f"more than {DEVICES_LIMIT} devices on one gateway")
        if before is not None and before.zone == state.zone:
            values, times = {**before.values, **state.values}, {**before.at, **state.at}
            state = state.model_copy(update={"values": values, "at": times})
        self._put(gateway, replace(known, states={**known.states, device: state}))

    def samples(self, devices: Iterable[str], quantity: Quantity) -> list[Sample]:
        """The last value of this quantity of each of these devices that has one."""
        found = []
        for device in devices:
            for gateway in self._gateways.values():
                state = gateway.states.get(device)
                if state is not None and quantity in state.values:
                    found.append(Sample(state.values[quantity], state.at.get(quantity, state.ts)))
        return found

    def actuators(self, room: str) -> list[ActuatorState]:
        """What the actuators of a room do."""
        return [state for _, state in self._actuators() if state.zone == room]

    def gateway_of(self, room: str, actuator: str) -> str | None:
        """Which gateway moves this actuator; None when none has told of it."""
        return next((g for g, state in self._actuators() if (state.zone, state.actuator) == (room, actuator)), None)

    def devices_of(self, room: str) -> list[DeviceInfo]:
        """The devices of a room."""
        return [device for g in self._gateways.values() for device in g.devices if device.zone == room]

    def actuators_rev(self, room: str) -> str:
        """Differs when an actuator of the room does something else or for another reason.

        Measured values among the reasons' parameters are left out: they change with every report.
        """
        facts = [
            (s.actuator, s.wanted, s.commanded, s.reported, s.cause, s.rule, s.reason, s.override,
             sorted((key, value) for key, value in s.params.items() if key != "value"))
            for s in self.actuators(room)
        ]  # fmt: skip
        return digest(facts)

    def health_rev(self) -> str:
        """Differs when a gateway or link came or went."""
        facts = []
        for name, gateway in sorted(self._gateways.items()):
            status = gateway.status and (gateway.status.state, gateway.status.since)
            facts.append((name, status, [(x.link, x.state, x.since, x.last_error) for x in gateway.links]))
        return digest(facts)

    def _actuators(self) -> Iterable[tuple[str, ActuatorState]]:
        for name, gateway in self._gateways.items():
            for state in gateway.rules.actuators if gateway.rules else ():
                yield name, state

    def _get(self, gateway: str) -> GatewayPicture:
        known = self._gateways.get(gateway)
        if known is None and len(self._gateways) >= GATEWAYS_LIMIT:
            raise ContractError(f"more than {GATEWAYS_LIMIT} gateways")
        return known or GatewayPicture()

    def _put(self, gateway: str, picture: GatewayPicture) -> None:
        self._gateways = {**self._gateways, gateway: picture}
