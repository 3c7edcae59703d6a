import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from carrel.contracts.health import LinkHealth
from devices.errors import LinkLostError
from devices.events import BadFrame, DeviceLeft, Health, LinkUp, ModuleHealth
from devices.orders import Command, OrderResult, rejected
from gateway.links import supervisor as supervisor_module
from gateway.links.link import Emit
from gateway.links.supervisor import Supervisor
from tests.support.ending import end
from tests.support.field import START, FixedClock, Recorder

LEFT = DeviceLeft("reading-lux", "02:ca:77:e1:00:00:00:04", START)


class ScriptedLink:
    """A link whose attempts are a list of functions; the last one is repeated."""

    name, kind = "field", "modbus"

    def __init__(self, *attempts: Callable[[Emit], None]) -> None:
        self.attempts = list(attempts)
        self.count = 0
        self.emit: Emit | None = None

    async def run(self, emit: Emit) -> None:
        self.emit = emit
        attempt = self.attempts[min(self.count, len(self.attempts) - 1)]
        self.count += 1
        attempt(emit)
        await asyncio.Event().wait()

    async def execute(self, command: Command) -> OrderResult:
        return rejected("not_supported", repr(command))


def serves(emit: Emit) -> None:
    emit(LinkUp())


def fails(_: Emit) -> None:
    raise LinkLostError("cannot open /dev/ttyUSB0")


def breaks(emit: Emit) -> None:
    emit(LinkUp())
    raise KeyError("a bug")


class Watch:
    """The health reports of one supervised link."""

    def __init__(self, *attempts: Callable[[Emit], None]) -> None:
        self.seen = Recorder()
        self.reports: list[LinkHealth] = []
        self.link = ScriptedLink(*attempts)
        self.supervisor = Supervisor(self.link, emit=self.seen, on_health=self.reports.append, clock=FixedClock())

    @property
    def states(self) -> list[str]:
        return [report.state for report in self.reports]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.supervisor.run())
        try:
            yield
        finally:
            await end(task)
            assert task.cancelled()


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor_module, "FIRST_PAUSE_S", 0.001)
    monkeypatch.setattr(supervisor_module, "MOST_PAUSE_S", 0.004)
    monkeypatch.setattr(supervisor_module, "RECOVERED_AFTER_S", 0.02)


async def test_a_link_that_serves_is_up() -> None:
    watch = Watch(serves)
    async with watch.running():
        await watch.seen.until(lambda: watch.states == ["connecting", "up"])
    assert watch.reports[-1].reconnects == 0


async def test_events_pass_through_and_what_is_for_the_supervisor_does_not() -> None:
    def tells(emit: Emit) -> None:
        emit(LinkUp())
        emit(BadFrame("noise"))
        emit(LEFT)

    watch = Watch(tells)
    async with watch.running():
        await watch.seen.until(lambda: watch.seen.events)
    assert watch.seen.events == [LEFT]


async def test_a_lost_link_is_tried_until_it_serves_again() -> None:
    watch = Watch(serves, fails, fails, serves)
    watch.link.attempts[0] = breaks
    async with watch.running():
        await watch.seen.until(lambda: watch.link.count == 4)
        await watch.seen.until(lambda: "up" in watch.states)
    assert watch.reports[-1].reconnects == 1
    assert (watch.reports[-1].last_error, watch.reports[-1].code) == ("cannot open /dev/ttyUSB0", "link_lost")


async def test_a_lost_link_is_logged_once_when_lost_and_once_when_back(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "gateway.links.supervisor")
    watch = Watch(fails, fails, fails, serves)
    async with watch.running():
        await watch.seen.until(lambda: "up" in watch.states)
    assert [record.getMessage() for record in caplog.records] == [
        "link field lost: cannot open /dev/ttyUSB0",
        "link field is back",
    ]


async def test_the_same_failure_is_reported_once_however_often_it_is_met() -> None:
    watch = Watch(fails)
    async with watch.running():
        await watch.seen.until(lambda: watch.link.count >= 5)
    assert watch.states == ["connecting", "down"]


async def test_a_bug_ends_the_attempt_and_not_the_gateway(caplog: pytest.LogCaptureFixture) -> None:
    watch = Watch(breaks, serves)
    async with watch.running():
        await watch.seen.until(lambda: watch.states == ["connecting", "up", "down", "up"])
    assert (watch.reports[2].last_error, watch.reports[2].code) == ("unexpected KeyError: 'a bug'", "unexpected")
    assert "link field: unexpected error" in caplog.text


async def test_a_link_that_ends_by_itself_is_started_again() -> None:
    class Ending(ScriptedLink):
        async def run(self, emit: Emit) -> None:
            self.count += 1
            emit(LinkUp())

    watch = Watch(serves)
    watch.supervisor.link = watch.link = Ending()
    async with watch.running():
        await watch.seen.until(lambda: watch.link.count >= 3)
    assert watch.reports[-1].last_error == "the link ended by itself"


async def test_a_cancellation_from_within_a_library_does_not_end_the_supervision() -> None:
    def cancelled(_: Emit) -> None:
        raise asyncio.CancelledError

    watch = Watch(cancelled, serves)
    async with watch.running():
        await watch.seen.until(lambda: "up" in watch.states)


async def test_bad_frames_degrade_a_link_until_they_stop() -> None:
    def noisy(emit: Emit) -> None:
        emit(LinkUp())
        for _ in range(50):
            emit(BadFrame("noise"))

    watch = Watch(noisy)
    async with watch.running():
        await watch.seen.until(lambda: watch.states == ["connecting", "up", "degraded", "up"])
    assert watch.reports[-1].bad_frames == 50


async def test_a_module_that_misses_polls_degrades_its_link() -> None:
    def wavers(emit: Emit) -> None:
        emit(LinkUp())
        emit(ModuleHealth("io-1", Health.DEGRADED, START))
        emit(ModuleHealth("io-1", Health.OK, START))

    watch = Watch(wavers)
    async with watch.running():
        await watch.seen.until(lambda: watch.states == ["connecting", "up", "degraded", "up"])
    assert len(watch.seen.of(ModuleHealth)) == 2


async def test_pauses_grow_to_their_limit_and_start_small_after_success(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    sleep = asyncio.sleep

    async def noted(pause_s: float) -> None:
        pauses.append(pause_s)
        await sleep(0)

    watch = Watch(fails, fails, fails, fails, breaks, fails, serves)
    monkeypatch.setattr(supervisor_module.asyncio, "sleep", noted)
    task = asyncio.create_task(watch.supervisor.run())
    while watch.link.count < 7:
        await sleep(0)
    task.cancel()
    assert pauses[:6] == [0.001, 0.002, 0.004, 0.004, 0.001, 0.002]
