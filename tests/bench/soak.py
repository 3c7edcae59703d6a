"""Minutes at the rate that saturates the serial line: is each report in the server's store, and does memory stay?

Reports are counted where they are written to the pty, per device of the crowd, and compared with the rows of the
server's own store once what was under way has arrived.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing
from statistics import linear_regression

from tests.bench import hosts
from tests.bench.figures import Figure
from tests.bench.hosts import ask
from tests.bench.load import DEVICES, SATURATED_S
from tests.bench.processes import cpu_s, resident_mib
from tests.bench.site import Site

WARM_UP_S = 20.0
"""Buffers and caches have found their size."""
LOOK_EVERY_S = 1.0
DRAIN_S = 90.0
GROWTH_MOST_MIB = 10.0
"""Over ten minutes, by the straight line through what was seen in the second half."""
JUDGED_FROM_MIN = 10.0
"""In less time caches still find their size."""


def measure(site: Site, minutes: float) -> list[Figure]:
    """The figures of so many minutes; raises BenchError."""
    with ExitStack() as stack:
        hosts.building(stack, site)
        hosts.broker(stack, site)
        programs = {"server": hosts.server(stack, site).pid}
        programs["gateway"] = hosts.gateway(stack, site, fresh=False).pid
        ask(site, "still")
        sent, stored = _drained(site, {}, {})
        ask(site, "zigbee", do="load", reports_per_s=SATURATED_S)
        time.sleep(WARM_UP_S)
        before_s, began_s = cpu_s(programs["gateway"]), time.monotonic()
        memory = _watched(programs, 60 * minutes)
        share = 100 * (cpu_s(programs["gateway"]) - before_s) / (time.monotonic() - began_s)
        ask(site, "zigbee", do="load", reports_per_s=0)
        on_wire, in_store = _drained(site, sent, stored)
    figures = _counted(f"{minutes:g} min at {SATURATED_S:.0f}/s, {DEVICES} devices: ", on_wire, in_store)
    figures.append(Figure("processor share of the gateway meanwhile", share, "%"))
    most = GROWTH_MOST_MIB if minutes >= JUDGED_FROM_MIN else None
    return figures + [figure for name, seen in memory.items() for figure in _memory(name, seen, most)]


def _watched(programs: Mapping[str, int], seconds: float) -> dict[str, list[tuple[float, float]]]:
    """Resident sets over time: (seconds, MiB)."""
    seen: dict[str, list[tuple[float, float]]] = {name: [] for name in programs}
    began_s = time.monotonic()
    while (at_s := time.monotonic() - began_s) < seconds:
        for name, pid in programs.items():
            seen[name].append((at_s, resident_mib(pid)))
        time.sleep(LOOK_EVERY_S)
    return seen


def _memory(name: str, seen: Sequence[tuple[float, float]], most: float | None) -> list[Figure]:
    slope = linear_regression(*zip(*seen[len(seen) // 2 :], strict=True)).slope
    return [
        Figure(f"memory of {name} at the end", seen[-1][1], "MiB"),
        Figure(f"memory of {name}, growth over ten minutes", 600 * slope, "MiB", most=most),
    ]


def _counted(prefix: str, on_wire: Mapping[str, int], in_store: Mapping[str, int]) -> list[Figure]:
    lost = sum(max(0, count - in_store.get(name, 0)) for name, count in on_wire.items())
    twice = sum(max(0, count - on_wire.get(name, 0)) for name, count in in_store.items())
    return [
        Figure(f"{prefix}reports on the wire", sum(on_wire.values()), ""),
        Figure("of these not in the server's store", lost, "", most=0),
        Figure("rows in the store too many", twice, "", most=0),
    ]


def _drained(site: Site, sent: Mapping[str, int], stored: Mapping[str, int]) -> tuple[dict[str, int], dict[str, int]]:
    """What came by device beyond `sent` and `stored`, once nothing more comes, and both agree if they can."""
    limit_s = time.monotonic() + DRAIN_S
    before: tuple[dict[str, int], dict[str, int]] | None = None
    while True:
        time.sleep(5.0)
        now = _more(ask(site, "reports")["by_device"], sent), _more(_rows(site), stored)
        if (now == before and (not sent or now[0] == now[1])) or time.monotonic() > limit_s:
            return now
        before = now


def _more(counts: Mapping[str, int], than: Mapping[str, int]) -> dict[str, int]:
    return {name: count - than.get(name, 0) for name, count in counts.items()}


def _rows(site: Site) -> dict[str, int]:
    """Rows of the server's store by device of the crowd."""
    file = site.folder / "var" / "server.db"
    with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as db:
        found = db.execute(
            "SELECT s.device, COUNT(*) FROM telemetry_point p JOIN telemetry_series s ON s.id = p.series"
            " WHERE s.device LIKE 'load-%' GROUP BY s.device"
        )
        return dict(found.fetchall())
