"""The building as the gateways last told it: a cache of what is retained on the broker, never the truth itself.

Written by the event loop only; read from any thread, because every change replaces what it changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

from carrel.contracts.actuation import ActuatorState, RuleLive, RulesState
from carrel.contracts.codec import ContractError
from carrel.contracts.config import ConfigState
from carrel.contracts.health import GatewayStatus, LinkHealth, LinkReport
from carrel.contracts.network import NetworkState
from carrel.contracts.telemetry import DeviceInfo, DeviceList, DeviceState, Quantity
from server.rooms.policy import Doing, Sample, digest

GATEWAYS_LIMIT = 64
DEVICES_LIMIT = 2000
"""Per gateway; a sender of made-up names must not fill the memory."""
TOLERANCES = {"switch": 0.0, "level": 5.0}
"""What a device may report beside what it was told: 5 % is within a covering's own."""


Standing = Literal["online", "offline", "unknown"]
"""Of a gateway; unknown: it never told, or the server cannot hear it."""


@dataclass(frozen=True, slots=True)
class GatewayPicture:
    """One gateway; `heard` when its status was told in the present session with the broker.

    `offline_at` is when this server heard it go; None while it is there, or when that was not heard.
    """

    status: GatewayStatus | None = None
    heard: bool = False
    offline_at: datetime | None = None
    links: tuple[LinkHealth, ...] = ()
    devices: tuple[DeviceInfo, ...] = ()
    states: Mapping[str, DeviceState] = field(default_factory=dict)
    rules: RulesState | None = None
    doing: Mapping[str, Doing] = field(default_factory=dict)
    network: NetworkState | None = None
    config: Mapping[str, ConfigState] = field(default_factory=dict)


class Picture:
    """All gateways."""

    def __init__(self) -> None:
        self._gateways: dict[str, GatewayPicture] = {}
        self._wishes: Mapping[str, str] = {}
        self._unreached = False
        self._settled = False
        self.layout = 0
        """Another number when a device came, went, moved, or tells of a quantity that it has not told of before."""

    def gateways(self) -> Mapping[str, GatewayPicture]:
        """As they are now; the mapping never changes."""
        return self._gateways

    def set_status(self, gateway: str, status: GatewayStatus, now: datetime) -> None:
        """A gateway came or went.

        `since` of a last will is when the gateway made it, at connecting; when it went is known only to who heard it.
        """
        known = self._get(gateway)
        offline_at = _offline_at(known, now) if status.state == "offline" else None
        self._put(gateway, replace(known, status=status, heard=True, offline_at=offline_at))

    def forget(self, gateway: str) -> None:
        """It was retired; should it speak again, it is back."""
        self._gateways = {name: known for name, known in self._gateways.items() if name != gateway}
        self.layout += 1

    def begin_session(self) -> None:
        """The broker is there (again); what it retains is told anew, so what it does not tell is in doubt.

        After a short loss the gateways get until `settle` to come back; after a long one nothing is taken for granted.
        """
        self._gateways = {name: replace(gateway, heard=False) for name, gateway in self._gateways.items()}
        self._settled, self._unreached = self._unreached, False

    def settle(self) -> None:
        """The session is so old that every gateway that is there has told so."""
        self._settled = True

    def lose(self) -> None:
        """The broker is away, and not just for a moment."""
        self._unreached = True

    @property
    def unreached(self) -> bool:
        """The server does not reach the broker: everything here is old."""
        return self._unreached

    def standing(self, gateway: str) -> Standing:
        """Whether a gateway is there, as far as can be known now."""
        known = self._gateways.get(gateway)
        if known is None or known.status is None or self._unreached:
            return "unknown"
        if known.status.state == "online" and self._settled and not known.heard:
            return "unknown"
        return known.status.state

    def watch_rev(self) -> str:
        """Differs when a gateway, or the broker on the way to all of them, comes or goes."""
        return digest((self._unreached, [(name, self.standing(name)) for name in sorted(self._gateways)]))

    def set_links(self, gateway: str, links: LinkReport) -> None:
        """How its links are."""
        self._put(gateway, replace(self._get(gateway), links=links.links))

    def set_devices(self, gateway: str, devices: DeviceList) -> None:
        """What hangs on it."""
        self._put(gateway, replace(self._get(gateway), devices=devices.devices))
        self.layout += 1

    def set_rules(self, gateway: str, rules: RulesState) -> None:
        """What its actuators do."""
        known = self._get(gateway)
        doing = {state.actuator: _doing(known.doing.get(state.actuator), state, rules.ts) for state in rules.actuators}
        self._put(gateway, replace(known, rules=rules, doing=doing))

    def set_network(self, gateway: str, network: NetworkState) -> None:
        """What its Zigbee network is like."""
        self._put(gateway, replace(self._get(gateway), network=network))

    def set_config(self, gateway: str, state: ConfigState) -> None:
        """Which version of a section it runs, or why not."""
        known = self._get(gateway)
        self._put(gateway, replace(known, config={**known.config, state.section: state}))

    def config_rev(self) -> str:
        """Differs when a gateway runs another version of something, refuses one, comes or goes."""
        found = sorted(self._gateways.items())
        return digest([(name, self.standing(name), sorted(g.config.items())) for name, g in found])

    def set_wishes(self, wishes: Mapping[str, str]) -> None:
        """How far people's wishes have come, as a digest a room."""
        self._wishes = wishes

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
        if before is None or before.zone != state.zone or before.values.keys() != state.values.keys():
            self.layout += 1

    def samples(self, room: str, devices: Iterable[str], quantity: Quantity) -> list[Sample]:
        """The last value of this quantity that each of these devices measured in a room."""
        found = []
        for device in devices:
            for name, gateway in self._gateways.items():
                state = gateway.states.get(device)
                if state is not None and state.zone == room and quantity in state.values:
                    at = state.at.get(quantity, state.ts)
                    found.append(Sample(state.values[quantity], at, heard=self._heard(name)))
        return found

    def _heard(self, gateway: str) -> bool:
        """Whether what it told last is true now; one that never told its state may be newer than its status."""
        told = self._gateways[gateway].status is not None
        return not self._unreached and (not told or self.standing(gateway) == "online")

    def actuators(self, room: str) -> list[ActuatorState]:
        """What the actuators of a room do."""
        return [state for _, state in self._actuators() if state.zone == room]

    def actuator(self, room: str, actuator: str) -> ActuatorState | None:
        """What an actuator does; None when no gateway has told of it."""
        return next((s for _, s in self._actuators() if (s.zone, s.actuator) == (room, actuator)), None)

    def doing(self, room: str, actuator: str) -> Doing:
        """What an actuator was told and reports."""
        gateway = self.gateway_of(room, actuator)
        return self._gateways[gateway].doing[actuator] if gateway is not None else Doing()

    def state_of(self, device: str) -> DeviceState | None:
        """Everything last known of a device."""
        return next((g.states[device] for g in self._gateways.values() if device in g.states), None)

    def rules_of(self, room: str) -> list[RuleLive]:
        """The rules of a room as they stand."""
        return [rule for g in self._gateways.values() if g.rules for rule in g.rules.rules if rule.zone == room]

    def rules_rev(self, room: str) -> str:
        """Differs when a rule of the room stands otherwise; the value that it looks at changes with every report."""
        return digest([rule.model_dump(exclude={"value"}) for rule in self.rules_of(room)])

    def gateway_of(self, room: str, actuator: str) -> str | None:
        """Which gateway moves this actuator; None when none has told of it."""
        return next((g for g, state in self._actuators() if (state.zone, state.actuator) == (room, actuator)), None)

    def devices_of(self, room: str) -> list[DeviceInfo]:
        """The devices of a room."""
        return [device for g in self._gateways.values() for device in g.devices if device.zone == room]

    def has_device(self, device: str) -> bool:
        """Whether any gateway tells of it."""
        return any(device in {info.id for info in g.devices} | g.states.keys() for g in self._gateways.values())

    def actuators_rev(self, room: str) -> str:
        """Differs when an actuator of the room does something else or for another reason, or a wish came further.

        Measured values among the reasons' parameters are left out: they change with every report.
        """
        facts = [
            (s.actuator, s.wanted, s.commanded, s.reported, s.cause, s.rule, s.reason, s.override,
             sorted((key, value) for key, value in s.params.items() if key != "value"))
            for s in self.actuators(room)
        ]  # fmt: skip
        return digest((facts, self._wishes.get(room)))

    def devices_rev(self, room: str) -> str:
        """Differs when a device of the room came, went or, to the minute, was heard."""
        facts = []
        for device in self.devices_of(room):
            state = self.state_of(device.id)
            heard = sorted((q.value, _minute(at)) for q, at in state.at.items()) if state else ()
            facts.append((device.id, device.kind, device.model, heard))
        return digest(facts)

    def network_rev(self) -> str:
        """Differs when a network or one of its devices changed or, to the minute, was heard."""
        facts = []
        for name, gateway in sorted(self._gateways.items()):
            net = gateway.network
            if net is not None:
                devices = [
                    (d.model_dump(exclude={"last_seen", "lqi"}), d.last_seen and _minute(d.last_seen))
                    for d in net.devices
                ]
                facts.append((name, self.standing(name), net.model_dump(exclude={"ts", "devices"}), devices))
        return digest(facts)

    def health_rev(self) -> str:
        """Differs when a gateway or link came or went."""
        facts = []
        for name, gateway in sorted(self._gateways.items()):
            status = gateway.status and (gateway.status.state, gateway.offline_at)
            links = [(x.link, x.state, x.since, x.last_error) for x in gateway.links]
            facts.append((name, self.standing(name), status, links))
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


def _offline_at(known: GatewayPicture, now: datetime) -> datetime | None:
    """When a gateway that says `offline` now went: what the broker retained from an earlier time tells nothing new."""
    if known.status is None or known.status.state == "offline":
        return known.offline_at
    return now if known.heard else None


def _doing(before: Doing | None, state: ActuatorState, at: datetime) -> Doing:
    """The same as before with the times of what changed."""
    commanded_at = before.commanded_at if before and before.commanded == state.commanded else at
    reported_at = before.reported_at if before and before.reported == state.reported else at
    return Doing(state.commanded, state.reported, commanded_at, reported_at, TOLERANCES[state.type])


def _minute(at: datetime) -> int:
    return int(at.timestamp()) // 60
