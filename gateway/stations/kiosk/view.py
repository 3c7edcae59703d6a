"""A session -> the screen that shows it. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from carrel.contracts.circulation import ItemResult
from carrel.web.i18n import Language
from gateway.stations.kiosk.page import Advice, ItemLine, PatronLine, Screen, ScreenName, Status, Tone
from gateway.stations.kiosk.session import countdown_s
from gateway.stations.kiosk.state import Phase, Rules, Session
from gateway.stations.pad_state import PadProblem, PadProblemCode

SCREENS: dict[Phase, ScreenName] = {
    Phase.IDLE: "idle",
    Phase.IDENTIFY: "identify",
    Phase.ITEMS: "items",
    Phase.LENDING: "busy",
    Phase.RESULT: "result",
    Phase.RETURN: "return",
}
HINT_AFTER = timedelta(seconds=20)
"""Without a card for this long, the kiosk says where to lay it."""
NOT_ITEMS = (PadProblemCode.TWO_CARDS, PadProblemCode.FOREIGN_CARD)


def screen_of(rules: Rules, session: Session, now: datetime) -> Screen:
    """What the kiosk shows now."""
    name = _name(session)
    standing = session.patron
    return Screen(
        screen=name,
        lang=_language(session.language),
        mode=rules.mode,
        patron=PatronLine(standing.shown_name, standing.quota_left) if standing else None,
        items=_items(session, name),
        checking=int(session.pad.checking and session.pad.online),
        message=_message(session, name, now),
        message_params={"count": _waiting(session)} if name == "idle" else {},
        help_called=session.help_called,
        help_possible=session.server_up,
        tone=_tone(session, name),
        countdown_s=countdown_s(rules, session, now),
    )


def _language(language: str) -> Language:
    return "en" if language == "en" else "zh-CN"


def _name(session: Session) -> ScreenName:
    if session.phase in (Phase.LENDING, Phase.RESULT):
        return SCREENS[session.phase]
    if not session.pad.online:
        return "out_of_service"
    if not session.server_up and session.phase is Phase.IDLE:
        return "closed"
    return SCREENS[session.phase]


def _waiting(session: Session) -> int:
    return len({item.barcode for item in session.pad.items})


def _message(session: Session, name: ScreenName, now: datetime) -> str | None:
    match name:
        case "idle":
            return "items_waiting" if _waiting(session) else None
        case "closed":
            return "server_away"
        case "out_of_service":
            return "reader_down"
        case "busy" if session.request_id and not session.server_up:
            return "no_answer_yet"
        case "identify":
            unseen = now - session.touched_at >= HINT_AFTER
            return session.message or ("no_card_seen" if unseen else None)
        case _:
            return session.message


def _items(session: Session, name: ScreenName) -> tuple[ItemLine, ...]:
    if name == "items":
        seen = dict.fromkeys(item.barcode for item in session.pad.items)
        judged = (session.preview.get(code) for code in seen)
        return (*(_previewed(result) for result in judged if result is not None), *_problems(session.pad.problems))
    if name == "busy":
        return tuple(
            ItemLine(code, session.preview[code].title or "", "pending")
            for code in session.asked
            if code in session.preview
        )
    if name in ("result", "return"):
        dealt = tuple(_dealt(session, result) for result in session.results.values())
        return (*dealt, *_problems(session.pad.problems)) if name == "return" else dealt
    return ()


def _previewed(result: ItemResult) -> ItemLine:
    status: Status = "ok" if result.status == "ok" else "unknown" if result.code == "unknown_item" else "refused"
    return ItemLine(result.barcode, result.title or "", status, result.code, result.params, result.due)


def _dealt(session: Session, result: ItemResult) -> ItemLine:
    """An item the server has decided; its tags may still be being written, or have failed."""
    if result.status != "ok":
        return _previewed(result)
    written = [session.tags.get(uid) for uid in session.lent_uids.get(result.barcode, ())]
    status: Status = "failed" if False in written else "pending" if None in written else "ok"
    returned = session.phase is Phase.RETURN
    code = ("return_tag_not_written" if returned else "tag_not_written") if status == "failed" else None
    advice = _advice(result) if returned else None
    return ItemLine(result.barcode, result.title or "", status, code, due=result.due, advice=advice)


def _advice(result: ItemResult) -> Advice:
    """Where a returned item is to be put; what is reserved, for another branch or for staff stays off the cart."""
    return "cart" if result.route in (None, "shelf") else "shelf"


def _problems(problems: Iterable[PadProblem]) -> tuple[ItemLine, ...]:
    """Tags that are neither a card nor an item that may be lent here."""
    return tuple(
        ItemLine(problem.barcode or "", "", "refused", "foreign_item")
        if problem.code is PadProblemCode.FOREIGN_ITEM
        else ItemLine(problem.barcode or "", "", "unknown", "unknown_item")
        for problem in problems
        if problem.code not in NOT_ITEMS
    )


def _tone(session: Session, name: ScreenName) -> Tone:
    if name == "identify" and session.message is not None:
        return "fail"
    if name not in ("result", "return") or not (session.results or session.message):
        return "none"
    bad = session.message is not None or any(result.status != "ok" for result in session.results.values())
    good = any(result.status == "ok" for result in session.results.values())
    return ("attention" if bad else "ok") if good else "fail"
