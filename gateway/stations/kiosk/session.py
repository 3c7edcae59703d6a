"""One person at the kiosk: `step(session, event, now) -> Step(session, effects)`. Pure.

Borrowing is confirmed by one touch, returning needs none. A tag's security state is written only after the loan is
durable at the server. Loans confirmed stay when the session ends; nothing else of a person does. Who has confirmed
waits as long as they like for a server that is away, and is told what was lent; once they go, or another lays down
a card, nothing is lent.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from carrel.contracts.circulation import ItemResult, PatronStanding
from gateway.stations.kiosk.events import (
    Answered,
    AskPreview,
    AskStanding,
    CallLibrarian,
    Effect,
    Event,
    GiveUp,
    Lend,
    PadSeen,
    Previewed,
    PrintReceipt,
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
from gateway.stations.kiosk.state import Phase, Rules, Session, Step
from gateway.stations.pad_state import PadProblem, PadProblemCode, PadState

WARN_BEFORE = timedelta(seconds=15)
"""The dialog "Are you still there?" comes this long before the end of a session."""
OTHER = {"zh-CN": "en", "en": "zh-CN"}
MOST_ITEMS = 50
"""In one request to the server."""
BARCODE = re.compile(r"[0-9A-Za-z.*:/_-]{1,32}")
"""What the server takes; another identity in a tag is damage, and must not spoil the request for the others."""


def step(rules: Rules, session: Session, event: Event, now: datetime) -> Step:
    """Take one event."""
    done = _take(rules, session, event, now)
    if session.phase is Phase.LENDING and done.session.phase is Phase.RESULT:
        return Step(done.session, (*done.effects, *_receipt(done.session)))
    return done


def _take(rules: Rules, session: Session, event: Event, now: datetime) -> Step:
    match event:
        case Touched():
            return _touched(rules, session, event.touch, now)
        case PadSeen():
            return _pad(rules, session, event.pad, now)
        case ServerSeen():
            return _server(rules, session, event, now)
        case Ticked():
            return _ticked(rules, session, now)
        case _:
            return _told(rules, session, event, now)


def _ticked(rules: Rules, session: Session, now: datetime) -> Step:
    """End a session that nobody uses; ask again what the server did not answer."""
    session = replace(session, touched_at=min(session.touched_at, now))  # a clock set back must not prolong a session
    if _somebody_else(session):  # came while tags were written
        return _next_person(rules, session, now)
    if session.phase is not Phase.IDLE and ends_in(rules, session, now) <= timedelta(0):
        return _end(rules, session, now)
    return _ask_preview(session) if session.phase is Phase.ITEMS else _identify(session)


def _told(rules: Rules, session: Session, event: StandingKnown | Previewed | Answered | Secured, now: datetime) -> Step:
    """An answer to one of our own effects."""
    match event:
        case StandingKnown():
            return _standing(session, event)
        case Previewed():
            return _previewed(session, event)
        case Answered():
            return _answered(rules, session, event, now)
        case Secured():
            return _secured(session, event, now)


def ends_in(rules: Rules, session: Session, now: datetime) -> timedelta:
    """How long until the session ends by itself; never while a tag is being written or items are taken back."""
    if (session.phase is Phase.LENDING) != (session.request_id is not None):
        return rules.session
    return session.touched_at + rules.session - now


def countdown_s(rules: Rules, session: Session, now: datetime) -> int | None:
    """Seconds left, once it is time to ask whether anybody is there."""
    left = ends_in(rules, session, now)
    due = session.phase is not Phase.IDLE and left <= WARN_BEFORE
    return max(0, round(left.total_seconds())) if due else None


def ended(rules: Rules, session: Session, now: datetime) -> Session:
    """A fresh session: what lies on the pad, whether the server answers and a counter are all that is carried over."""
    return Session(rules.language, now, pad=session.pad, server_up=session.server_up, requests=session.requests)


def _touched(rules: Rules, session: Session, touch: Touch, now: datetime) -> Step:
    session = replace(session, touched_at=now)
    match touch:
        case Touch.BORROW if session.phase is Phase.IDLE and rules.mode != "return" and session.server_up:
            return _identify(replace(session, phase=Phase.IDENTIFY))
        case Touch.RETURN if session.phase is Phase.IDLE and rules.mode != "borrow" and session.server_up:
            return _take_back(rules, replace(session, phase=Phase.RETURN), now)
        case Touch.CONFIRM if session.phase is Phase.ITEMS:
            return _lend(rules, session, now)
        case Touch.AGAIN if session.phase in (Phase.ITEMS, Phase.RESULT, Phase.RETURN):
            return _again(session)
        case Touch.DONE if (session.phase is Phase.LENDING) == (session.request_id is not None):
            return _end(rules, session, now)
        case Touch.LANGUAGE:
            return Step(replace(session, language=OTHER[session.language]))
        case Touch.HELP:
            return Step(replace(session, help_called=True), (CallLibrarian(),))
        case _:
            return Step(session)


def _end(rules: Rules, session: Session, now: datetime) -> Step:
    """End the session; of a checkout that is not answered yet it is said first that nothing was lent."""
    if session.request_id is None:
        return Step(ended(rules, session, now))
    unanswered = _answered(rules, session, Answered(session.request_id, None), now)
    return Step(unanswered.session, (GiveUp(session.request_id),))


def _again(session: Session) -> Step:
    """Read the pad anew; a return goes on with what it has, a result leads back to the items."""
    if session.phase is Phase.RETURN:
        return Step(session, (Recheck(),))
    fresh = replace(session, phase=Phase.ITEMS, asked_tags=None, preview={}, message=None)
    return Step(replace(fresh, results={}, tags={}, lent_uids={}), (Recheck(),))


def _identify(session: Session) -> Step:
    """Ask about the card that lies there, once; not while the pad is looking, as the card may be gone."""
    card = session.pad.card
    if session.phase is not Phase.IDENTIFY or session.pad.checking or card is None or card == session.asked_card:
        return Step(session)
    message = session.message if session.message == "server_timeout" else None
    return Step(replace(session, asked_card=card, message=message), (AskStanding(card),))


def _standing(session: Session, event: StandingKnown) -> Step:
    if session.phase is not Phase.IDENTIFY or event.card != session.asked_card:
        return Step(session)
    code = event.code or (event.standing.code if event.standing else None)
    if event.standing is None or code is not None:
        # A card that was refused may be laid down again; one that could not be asked about, too.
        return Step(replace(session, message=code, asked_card=event.card if code != "server_timeout" else None))
    found = replace(session, phase=Phase.ITEMS, patron=event.standing, message=None)
    return _ask_preview(found)


def _pad(rules: Rules, session: Session, pad: PadState, now: datetime) -> Step:
    pad = _usable(pad)
    moved = replace(pad, checking=False) != replace(session.pad, checking=False)
    session = replace(session, pad=pad, touched_at=now if moved else session.touched_at)
    if _somebody_else(session):
        return _next_person(rules, session, now)
    if session.phase is Phase.IDENTIFY:
        if pad.card is None and not pad.checking:
            session = replace(session, asked_card=None)
        return _identify(replace(session, message="two_cards") if _two_cards(pad) else session)
    if session.phase is Phase.ITEMS:
        return _ask_preview(replace(session, message=_about_cards(session)))
    if session.phase is Phase.RETURN:
        return _take_back(rules, session, now)
    return Step(session)


def _usable(pad: PadState) -> PadState:
    """The pad with items whose identity nobody can have given them as the damaged tags that they are."""
    odd = tuple(item for item in pad.items if not BARCODE.fullmatch(item.barcode))
    if not odd:
        return pad
    damaged = tuple(PadProblem(item.uid, PadProblemCode.DAMAGED) for item in odd)
    items = tuple(item for item in pad.items if item not in odd)
    return replace(pad, items=items, problems=(*pad.problems, *damaged))


def _somebody_else(session: Session) -> bool:
    """Another card lies there now: the one before must have gone without a word, and pays for nobody."""
    unanswered = session.phase is Phase.LENDING and session.request_id is not None
    there = (unanswered or session.phase in (Phase.ITEMS, Phase.RESULT)) and not session.pad.checking
    return there and session.pad.card is not None and session.pad.card != session.asked_card


def _next_person(rules: Rules, session: Session, now: datetime) -> Step:
    """Begin with the card that lies there; what the one before asked for and was not told is not lent."""
    unanswered = () if session.request_id is None else (GiveUp(session.request_id),)
    begun = _identify(replace(ended(rules, session, now), phase=Phase.IDENTIFY))
    return Step(begun.session, (*unanswered, *begun.effects))


def _two_cards(pad: PadState) -> bool:
    return any(problem.code is PadProblemCode.TWO_CARDS for problem in pad.problems)


def _about_cards(session: Session) -> str | None:
    if _two_cards(session.pad):
        return "two_cards"
    return None if session.message == "two_cards" else session.message


def _ask_preview(session: Session) -> Step:
    """Ask about the items on the pad whenever others lie there: limits depend on all of them together."""
    tags = frozenset(item.uid for item in session.pad.items)
    if session.pad.checking or session.patron is None or tags == session.asked_tags:
        return Step(session)
    card, barcodes = session.patron.card, _barcodes(session.pad)
    session = replace(session, asked_tags=tags)
    if len(barcodes) > MOST_ITEMS:
        return Step(replace(session, preview={}, message="too_many"))
    if not barcodes:
        return Step(replace(session, preview={}))
    return Step(session, (AskPreview(card, barcodes),))


def _previewed(session: Session, event: Previewed) -> Step:
    if session.phase is not Phase.ITEMS or session.patron is None or event.card != session.patron.card:
        return Step(session)
    if event.results is None:
        return Step(replace(session, message="server_timeout", asked_tags=None))
    if event.barcodes != _barcodes(session.pad):
        return Step(session)  # about what lay there before; the question about what lies there now is under way
    preview = {result.barcode: _whole(session.pad, result) for result in event.results}
    return Step(replace(session, preview=preview, message="two_cards" if _two_cards(session.pad) else None))


def _whole(pad: PadState, result: ItemResult) -> ItemResult:
    """A set of which a part is missing is not lent."""
    parts = [item for item in pad.items if item.barcode == result.barcode]
    wanted = max((item.set_parts or 1 for item in parts), default=1)
    if result.status != "ok" or len({item.set_part for item in parts}) >= wanted:
        return result
    return result.model_copy(update={"status": "refused", "code": "item_incomplete"})


def _barcodes(pad: PadState) -> frozenset[str]:
    return frozenset(item.barcode for item in pad.items)


def lendable(session: Session) -> tuple[str, ...]:
    """The barcodes on the pad that "Borrow these n" lends, in the order they lie there."""
    found = dict.fromkeys(item.barcode for item in session.pad.items)
    return tuple(code for code in found if code in session.preview and session.preview[code].status == "ok")


def uids_of(pad: PadState, barcode: str) -> tuple[str, ...]:
    """The tags on the pad that carry a barcode (the parts of a set share it)."""
    return tuple(item.uid for item in pad.items if item.barcode == barcode)


def _lend(rules: Rules, session: Session, now: datetime) -> Step:
    barcodes = lendable(session)
    if not barcodes or session.patron is None or session.pad.checking or _two_cards(session.pad):
        return Step(session)
    items = {code: uids_of(session.pad, code) for code in barcodes}
    asking, request_id = _asking(rules, replace(session, phase=Phase.LENDING, message=None), items, now)
    return Step(asking, (Lend(request_id, session.patron.card, items),))


def _take_back(rules: Rules, session: Session, now: datetime) -> Step:
    """Take back what lies there and was not dealt with in this session; one request at a time."""
    new = {item.barcode: uids_of(session.pad, item.barcode) for item in session.pad.items}
    new = {code: uids for code, uids in new.items() if code not in session.results}
    if session.pad.checking or session.request_id is not None or not new:
        return Step(session)
    asking, request_id = _asking(rules, session, dict(list(new.items())[:MOST_ITEMS]), now)
    return Step(asking, (TakeBack(request_id, asking.asked),))


def _asking(rules: Rules, session: Session, items: Mapping[str, tuple[str, ...]], now: datetime) -> tuple[Session, str]:
    """Wait for the answer to a new request. The counter keeps ids apart when the clock is set back or stands still."""
    count = session.requests + 1
    request_id = f"{rules.kiosk}-{round(now.timestamp() * 1000)}-{count}"
    return replace(session, request_id=request_id, asked=items, requests=count), request_id


def _answered(rules: Rules, session: Session, event: Answered, now: datetime) -> Step:
    if event.request_id != session.request_id:
        return Step(session)
    session = replace(session, request_id=None, touched_at=now)
    if event.results is None:
        phase = Phase.RESULT if session.phase is Phase.LENDING else session.phase
        message = "return_timeout" if session.phase is Phase.RETURN else "server_timeout"
        return Step(replace(session, phase=phase, message=message))
    writes: list[Effect] = []
    tags = dict(session.tags)
    for result in event.results:
        if result.status == "ok" and result.security is not None:
            for uid in session.asked.get(result.barcode, ()):
                tags[uid] = None
                writes.append(SetSecurity(uid, on_loan=result.security == "on_loan"))
    done = replace(
        session,
        results={**session.results, **{result.barcode: result for result in event.results}},
        lent_uids={**session.lent_uids, **session.asked},
        tags=tags,
        message=None,
        patron=_after_lending(session, event.results),
    )
    if done.phase is Phase.RETURN:  # what was laid down meanwhile
        more = _take_back(rules, done, now)
        return Step(more.session, (*writes, *more.effects))
    return Step(_result_when_written(done), tuple(writes))


def _after_lending(session: Session, results: tuple[ItemResult, ...]) -> PatronStanding | None:
    """The patron's standing, less what was just lent."""
    if session.patron is None:
        return None
    lent = sum(result.status == "ok" for result in results)
    left = max(0, session.patron.quota_left - lent)
    return session.patron.model_copy(update={"quota_left": left, "loans": session.patron.loans + lent})


def _receipt(session: Session) -> tuple[Effect, ...]:
    lent = tuple(result for result in session.results.values() if result.status == "ok")
    if session.patron is None or not lent:
        return ()
    to_repair = frozenset(
        result.barcode
        for result in lent
        if any(session.tags.get(uid) is False for uid in session.lent_uids.get(result.barcode, ()))
    )
    return (PrintReceipt(session.patron.card, session.language, lent, to_repair),)


def _secured(session: Session, event: Secured, now: datetime) -> Step:
    if event.uid not in session.tags:
        return Step(session)
    written = replace(session, tags={**session.tags, event.uid: event.ok}, touched_at=now)
    return Step(_result_when_written(replace(written, message=_tag_message(written))))


def _tag_message(session: Session) -> str | None:
    return "put_it_back" if False in session.tags.values() else None


def _result_when_written(session: Session) -> Session:
    waiting = None in session.tags.values()
    return replace(session, phase=Phase.RESULT) if session.phase is Phase.LENDING and not waiting else session


def _server(rules: Rules, session: Session, event: ServerSeen, now: datetime) -> Step:
    session = replace(session, server_up=event.up)
    if event.up or session.phase in (Phase.LENDING, Phase.RESULT, Phase.RETURN):
        return Step(session)
    return Step(ended(rules, session, now))
