"""A library of 200 devices under load, Carrel beside bare zigpy: wire to wire, and processor time per 10,000 reports.

Carrel has its server and broker beside it, its rules look at each sample, its log keeps each reading, and the InfluxDB
that it shall write to is down. Only the side that is measured has load on its wire.
"""

from __future__ import annotations

import shutil
import time
from contextlib import ExitStack
from pathlib import Path

from tests.bench import hosts
from tests.bench.figures import Figure
from tests.bench.hosts import Side, ask
from tests.bench.processes import cpu_s
from tests.bench.site import Site, make_site

DEVICES = 200
CROWD = DEVICES - 18
"""Beside those of the demo library."""

RATE_S = 100.0
WIRE_MOST = 2.0
BLOCK = 20
WARM_UP = 3  # blocks that do not count

SATURATED_S = 349.0
"""Reports a second that fill a serial line of 115,200 baud: one of 33 bytes takes 2.9 ms."""
CPU_MOST = 1.5
TURN_S = 15.0
TURNS = 2
AFTER_S = 3.0
"""What a host still does with its last reports counts as well."""


def library(folder: Path, network: Path | None) -> Site:
    """The site of 200 devices that have joined; `network` is a folder where that is kept for the next time."""
    site = make_site(folder, CROWD)
    if network is not None and network.exists():
        shutil.copytree(network, site.folder / "var", symlinks=True)
        return site
    with ExitStack() as stack:
        hosts.building(stack, site)
        hosts.broker(stack, site)
        hosts.server(stack, site)
        hosts.gateway(stack, site, fresh=True)
    if network is not None:
        shutil.copytree(site.folder / "var", network, symlinks=True)
    return site


def measure(site: Site, folder: Path, samples: int) -> list[Figure]:
    """The figures of `samples` measured reports on each side, and of two turns of saturation; raises BenchError."""
    peer = make_site(folder, CROWD)
    hosts.copied(site, peer)
    with ExitStack() as stack:
        hosts.building(stack, site)
        hosts.building(stack, peer)
        hosts.broker(stack, site)
        hosts.server(stack, site)
        carrel = Side(site, hosts.gateway(stack, site, fresh=False))
        bare = Side(peer, hosts.bare_zigpy(stack, peer))
        hosts.in_turns(carrel, bare, blocks=max(1, round(samples / BLOCK)), samples=BLOCK, warm_up=WARM_UP, load=RATE_S)
        figures = hosts.time_figures(carrel, bare, most=WIRE_MOST, prefix=f"{DEVICES} devices, {RATE_S:.0f}/s: ")
        for rate_s in (RATE_S, SATURATED_S):
            figures.append(_cpu(carrel, bare, rate_s))
    return figures


def _cpu(carrel: Side, bare: Side, rate_s: float) -> Figure:
    spent: dict[int, float] = {}
    for turn in range(TURNS):
        for side in (bare, carrel) if turn % 2 else (carrel, bare):
            spent[side.host.pid] = spent.get(side.host.pid, 0.0) + _per_report_s(side, rate_s) / TURNS
    ours_s, theirs_s = (1e4 * spent[side.host.pid] for side in (carrel, bare))
    return Figure(f"processor time per 10,000 reports at {rate_s:.0f}/s", ours_s, "s", theirs_s, CPU_MOST)


def _per_report_s(side: Side, rate_s: float) -> float:
    """User and system time of the host over one turn of load, by the reports that were on its wire."""
    before_s, before = cpu_s(side.host.pid), ask(side.site, "reports")["total"]
    ask(side.site, "zigbee", do="load", reports_per_s=rate_s)
    time.sleep(TURN_S)
    ask(side.site, "zigbee", do="load", reports_per_s=0)
    time.sleep(AFTER_S)
    return (cpu_s(side.host.pid) - before_s) / max(1, ask(side.site, "reports")["total"] - before)
