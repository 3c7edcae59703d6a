"""The forwarder: nothing lost and nothing twice, whatever InfluxDB, the network and the disk do."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest

from carrel.contracts.health import LinkHealth
from carrel.contracts.telemetry import Quantity, Reading
from gateway.relay import influx as module
from gateway.relay.influx import Forwarder, make_forwarder
from gateway.relay.influx_http import make_write
from gateway.relay.lines import Lines
from gateway.relay.spool import INFLUX, SERVER, Row, Spool
from gateway.store import Store
from tests.support.clock import NOON, ManualClock
from tests.support.influx import running_influx1
from tests.support.influx_fake import Fault, InfluxFake, running_fake
from tests.support.ports import free_port
from tests.support.sim import eventually

TAGS = {"branch": "main", "device": "room-th", "gateway": "gw-1", "zone": "room"}
NOON_MS = int(NOON.timestamp()) * 1000


def reading(n: int, seconds: float | None = None) -> Reading:
    at = NOON + timedelta(seconds=n if seconds is None else seconds)
    return Reading(device="room-th", zone="room", quantity=Quantity.TEMP, value=n, at=at)


def expected(count: int) -> dict[int, float]:
    return {NOON_MS + n * 1000: float(n) for n in range(count)}


@dataclass
class Bench:
    """A forwarder on a spool of its own, whose pauses pass when the test says so."""

    spool: Spool
    fake: InfluxFake
    clock: ManualClock
    port: int
    pauses: list[float] = field(default_factory=list)
    healths: list[LinkHealth] = field(default_factory=list)
    on_pause: Callable[[float], None] = lambda _: None
    task: asyncio.Task[None] | None = None

    async def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.on_pause(seconds)
        await asyncio.sleep(0)

    def start(self, pause: Callable[[float], Awaitable[None]] | None = None, **changes: str) -> Forwarder:
        forwarder = Forwarder(
            self.spool,
            Lines("main", "gw-1"),
            make_write(self.fake.config(self.port, **changes)),
            clock=self.clock,
            on_health=self.healths.append,
            pause=pause or self.pause,
        )
        self.task = asyncio.create_task(forwarder.run())
        return forwarder

    async def stop(self) -> None:
        if self.task is not None:
            self.task.cancel()
            with suppress(asyncio.CancelledError):
                await self.task

    def got(self) -> dict[int, float]:
        return self.fake.series("temp", **TAGS)

    def states(self) -> list[str]:
        return [health.state for health in self.healths]


@pytest.fixture
def bench(tmp_path: Path, clock: ManualClock) -> Iterator[Bench]:
    store = Store(tmp_path / "gateway.db")
    fake = InfluxFake()
    with running_fake(fake) as port:
        yield Bench(Spool(store, (SERVER, INFLUX)), fake, clock, port)
    store.close()


async def test_readings_arrive_in_batches_and_the_cursor_follows(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BATCH", 100)
    bench.spool.append(reading(n) for n in range(250))
    forwarder = bench.start()
    await eventually(lambda: bench.got() == expected(250))
    assert [lines for _, _, lines in bench.fake.requests] == [100, 100, 50]
    assert bench.pauses == [], "a backlog is not waited for"
    await eventually(lambda: not bench.spool.waiting(INFLUX, 1))
    bench.spool.append([reading(250)])
    forwarder.wake()
    await eventually(lambda: bench.got() == expected(251))
    assert bench.pauses == [module.GATHER_S]
    await eventually(lambda: bench.states() == ["connecting", "up"])
    assert len(bench.spool.waiting(SERVER, 1000)) == 251, "the server's cursor is another one"
    await bench.stop()


async def test_an_hour_without_influxdb_loses_nothing_and_asks_now_and_then(bench: Bench) -> None:
    """Simulated time: a pause of the forwarder is time in which readings come, one in five seconds."""
    written, bench.fake.away = 0, True

    def time_passes(seconds: float) -> None:
        nonlocal written
        bench.clock.advance(seconds)
        due = int((bench.clock.now() - NOON).total_seconds()) // 5
        bench.spool.append(reading(n) for n in range(written, due))
        written = max(written, due)
        bench.fake.away = bench.clock.now() < NOON + timedelta(hours=1)

    bench.on_pause = time_passes
    bench.spool.append([reading(0)])
    written = 1
    bench.start()
    await eventually(lambda: written >= 720 and bench.got() == expected(written), within_s=20)
    assert bench.pauses[:8] == [1, 2, 4, 8, 16, 32, 60, 60]
    assert max(bench.pauses) == 60
    assert len(bench.fake.requests) <= 70
    await eventually(lambda: bench.states() == ["connecting", "down", "up"])
    down = bench.healths[1]
    assert (down.link, down.kind, down.last_error) == ("influx", "influxdb", "service unavailable (503)")
    assert bench.healths[-1].reconnects == 1
    await bench.stop()


async def test_after_a_success_the_pauses_begin_small_again(bench: Bench) -> None:
    bench.fake.faults.extend([Fault(), Fault(), Fault()])
    bench.spool.append([reading(0)])
    forwarder = bench.start()
    await eventually(lambda: bench.got() == expected(1))
    bench.fake.faults.append(Fault())
    bench.spool.append([reading(1)])
    forwarder.wake()
    await eventually(lambda: bench.got() == expected(2))
    assert bench.pauses == [1, 2, 4, module.GATHER_S, 1]
    await bench.stop()


async def test_a_server_that_says_when_to_come_again_is_obeyed(bench: Bench) -> None:
    bench.fake.faults.append(Fault(status=429, headers={"Retry-After": "90"}))
    bench.spool.append([reading(0)])
    bench.start()
    await eventually(lambda: bench.got() == expected(1))
    assert bench.pauses == [90]
    await bench.stop()


async def test_a_server_that_is_stopped_and_comes_back_at_its_address_gets_everything(
    tmp_path: Path, clock: ManualClock
) -> None:
    store, fake, port = Store(tmp_path / "gateway.db"), InfluxFake(), free_port()
    bench = Bench(Spool(store, (SERVER, INFLUX)), fake, clock, port)
    bench.spool.append(reading(n) for n in range(100))
    forwarder = bench.start(lambda _: asyncio.sleep(0.01))
    await eventually(lambda: "down" in bench.states())
    for count in (100, 200):
        with running_fake(fake, port):
            await eventually(lambda n=count: bench.got() == expected(n))
        bench.spool.append(reading(n) for n in range(count, count + 100))
        forwarder.wake()
        await eventually(lambda: bench.states()[-1] == "down")
    await bench.stop()
    store.close()


async def test_an_answer_that_is_lost_on_the_way_makes_no_second_value(bench: Bench) -> None:
    bench.fake.faults.extend([Fault(kind="cut after writing"), Fault(kind="cut"), Fault(kind="cut after writing")])
    bench.spool.append(reading(n) for n in range(50))
    bench.start()
    await eventually(lambda: not bench.spool.waiting(INFLUX, 1))
    assert bench.got() == expected(50)
    assert bench.fake.count() == 50
    await bench.stop()


async def test_a_request_that_hangs_does_not_hold_up_the_end(bench: Bench) -> None:
    bench.fake.faults.append(Fault(kind="hang"))
    bench.spool.append([reading(0)])
    bench.start()
    await eventually(lambda: not bench.fake.faults)
    began = time.monotonic()
    await bench.stop()
    assert time.monotonic() - began < 1
    assert len(bench.spool.waiting(INFLUX, 10)) == 1


def test_nor_the_end_of_the_program(tmp_path: Path, clock: ManualClock) -> None:
    """A thread of the pool would be waited for by the loop and by the interpreter."""
    store, fake = Store(tmp_path / "gateway.db"), InfluxFake()
    fake.faults.append(Fault(kind="hang"))

    async def work(port: int) -> float:
        bench = Bench(Spool(store, (SERVER, INFLUX)), fake, clock, port)
        bench.spool.append([reading(0)])
        bench.start()
        await eventually(lambda: not fake.faults)
        await bench.stop()
        return time.monotonic()

    with running_fake(fake) as port:
        told = asyncio.run(work(port))
        assert time.monotonic() - told < 1
    store.close()


async def test_what_a_person_must_mend_is_told_and_tried_seldom_and_heals_by_itself(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    right = bench.fake._not_for_us
    bench.fake._not_for_us = lambda *_: (404, {"code": "not found", "message": "bucket not found"})  # type: ignore[method-assign]  # a lever
    bench.spool.append(reading(n) for n in range(5))

    def mended(_: float) -> None:
        if len(bench.pauses) == 3:
            bench.fake._not_for_us = right  # type: ignore[method-assign]  # a lever

    bench.on_pause = mended
    bench.start()
    await eventually(lambda: bench.got() == expected(5))
    assert bench.pauses == [module.MEND_S] * 3
    await eventually(lambda: bench.states() == ["connecting", "down", "up"])
    assert "create bucket 'carrel'" in bench.healths[1].last_error
    assert [record.levelname for record in caplog.records] == ["WARNING", "WARNING"], "told once, and once when back"
    await bench.stop()


async def test_a_reading_that_is_refused_is_told_once_kept_for_people_and_passed_over(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    bench.fake.refuse = lambda point: "partial write: field type conflict" if point.fields["value"] == 7 else ""
    bench.spool.append(reading(n) for n in range(20))
    forwarder = bench.start()
    await eventually(bench.spool.refused)
    (refused,) = bench.spool.refused()
    assert (refused.seq, "field type conflict" in refused.reason) == (8, True)
    assert refused.line == f"temp,branch=main,device=room-th,gateway=gw-1,zone=room value=7.0 {NOON_MS + 7000}"
    assert bench.got() == {at: value for at, value in expected(20).items() if value != 7}
    await eventually(lambda: bench.states() == ["connecting", "degraded"])
    assert bench.healths[-1].bad_frames == 1
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    bench.spool.append([reading(20)])
    forwarder.wake()
    await eventually(lambda: bench.states()[-1] == "up")
    assert not bench.spool.waiting(INFLUX, 10)
    await bench.stop()


async def test_a_disk_that_does_not_take_the_cursor_is_tried_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    confirm, calls = bench.spool.confirm, 0

    def full_at_first(*words: object) -> None:
        nonlocal calls
        calls += 1
        if calls < 3:
            raise sqlite3.OperationalError("database or disk is full")
        confirm(*words)  # type: ignore[arg-type]  # what it was given

    monkeypatch.setattr(bench.spool, "confirm", full_at_first)
    bench.spool.append(reading(n) for n in range(5))
    bench.start()
    await eventually(lambda: not bench.spool.waiting(INFLUX, 1))
    assert bench.got() == expected(5)
    assert bench.healths[1].last_error == "the gateway's own disk: database or disk is full"
    await bench.stop()


async def test_a_fault_of_ours_is_told_with_its_trace_and_tried_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    line, calls = Lines.line, 0

    def wrong_at_first(self: Lines, row: Row) -> str:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise KeyError("ours")
        return line(self, row)

    monkeypatch.setattr(Lines, "line", wrong_at_first)
    bench.spool.append(reading(n) for n in range(5))
    bench.start()
    await eventually(lambda: bench.got() == expected(5))
    assert bench.healths[1].last_error == "unexpected KeyError: 'ours'"
    assert "Traceback" in caplog.text
    await bench.stop()


async def test_a_clock_stepped_an_hour_back_and_forward_sends_each_time_as_it_was(bench: Bench) -> None:
    seconds = [0, 1, 3601, 3602, 2, 3, -3600, 4]
    for n, at in enumerate(seconds):
        bench.spool.append([reading(n, at)])
    bench.start()
    await eventually(lambda: bench.got() == {NOON_MS + at * 1000: n for n, at in enumerate(seconds)})
    await bench.stop()


async def test_a_restart_goes_on_where_it_was(bench: Bench) -> None:
    bench.spool.append(reading(n) for n in range(10))
    for count in (10, 20, 30):
        bench.start()
        await eventually(lambda n=count: bench.got() == expected(n) and not bench.spool.waiting(INFLUX, 1))
        await bench.stop()
        bench.spool.append(reading(n) for n in range(count, count + 10))
    assert sum(lines for _, _, lines in bench.fake.requests) == 30, "nothing was sent twice"


async def test_a_real_influxdb_killed_again_and_again_has_everything_in_the_end(
    tmp_path: Path, clock: ManualClock
) -> None:
    store, healths = Store(tmp_path / "gateway.db"), list[LinkHealth]()
    spool = Spool(store, (INFLUX,))
    with running_influx1() as server:
        server.query("CREATE DATABASE carrel")
        forwarder = Forwarder(
            spool, Lines("main", "gw-1"), make_write(server.config), clock=clock, on_health=healths.append,
            pause=lambda _: asyncio.sleep(0.01),
        )  # fmt: skip
        task = asyncio.create_task(forwarder.run())
        for count in range(0, 3000, 1000):
            spool.append(reading(n) for n in range(count, count + 1000))
            forwarder.wake()
            server.program.kill()
            await eventually(lambda: not spool.waiting(INFLUX, 1) or (healths and healths[-1].state == "down"))
            await asyncio.to_thread(server.program.start)
        await eventually(lambda: not spool.waiting(INFLUX, 1), within_s=20)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        (series,) = server.query("SELECT value FROM temp")
    assert dict(series["values"]) == expected(3000)
    store.close()


async def test_it_is_made_from_the_configuration(bench: Bench) -> None:
    bench.spool.append([reading(0)])
    config, lines = bench.fake.config(bench.port), Lines("main", "gw-1")
    made = make_forwarder(config, bench.spool, lines, clock=bench.clock, on_health=bench.healths.append)
    bench.task = asyncio.create_task(made.run())
    await eventually(lambda: bench.got() == expected(1))
    await bench.stop()
