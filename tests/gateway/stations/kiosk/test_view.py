"""A session -> what the kiosk shows: every screen, message, item, tone, and nothing of anybody who has gone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

import pytest

from carrel.contracts.circulation import ItemResult, PatronStanding
from carrel.web.i18n import LANGUAGES
from carrel.web.pages import Pages, Site
from gateway.stations.kiosk.page import TEMPLATES, ItemLine, PatronLine, Screen, message
from gateway.stations.kiosk.session import ended
from gateway.stations.kiosk.state import Phase, Rules, Session
from gateway.stations.kiosk.view import HINT_AFTER, screen_of
from gateway.stations.pad_state import PadItem, PadProblem, PadProblemCode, PadState
from tests.support.clock import NOON

RULES = Rules("kiosk-1", "both", timedelta(seconds=45), "zh-CN")
DUE = datetime(2026, 4, 1, 15, 59, 59, tzinfo=UTC)
PATRON = PatronStanding(card="90000001", shown_name="张*", loans=1, quota_left=4)
HALF_A_MINUTE = timedelta(seconds=30)


def pad(*barcodes: str, problems: tuple[PadProblem, ...] = (), checking: bool = False, online: bool = True) -> PadState:
    items = tuple(PadItem(f"tag-{code}", code) for code in barcodes)
    return PadState(None, items, problems, checking=checking, online=online)


def session(phase: Phase, **known: Any) -> Session:
    """A session in good order, touched at NOON."""
    return Session("en", NOON, phase=phase, **{"pad": pad(), "server_up": True, **known})


def ok(barcode: str) -> ItemResult:
    return ItemResult(barcode=barcode, status="ok", title=f"title {barcode}", due=DUE, security="on_loan")


def no(barcode: str, code: str = "not_for_loan") -> ItemResult:
    title = None if code == "unknown_item" else f"title {barcode}"
    return ItemResult(barcode=barcode, status="refused", code=code, title=title, params={"limit": 3})


def by_barcode(*results: ItemResult) -> dict[str, ItemResult]:
    return {result.barcode: result for result in results}


def dealt(*results: ItemResult, phase: Phase = Phase.RESULT, **known: Any) -> Session:
    """The server has answered about these items, each with one tag."""
    uids = {result.barcode: (f"tag-{result.barcode}",) for result in results}
    return session(phase, results=by_barcode(*results), lent_uids=uids, **known)


def shown(of: Session, after: timedelta = timedelta(0), rules: Rules = RULES) -> Screen:
    return screen_of(rules, of, NOON + after)


# ---------------------------------------------------------------- which screen, which message
@pytest.mark.parametrize(
    ("phase", "name"),
    [
        (Phase.IDLE, "idle"),
        (Phase.IDENTIFY, "identify"),
        (Phase.ITEMS, "items"),
        (Phase.LENDING, "busy"),
        (Phase.RESULT, "result"),
        (Phase.RETURN, "return"),
    ],
)
def test_every_phase_has_its_screen(phase: Phase, name: str) -> None:
    screen = shown(session(phase))
    assert (screen.screen, screen.message, screen.tone, screen.items) == (name, None, "none", ())


def test_without_a_server_an_idle_kiosk_is_closed_and_offers_no_call() -> None:
    screen = shown(session(Phase.IDLE, server_up=False, pad=pad("1")))
    assert (screen.screen, screen.message, screen.help_possible) == ("closed", "server_away", False)
    assert dict(screen.message_params) == {}


@pytest.mark.parametrize("phase", [phase for phase in Phase if phase is not Phase.IDLE])
def test_whoever_is_being_served_keeps_the_screen_when_the_server_goes(phase: Phase) -> None:
    assert shown(session(phase, server_up=False)).screen == shown(session(phase)).screen


@pytest.mark.parametrize("server_up", [True, False])
@pytest.mark.parametrize("phase", [Phase.IDLE, Phase.IDENTIFY, Phase.ITEMS, Phase.RETURN])
def test_without_a_reader_the_kiosk_is_out_of_service(phase: Phase, server_up: bool) -> None:
    screen = shown(session(phase, pad=pad("1", checking=True, online=False), server_up=server_up))
    assert (screen.screen, screen.message, screen.tone) == ("out_of_service", "reader_down", "none")
    assert (screen.items, screen.checking) == ((), 0)


@pytest.mark.parametrize(("phase", "name"), [(Phase.LENDING, "busy"), (Phase.RESULT, "result")])
def test_what_was_lent_is_still_told_when_the_reader_goes(phase: Phase, name: str) -> None:
    assert shown(session(phase, pad=pad(online=False))).screen == name


def test_what_lies_there_is_announced_on_the_idle_screen() -> None:
    screen = shown(session(Phase.IDLE, pad=pad("1", "2")))
    assert (screen.message, screen.message_params) == ("items_waiting", {"count": 2})
    assert (screen.items, screen.tone) == ((), "none")


def test_the_parts_of_a_set_are_one_item_waiting() -> None:
    parts = tuple(PadItem(f"tag-{n}", "7", set_parts=2, set_part=n) for n in (1, 2))
    assert shown(session(Phase.IDLE, pad=replace(pad(), items=parts))).message_params == {"count": 1}


def test_the_hint_where_to_lay_the_card_comes_after_twenty_seconds() -> None:
    waiting = session(Phase.IDENTIFY)
    assert timedelta(seconds=20) == HINT_AFTER
    assert shown(waiting, HINT_AFTER - timedelta(milliseconds=1)).message is None
    hint = shown(waiting, HINT_AFTER)
    assert (hint.message, hint.tone) == ("no_card_seen", "none")


@pytest.mark.parametrize("phase", [phase for phase in Phase if phase is not Phase.IDENTIFY])
def test_the_hint_is_for_the_card_only(phase: Phase) -> None:
    assert shown(session(phase), HALF_A_MINUTE).message is None


@pytest.mark.parametrize("code", ["unknown_card", "card_expired", "patron_blocked", "two_cards", "server_timeout"])
def test_why_a_card_does_not_do_is_said_instead_of_the_hint(code: str) -> None:
    screen = shown(session(Phase.IDENTIFY, message=code), HALF_A_MINUTE)
    assert (screen.message, screen.tone) == (code, "fail")


@pytest.mark.parametrize(
    ("phase", "code"),
    [
        (Phase.ITEMS, "too_many"),
        (Phase.ITEMS, "two_cards"),
        (Phase.LENDING, "put_it_back"),
        (Phase.RESULT, "put_it_back"),
        (Phase.RESULT, "server_timeout"),
        (Phase.RETURN, "server_timeout"),
    ],
)
def test_a_message_of_the_session_is_shown(phase: Phase, code: str) -> None:
    assert shown(session(phase, message=code)).message == code


@pytest.mark.parametrize(
    ("known", "message"),
    [({"request_id": "r1"}, "no_answer_yet"), ({"request_id": "r1", "server_up": True}, None), ({}, None)],
)
def test_who_waits_for_a_server_that_is_away_is_told(known: dict[str, Any], message: str | None) -> None:
    """Not while it may only be busy, nor while tags are written."""
    assert shown(session(Phase.LENDING, **{"server_up": False, **known})).message == message


# ---------------------------------------------------------------- items
def test_items_on_the_pad_are_shown_as_the_server_judged_them() -> None:
    preview = by_barcode(no("3", "unknown_item"), no("2"), ok("1"))
    assert shown(session(Phase.ITEMS, pad=pad("1", "2", "3"), preview=preview)).items == (
        ItemLine("1", "title 1", "ok", due=DUE),
        ItemLine("2", "title 2", "refused", "not_for_loan", {"limit": 3}),
        ItemLine("3", "", "unknown", "unknown_item", {"limit": 3}),
    )


def test_an_item_not_judged_yet_or_lifted_is_not_shown() -> None:
    screen = shown(session(Phase.ITEMS, pad=pad("1", "2"), preview=by_barcode(ok("2"), ok("3"))))
    assert [line.barcode for line in screen.items] == ["2"]


def test_the_parts_of_a_set_are_one_line() -> None:
    parts = tuple(PadItem(f"tag-{n}", "7", set_parts=2, set_part=n) for n in (1, 2))
    screen = shown(session(Phase.ITEMS, pad=replace(pad(), items=parts), preview=by_barcode(ok("7"))))
    assert len(screen.items) == 1


CARDS = (PadProblemCode.TWO_CARDS, PadProblemCode.FOREIGN_CARD)


@pytest.mark.parametrize("phase", [Phase.ITEMS, Phase.RETURN])
@pytest.mark.parametrize("code", [code for code in PadProblemCode if code not in CARDS])
def test_a_tag_that_is_nothing_of_ours_is_shown_and_left_out(phase: Phase, code: PadProblemCode) -> None:
    barcode = None if code is PadProblemCode.BLANK else "777"
    (line,) = shown(session(phase, pad=pad(problems=(PadProblem("tag", code, barcode),)))).items
    foreign = code is PadProblemCode.FOREIGN_ITEM
    expected = ("refused", "foreign_item") if foreign else ("unknown", "unknown_item")
    assert (line.status, line.code, line.barcode, line.title) == (*expected, barcode or "", "")


@pytest.mark.parametrize("code", CARDS)
def test_a_card_is_no_item_and_its_number_is_not_shown(code: PadProblemCode) -> None:
    problem = PadProblem("tag", code, "90000002")
    for phase in Phase:
        assert "90000002" not in repr(shown(session(phase, pad=pad(problems=(problem,)))))


@pytest.mark.parametrize("phase", [Phase.IDLE, Phase.IDENTIFY, Phase.LENDING, Phase.RESULT])
def test_tags_that_are_nothing_of_ours_are_told_where_items_are_laid_down_only(phase: Phase) -> None:
    problem = PadProblem("tag", PadProblemCode.FOREIGN_ITEM, "777")
    assert shown(session(phase, pad=pad(problems=(problem,)))).items == ()


def test_while_lending_only_what_was_asked_for_is_shown_as_under_way() -> None:
    preview = by_barcode(ok("1"), no("2"))
    lending = session(Phase.LENDING, pad=pad("1", "2", "3"), preview=preview, asked={"1": ("tag-1",)})
    assert shown(lending).items == (ItemLine("1", "title 1", "pending"),)


@pytest.mark.parametrize(
    ("tags", "status", "code"),
    [
        ({"tag-1": True}, "ok", None),
        ({"tag-1": None}, "pending", None),
        ({"tag-1": False}, "failed", "tag_not_written"),
        ({"tag-1": True, "tag-1b": None}, "pending", None),
        ({"tag-1": None, "tag-1b": False}, "failed", "tag_not_written"),
    ],
)
def test_a_loan_is_as_good_as_the_worst_of_its_tags(
    tags: dict[str, bool | None], status: str, code: str | None
) -> None:
    lent = replace(dealt(ok("1")), tags=tags, lent_uids={"1": tuple(tags)})
    (line,) = shown(lent).items
    assert (line.status, line.code, line.due, line.advice) == (status, code, DUE, None)


def test_refused_and_unknown_items_are_told_in_the_result_too() -> None:
    lines = shown(dealt(no("1", "loan_limit"), no("2", "unknown_item"))).items
    assert [(line.status, line.code) for line in lines] == [("refused", "loan_limit"), ("unknown", "unknown_item")]


def test_the_result_stays_when_the_items_are_taken_away() -> None:
    lent = dealt(ok("1"), tags={"tag-1": True}, pad=pad())
    assert [line.barcode for line in shown(lent).items] == ["1"]


@pytest.mark.parametrize(
    ("written", "status", "code"),
    [(True, "ok", None), (None, "pending", None), (False, "failed", "return_tag_not_written")],
)
def test_what_came_back_is_told_where_to_go(written: bool | None, status: str, code: str | None) -> None:
    (line,) = shown(dealt(ok("1"), phase=Phase.RETURN, tags={"tag-1": written})).items
    assert (line.status, line.code, line.advice) == (status, code, "cart")


@pytest.mark.parametrize(
    ("route", "advice"),
    [(None, "cart"), ("shelf", "cart"), ("hold", "shelf"), ("transit", "shelf"), ("staff", "shelf")],
)
def test_what_the_server_sends_elsewhere_does_not_go_on_the_cart(
    pages: Pages, route: Literal["hold", "transit", "shelf", "staff"] | None, advice: str
) -> None:
    back = ok("1").model_copy(update={"route": route, "due": None})
    screen = shown(dealt(back, phase=Phase.RETURN, tags={"tag-1": True}))
    assert screen.items[0].advice == advice
    html = message(pages, screen)["html"]
    assert ("Please put it on the staff shelf." in html) == (advice == "shelf")
    assert ("Please put it on the return cart." in html) == (advice == "cart")


def test_what_could_not_come_back_has_no_place_to_go() -> None:
    (line,) = shown(dealt(no("1", "not_on_loan"), phase=Phase.RETURN)).items
    assert (line.status, line.code, line.advice) == ("refused", "not_on_loan", None)


@pytest.mark.parametrize("checking", [False, True])
def test_a_pad_that_is_still_looking_says_so(checking: bool) -> None:
    assert shown(session(Phase.ITEMS, pad=pad("1", checking=checking))).checking == checking


# ---------------------------------------------------------------- the patron
def test_as_much_of_a_patron_as_a_kiosk_may_show() -> None:
    screen = shown(session(Phase.ITEMS, patron=PATRON, asked_card=PATRON.card))
    assert screen.patron == PatronLine("张*", 4)
    assert PATRON.card not in repr(screen)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("phase", [phase for phase in Phase if phase is not Phase.IDLE])
def test_nothing_of_a_patron_is_on_the_screen_after_the_end(phase: Phase, language: Literal["zh-CN", "en"]) -> None:
    full = dealt(ok("30000001"), no("30000002"), phase=phase, tags={"tag-30000001": False}, message="put_it_back")
    used = replace(
        full,
        patron=PATRON,
        asked_card=PATRON.card,
        preview=by_barcode(ok("30000001")),
        asked={"30000001": ("tag-30000001",)},
        help_called=True,
        language="en",
    )
    rules = replace(RULES, language=language)
    assert shown(ended(rules, used, NOON), rules=rules) == Screen("idle", language, message_params={"count": 0})


# ---------------------------------------------------------------- tones
FAILED = {"tag-1": False}
WRITTEN = {"tag-1": True}


@pytest.mark.parametrize("phase", [Phase.RESULT, Phase.RETURN])
@pytest.mark.parametrize(
    ("results", "known", "tone"),
    [
        ((), {}, "none"),
        ((ok("1"),), {"tags": WRITTEN}, "ok"),
        ((ok("1"), no("2")), {"tags": WRITTEN}, "attention"),
        ((ok("1"),), {"tags": FAILED, "message": "put_it_back"}, "attention"),
        ((no("2"),), {}, "fail"),
        ((), {"message": "server_timeout"}, "fail"),
        ((ok("1"),), {"tags": WRITTEN, "message": "server_timeout"}, "attention"),
    ],
)
def test_a_result_sounds_as_good_as_it_is(
    phase: Phase, results: tuple[ItemResult, ...], known: dict[str, Any], tone: str
) -> None:
    assert shown(dealt(*results, phase=phase, **known)).tone == tone


@pytest.mark.parametrize("phase", [Phase.IDLE, Phase.ITEMS, Phase.LENDING])
def test_nothing_sounds_before_there_is_a_result(phase: Phase) -> None:
    assert shown(dealt(ok("1"), no("2"), phase=phase, message="too_many")).tone == "none"


# ---------------------------------------------------------------- time, language, mode
@pytest.mark.parametrize(("after", "left"), [(29.9, None), (30, 15), (40.2, 5), (45, 0), (60, 0)])
def test_the_last_fifteen_seconds_are_counted_down(after: float, left: int | None) -> None:
    assert shown(session(Phase.ITEMS), timedelta(seconds=after)).countdown_s == left


@pytest.mark.parametrize(
    "unhurried",
    [session(Phase.IDLE), session(Phase.LENDING), session(Phase.RETURN, request_id="r1")],
    ids=["idle", "lending", "waiting for an answer"],
)
def test_nobody_is_hurried_while_the_kiosk_is_what_is_waited_for(unhurried: Session) -> None:
    assert shown(unhurried, timedelta(hours=1)).countdown_s is None


def test_language_mode_and_a_called_librarian_are_passed_on() -> None:
    called = session(Phase.IDLE, help_called=True)
    assert shown(called, rules=replace(RULES, mode="return")).mode == "return"
    assert shown(called, rules=replace(RULES, mode="borrow")).mode == "borrow"
    assert shown(called).help_called
    assert [shown(replace(called, language=name)).lang for name in ("en", "zh-CN", "fr")] == ["en", "zh-CN", "zh-CN"]


# ---------------------------------------------------------------- all of it can be shown
@pytest.fixture(scope="module")
def pages() -> Pages:
    return Pages(Site("The Library", "图书馆", ZoneInfo("Asia/Shanghai"), "zh-CN", simulated=True), [TEMPLATES])


MESSAGES = [None, "two_cards", "put_it_back", "server_timeout", "too_many", "patron_blocked", "brand_new"]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("phase", list(Phase))
def test_whatever_a_session_holds_is_rendered(pages: Pages, phase: Phase, language: str) -> None:
    problems = (PadProblem("a", PadProblemCode.FOREIGN_ITEM, "777"), PadProblem("b", PadProblemCode.BLANK))
    full = dealt(ok("1"), ok("2"), no("3", "brand_new"), phase=phase, tags={"tag-1": None, "tag-2": False})
    full = replace(full, patron=PATRON, preview=full.results, asked=full.lent_uids, language=language)
    for text in MESSAGES:
        for state in (pad("1", "2", "3", problems=problems), pad(online=False)):
            for server_up in (True, False):
                screen = shown(replace(full, message=text, pad=state, server_up=server_up), timedelta(seconds=31))
                sent = message(pages, screen)
                assert (sent["screen"], sent["lang"], sent["tone"]) == (screen.screen, language, screen.tone)
                assert sent["html"].count("<h1") == 1
                assert PATRON.card not in sent["html"]
