"""The reader whose card lies on the desk: standing at a glance, loans, holds, fees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy.orm import Session

from carrel.clock import local_date
from carrel.web.i18n import Words
from server.catalogue import service as catalogue
from server.circulation import policy
from server.circulation import service as circulation
from server.circulation.counter import open_counter
from server.fees import service as fees
from server.holds import policy as queueing
from server.holds import service as holds
from server.lending.occasion import Occasion
from server.pages.desk import words as desk_words
from server.patrons import service as patrons
from server.patrons.service import Block, Patron

STANDING = (
    policy.card_lost, policy.blocked, policy.expired, policy.owes_too_much, policy.too_many_overdue,
    policy.library_limit,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class LoanLine:
    """A loan; `refusal` says why it cannot be renewed, empty when it can."""

    barcode: str
    title: str
    due: datetime
    overdue: bool
    renewals_left: int
    refusal: str


@dataclass(frozen=True, slots=True)
class HoldLine:
    """A hold; `position` is None when something is set aside or on its way."""

    id: int
    title: str
    barcode: str
    state: str
    position: int | None
    until: datetime | None


@dataclass(frozen=True, slots=True)
class FeeLine:
    """A fee of which something is owed."""

    id: int
    kind: str
    title: str
    owed: Decimal
    charged_at: datetime


@dataclass(frozen=True, slots=True)
class Panel:
    """All that lending to this reader needs to know; no address and no telephone number."""

    patron: Patron
    hindrances: Sequence[str]
    blocks: Sequence[Block]
    loans: Sequence[LoanLine]
    quota_left: int
    holds: Sequence[HoldLine]
    fees: Sequence[FeeLine]
    owed: Decimal
    currency: str

    @property
    def overdue(self) -> int:
        """How many loans are."""
        return sum(loan.overdue for loan in self.loans)

    @property
    def ready(self) -> int:
        """How many holds can be fetched."""
        return sum(hold.state == "ready" for hold in self.holds)


def panel_of(session: Session, card: str, occasion: Occasion, words: Words) -> Panel | None:
    """The reader of a card as they stand now; None when nobody has it."""
    counter = open_counter(session, occasion, cards=[card])
    borrower = counter.patrons.get(card)
    patron = patrons.find(session, card) if borrower else None
    if borrower is None or patron is None:
        return None
    facts, rules = counter.standing(borrower), counter.lending.policy
    case = policy.Case(counter.lending, occasion.now, occasion.zone, patron=facts)
    found = [refused for guard in STANDING if (refused := guard(case))]
    return Panel(
        patron=patron,
        hindrances=[desk_words.rule(words, one.code, one.params) for one in found],
        blocks=patron.blocks_at(occasion.now),
        loans=[_loan(words, view, occasion.now) for view in circulation.loans_of(session, card, occasion)],
        quota_left=policy.quota_left(facts.open_loans, rules),
        holds=hold_lines(session, patron.id, occasion),
        fees=fee_lines(session, words, patron.id),
        owed=fees.balance(session, patron.id),
        currency=rules.currency,
    )


def hold_lines(session: Session, patron_id: int, occasion: Occasion) -> list[HoldLine]:
    """Open holds with their places in the queues."""
    found = holds.of_patron(session, patron_id, now=occasion.now, zone=occasion.zone)
    today, places = local_date(occasion.now, occasion.zone), dict[int, int]()
    for queue in holds.lines(session, {hold.record_id for hold in found}, today).values():
        places |= queueing.positions(queue)
    items = catalogue.items_by_id(session, {hold.filled_item_id for hold in found if hold.filled_item_id is not None})
    titles = {key: catalogue.get_record(session, key)[0].title for key in {hold.record_id for hold in found}}
    return [
        HoldLine(
            hold.id, titles[hold.record_id], items[hold.filled_item_id].barcode if hold.filled_item_id in items else "",
            hold.state, places.get(hold.id) or None, until=hold.ready_until,
        )
        for hold in found
    ]  # fmt: skip


def fee_lines(session: Session, words: Words, patron_id: int) -> list[FeeLine]:
    """What is owed, oldest first."""
    found = fees.fees_of(session, patron_id)
    items = catalogue.items_by_id(session, {fee.item_id for fee in found if fee.item_id is not None})
    return [
        FeeLine(
            fee.id, words.gettext(desk_words.FEE_KINDS.get(fee.kind, fee.kind)),
            items[fee.item_id].title if fee.item_id in items else fee.reason, fee.owed, charged_at=fee.charged_at,
        )
        for fee in found
    ]  # fmt: skip


def _loan(words: Words, view: circulation.LoanView, now: datetime) -> LoanLine:
    return LoanLine(
        view.item.barcode, view.item.title, view.due, view.due < now, view.renewals_left,
        refusal=desk_words.rule(words, view.refusal) if view.refusal else "",
    )  # fmt: skip
