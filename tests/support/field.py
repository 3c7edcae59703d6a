"""The virtual building inside the test's own loop, with levers, and a recorder for what drivers emit."""

from __future__ import annotations

import random
import tomllib
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from carrel.contracts.telemetry import Quantity
from devices.events import ReadingSeen
from firmware_sim.bench import Bench, Places
from firmware_sim.building import Building
from firmware_sim.faults import LinkFaults
from firmware_sim.ports import PtyPort, TcpPort
from firmware_sim.zigbee.mesh import Timing
from firmware_sim.zigbee.network import ZigbeeNetwork
from firmware_sim.zigbee.population import DEMO, Placed
from tests.support.sim import ROOT, eventually

T = TypeVar("T")

START = datetime(2026, 8, 28, 1, 0, tzinfo=UTC)


class FixedClock:
    """Stands still until it is set."""

    def __init__(self, at: datetime = START) -> None:
        self.at = at

    def now(self) -> datetime:
        """The instant it was set to."""
        return self.at


class Recorder:
    """An `emit` that keeps everything in order."""

    def __init__(self) -> None:
        self.events: list[object] = []

    def __call__(self, event: object) -> None:
        self.events.append(event)

    def of(self, kind: type[T]) -> list[T]:
        """All events of one kind."""
        return [event for event in self.events if isinstance(event, kind)]

    def latest(self, device: str, quantity: Quantity) -> float | None:
        """The newest value of a device."""
        values = [
            e.reading.value
            for e in self.of(ReadingSeen)
            if (e.reading.device, e.reading.quantity) == (device, quantity)
        ]
        return values[-1] if values else None

    async def until(self, fact: Callable[[], Any], within_s: float = 10.0) -> Any:
        """Wait until something is so."""
        return await eventually(fact, within_s)


@asynccontextmanager
async def open_bench(folder: Path) -> AsyncIterator[Bench]:
    """The demo building on ptys below `folder`, its physics standing still."""
    spec = tomllib.loads((ROOT / "firmware-sim/firmware_sim/demo.toml").read_text())
    bench = Bench(spec, Places(folder / "links", folder / "state"), speed=0)
    await bench.open()
    try:
        yield bench
    finally:
        await bench.close()


class VirtualRadio:
    """The Zigbee network of the virtual building on a pty of its own, with an air that loses no time."""

    def __init__(self, folder: Path, devices: Sequence[Placed] = DEMO) -> None:
        self.rooms = Building(START).rooms
        self.faults = LinkFaults(random.Random(1))
        self.network = ZigbeeNetwork(
            self.rooms,
            nv_path=folder / "nv.json",
            rng=random.Random(2),
            timing=Timing(join_gap_s=(0.01, 0.02), announce_s=0.01, rejoin_s=0.1),
            devices=devices,
        )
        self.pty = PtyPort(self.network.coordinator, self.faults, folder / "zigbee")
        self.tcp = TcpPort(lambda: self.network.coordinator, self.faults, "127.0.0.1", 0)
        self.port: PtyPort | TcpPort = self.pty

    @property
    def path(self) -> str:
        """How a driver names the port."""
        return str(self.pty.path) if self.port is self.pty else f"socket://{self.tcp.address}"

    async def fault(self, mode: str) -> None:
        """`unplug`, `silence`, `garbage` or `none`."""
        self.faults.set_mode(mode)
        if mode == "unplug":
            self.port.unplug()
        else:
            await self.port.open()

    def joined(self, ieee: str) -> bool:
        """Whether a device is on the network."""
        return any(one["joined"] for one in self.network.describe()["devices"] if one["ieee"] == ieee)


@asynccontextmanager
async def open_radio(
    folder: Path, *, networked: bool = False, devices: Sequence[Placed] = DEMO
) -> AsyncIterator[VirtualRadio]:
    """A radio with its devices, on a pty or behind a TCP port; what they remember is kept in `folder`."""
    radio = VirtualRadio(folder, devices)
    radio.port = radio.tcp if networked else radio.pty
    await radio.port.open()
    radio.network.start()
    try:
        yield radio
    finally:
        radio.port.unplug()
        radio.network.stop()
