"""A crowded air: broadcasts wait their turn, and what the radio cannot send is not taken for a missing device."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from zigpy.exceptions import DeliveryError

from carrel.contracts.actuation import CommandStatus, SetLevel
from carrel.contracts.telemetry import Quantity
from devices.events import LinkUp
from devices.orders import DONE
from devices.zigbee import execute
from devices.zigbee.network import pacing
from devices.zigbee.network.pacing import BROADCASTS_MOST, REMEMBERED_S, Pace, crowded
from tests.support.field import Recorder, open_radio
from tests.support.zigbee_site import coordinator, named, placed, running, served, site

VENT = "reading-vent"


@given(st.lists(st.tuples(st.floats(0, 5), st.integers(1, 2)), max_size=60))
def test_no_nine_seconds_hold_more_than_eight_broadcasts_and_none_waits_without_need(
    asked: list[tuple[float, int]],
) -> None:
    now_s = 0.0
    pace = Pace(lambda: now_s)
    sent: list[float] = []
    for pause_s, broadcasts in asked:
        now_s += pause_s
        turn_s = now_s + pace.wait_s(broadcasts)
        sent += [turn_s] * broadcasts
    for number, at in enumerate(sent[BROADCASTS_MOST:]):
        assert at - sent[number] >= REMEMBERED_S - 1e-6
    if len(sent) <= BROADCASTS_MOST:
        assert all(at <= now_s for at in sent)


def test_only_what_may_go_a_moment_later_is_crowded() -> None:
    assert crowded(DeliveryError("x", status=0xE1)) == "the channel is busy"
    assert crowded(DeliveryError("x", status=0x11)) == "its buffer is full"
    assert crowded(DeliveryError("x", status=0xE9)) == ""
    assert crowded(DeliveryError("x")) == ""
    assert crowded(TimeoutError()) == ""


@pytest.mark.parametrize("status", [0xE1, 0x11, 0x1A])
async def test_an_order_in_a_storm_is_sent_when_it_is_over(status: int, tmp_path: Path) -> None:
    seen, link = Recorder(), coordinator(site(tmp_path, [named(VENT)]))
    async with open_radio(tmp_path, devices=placed(VENT)) as home, running(link, seen):
        await served(seen, VENT)
        home.network.coordinator.storm(2.0, status)  # longer than a device that is away is asked for
        assert await link.execute(SetLevel(device=VENT, level_pct=50)) == DONE
        assert round(seen.latest(VENT, Quantity.LEVEL) or 0) == 50


async def test_a_storm_that_does_not_end_is_told_as_such(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(execute, "DEADLINE_S", 1.5)
    seen, link = Recorder(), coordinator(site(tmp_path, [named(VENT)]))
    async with open_radio(tmp_path, devices=placed(VENT)) as home, running(link, seen):
        await served(seen, VENT)
        home.network.coordinator.storm(60.0, 0xE1)
        result = await link.execute(SetLevel(device=VENT, level_pct=50))
        assert (result.status, result.code) == (CommandStatus.FAILED, "network_busy")
        assert "the channel is busy" in result.detail


async def test_a_join_window_in_a_storm_is_refused_in_words(tmp_path: Path) -> None:
    seen, link = Recorder(), coordinator(site(tmp_path, []))
    async with open_radio(tmp_path, devices=()) as home, running(link, seen):
        await seen.until(lambda: seen.of(LinkUp), 20)
        home.network.coordinator.storm(60.0, 0xE1)
        assert (await link.permit(60)).code == "radio_refused"
        assert link.state().join_until is None
        home.network.coordinator.storm(0.0, 0xE1)
        assert await link.permit(60) == DONE


async def test_the_join_window_opened_again_and_again_waits_its_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    asked = Pace.wait_s

    def at_once(self: Pace, broadcasts: int = 1) -> float:
        waits.append(asked(self, broadcasts))
        return 0.0

    monkeypatch.setattr(Pace, "wait_s", at_once)
    seen, link = Recorder(), coordinator(site(tmp_path, []))
    async with open_radio(tmp_path, devices=()), running(link, seen):
        await seen.until(lambda: seen.of(LinkUp), 20)
        assert {(await link.permit(60)).code for _ in range(4)} == {""}
    assert max(waits) > pacing.REMEMBERED_S / 2
    assert waits[0] == 0.0
