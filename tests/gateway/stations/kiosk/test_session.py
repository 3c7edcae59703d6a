"""One person at the kiosk, as lists of events: what is shown, what is asked, what is written, and when it ends."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import datetime, timedelta
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carrel.contracts.circulation import ItemResult, PatronStanding
from gateway.stations.kiosk.events import (
    Answered,
    AskPreview,
    AskStanding,
    CallLibrarian,
    Effect,
    Event,
    Lend,
    PadSeen,
    Previewed,
    Recheck,
    Secured,
    ServerSeen,
    SetSecurity,
    StandingKnown,
    TakeBack,
    Ticked,
    Touch,
    Touched,
)
from gateway.stations.kiosk.session import MOST_ITEMS, countdown_s, ended, lendable, step
from gateway.stations.kiosk.state import Phase, Rules, Session
from gateway.stations.pad_state import PadItem, PadProblem, PadProblemCode, PadState
from tests.support.clock import NOON

ANN, BOB = "90000001", "90000002"
TWO_CARDS = tuple(PadProblem(f"card-{n}", PadProblemCode.TWO_CARDS, n) for n in (ANN, BOB))


def rules(mode: Literal["borrow", "return", "both"] = "both") -> Rules:
    return Rules("kiosk-1", mode, timedelta(seconds=45), "zh-CN")


def uid(barcode: str) -> str:
    return f"E004{barcode:0>12}"


def pad(*barcodes: str, card: str | None = None, checking: bool = False, twice: bool = False) -> PadState:
    items = tuple(PadItem(uid(code), code) for code in barcodes)
    return PadState(card, items, TWO_CARDS if twice else (), checking=checking, online=True)


def standing(card: str = ANN, code: str | None = None) -> StandingKnown:
    return StandingKnown(card, PatronStanding(card=card, shown_name="张*", loans=0, quota_left=5, code=code))


def ok(barcode: str, security: Literal["in_stock", "on_loan"] | None = "on_loan") -> ItemResult:
    return ItemResult(barcode=barcode, status="ok", title=f"title {barcode}", security=security)


def no(barcode: str, code: str = "not_for_loan") -> ItemResult:
    return ItemResult(barcode=barcode, status="refused", code=code)


class Player:
    """A kiosk that is given events; `asked` are all effects since the last look."""

    def __init__(self, mode: Literal["borrow", "return", "both"] = "both") -> None:
        self.rules = rules(mode)
        self.now = NOON
        self.session = Session("zh-CN", NOON, server_up=True)
        self.effects: list[Effect] = []

    def __call__(self, *events: Event | Touch) -> Player:
        for event in events:
            done = step(self.rules, self.session, Touched(event) if isinstance(event, Touch) else event, self.now)
            self.session = done.session
            self.effects += done.effects
        return self

    def wait(self, seconds: float) -> Player:
        """Let time pass, with a tick each second."""
        for _ in range(int(seconds)):
            self.now += timedelta(seconds=1)
            self(Ticked())
        return self

    def asked(self) -> list[Effect]:
        found, self.effects = self.effects, []
        return found

    def identified(self, *barcodes: str, card: str = ANN) -> Player:
        """Somebody who has shown a card, with these items judged possible."""
        self(PadSeen(pad(*barcodes, card=card)), Touch.BORROW, standing(card))
        if barcodes:
            self(Previewed(card, frozenset(barcodes), tuple(ok(code) for code in barcodes)))
        self.asked()
        return self

    def lending(self, *barcodes: str) -> Lend:
        """Confirmed; the request."""
        self.identified(*barcodes)(Touch.CONFIRM)
        (lend,) = self.asked()
        assert isinstance(lend, Lend)
        return lend

    @property
    def phase(self) -> Phase:
        return self.session.phase


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


# ---------------------------------------------------------------- cards
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


# ---------------------------------------------------------------- answers
def test_refused_items_keep_their_security_state() -> None:
    kiosk = Player()
    lend = kiosk.lending("1", "2")
    kiosk(Answered(lend.request_id, (ok("1"), no("2", "item_on_hold"))))
    assert kiosk.asked() == [SetSecurity(uid("1"), on_loan=True)]
    kiosk(Secured(uid("1"), ok=True))
    assert (kiosk.phase, kiosk.session.results["2"].code) == (Phase.RESULT, "item_on_hold")


def test_no_answer_in_time_is_a_result_that_says_so_and_writes_nothing() -> None:
    kiosk = Player()
    lend = kiosk.lending("1")
    kiosk(Answered(lend.request_id, None))
    assert (kiosk.asked(), kiosk.phase, kiosk.session.message) == ([], Phase.RESULT, "server_timeout")


def test_an_answer_to_another_request_is_dropped() -> None:
    kiosk = Player()
    lend = kiosk.lending("1")
    kiosk(Answered(lend.request_id + "0", (ok("1"),)))
    assert (kiosk.asked(), kiosk.phase) == ([], Phase.LENDING)


def test_late_answers_find_nobody() -> None:
    kiosk = Player()
    lend = kiosk.lending("1")
    kiosk(Answered(lend.request_id, None), Touch.DONE)
    before = kiosk.session
    late: list[Event] = [
        Answered(lend.request_id, (ok("1"),)),
        standing(),
        Previewed(ANN, frozenset({"1"}), (ok("1"),)),
        Secured(uid("1"), ok=False),
    ]
    assert (kiosk(*late).session, kiosk.asked()) == (before, [])


def test_a_preview_for_the_patron_before_is_dropped() -> None:
    kiosk = Player().identified("1")(Touch.DONE)
    kiosk(PadSeen(pad("1", card=BOB)), Touch.BORROW, standing(BOB))
    kiosk(Previewed(ANN, frozenset({"1"}), (ok("1"),)))
    assert lendable(kiosk.session) == ()


def test_a_tag_that_could_not_be_written_is_asked_for_again_and_the_loan_stands() -> None:
    kiosk = Player()
    lend = kiosk.lending("1", "2")
    kiosk(Answered(lend.request_id, (ok("1"), ok("2"))), Secured(uid("1"), ok=False))
    assert (kiosk.phase, kiosk.session.message) == (Phase.LENDING, "put_it_back")
    kiosk(Secured(uid("2"), ok=True))
    assert (kiosk.phase, kiosk.session.message) == (Phase.RESULT, "put_it_back")
    assert kiosk.session.results["1"].status == "ok"
    kiosk(Secured(uid("1"), ok=True))
    assert kiosk.session.message is None


def test_while_the_answer_is_awaited_nothing_ends_the_session() -> None:
    kiosk = Player()
    lend = kiosk.lending("1")
    kiosk(Touch.DONE, ServerSeen(up=False), PadSeen(pad(card=BOB))).wait(120)
    assert kiosk.phase is Phase.LENDING
    kiosk(Answered(lend.request_id, (ok("1"),)))
    assert kiosk.asked() == [SetSecurity(uid("1"), on_loan=True)]


def test_every_request_has_an_id_of_its_own_also_when_the_clock_stands_or_is_set_back() -> None:
    kiosk, seen = Player(), set()
    for seconds in (0, 0, -3600, 3600, 0):
        kiosk.now += timedelta(seconds=seconds)
        lend = kiosk.lending("1")
        seen.add(lend.request_id)
        kiosk(Answered(lend.request_id, None), Touch.DONE)
    assert len(seen) == 5
    assert all(len(id_) <= 59 for id_ in seen), "with -undo within what the server takes"


# ---------------------------------------------------------------- items come back
def test_a_return_needs_no_touch_and_no_card() -> None:
    kiosk = Player()(PadSeen(pad("1")), Touch.RETURN)
    (back,) = kiosk.asked()
    assert back == TakeBack(back.request_id, {"1": (uid("1"),)})  # type: ignore[union-attr]
    kiosk(Answered(back.request_id, (ok("1", "in_stock"),)))  # type: ignore[union-attr]
    assert kiosk.asked() == [SetSecurity(uid("1"), on_loan=False)]
    assert (kiosk.phase, set(kiosk.session.results)) == (Phase.RETURN, {"1"})
    kiosk(Secured(uid("1"), ok=True), PadSeen(pad("1", "2")))
    (more,) = kiosk.asked()
    assert isinstance(more, TakeBack)
    assert set(more.items) == {"2"}


def test_what_is_laid_down_while_a_return_is_under_way_is_taken_back_after_it() -> None:
    kiosk = Player()(PadSeen(pad("1")), Touch.RETURN)
    (first,) = kiosk.asked()
    kiosk(PadSeen(pad("1", "2")))
    assert kiosk.asked() == []
    kiosk(Answered(first.request_id, (ok("1", "in_stock"),)))  # type: ignore[union-attr]
    security, second = kiosk.asked()
    assert security == SetSecurity(uid("1"), on_loan=False)
    assert isinstance(second, TakeBack)
    assert set(second.items) == {"2"}


def test_a_refused_return_is_not_asked_again_and_keeps_its_security_state() -> None:
    kiosk = Player()(PadSeen(pad("1")), Touch.RETURN)
    (back,) = kiosk.asked()
    kiosk(Answered(back.request_id, (no("1", "not_on_loan"),)), PadSeen(pad()), PadSeen(pad("1")))  # type: ignore[union-attr]
    assert kiosk.asked() == []


def test_a_return_without_an_answer_may_be_tried_again() -> None:
    kiosk = Player()(PadSeen(pad("1")), Touch.RETURN)
    (back,) = kiosk.asked()
    kiosk(Answered(back.request_id, None))  # type: ignore[union-attr]
    assert (kiosk.phase, kiosk.session.message) == (Phase.RETURN, "return_timeout")
    assert kiosk(Touch.AGAIN).asked() == [Recheck()]
    kiosk(PadSeen(pad("1", checking=True)), PadSeen(pad("1")))
    assert isinstance(kiosk.asked()[0], TakeBack)


def test_again_in_a_return_keeps_what_was_done_and_is_being_written() -> None:
    kiosk = Player()(PadSeen(pad("1")), Touch.RETURN)
    (back,) = kiosk.asked()
    kiosk(Answered(back.request_id, (ok("1", "in_stock"),)), Touch.AGAIN, Secured(uid("1"), ok=True))  # type: ignore[union-attr]
    assert (set(kiosk.session.results), kiosk.session.tags) == ({"1"}, {uid("1"): True})


def test_a_mountain_of_returns_is_taken_back_in_portions() -> None:
    kiosk = Player()(PadSeen(pad(*(str(n) for n in range(MOST_ITEMS + 3)))), Touch.RETURN)
    (first,) = kiosk.asked()
    assert isinstance(first, TakeBack)
    assert len(first.items) == MOST_ITEMS
    kiosk(Answered(first.request_id, tuple(no(code) for code in first.items)))
    (rest,) = kiosk.asked()
    assert isinstance(rest, TakeBack)
    assert len(rest.items) == 3


# ---------------------------------------------------------------- the end of a session
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


# ---------------------------------------------------------------- whatever happens
CODES = ("1", "2", "3")
PADS = st.builds(
    lambda codes, card, checking, twice: pad(*codes, card=None if twice else card, checking=checking, twice=twice),
    st.lists(st.sampled_from(CODES), unique=True),
    st.sampled_from([None, ANN, BOB]),
    st.booleans(),
    st.booleans(),
)


class Server:
    """Answers what the session asks, in any order, late, wrongly or not at all; remembers what it said ok to."""

    def __init__(self) -> None:
        self.kiosk = Player()
        self.open: list[Effect] = []
        self.promised: dict[str, bool] = {}

    def play(self, event: Event) -> None:
        before = dict(self.promised)
        if isinstance(event, Answered) and event.request_id == self.kiosk.session.request_id:
            for result in event.results or ():
                for tag in self.kiosk.session.asked.get(result.barcode, ()):
                    if result.status == "ok":
                        before[tag] = result.security == "on_loan"
        self.kiosk(event)
        for effect in self.kiosk.asked():
            if isinstance(effect, SetSecurity):
                assert before.get(effect.uid) is effect.on_loan, "written before the server said ok"
            self.open.append(effect)
        self.promised = before

    def answer(self, effect: Effect, *, good: bool) -> Event:
        match effect:
            case AskStanding():
                return standing(effect.card) if good else StandingKnown(effect.card, None, "unknown_card")
            case AskPreview():
                results = tuple((ok if good else no)(code) for code in effect.barcodes)
                return Previewed(effect.card, effect.barcodes, results)
            case Lend():
                return Answered(effect.request_id, tuple((ok if good else no)(code) for code in effect.items))
            case TakeBack():
                found = tuple(ok(code, "in_stock") if good else no(code) for code in effect.items)
                return Answered(effect.request_id, found)
            case SetSecurity():
                return Secured(effect.uid, good)
            case _:
                return Ticked()


STRAY = st.one_of(
    st.sampled_from([*(Touched(touch) for touch in Touch), Ticked(), ServerSeen(up=True), ServerSeen(up=False)]),
    PADS.map(PadSeen),
    st.builds(Secured, st.sampled_from([uid(code) for code in CODES]), st.booleans()),
    st.sampled_from([Answered("stray", (ok("1"),)), standing(BOB), Previewed(BOB, frozenset({"1"}), (ok("1"),))]),
)
MOVES = st.lists(
    st.one_of(STRAY, st.tuples(st.integers(0, 5), st.sampled_from(["good", "bad", "none"])), st.integers(1, 60)),
    max_size=60,
)


@settings(max_examples=200, deadline=None)
@given(MOVES)
def test_whatever_happens_no_tag_is_written_before_its_ok_and_nothing_of_a_person_outlives_the_session(
    moves: list[Event | tuple[int, str] | int],
) -> None:
    server = Server()
    for move in moves:
        if isinstance(move, int):
            server.kiosk.now += timedelta(seconds=move)
            server.play(Ticked())
        elif isinstance(move, tuple):
            if server.open:
                effect = server.open.pop(move[0] % len(server.open))
                lost = isinstance(effect, Lend | TakeBack) and move[1] == "none"
                gone = Answered(effect.request_id, None) if lost else None  # type: ignore[union-attr]
                server.play(gone or server.answer(effect, good=move[1] == "good"))
        else:
            server.play(move)
        session = server.kiosk.session
        if session.phase is Phase.IDLE:
            assert anonymous(session, server.kiosk.now)
        assert (session.patron is None) == (session.phase in (Phase.IDLE, Phase.IDENTIFY, Phase.RETURN))


def anonymous(session: Session, now: datetime) -> bool:
    """Whether only what belongs to the kiosk, and not to a person, is in it."""
    ours = {"language", "touched_at", "pad", "server_up", "help_called", "requests"}
    fresh = Session(session.language, now)
    return all(getattr(session, f.name) == getattr(fresh, f.name) for f in fields(Session) if f.name not in ours)
