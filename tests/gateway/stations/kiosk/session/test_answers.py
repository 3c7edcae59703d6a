"""The server's answer to a loan: what is written on tags after it, and what is dropped."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gateway.stations.kiosk.events import (
    Answered,
    AskStanding,
    Event,
    GiveUp,
    PadSeen,
    Previewed,
    Secured,
    ServerSeen,
    SetSecurity,
    Ticked,
    Touch,
)
from gateway.stations.kiosk.session import lendable
from gateway.stations.kiosk.state import Phase
from tests.support.kiosk_session import ANN, BOB, Player, no, ok, pad, standing, uid


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


def test_who_stays_while_the_server_is_away_is_told_what_was_lent() -> None:
    kiosk = Player()
    lend = kiosk.lending("1")
    kiosk(ServerSeen(up=False), PadSeen(pad()), PadSeen(pad("2")), PadSeen(pad("1", card=ANN)))
    for _ in range(10):
        kiosk.wait(44)(Touch.MORE_TIME)
    assert kiosk.phase is Phase.LENDING
    kiosk(Answered(lend.request_id, (ok("1"),)))
    assert kiosk.asked() == [SetSecurity(uid("1"), on_loan=True)]


@pytest.mark.parametrize("ending", [Touch.DONE, 45])
def test_who_goes_away_unanswered_borrows_nothing(ending: Touch | int) -> None:
    kiosk = Player()
    lend = kiosk.lending("1")
    kiosk(ServerSeen(up=False))
    kiosk(ending) if isinstance(ending, Touch) else kiosk.wait(ending)
    assert (kiosk.asked(), kiosk.phase) == ([GiveUp(lend.request_id)], Phase.RESULT)
    assert kiosk.session.message == "server_timeout", "the screen says for a while that nothing was lent"
    kiosk(Answered(lend.request_id, (ok("1"),)))
    assert kiosk.asked() == []
    assert kiosk.wait(45).phase is Phase.IDLE


def test_another_card_while_no_answer_comes_means_that_nothing_is_lent_to_who_went() -> None:
    kiosk = Player()
    lend = kiosk.lending("1")
    kiosk(ServerSeen(up=False), PadSeen(pad(card=BOB, checking=True)))
    assert (kiosk.asked(), kiosk.phase) == ([], Phase.LENDING), "not certain yet"
    kiosk(PadSeen(pad(card=BOB)))
    assert (kiosk.asked(), kiosk.phase) == ([GiveUp(lend.request_id), AskStanding(BOB)], Phase.IDENTIFY)
    kiosk(Answered(lend.request_id, (ok("1"),)), standing(BOB))
    assert (kiosk.asked(), kiosk.phase, kiosk.session.results) == ([], Phase.ITEMS, {})


def test_another_card_after_the_answer_waits_until_the_tags_are_written_and_the_loan_stands() -> None:
    kiosk = Player()
    kiosk(Answered(kiosk.lending("1").request_id, (ok("1"),)), PadSeen(pad("1", card=BOB)), Ticked())
    assert (kiosk.asked(), kiosk.phase) == ([SetSecurity(uid("1"), on_loan=True)], Phase.LENDING)
    kiosk(Secured(uid("1"), ok=True)).wait(1)
    assert (kiosk.phase, kiosk.session.results) == (Phase.IDENTIFY, {})
    assert kiosk.asked()[-1] == AskStanding(BOB)


def test_while_tags_are_written_nothing_ends_the_session() -> None:
    kiosk = Player()
    kiosk(Answered(kiosk.lending("1").request_id, (ok("1"),)), Touch.DONE).wait(120)
    assert kiosk.phase is Phase.LENDING


def test_every_request_has_an_id_of_its_own_also_when_the_clock_stands_or_is_set_back() -> None:
    kiosk, seen = Player(), set()
    for seconds in (0, 0, -3600, 3600, 0):
        kiosk.now += timedelta(seconds=seconds)
        lend = kiosk.lending("1")
        seen.add(lend.request_id)
        kiosk(Answered(lend.request_id, None), Touch.DONE)
    assert len(seen) == 5
    assert all(len(id_) <= 59 for id_ in seen), "with -undo within what the server takes"
