"""How a session begins and ends: its time, its server, its touches, its language, its help."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Literal

import pytest

from gateway.stations.kiosk.events import CallLibrarian, Event, PadSeen, ServerSeen, Touch, Touched
from gateway.stations.kiosk.session import countdown_s
from gateway.stations.kiosk.state import Phase
from tests.support.kiosk_session import ANN, Player, pad


def test_a_session_ends_by_itself_after_its_time_with_a_countdown_before() -> None:
    kiosk = Player().identified("1").wait(29)
    assert countdown_s(kiosk.rules, kiosk.session, kiosk.now) is None
    kiosk.wait(1)
    assert countdown_s(kiosk.rules, kiosk.session, kiosk.now) == 15
    kiosk.wait(14)
    assert (countdown_s(kiosk.rules, kiosk.session, kiosk.now), kiosk.phase) == (1, Phase.ITEMS)
    kiosk.wait(1)
    assert (kiosk.phase, kiosk.session.patron) == (Phase.IDLE, None)


def test_more_time_can_be_had_at_least_ten_times() -> None:
    kiosk = Player().identified("1")
    for _ in range(12):
        kiosk.wait(44)(Touch.MORE_TIME)
        assert countdown_s(kiosk.rules, kiosk.session, kiosk.now) is None
    assert kiosk.phase is Phase.ITEMS
    assert kiosk.wait(45).phase is Phase.IDLE


@pytest.mark.parametrize("sign_of_life", [Touched(Touch.ACTIVITY), PadSeen(pad("1", "2", card=ANN))])
def test_a_touch_or_a_change_on_the_pad_starts_the_time_again(sign_of_life: Event) -> None:
    kiosk = Player().identified("1").wait(40)(sign_of_life)
    assert kiosk.wait(40).phase is Phase.ITEMS


def test_a_pad_that_only_looks_again_and_again_does_not_keep_a_session_alive() -> None:
    kiosk = Player().identified("1")
    for n in range(45):
        kiosk.wait(1)(PadSeen(pad("1", card=ANN, checking=n % 2 == 0)))
    assert kiosk.phase is Phase.IDLE


def test_a_clock_set_back_does_not_prolong_a_session() -> None:
    kiosk = Player().identified("1")
    kiosk.now -= timedelta(hours=2)
    assert kiosk.wait(46).phase is Phase.IDLE


def test_an_idle_kiosk_counts_nothing_down() -> None:
    kiosk = Player().wait(100)
    assert countdown_s(kiosk.rules, kiosk.session, kiosk.now) is None


def test_a_server_that_goes_away_ends_what_cannot_go_on_and_leaves_a_result_to_read() -> None:
    for phase, left in ((Phase.IDENTIFY, Phase.IDLE), (Phase.ITEMS, Phase.IDLE), (Phase.RESULT, Phase.RESULT)):
        kiosk = Player().identified("1")
        kiosk.session = replace(kiosk.session, phase=phase)
        kiosk(ServerSeen(up=False))
        assert (kiosk.phase, kiosk.session.server_up) == (left, False)


def test_without_a_server_nothing_begins() -> None:
    kiosk = Player()(PadSeen(pad("1", card=ANN)), ServerSeen(up=False), Touch.BORROW, Touch.RETURN)
    assert (kiosk.asked(), kiosk.phase) == ([], Phase.IDLE)
    kiosk(ServerSeen(up=True), Touch.BORROW)
    assert kiosk.phase is Phase.IDENTIFY


@pytest.mark.parametrize(
    ("mode", "touch", "phase"),
    [
        ("borrow", Touch.RETURN, Phase.IDLE),
        ("return", Touch.BORROW, Phase.IDLE),
        ("borrow", Touch.BORROW, Phase.IDENTIFY),
        ("return", Touch.RETURN, Phase.RETURN),
    ],
)
def test_a_kiosk_does_what_it_is_set_up_for(
    mode: Literal["borrow", "return", "both"], touch: Touch, phase: Phase
) -> None:
    assert Player(mode)(touch).phase is phase


def test_the_language_is_of_one_session() -> None:
    kiosk = Player()(Touch.LANGUAGE, Touch.BORROW)
    assert kiosk.session.language == "en"
    assert kiosk(Touch.LANGUAGE, Touch.LANGUAGE).session.language == "en"
    assert kiosk(Touch.DONE).session.language == "zh-CN"


def test_help_can_be_called_from_everywhere() -> None:
    kiosk = Player()
    assert kiosk(Touch.HELP).asked() == [CallLibrarian()]
    kiosk.identified("1")
    assert kiosk(Touch.HELP).asked() == [CallLibrarian()]
    assert kiosk.session.help_called


def test_touches_meant_for_another_screen_do_nothing() -> None:
    kiosk = Player()(Touch.CONFIRM, Touch.AGAIN)
    assert (kiosk.asked(), kiosk.phase) == ([], Phase.IDLE)
    kiosk(Touch.BORROW, Touch.BORROW, Touch.RETURN, Touch.CONFIRM)
    assert (kiosk.asked(), kiosk.phase) == ([], Phase.IDENTIFY)
