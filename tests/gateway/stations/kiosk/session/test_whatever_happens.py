"""Any events in any order: no tag is written before its ok, and nothing of a person outlives the session."""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.stations.kiosk.events import (
    Answered,
    AskPreview,
    AskStanding,
    Effect,
    Event,
    Lend,
    PadSeen,
    Previewed,
    Secured,
    ServerSeen,
    SetSecurity,
    StandingKnown,
    TakeBack,
    Ticked,
    Touch,
    Touched,
)
from gateway.stations.kiosk.state import Phase, Session
from tests.support.kiosk_session import ANN, BOB, Player, no, ok, pad, standing, uid

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
