"""Orders on their way to links: together, again, and not after something newer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest

from carrel.contracts.actuation import DeviceOrder, Priority, SetOutput, SetPosition
from devices.events import OutputsRead
from devices.orders import OrderResult, expired, failed, rejected
from gateway.control import actuation
from gateway.control.actuation import Actuator
from gateway.control.arbiter import Arbiter
from tests.support.fake_link import FakeLink
from tests.support.sim import eventually

LAMP, SIREN = SetOutput(output="io-1.lamp", on=True), SetOutput(output="io-1.siren", on=True)
SIREN_OFF = SetOutput(output="io-1.siren", on=False)
CLOSE, OPEN = SetPosition(device="curtain", closed_pct=100), SetPosition(device="curtain", closed_pct=0)
NOW = datetime(2026, 3, 2, tzinfo=UTC)
NO_ANSWER, DOWN = failed("no_answer"), failed("link_down")


class Plant:
    """An I/O module and a radio under one actuator."""

    def __init__(self, pause_s: float = 0.01) -> None:
        self.io, self.radio = FakeLink("io-1"), FakeLink("zigbee")
        self.arbiter = Arbiter()
        routes = {"io-1.lamp": self.io, "io-1.siren": self.io, "curtain": self.radio}
        self.followed: list[tuple[str, str]] = []
        self.actuator = Actuator(self.arbiter, routes, retry_after_s=(pause_s,), on_follow=self._heard)

    def _heard(self, output: str, result: OrderResult) -> None:
        self.followed.append((output, result.code or result.status.value))

    def order(self, *orders: DeviceOrder, priority: Priority = Priority.COMFORT) -> None:
        placed = [self.arbiter.place(actuation.target_of(order), priority, order) for order in orders]
        self.actuator.apply(order for order in placed if order is not None)

    @asynccontextmanager
    async def while_asked(self, link: FakeLink, *orders: DeviceOrder) -> AsyncIterator[None]:
        """A link that answers these orders once it was told the next ones too, however slow the machine is."""
        link.gate = asyncio.Event()
        self.order(*orders)
        await eventually(lambda: len(link.told) == 1)
        yield
        await eventually(lambda: len(link.told) == 2)
        link.gate.set()

    async def quiet(self) -> None:
        """Wait until nothing is under way any more."""
        await eventually(lambda: not self.actuator._tasks)


@asynccontextmanager
async def plant(pause_s: float = 0.01) -> AsyncIterator[Plant]:
    made = Plant(pause_s)
    yield made
    await made.actuator.close()


async def test_outputs_of_one_module_go_in_one_command_and_devices_each_alone() -> None:
    async with plant() as it:
        it.order(LAMP, CLOSE, SIREN)
        await it.quiet()
        assert it.io.told == [(LAMP, SIREN)]
        assert it.radio.told == [CLOSE]


async def test_an_order_that_failed_is_tried_until_it_is_done() -> None:
    async with plant() as it:
        it.radio.answers.extend([NO_ANSWER] * 7)
        it.order(CLOSE)
        await it.quiet()
        assert it.radio.told == [CLOSE] * 8


async def test_a_fault_in_a_driver_is_a_failed_try() -> None:
    async with plant() as it:
        it.io.answers.extend([RuntimeError("a fault of ours"), NO_ANSWER])
        it.order(SIREN, priority=Priority.LIFE_SAFETY)
        await it.quiet()
        assert it.io.told == [(SIREN,)] * 3


async def test_a_refused_comfort_order_is_not_repeated() -> None:
    async with plant() as it:
        it.radio.answers.append(rejected("not_supported"))
        it.order(CLOSE)
        await it.quiet()
        assert it.radio.told == [CLOSE]


async def test_a_refused_siren_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(actuation, "LIFE_SAFETY_RETRY_S", 0.01)
    async with plant(pause_s=60) as it:
        it.io.answers.extend([rejected("refused"), NO_ANSWER, rejected("refused")])
        it.order(SIREN, priority=Priority.LIFE_SAFETY)
        await it.quiet()
        assert it.io.told == [(SIREN,)] * 4


async def test_a_link_that_is_down_is_not_pestered_but_told_everything_in_force_when_it_is_up() -> None:
    async with plant() as it:
        it.io.answers.append(DOWN)
        it.order(LAMP, SIREN, CLOSE)
        await it.quiet()
        assert it.io.told == [(LAMP, SIREN)]
        it.order(SIREN_OFF, priority=Priority.LIFE_SAFETY)
        it.actuator.link_up("io-1")
        await it.quiet()
        assert it.io.told[-1] == (LAMP, SIREN_OFF)
        assert it.radio.told == [CLOSE]


async def test_what_a_newer_order_replaced_is_not_tried_again() -> None:
    async with plant() as it:
        it.radio.answers.append(NO_ANSWER)
        async with it.while_asked(it.radio, CLOSE):
            it.order(OPEN)
        await it.quiet()
        assert it.radio.told == [CLOSE, OPEN]


async def test_an_order_that_was_released_is_not_tried_again() -> None:
    async with plant() as it:
        it.radio.otherwise = NO_ANSWER
        it.order(CLOSE)
        await eventually(lambda: it.radio.told)
        it.arbiter.place("curtain", Priority.COMFORT, None)
        await it.quiet()


async def test_of_a_module_only_the_outputs_still_in_force_are_tried_again() -> None:
    async with plant() as it:
        it.io.answers.append(NO_ANSWER)
        async with it.while_asked(it.io, LAMP, SIREN):
            it.order(SIREN_OFF)
        await it.quiet()
        assert it.io.told == [(LAMP, SIREN), (SIREN_OFF,), (LAMP,)]


async def test_an_order_given_again_takes_over_the_repeats_of_the_first() -> None:
    async with plant() as it:
        it.radio.otherwise = NO_ANSWER
        it.order(CLOSE)
        for _ in range(5):
            it.actuator.link_up("zigbee")
        await eventually(lambda: len(it.radio.told) > 12)
        assert len(it.actuator._tasks) == 1


async def test_an_expired_answer_ends_the_tries() -> None:
    async with plant() as it:
        it.radio.answers.append(expired())
        it.order(CLOSE)
        await it.quiet()
        assert it.radio.told == [CLOSE]


async def test_a_device_that_comes_within_reach_is_told_its_order() -> None:
    async with plant() as it:
        it.radio.answers.append(rejected("not_joined"))
        it.order(CLOSE)
        await it.quiet()
        it.actuator.output_up("curtain")
        it.actuator.output_up("reading-th")
        await it.quiet()
        assert it.radio.told == [CLOSE, CLOSE]


async def test_outputs_that_are_not_as_ordered_are_set_again() -> None:
    async with plant() as it:
        it.order(LAMP, SIREN)
        await it.quiet()
        it.actuator.outputs_read(OutputsRead("io-1", {"lamp": True, "siren": False, "spare": True}, NOW))
        await it.quiet()
        assert it.io.told == [(LAMP, SIREN), (SIREN,)]
        it.actuator.outputs_read(OutputsRead("io-1", {"lamp": True, "siren": True}, NOW))
        await it.quiet()
        assert len(it.io.told) == 2


async def test_an_output_without_a_link_is_an_error_in_the_log_and_hinders_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with plant() as it:
        it.actuator.apply([SetOutput(output="io-9.siren", on=True), SIREN])
        await it.quiet()
        assert it.io.told == [(SIREN,)]
    assert "no link serves io-9.siren" in caplog.text


async def test_what_fails_for_long_is_told_once_and_so_is_its_end(caplog: pytest.LogCaptureFixture) -> None:
    async with plant() as it:
        it.radio.answers.extend([NO_ANSWER] * 6)
        it.order(CLOSE)
        await it.quiet()
    assert [record.getMessage().split(":")[0] for record in caplog.records] == [
        "order not carried out yet",
        "order carried out at last",
    ]


async def test_an_order_that_failed_three_times_is_told_and_so_is_its_success() -> None:
    async with plant() as it:
        it.radio.answers.extend([NO_ANSWER] * 4)
        it.order(CLOSE)
        await it.quiet()
        assert it.followed == [("curtain", "no_answer")] * 2 + [("curtain", "done")]


async def test_two_failures_are_nobodys_business() -> None:
    async with plant() as it:
        it.radio.answers.extend([NO_ANSWER] * 2)
        it.order(CLOSE)
        await it.quiet()
        assert it.followed == [("curtain", "done")]


async def test_a_refusal_is_told_at_once_and_a_link_that_is_down_never() -> None:
    async with plant() as it:
        it.radio.answers.append(rejected("not_supported"))
        it.io.answers.append(DOWN)
        it.order(CLOSE, LAMP)
        await it.quiet()
        assert it.followed == [("curtain", "not_supported")]


async def test_a_device_that_is_being_paired_is_given_time() -> None:
    async with plant() as it:
        it.radio.answers.extend([failed("device_missing")] * 9)
        it.order(CLOSE)
        await it.quiet()
        assert it.followed == [("curtain", "device_missing"), ("curtain", "done")]


async def test_of_a_module_each_output_is_told() -> None:
    async with plant() as it:
        it.order(LAMP, SIREN)
        await it.quiet()
        assert it.followed == [("io-1.lamp", "done"), ("io-1.siren", "done")]


async def test_closing_gives_up_what_is_under_way() -> None:
    it = Plant()
    it.io.gate = asyncio.Event()
    it.order(SIREN)
    await eventually(lambda: it.io.told)
    await it.actuator.close()
    assert not it.actuator._tasks
