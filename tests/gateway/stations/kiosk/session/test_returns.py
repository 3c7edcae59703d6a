"""Items come back: without a touch or a card, each once, and again when nobody answered."""

from __future__ import annotations

from gateway.stations.kiosk.events import Answered, PadSeen, Recheck, Secured, SetSecurity, TakeBack, Touch
from gateway.stations.kiosk.session import MOST_ITEMS
from gateway.stations.kiosk.state import Phase
from tests.support.kiosk_session import Player, no, ok, pad, uid


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
