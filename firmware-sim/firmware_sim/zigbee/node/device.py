"""One virtual device: its address, attributes, bindings and answers to ZCL frames."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Protocol

from firmware_sim.zigbee import zcl
from firmware_sim.zigbee.node import foundation
from firmware_sim.zigbee.node.models import (
    BASIC,
    ENDPOINT,
    IAS_ZONE,
    IDENTIFY,
    MANUFACTURER_CODE,
    MEASUREMENTS,
    POLL_CONTROL,
    POWER,
    PROFILE,
    Attribute,
    Model,
)
from firmware_sim.zigbee.node.polling import Polling
from firmware_sim.zigbee.node.reporting import Reporter, Rule, Target
from firmware_sim.zigbee.octets import Octets, ieee_text, u16
from firmware_sim.zigbee.timers import Timers

FACTORY_RESET = 0x00
_IDENTIFY_TIME: Target = (IDENTIFY, 0x0000)
_OF_THE_NETWORK: Final = ((IAS_ZONE, 0x0000), (IAS_ZONE, 0x0010), (IAS_ZONE, 0x0011))
_EMPTY_VOLT: Final = 2.0
_FULL_VOLT: Final = 3.0


@dataclass(frozen=True, slots=True)
class Binding:
    """One entry of a device's binding table; addresses in wire order, `endpoint` None for a group."""

    cluster: int
    source_endpoint: int
    target: bytes
    endpoint: int | None


class Behaviour(Protocol):
    """What a device does to its room, and its room to it."""

    def start(self) -> None:
        """Power is on: put the kept state into force."""

    def sample(self) -> None:
        """Look at the room; called about once a second."""

    def written(self, target: Target) -> None:
        """A host wrote an attribute."""

    def state(self) -> dict[str, Any]:
        """What an onlooker sees of it, as JSON."""

    def command(self, cluster: int, command: int, args: Octets) -> int:
        """A cluster command came; its ZCL status. TruncatedError when it is too short."""


class VirtualDevice:
    """A device on endpoint 1. `transmit(cluster, endpoint, frame)` puts a ZCL frame on air; True when it arrived."""

    def __init__(self, ieee: bytes, model: Model, zone: str, *, timers: Timers, name: str = "") -> None:
        self.ieee = ieee
        self.name = name or ieee_text(ieee)
        self.model = model
        self.zone = zone
        self.nwk: int | None = None
        self.membership: str | None = None  # the network it believes to be on
        self.bindings: list[Binding] = []
        self.transmit: Callable[[int, int, bytes], bool] = lambda *_: False
        self.coordinator: Callable[[], bytes] = lambda: bytes(8)
        self.neighbours: Callable[[], list[bytes] | None] = lambda: None
        self.distort: Callable[[int, zcl.Value], zcl.Value] = lambda _, value: value
        self.frozen: Callable[[], bool] = lambda: False
        self.on_change: Callable[[], None] = lambda: None
        self.on_default_response: Callable[[int, int], None] = lambda *_: None  # cluster, tsn
        self.host_endpoint = ENDPOINT  # where the last frame came from
        self.reports = 0  # that the coordinator put on its wire
        self.behaviour: Behaviour | None = None
        self.reporter = Reporter(timers, self.get, self._report)
        self._tsn = 0
        self._values: dict[Target, zcl.Value] = {
            (cluster, number): attribute.value
            for tables in (model.server, model.client)
            for cluster, table in tables.items()
            for number, attribute in table.items()
        }
        self.polling = Polling(self, timers) if model.sleepy else None

    # ------------------------------------------------------------ attributes
    def attribute(self, target: Target) -> Attribute:
        """Definition of a server attribute; KeyError when the device has none."""
        return self.model.server[target[0]][target[1]]

    def get(self, target: Target) -> zcl.Value:
        """Present value as it is told; KeyError when there is no such attribute."""
        value = self._values[target]
        if target[1] == 0 and target[0] in MEASUREMENTS:
            return self.distort(self.attribute(target).type, value)
        return value

    def number(self, target: Target) -> int:
        """Present value of a numeric attribute."""
        return int(self._values[target])

    def set(self, target: Target, value: zcl.Number, *, report: bool = True) -> None:
        """Set an attribute from inside; `report` False leaves the report to a later call."""
        if self._values[target] != value:
            self._values[target] = value
            if self.attribute(target).kept:
                self.on_change()
        if report:
            self.reporter.changed(target)

    def write(self, target: Target, value: zcl.Value) -> None:
        """Set an attribute for a host."""
        self._values[target] = value
        if self.attribute(target).kept:
            self.on_change()
        if self.polling is not None:
            self.polling.written(target)
        if self.behaviour is not None:
            self.behaviour.written(target)
        self.reporter.changed(target)

    def sample(self) -> None:
        """One second has passed."""
        identify_s = self.number(_IDENTIFY_TIME)
        if identify_s:
            self.set(_IDENTIFY_TIME, identify_s - 1)
        if self.behaviour is not None and not self.frozen():
            self.behaviour.sample()

    @property
    def battery_pct(self) -> float | None:
        """How full the battery is; None without one."""
        return self.number((POWER, 0x0021)) / 2 if POWER in self.model.server else None

    def set_battery(self, percent: float) -> None:
        """Fill or empty the battery; ValueError when there is none or it cannot be so full."""
        if self.battery_pct is None:
            raise ValueError(f"{self.name} runs on mains")
        if not 0 <= percent <= 100:
            raise ValueError(f"battery {percent:g} % is outside 0..100")
        volt = _EMPTY_VOLT + (_FULL_VOLT - _EMPTY_VOLT) * percent / 100
        self.set((POWER, 0x0020), round(10 * volt))
        self.set((POWER, 0x0021), round(2 * percent))

    # ------------------------------------------------------------ descriptors
    def node_descriptor(self) -> bytes:
        """Thirteen octets of the node descriptor (Zigbee 2.3.2.3)."""
        awake = 0x80 if self.model.sleepy else 0x8C
        logical_type, capability = (1, 0x8E) if self.model.router else (2, awake)
        head = bytes((logical_type, 0x40, capability)) + u16(MANUFACTURER_CODE)
        return head + bytes((82,)) + u16(82) + u16(0x2C00) + u16(82) + b"\x00"

    def endpoints(self) -> list[int]:
        """Active endpoints."""
        return [ENDPOINT]

    def simple_descriptor(self, endpoint: int) -> bytes | None:
        """Simple descriptor (Zigbee 2.3.2.5); None for an endpoint that is not active."""
        if endpoint != ENDPOINT:
            return None
        head = bytes((ENDPOINT,)) + u16(PROFILE) + u16(self.model.device_id) + b"\x01"
        lists = (sorted(self.model.server), sorted(self.model.client))
        return head + b"".join(bytes((len(ids),)) + b"".join(map(u16, ids)) for ids in lists)

    def routes(self) -> list[bytes] | None:
        """Routers here keep no table worth telling: the coordinator is in earshot."""
        return [] if self.model.router else None

    @property
    def capability(self) -> int:
        """MAC capability of the announcement."""
        return self.node_descriptor()[2]

    # ------------------------------------------------------------ frames
    def receive(self, cluster: int, endpoint: int, data: bytes, *, broadcast: bool = False) -> None:
        """A ZCL frame came from the host's `endpoint`; answers go out through `transmit`."""
        octets = Octets(data)
        try:
            header = zcl.read_header(octets)
        except ValueError:
            return
        self.host_endpoint = endpoint
        reply = (
            self._command(cluster, header, octets) if header.cluster_specific else self._global(cluster, header, octets)
        )
        if reply is None or broadcast:
            return
        command, payload, specific = reply
        if command == zcl.DEFAULT_RESPONSE and payload[1] == zcl.SUCCESS and header.no_default_response:
            return
        answer = zcl.Header(
            header.tsn,
            command,
            cluster_specific=specific,
            from_server=not header.from_server,
            no_default_response=True,
            manufacturer=header.manufacturer,
        )
        self.transmit(cluster, endpoint, answer.octets() + payload)

    def report(self, target: Target, value: zcl.Value, endpoint: int) -> bool:
        """Send one attribute report with this value to the coordinator's `endpoint`; True when it was heard."""
        header = zcl.Header(self.next_tsn(), zcl.REPORT, from_server=True, no_default_response=True)
        data_type = self.attribute(target).type
        record = u16(target[1]) + bytes((data_type,)) + zcl.encode_value(data_type, value)
        return self.transmit(target[0], endpoint, header.octets() + record)

    def notify(self, cluster: int, command: int, payload: bytes, *, endpoint: int, tsn: int | None = None) -> bool:
        """Send a cluster command that wants a default response; True when it was heard. A repeat keeps its `tsn`."""
        number = self.next_tsn() if tsn is None else tsn
        header = zcl.Header(number, command, cluster_specific=True, from_server=True)
        return self.transmit(cluster, endpoint, header.octets() + payload)

    def next_tsn(self) -> int:
        """Number of the next frame that it begins."""
        self._tsn = (self._tsn + 1) % 256
        return self._tsn

    def bound_endpoint(self, cluster: int) -> int | None:
        """Where reports of a cluster go: the coordinator's endpoint of the binding; None when not bound to it."""
        coordinator = self.coordinator()
        for binding in self.bindings:
            if binding.cluster == cluster and binding.target == coordinator and binding.endpoint is not None:
                return binding.endpoint
        return None

    def _report(self, target: Target) -> bool:
        endpoint = self.bound_endpoint(target[0])
        return endpoint is not None and self.report(target, self.get(target), endpoint)

    def _global(self, cluster: int, header: zcl.Header, args: Octets) -> tuple[int, bytes, bool] | None:
        tables = self.model.client if header.from_server else self.model.server
        table = tables.get(cluster)
        if table is None:
            return None if header.command == zcl.DEFAULT_RESPONSE else _default(header, zcl.UNSUPPORTED_CLUSTER)
        if header.manufacturer is not None:
            table = {}
        if header.command == zcl.DEFAULT_RESPONSE:
            self.on_default_response(cluster, header.tsn)
        try:
            answer = foundation.answer(self, cluster, header.command, table=table, args=args)
        except KeyError:
            return _default(header, zcl.UNSUP_COMMAND)
        except ValueError:
            return _default(header, zcl.MALFORMED_COMMAND)
        if header.command in (zcl.CONFIGURE_REPORTING, zcl.WRITE):
            self.on_change()
        return None if answer is None else (*answer, False)

    def _command(self, cluster: int, header: zcl.Header, args: Octets) -> tuple[int, bytes, bool]:
        if header.from_server or cluster not in self.model.server:
            return _default(header, zcl.UNSUPPORTED_CLUSTER)
        if header.manufacturer is not None:
            return _default(header, zcl.UNSUP_MANUF_COMMAND)
        try:
            if cluster == IDENTIFY:
                return self._identify(header, args)
            if cluster == BASIC and header.command == FACTORY_RESET:
                self.reporter.clear()
                return _default(header, zcl.SUCCESS)
            status = zcl.UNSUP_COMMAND
            if cluster == POLL_CONTROL and self.polling is not None:
                status = self.polling.command(header.command, args)
            elif self.behaviour is not None:
                status = self.behaviour.command(cluster, header.command, args)
        except ValueError:
            status = zcl.MALFORMED_COMMAND
        return _default(header, status)

    def _identify(self, header: zcl.Header, args: Octets) -> tuple[int, bytes, bool]:
        if header.command == 0x00:
            self.set(_IDENTIFY_TIME, args.u16())
            return _default(header, zcl.SUCCESS)
        identify_s = self.number(_IDENTIFY_TIME)
        if header.command == 0x01 and identify_s:
            return 0x00, u16(identify_s), True
        return _default(header, zcl.SUCCESS if header.command == 0x01 else zcl.UNSUP_COMMAND)

    # ------------------------------------------------------------ memory
    def forget_network(self) -> None:
        """Left for good: no address, no bindings, no reporting, as from its box."""
        self.nwk = self.membership = None
        self.bindings.clear()
        self.reporter.clear()
        for cluster, number in _OF_THE_NETWORK:
            if cluster in self.model.server:
                self._values[cluster, number] = self.model.server[cluster][number].value
        self.on_change()

    def snapshot(self) -> dict[str, Any]:
        """What survives a power cut, as JSON."""
        kept = [(target, value) for target, value in self._values.items() if self._is_kept(target)]
        return {
            "nwk": self.nwk,
            "membership": self.membership,
            "bindings": [[b.cluster, b.source_endpoint, b.target.hex(), b.endpoint] for b in self.bindings],
            "reporting": [
                [*target, r.data_type, r.min_s, r.max_s, r.change] for target, r in self.reporter.rules.items()
            ],
            "attributes": [[*target, value] for target, value in kept],
        }

    def restore(self, data: dict[str, Any]) -> None:
        """Take up a snapshot; attributes that the model no longer has are left out."""
        self.nwk = data["nwk"]
        self.membership = None if self.nwk is None else data["membership"]  # cut short while rejoining: joins anew
        self.bindings = [Binding(c, s, bytes.fromhex(target), e) for c, s, target, e in data["bindings"]]
        for cluster, number, *rule in data["reporting"]:
            if (cluster, number) in self._values:
                self.reporter.configure((cluster, number), Rule(*rule))
        for cluster, number, value in data["attributes"]:
            if (cluster, number) in self._values:
                self._values[cluster, number] = value

    def _is_kept(self, target: Target) -> bool:
        table = self.model.server.get(target[0], {})
        return target[1] in table and table[target[1]].kept

    def __str__(self) -> str:
        return f"{self.model.name} {ieee_text(self.ieee)}"


def _default(header: zcl.Header, status: int) -> tuple[int, bytes, bool]:
    return zcl.DEFAULT_RESPONSE, bytes((header.command, status)), False
