"""Helpers for tests of the virtual Zigbee network: a clock moved by hand, and a host that speaks MT frames to it."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from firmware_sim.building import Building
from firmware_sim.zigbee.mesh import Timing
from firmware_sim.zigbee.network import ZigbeeNetwork
from firmware_sim.zigbee.node.device import VirtualDevice
from firmware_sim.zigbee.node.models import Model
from firmware_sim.zigbee.octets import ieee_octets, u16
from firmware_sim.zigbee.population import DEMO, Placed
from firmware_sim.zigbee.unpi import Frame, Framer, encode

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
COORDINATOR = ieee_octets("00:12:4b:00:ca:77:e1:00")


@dataclass(eq=False)
class ManualTimer:
    """A call to come."""

    at_s: float
    call: Callable[[], None]
    cancelled: bool = False

    def cancel(self) -> None:
        self.cancelled = True


@dataclass
class ManualTimers:
    """A clock that stands still until `advance`."""

    now_s: float = 1000.0
    pending: list[ManualTimer] = field(default_factory=list)

    def now(self) -> float:
        return self.now_s

    def after(self, delay_s: float, call: Callable[[], None]) -> ManualTimer:
        timer = ManualTimer(self.now_s + max(0.0, delay_s), call)
        self.pending.append(timer)
        return timer

    def advance(self, seconds: float) -> None:
        """Let time pass, with every timer rung at its own moment."""
        end_s = self.now_s + seconds
        while True:
            due = [timer for timer in self.pending if not timer.cancelled and timer.at_s <= end_s + 1e-9]
            if not due:
                break
            timer = min(due, key=lambda each: each.at_s)
            self.pending.remove(timer)
            self.now_s = max(self.now_s, timer.at_s)
            timer.call()
        self.now_s = end_s


class Air:
    """One device and what it sent."""

    def __init__(self, model: Model) -> None:
        self.sent: list[tuple[int, int, bytes]] = []
        self.timers = ManualTimers()
        self.device = VirtualDevice(ieee_octets("02:ca:77:e1:00:00:00:01"), model, "reading-room", timers=self.timers)
        self.device.coordinator = lambda: COORDINATOR
        self.device.transmit = self._take

    def _take(self, cluster: int, endpoint: int, frame: bytes) -> bool:
        self.sent.append((cluster, endpoint, frame))
        return True

    def ask(self, cluster: int, text: str, *, broadcast: bool = False) -> str | None:
        """Answer to a frame, or None."""
        self.sent.clear()
        self.device.receive(cluster, 1, bytes.fromhex(text), broadcast=broadcast)
        return self.sent[0][2].hex(" ") if self.sent else None


class MtHost:
    """A host on the coordinator's wire that keeps every frame it gets."""

    def __init__(self, path: Path | None = None, *, seed: int = 1, devices: Sequence[Placed] = DEMO) -> None:
        self.timers = ManualTimers()
        self.building = Building(NOON)
        self.network = ZigbeeNetwork(
            self.building.rooms,
            nv_path=path,
            rng=random.Random(seed),
            timing=Timing(),
            timers=self.timers,
            devices=devices,
        )
        self.frames: list[Frame] = []
        self._framer = Framer()
        self.network.coordinator.attach(self._take)
        self.network.start()

    def _take(self, data: bytes) -> None:
        self.frames += self._framer.feed(data)

    def send(self, cmd0: int, cmd1: int, payload: bytes = b"") -> list[Frame]:
        """Send one frame; what came at once."""
        before = len(self.frames)
        self.network.coordinator.receive(encode(cmd0, cmd1, payload))
        return self.frames[before:]

    def ask(self, cmd0: int, cmd1: int, payload: bytes = b"") -> bytes:
        """Payload of the answer to a request; it must be the first frame that comes."""
        answer = self.send(cmd0, cmd1, payload)[0]
        assert (answer.cmd0, answer.cmd1) == (cmd0 | 0x40, cmd1), f"answered by {answer}"
        return answer.payload

    def later(self, seconds: float) -> list[Frame]:
        """Let time pass; what came meanwhile."""
        before = len(self.frames)
        self.timers.advance(seconds)
        return self.frames[before:]

    def run(self) -> None:
        """Form or resume, register endpoint 1 and the callbacks."""
        assert self.ask(0x2F, 0x05, b"\x04") == b"\x00"
        self.timers.advance(0.1)
        self.ask(0x24, 0x00, bytes((1,)) + u16(0x0104) + bytes(6))
        self.ask(0x25, 0x3E, b"\xff\xff")

    def join_all(self, seconds: float = 15) -> dict[str, int]:
        """Open the window until every device is in; short addresses by IEEE address."""
        self.ask(0x25, 0x36, b"\x0f\xfc\xff\x3c\x00")
        self.timers.advance(seconds)
        return {each["ieee"]: each["nwk"] for each in self.network.describe()["devices"] if each["joined"]}

    def zcl(self, nwk: int, cluster: int, frame: bytes, *, tid: int = 7) -> list[Frame]:
        """Send a ZCL frame to endpoint 1; the frames that follow the answer."""
        head = u16(nwk) + bytes((1, 1)) + u16(cluster) + bytes((tid, 0, 30, len(frame)))
        frames = self.send(0x24, 0x01, head + frame)
        assert (frames[0].cmd0, frames[0].cmd1, frames[0].payload) == (0x64, 0x01, b"\x00")
        return frames[1:]

    def bind(self, ieee: str, nwk: int, cluster: int) -> None:
        """Bind a cluster of a device to endpoint 1 of the coordinator."""
        target = b"\x03" + COORDINATOR + b"\x01"
        self.ask(0x25, 0x21, u16(nwk) + ieee_octets(ieee) + b"\x01" + u16(cluster) + target)
        assert self.frames[-1].payload[-1:] == b"\x00"


def zcl_of(frame: Frame) -> bytes:
    """ZCL frame inside an incoming message."""
    assert (frame.cmd0, frame.cmd1) == (0x44, 0x81), f"no incoming message: {frame}"
    size = frame.payload[16]
    return frame.payload[17 : 17 + size]
