"""`python -m tests.bench.building`: the virtual building with a meter at its Zigbee coordinator's end of the wire.

The control socket knows four commands more: `state` tells how many devices the network lacks and for how long the host
has been quiet, `measure` sends illuminance reports and times the window covering commands that come back, `reports`
tells how many attribute reports of each device of the crowd have been put on the wire, `still` lets the crowd measure
nothing any more, so that it sends only what it is told to.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from firmware_sim.bench import ZIGBEE, Bench, Link, Places
from firmware_sim.commands import commands
from firmware_sim.control import ControlServer
from firmware_sim.ports import Device
from firmware_sim.serve import DEMO_BENCH, read_bench
from firmware_sim.settings import Port, address
from firmware_sim.zigbee import unpi
from firmware_sim.zigbee.mesh import Timing

SENSOR = "02:ca:77:e1:00:00:00:04"
ROOM = "reading-room"
CROWD = "load-"
ILLUMINANCE, COVERING, GO_TO_LIFT = 0x0400, 0x0102, 0x05
BRIGHT, DARK = 36991, 1  # 5000 lx and 1 lx as the cluster counts
LOST_AFTER_S = 2.0
CALM_NS = 300_000
PAUSE_S = (0.03, 0.06)  # drawn at random, so that no poller of the host falls into step
SUBSYSTEM, SYS = 0x1F, 1
DATA_REQUEST, DATA_REQUEST_EXT = 0x01, 0x02
INCOMING = bytes((unpi.AREQ | 4, 0x81))  # AF_INCOMING_MSG
SOURCE, ZCL = slice(8, 10), 21  # where the sender and the ZCL frame are in such a frame
CLUSTER_COMMAND, REPORT = 0x01, 0x0A
STEADY_S = 0.3
JOIN_GAP_S = (0.02, 0.05)


class Meter:
    """A coordinator whose wire is watched; times are of the write to, and the read from, the pty."""

    def __init__(self, coordinator: Device) -> None:
        self._inner = coordinator
        self._framer = unpi.Framer()
        self._wanted: tuple[int, asyncio.Future[int]] | None = None
        self._sent_ns = 0
        self.heard_at_s: float | None = None
        self.reports: Counter[int] = Counter()
        """Attribute reports written to the pty, by the sender's short address."""

    def attach(self, send: Callable[[bytes], None]) -> None:
        """The wire is connected."""

        def timed(data: bytes) -> None:
            self._sent_ns = self._sent_ns or time.perf_counter_ns()
            send(data)
            if is_report(data):
                self.reports[int.from_bytes(data[SOURCE], "little")] += 1

        self._inner.attach(timed)

    def receive(self, data: bytes) -> None:
        """Bytes from the host: look for the awaited command, then hand them on."""
        now_ns = time.perf_counter_ns()
        for frame in self._framer.feed(data):
            if frame.cmd0 & SUBSYSTEM != SYS:  # a ping now and then is no sign of work
                self.heard_at_s = time.monotonic()
            if self._wanted is not None and lift_of(frame) == self._wanted[0] and not self._wanted[1].done():
                self._wanted[1].set_result(now_ns)
        self._inner.receive(data)

    def detach(self) -> None:
        """The wire is gone."""
        self._inner.detach()

    async def time_ms(self, provoke: Callable[[], object], lift: int) -> float | None:
        """Milliseconds from the bytes that `provoke` sends to the command for `lift`; None when none came."""
        arrived: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._wanted, self._sent_ns = (lift, arrived), 0
        provoke()
        sent_ns = self._sent_ns
        try:
            async with asyncio.timeout(LOST_AFTER_S):
                return (await arrived - sent_ns) / 1e6
        except TimeoutError:
            return None
        finally:
            self._wanted = None


class MeteredBench(Bench):
    """The virtual building; its coordinator is behind a meter."""

    meter: Meter

    def _add_link(self, name: str, device: Device) -> Link:
        if name == ZIGBEE:
            device = self.meter = Meter(device)
        return super()._add_link(name, device)

    async def state(self, request: dict[str, Any]) -> dict[str, Any]:
        """How far the host has come."""
        devices, heard_at_s = self.network.describe()["devices"], self.meter.heard_at_s
        return {
            "missing": sum(not device["joined"] and not device["fresh"] for device in devices),
            "quiet_s": 0.0 if heard_at_s is None else time.monotonic() - heard_at_s,
        }

    async def measure(self, request: dict[str, Any]) -> dict[str, Any]:
        """Send `samples` reports, bright and dark in turn, to the process `host`.

        The times in ms, those of them during which neither host nor meter waited for a processor, and how many
        reports brought no command. Meanwhile the crowd sends `load` reports a second.
        """
        self.building.set(ROOM, lux=0.0)  # the sensor's own reports then stay on the dark side
        if request["load"]:
            self.network.start_load(request["load"])
            await asyncio.sleep(STEADY_S)
        gc.collect()
        gc.disable()  # the meter must not be the one who pauses
        times, calm, host = [], [], request["host"]
        for number in range(request["samples"]):
            value, lift = (DARK, 0) if number % 2 else (BRIGHT, 100)
            waited_ns = waited_for_processor_ns(host)
            time_ms = await self.meter.time_ms(partial(self._report, value), lift)
            if time_ms is not None:
                times.append(time_ms)
                if waited_for_processor_ns(host) - waited_ns < CALM_NS:
                    calm.append(time_ms)
            await asyncio.sleep(random.uniform(*PAUSE_S))
        gc.enable()
        if request["load"]:
            self.network.start_load(0)
        return {"times_ms": times, "calm_ms": calm, "lost": request["samples"] - len(times)}

    async def reports(self, request: dict[str, Any]) -> dict[str, Any]:
        """Attribute reports put on the wire so far: `by_device` those of the crowd, `total` all."""
        crowd = [device for device in self.network.describe()["devices"] if device["name"].startswith(CROWD)]
        sent = self.meter.reports
        return {"by_device": {one["name"]: sent[one["nwk"]] for one in crowd}, "total": sent.total()}

    async def still(self, request: dict[str, Any]) -> dict[str, Any]:
        """The crowd's own measuring stops."""
        for device in self.network.describe()["devices"]:
            if device["name"].startswith(CROWD):
                self.network.faults(device["name"]).frozen = True
        return {}

    def _report(self, value: int) -> bool:
        return self.network.report_now(SENSOR, ILLUMINANCE, 0, value)


def is_report(data: bytes) -> bool:
    """Whether this write, which is one frame, brings the host an attribute report."""
    return data[2:4] == INCOMING and not data[ZCL] & CLUSTER_COMMAND and data[ZCL + 2] == REPORT


def waited_for_processor_ns(host: int) -> int:
    """How long host and meter have been ready to run while others ran; 0 where the kernel does not tell."""
    try:
        return sum(int(Path(f"/proc/{pid}/schedstat").read_text().split()[1]) for pid in (host, os.getpid()))
    except (OSError, ValueError, IndexError):
        return 0


def lift_of(frame: unpi.Frame) -> int | None:
    """The lift percentage in a request to send that command; None for every other frame (TI MT, AF_DATA_REQUEST)."""
    if frame.cmd0 != unpi.SREQ | 4:
        return None
    if frame.cmd1 == DATA_REQUEST:
        cluster, data = frame.payload[4:6], frame.payload[10:]
    elif frame.cmd1 == DATA_REQUEST_EXT:
        cluster, data = frame.payload[13:15], frame.payload[20:]
    else:
        return None
    if int.from_bytes(cluster, "little") != COVERING or len(data) < 4 or data[2] != GO_TO_LIFT:
        return None
    return data[3]


async def serve(options: argparse.Namespace) -> None:
    """Run until SIGTERM."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    places = Places(options.links, options.state, Port("127.0.0.1", options.io_port, explicit=True))
    spec = {**read_bench(DEMO_BENCH), "population": {"devices": options.devices}}
    bench = MeteredBench(spec, places, speed=options.speed, timing=Timing(join_gap_s=JOIN_GAP_S))
    known = {**commands(bench), "state": bench.state, "measure": bench.measure, "reports": bench.reports}
    known["still"] = bench.still
    control = ControlServer(address(options.control, explicit=True), known)
    await bench.open()
    await control.open()
    print(json.dumps(bench.ports()), flush=True)
    await stop.wait()
    await control.close()
    await bench.close()


def main() -> None:
    """Options are as those of `carrel sim serve`."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--links", type=Path, required=True)
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--io-port", type=int, required=True)
    parser.add_argument("--control", required=True)
    parser.add_argument("--speed", type=float, default=1.0)
    parser.add_argument("--devices", type=int, default=0)
    asyncio.run(serve(parser.parse_args()))


if __name__ == "__main__":
    main()
