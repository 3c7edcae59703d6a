"""The bench: every virtual device in one place, with the commands that tests and the demo give it."""

import asyncio
import errno
import random
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

from firmware_sim.building import Building, NotThereError
from firmware_sim.faults import LinkFaults
from firmware_sim.modbus.points import WiredModule, wired_module
from firmware_sim.modbus.registers import RegisterMap
from firmware_sim.modbus.rtu import RtuLine
from firmware_sim.ports import Device, PtyPort, TcpPort
from firmware_sim.rfid.pad import FeigPad
from firmware_sim.rfid.tags import TagStore
from firmware_sim.settings import DEFAULT_SPEED, Port, SettingsError
from firmware_sim.zigbee.mesh import Timing
from firmware_sim.zigbee.network import ZigbeeNetwork
from firmware_sim.zigbee.population import population

FASTEST: Final = 36_000.0
ZIGBEE: Final = "zigbee"

T = TypeVar("T")

_TICK_S: Final = 0.2
_LONGEST_TICK_S: Final = 1.0  # after a sleep of the machine the building goes on, it does not catch up


@dataclass(slots=True)
class Link:
    """One wire, or one device's wires, with what is wrong with them."""

    faults: LinkFaults
    pty: PtyPort
    tcp: TcpPort | None = None

    async def open(self) -> None:
        """Open all ports."""
        await self.pty.open()
        if self.tcp is not None:
            await self.tcp.open()

    def unplug(self) -> None:
        """Pull all plugs."""
        self.pty.unplug()
        if self.tcp is not None:
            self.tcp.unplug()


@dataclass(slots=True)
class Places:
    """Where the bench keeps its links and its state, and where it listens."""

    links: Path
    state: Path | None = None
    io: Port = field(default_factory=lambda: Port("127.0.0.1", 0))

    def state_file(self, name: str) -> Path | None:
        """A file that survives restarts, when there is a place for it."""
        return None if self.state is None else self.state / name


class Bench:
    """The virtual building and its devices on their wires, built from a bench file such as demo.toml."""

    def __init__(
        self,
        spec: dict[str, Any],
        places: Places,
        *,
        speed: float = DEFAULT_SPEED,
        rng: random.Random | None = None,
        timing: Timing | None = None,
    ) -> None:
        self._rng = rng or random.Random()  # noqa: S311  physics and faults, no secrets
        self._places = places
        self._speed = _checked_speed(speed)
        self._clock_task: asyncio.Task[None] | None = None
        self._links: dict[str, Link] = {}
        self.building = Building(spec["building"]["start"])
        self.tags = TagStore(spec["tags"], state_path=places.state_file("tags.json"))
        crowd = spec.get("population", {})
        self.network = ZigbeeNetwork(
            self.building.rooms,
            nv_path=places.state_file("zigbee-nv.json"),
            rng=random.Random(self._rng.random()),  # noqa: S311  no secrets
            timing=timing,
            devices=population(spec.get("zigbee", ()), crowd.get("devices", 0)),
        )
        self._reports_per_s = crowd.get("reports_per_s", 0)
        self._add_link(ZIGBEE, self.network.coordinator)
        self.pads = {entry["id"]: FeigPad(entry["id"], self.tags) for entry in spec.get("pad", ())}
        for name, pad in self.pads.items():
            self._add_link(name, pad)
        self.modules: dict[str, WiredModule] = {}
        for index, entry in enumerate(spec.get("io", ())):
            self._add_module(entry, index)

    async def open(self) -> None:
        """Open all ports and start the clock; OSError when a port cannot be had."""
        try:
            for link in self._links.values():
                await self._open_link(link)
            self.network.start()
            self.network.start_load(self._reports_per_s)
        except BaseException:
            await self.close()
            raise
        self._clock_task = asyncio.create_task(self._run_clock())

    async def close(self) -> None:
        """Stop the clock and close all ports."""
        if self._clock_task is not None:
            self._clock_task.cancel()
            await asyncio.gather(self._clock_task, return_exceptions=True)
            self._clock_task = None
        for link in self._links.values():
            link.unplug()
        self.network.stop()
        self.tags.save()

    def ports(self) -> dict[str, Any]:
        """Where clients attach; pty paths are absolute."""
        io = {}
        for name in self.modules:
            tcp = self._links[name].tcp
            assert tcp is not None
            io[name] = {"pty": str(self._links[name].pty.path), "rtu_tcp": tcp.address}
        return {
            "zigbee": str(self._links[ZIGBEE].pty.path),
            "readers": {name: str(self._links[name].pty.path) for name in self.pads},
            "io": io,
        }

    def place(self, pad: str, names: list[str]) -> None:
        """Lay items or cards on a pad; NotThereError or KeyError name what exists."""
        self.pad(pad)
        self.tags.place(pad, names)

    def remove(self, pad: str, names: list[str]) -> None:
        """Take items or cards off a pad."""
        self.pad(pad)
        self.tags.remove(pad, names)

    def pad(self, name: str) -> FeigPad:
        """The pad of this name."""
        return _known(self.pads, "pad", name)

    def contact(self, point: str, state: str) -> None:
        """Open or close a contact such as `io-1.smoke`."""
        module, dot, contact = point.partition(".")
        if not dot:
            raise ValueError(f"a contact is written MODULE.NAME, like io-1.smoke, not {point!r}")
        _known(self.modules, "I/O module", module).contact(contact, state)

    def faults(self, link: str) -> LinkFaults:
        """The faults of a link, to be changed by a test."""
        return _known(self._links, "link", link).faults

    async def fault(self, name: str, mode: str) -> None:
        """`unplug`, `silence`, `garbage`, or `restore`; a link that was unplugged is plugged in by the others."""
        link = _known(self._links, "link", name)
        if mode == "restore":
            link.faults.clear()
        else:
            link.faults.set_mode(mode)
        if mode == "unplug":
            link.unplug()
        else:
            await link.open()

    @property
    def speed(self) -> float:
        """Building seconds per real second."""
        return self._speed

    @speed.setter
    def speed(self, value: float) -> None:
        self._speed = _checked_speed(value)

    def observe(self) -> dict[str, Any]:
        """What an onlooker in the building sees now."""
        return {
            "rooms": {name: room.observe() for name, room in self.building.rooms.items()},
            "io": {name: module.observe() for name, module in self.modules.items()},
            "tags": self.tags.observe(),
            "clock": {"speed": self._speed, "time": self.building.clock.isoformat(timespec="seconds")},
            "links": {name: link.faults.mode for name, link in self._links.items()},
            "zigbee": self.network.describe(),
        }

    def _add_link(self, name: str, device: Device) -> Link:
        if name in self._links:
            raise ValueError(f"two links are called {name!r}")
        faults = LinkFaults(random.Random(self._rng.random()))  # noqa: S311  no secrets
        self._links[name] = Link(faults, PtyPort(device, faults, self._places.links / name))
        return self._links[name]

    def _add_module(self, entry: dict[str, Any], index: int) -> None:
        module = wired_module(entry, time.monotonic)
        self.modules[module.name] = module
        registers, unit = RegisterMap(module.module), entry.get("unit", 1)
        if unit not in range(1, 248):
            raise ValueError(f"{module.name}: a Modbus unit is 1..247")

        def line() -> RtuLine:
            return RtuLine(registers, unit, time.monotonic)

        link = self._add_link(module.name, line())
        port = self._places.io.port + index if self._places.io.port else 0
        one_client = entry.get("one_client", True)
        link.tcp = TcpPort(line, link.faults, self._places.io.host, port, one_client=one_client)

    async def _open_link(self, link: Link) -> None:
        try:
            await link.open()
        except OSError as error:
            if link.tcp is None or error.errno != errno.EADDRINUSE:
                raise
            if self._places.io.explicit:
                raise SettingsError(f"port {link.tcp.address} is taken") from None
            link.tcp.any_port()
            await link.open()

    async def _run_clock(self) -> None:
        before_s = time.monotonic()
        while True:
            await asyncio.sleep(_TICK_S)
            now_s = time.monotonic()
            self.building.step(min(now_s - before_s, _LONGEST_TICK_S) * self._speed)
            before_s = now_s


def _known(things: dict[str, T], kind: str, name: str) -> T:
    if name not in things:
        raise NotThereError(kind, name, things)
    return things[name]


def _checked_speed(value: float) -> float:
    if not 0 <= value <= FASTEST:
        raise ValueError(f"speed {value:g} is outside 0..{FASTEST:g}")
    return value
