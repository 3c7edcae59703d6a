"""One person at the kiosk without wires: what lies on its pad, what the server says, and a player of events."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from carrel.contracts.circulation import ItemResult, PatronStanding
from gateway.stations.kiosk.events import Effect, Event, Lend, PadSeen, Previewed, StandingKnown, Ticked, Touch, Touched
from gateway.stations.kiosk.session import step
from gateway.stations.kiosk.state import Phase, Rules, Session
from gateway.stations.pad_state import PadItem, PadProblem, PadProblemCode, PadState
from tests.support.clock import NOON

ANN, BOB = "90000001", "90000002"
TWO_CARDS = tuple(PadProblem(f"card-{n}", PadProblemCode.TWO_CARDS, n) for n in (ANN, BOB))


def rules(mode: Literal["borrow", "return", "both"] = "both") -> Rules:
    return Rules("kiosk-1", mode, timedelta(seconds=45), "zh-CN")


def uid(barcode: str) -> str:
    """Of the one tag in an item."""
    return f"E004{barcode:0>12}"


def pad(*barcodes: str, card: str | None = None, checking: bool = False, twice: bool = False) -> PadState:
    """What the pad sees: items, and a card or two."""
    items = tuple(PadItem(uid(code), code) for code in barcodes)
    return PadState(card, items, TWO_CARDS if twice else (), checking=checking, online=True)


def standing(card: str = ANN, code: str | None = None) -> StandingKnown:
    """The server's word on a card; with a code one that does not do."""
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
