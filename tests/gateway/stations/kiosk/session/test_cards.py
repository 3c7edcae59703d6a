"""The cards on the pad: one that does not do, two at once, that of the next person, and what is asked again."""

from __future__ import annotations

import pytest

from gateway.stations.kiosk.events import (
    Answered,
    AskPreview,
    AskStanding,
    Lend,
    PadSeen,
    Previewed,
    StandingKnown,
    Touch,
)
from gateway.stations.kiosk.state import Phase
from tests.support.kiosk_session import ANN, BOB, Player, no, pad, standing


@pytest.mark.parametrize("code", ["unknown_card", "card_expired", "patron_blocked"])
def test_a_card_that_does_not_do_is_said_and_another_may_be_tried(code: str) -> None:
    kiosk = Player()(PadSeen(pad(card=ANN)), Touch.BORROW)
    kiosk(StandingKnown(ANN, None, code) if code == "unknown_card" else standing(code=code))
    assert (kiosk.phase, kiosk.session.message, kiosk.session.patron) == (Phase.IDENTIFY, code, None)
    kiosk.wait(3).asked()
    kiosk(PadSeen(pad(card=BOB)))
    assert (kiosk.asked(), kiosk.session.message) == ([AskStanding(BOB)], None)


def test_the_same_card_laid_down_again_is_asked_about_again() -> None:
    kiosk = Player()(PadSeen(pad(card=ANN)), Touch.BORROW, StandingKnown(ANN, None, "unknown_card"))
    kiosk.asked()
    kiosk(PadSeen(pad()))
    assert kiosk.session.message == "unknown_card", "it can still be read"
    assert kiosk(PadSeen(pad(card=ANN))).asked() == [AskStanding(ANN)]


def test_two_cards_are_said_and_neither_is_asked_about() -> None:
    kiosk = Player()(Touch.BORROW, PadSeen(pad(twice=True)))
    assert (kiosk.asked(), kiosk.session.message) == ([], "two_cards")
    assert kiosk(PadSeen(pad(card=BOB))).asked() == [AskStanding(BOB)]


def test_with_two_cards_on_the_pad_nothing_is_lent() -> None:
    kiosk = Player().identified("1")(PadSeen(pad("1", twice=True)), Touch.CONFIRM)
    assert (kiosk.asked(), kiosk.session.message) == ([], "two_cards")
    kiosk(PadSeen(pad("1", card=ANN)))
    assert kiosk.session.message is None
    assert isinstance(kiosk(Touch.CONFIRM).asked()[0], Lend)


@pytest.mark.parametrize("phase", [Phase.ITEMS, Phase.RESULT])
def test_another_card_ends_the_session_of_the_one_who_went_without_a_word(phase: Phase) -> None:
    kiosk = Player().identified("1")
    if phase is Phase.RESULT:
        (lend,) = kiosk(Touch.CONFIRM).asked()
        assert isinstance(lend, Lend)
        kiosk(Answered(lend.request_id, (no("1"),)))
    assert kiosk.phase is phase
    kiosk.asked()
    kiosk(PadSeen(pad("1", card=BOB)))
    assert (kiosk.phase, kiosk.session.patron, dict(kiosk.session.results)) == (Phase.IDENTIFY, None, {})
    assert kiosk.asked() == [AskStanding(BOB)]


def test_a_card_the_server_could_not_be_asked_about_is_asked_about_again_by_itself() -> None:
    kiosk = Player()(PadSeen(pad(card=ANN)), Touch.BORROW, StandingKnown(ANN, None, "server_timeout"))
    assert kiosk.session.message == "server_timeout"
    kiosk.asked()
    assert kiosk.wait(2).asked() == [AskStanding(ANN)]
    assert kiosk(standing()).phase is Phase.ITEMS
    assert kiosk.session.message is None


def test_a_preview_that_did_not_come_is_asked_for_again_by_itself() -> None:
    kiosk = Player().identified()(PadSeen(pad("1", card=ANN)), Previewed(ANN, frozenset({"1"}), None))
    assert kiosk.session.message == "server_timeout"
    kiosk.asked()
    assert kiosk.wait(2).asked() == [AskPreview(ANN, frozenset({"1"}))]
