"""Lending over SIP2 on 100,000 items: checkout and checkin pairs beside a bare script that commits the same rows."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import uvloop

from server.sip2.wire import codec
from server.sip2.wire.codec import Frame
from tests.bench import sip2_library as library
from tests.bench.figures import Figure, quantile
from tests.bench.processes import BenchError, free_ports, listens, program, wait_until
from tests.support.postgres import binaries, running_cluster

SLOWER_MOST = 1 / 0.35
"""At least 0.35 of the bare script's pairs a second."""
SORTER_MS = 300.0
"""A sorter waits no longer for its bin."""
BUSY = 8
"""Terminals of a large hall, all at once; p95 is judged here."""
CONNECTIONS = (1, BUSY, 50)
WARM_UP_S, TURN_S, TURNS = 0.3, 1.0, 8
START_LIMIT_S = 60.0
NO_DATE = " " * 18
DURABLE = ("fsync=on", "synchronous_commit=on", "full_page_writes=on", "max_connections=200")


@dataclass(slots=True)
class Run:
    """What some connections did meanwhile."""

    errors: list[str] = field(default_factory=list)
    checkouts_ms: list[float] = field(default_factory=list)
    checkins_ms: list[float] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)
    """Pairs a second of each turn."""


def measure(folder: Path) -> list[Figure]:
    """All figures on both databases; raises BenchError."""
    folder.mkdir(parents=True, exist_ok=True)
    figures = _on_sqlite(folder / "sqlite")
    if binaries() is None:
        return [*figures, Figure("sip2 on PostgreSQL", None, "", note="skipped: PostgreSQL is not installed")]
    return figures + _on_postgresql(folder / "postgresql")


def _on_sqlite(folder: Path) -> list[Figure]:
    folder.mkdir()
    file, bare = folder / "server.db", folder / "bare.db"
    library.fill(f"sqlite:///{file}")
    shutil.copyfile(file, bare)
    return _compare(folder, f"sqlite:///{file}", "SQLite", lambda: library.bare_sqlite(bare, TURN_S))


def _on_postgresql(folder: Path) -> list[Figure]:
    folder.mkdir()
    with running_cluster(DURABLE) as cluster:
        for name in ("ours", "bare"):
            cluster.run(f"CREATE DATABASE {name}")
            library.fill(cluster.url(name))
            cluster.run("VACUUM ANALYZE record, item, patron, card", name)  # else PostgreSQL does so amid the turns
            cluster.run("CHECKPOINT")
        dsn = cluster.url("bare").replace("postgresql+psycopg", "postgresql")
        return _compare(folder, cluster.url("ours"), "PostgreSQL", lambda: library.bare_postgresql(dsn, TURN_S))


def _compare(folder: Path, url: str, name: str, bare: Callable[[], float]) -> list[Figure]:
    """In turns, so that a busy moment of the machine meets both. On uvloop: terminals' own time counts here too."""
    port, sip2_port = free_ports(2)
    file, log = library.config(folder, url, port=port, sip2_port=sip2_port), folder / "server.log"
    figures: list[Figure] = []
    with program("carrel.cli", "server", "--config", str(file), env={}, log=log, output=folder / "server.out"):
        wait_until("the server", lambda: listens(sip2_port), limit_s=START_LIMIT_S, log=log)
        for connections in CONNECTIONS:
            floors, ours = [], Run()
            for turn in range(TURNS):
                floors.append(bare())
                uvloop.run(_lend(sip2_port, connections, ours, offset=turn * 10_000))
            figures += _figures(name, connections, ours, median(floors))
    return figures


def _figures(name: str, connections: int, run: Run, floor: float) -> list[Figure]:
    where = f"sip2 on {name}, {connections} connection{'s' if connections > 1 else ''}"
    if not run.checkins_ms:
        raise BenchError(f"{where}: nothing was lent; {run.errors[:1]}")
    most_ms = SORTER_MS if connections == BUSY else None
    found = [
        Figure(f"{where}: ms a pair", 1000 / median(run.rates), "ms", 1000 / floor, SLOWER_MOST),
        Figure(f"{where}: p95 of checkout", quantile(run.checkouts_ms, 0.95), "ms", most=most_ms),
        Figure(f"{where}: p95 of checkin", quantile(run.checkins_ms, 0.95), "ms", most=most_ms),
        Figure(f"{where}: requests that failed", len(run.errors), "", most=0),
    ]
    for error in run.errors[:3]:
        print(f"  {where}: {error}", flush=True)
    return found


async def _lend(port: int, connections: int, run: Run, *, offset: int) -> None:
    """Each connection lends and takes back items of its own, as fast as it is answered."""
    before = len(run.checkins_ms)
    until = time.perf_counter() + WARM_UP_S + TURN_S
    counts_from = time.perf_counter() + WARM_UP_S
    tasks = [_terminal(port, number, run, (offset, counts_from, until)) for number in range(connections)]
    await asyncio.gather(*tasks)
    run.rates.append((len(run.checkins_ms) - before) / TURN_S)


async def _terminal(port: int, number: int, run: Run, when: tuple[int, float, float]) -> None:
    offset, counts_from, until = when
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    ask = _asker(reader, writer)
    await ask(f"9300CN{library.LOGIN}|CO{library.PASSWORD}|")
    step = 0
    while time.perf_counter() < until:
        item = (offset + number * 1_900 + step) % library.ITEMS + 1
        barcode, card = library.FIRST_BARCODE + item, library.FIRST_CARD + number + 1
        date = time.strftime("%Y%m%d    %H%M%S")
        lent, out_ms = await ask(f"11NN{date}{NO_DATE}AOMAIN|AA{card}|AB{barcode}|AC|")
        back, in_ms = await ask(f"09N{date}{date}AP|AOMAIN|AB{barcode}|AC|")
        step += 1
        if time.perf_counter() < counts_from:
            continue
        for answer in (lent, back):
            if answer[2:3] != "1":
                run.errors.append(answer)
        run.checkouts_ms.append(out_ms)
        run.checkins_ms.append(in_ms)
    writer.close()


def _asker(reader: asyncio.StreamReader, writer: asyncio.StreamWriter):  # type: ignore[no-untyped-def]
    sequence = 0

    async def ask(text: str) -> tuple[str, float]:
        nonlocal sequence
        sequence = (sequence + 1) % 10
        frame = codec.seal(text, "utf-8", like=Frame(b"", str(sequence), "0000"), checksum="bytes") + b"\r"
        began_s = time.perf_counter()
        writer.write(frame)
        answer = await reader.readuntil(b"\r")
        return answer.decode().strip(), 1000 * (time.perf_counter() - began_s)

    return ask
