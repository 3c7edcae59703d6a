"""Somebody borrows, as lists of events: what is asked, what is judged anew and what is lent."""

from __future__ import annotations

from gateway.stations.kiosk.events import (
    Answered,
    AskPreview,
    AskStanding,
    Lend,
    PadSeen,
    Previewed,
    Recheck,
    Secured,
    SetSecurity,
    Ticked,
    Touch,
)
from gateway.stations.kiosk.session import MOST_ITEMS, ended, lendable
from gateway.stations.kiosk.state import Phase
from gateway.stations.pad_state import PadItem, PadState
from tests.support.clock import NOON
from tests.support.kiosk_session import ANN, BOB, Player, no, ok, pad, standing, uid


# ---------------------------------------------------------------- borrowing
def test_borrowing_from_the_first_touch_to_the_result() -> None:
    kiosk = Player()
    kiosk(Touch.BORROW)
    assert kiosk.phase is Phase.IDENTIFY
    kiosk(PadSeen(pad(card=ANN)))
    assert kiosk.asked() == [AskStanding(ANN)]
    kiosk(standing())
    assert kiosk.phase is Phase.ITEMS
    kiosk(PadSeen(pad("1", "2", card=ANN)))
    assert kiosk.asked() == [AskPreview(ANN, frozenset({"1", "2"}))]
    kiosk(Previewed(ANN, frozenset({"1", "2"}), (ok("1"), no("2"))))
    assert lendable(kiosk.session) == ("1",)
    kiosk(Touch.CONFIRM)
    (lend,) = kiosk.asked()
    assert isinstance(lend, Lend)
    assert (lend.card, lend.items) == (ANN, {"1": (uid("1"),)})
    assert kiosk.phase is Phase.LENDING
    kiosk(Answered(lend.request_id, (ok("1"),)))
    assert kiosk.asked() == [SetSecurity(uid("1"), on_loan=True)]
    assert kiosk.phase is Phase.LENDING, "the tag is being written"
    kiosk(Secured(uid("1"), ok=True))
    assert kiosk.phase is Phase.RESULT
    assert kiosk(Touch.DONE).session == ended(kiosk.rules, kiosk.session, NOON)


def test_items_put_down_before_the_card_count() -> None:
    kiosk = Player()(PadSeen(pad("1")), Touch.BORROW, PadSeen(pad("1", card=ANN)), standing())
    assert kiosk.asked() == [AskStanding(ANN), AskPreview(ANN, frozenset({"1"}))]


def test_a_card_that_lies_there_already_is_asked_about_at_once_and_once() -> None:
    kiosk = Player()(PadSeen(pad(card=ANN)), Touch.BORROW, PadSeen(pad("1", card=ANN)), Ticked())
    assert kiosk.asked() == [AskStanding(ANN)]


def test_a_card_is_not_asked_about_while_the_pad_is_looking() -> None:
    """What it shows then is the view of before: the card of somebody who is gone."""
    kiosk = Player()(PadSeen(pad(card=ANN)), PadSeen(pad(card=ANN, checking=True)), Touch.BORROW)
    assert kiosk.asked() == []
    kiosk(PadSeen(pad(card=BOB)))
    assert kiosk.asked() == [AskStanding(BOB)]


def test_nothing_is_lent_without_a_touch_and_not_while_the_pad_is_looking() -> None:
    kiosk = Player().identified("1")
    kiosk(PadSeen(pad("1", card=ANN, checking=True)), Touch.CONFIRM)
    assert (kiosk.asked(), kiosk.phase) == ([], Phase.ITEMS)


def test_confirming_with_nothing_to_lend_does_nothing() -> None:
    kiosk = Player().identified()
    assert kiosk(Touch.CONFIRM).asked() == []
    kiosk(PadSeen(pad("1", card=ANN)), Previewed(ANN, frozenset({"1"}), (no("1"),)))
    kiosk.asked()
    assert (kiosk(Touch.CONFIRM).asked(), kiosk.phase) == ([], Phase.ITEMS)


def test_an_item_taken_off_before_the_touch_is_not_lent() -> None:
    kiosk = Player().identified("1", "2")
    kiosk(PadSeen(pad("2", card=ANN)), Touch.CONFIRM)
    (_, lend) = kiosk.asked()
    assert isinstance(lend, Lend)
    assert set(lend.items) == {"2"}


def test_the_card_may_be_taken_away_once_it_was_read() -> None:
    kiosk = Player().identified("1")(PadSeen(pad("1")), Touch.CONFIRM)
    assert kiosk.phase is Phase.LENDING


def test_other_items_are_judged_anew_all_together() -> None:
    """Limits depend on everything that lies there: what was one too many may be possible when another is gone."""
    kiosk = Player().identified("1", "2")
    kiosk(Previewed(ANN, frozenset({"1", "2"}), (ok("1"), no("2", "loan_limit"))), PadSeen(pad("2", card=ANN)))
    assert kiosk.asked() == [AskPreview(ANN, frozenset({"2"}))]
    kiosk(Previewed(ANN, frozenset({"2"}), (ok("2"),)))
    assert lendable(kiosk.session) == ("2",)


def test_an_answer_about_what_lay_there_before_is_dropped() -> None:
    kiosk = Player().identified("1")
    kiosk(PadSeen(pad("1", "2", card=ANN)), Previewed(ANN, frozenset({"1", "2"}), (ok("1"), ok("2"))))
    kiosk(Previewed(ANN, frozenset({"1"}), (ok("1"),)))
    assert lendable(kiosk.session) == ("1", "2")


def test_an_empty_pad_is_not_asked_about() -> None:
    kiosk = Player().identified("1")(PadSeen(pad(card=ANN)))
    assert (kiosk.asked(), dict(kiosk.session.preview)) == ([], {})


def test_too_many_items_are_said_and_not_asked() -> None:
    kiosk = Player().identified()(PadSeen(pad(*(str(n) for n in range(MOST_ITEMS + 1)), card=ANN)), Touch.CONFIRM)
    assert (kiosk.asked(), kiosk.session.message) == ([], "too_many")


def set_of(present: int, parts: int = 3) -> PadState:
    items = tuple(PadItem(f"E00{n}", "7", set_parts=parts, set_part=n) for n in range(1, present + 1))
    return PadState(ANN, items, online=True)


def test_a_set_is_lent_whole_or_not_at_all() -> None:
    kiosk = Player().identified()(PadSeen(set_of(2)), Previewed(ANN, frozenset({"7"}), (ok("7"),)))
    assert kiosk.session.preview["7"].code == "item_incomplete"
    assert lendable(kiosk.session) == ()
    kiosk.asked()
    kiosk(PadSeen(set_of(3)))
    assert kiosk.asked() == [AskPreview(ANN, frozenset({"7"}))]
    kiosk(Previewed(ANN, frozenset({"7"}), (ok("7"),)), Touch.CONFIRM)
    (lend,) = kiosk.asked()
    assert isinstance(lend, Lend)
    assert lend.items == {"7": ("E001", "E002", "E003")}


def test_a_tag_with_an_impossible_identity_does_not_spoil_the_others() -> None:
    odd = PadState(ANN, (PadItem("E001", "a b\n"), PadItem("E002", "x" * 33), PadItem(uid("1"), "1")), online=True)
    kiosk = Player().identified()(PadSeen(odd))
    assert kiosk.asked() == [AskPreview(ANN, frozenset({"1"}))]
    assert [(p.uid, p.code) for p in kiosk.session.pad.problems] == [("E001", "damaged_tag"), ("E002", "damaged_tag")]


# ---------------------------------------------------------------- the number is wrong
def test_the_number_is_wrong_reads_the_pad_anew_and_asks_anew() -> None:
    kiosk = Player().identified("1")(Touch.AGAIN)
    assert (kiosk.asked(), dict(kiosk.session.preview)) == ([Recheck()], {})
    kiosk(PadSeen(pad("1", card=ANN, checking=True)), PadSeen(pad("1", "2", card=ANN)))
    assert kiosk.asked() == [AskPreview(ANN, frozenset({"1", "2"}))]


def test_again_after_a_result_goes_on_for_the_same_patron() -> None:
    kiosk = Player()
    lend = kiosk.lending("1")
    kiosk(Answered(lend.request_id, (no("1"),)), Touch.AGAIN)
    assert (kiosk.phase, dict(kiosk.session.results)) == (Phase.ITEMS, {})
    assert kiosk.session.patron is not None
