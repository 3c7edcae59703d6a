"""What the library does by itself once a day. Doing it again the same day changes nothing more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy.orm import Session

from server.catalogue import service as catalogue
from server.circulation import repository, returns
from server.circulation.counter import open_counter
from server.db import Database
from server.fees import service as fees
from server.holds import service as holds
from server.lending import journal
from server.lending import service as lending
from server.lending.occasion import Occasion
from server.patrons import service as patrons
from server.tasks import service as tasks

KEPT_ANSWERS = timedelta(days=30)
NEVER = datetime.min.replace(tzinfo=UTC)
"""Nothing is older: who lost an item is known as long as its price may be given back."""
AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Night:
    """What a night has changed."""

    holds_expired: int
    marked_lost: int
    loans_forgotten: int


def nightly(session: Session, occasion: Occasion) -> Night:
    """All of it in one transaction."""
    return Night(*(step(session, occasion) for step in STEPS))


def run(database: Database, occasion: Occasion) -> Night:
    """All of it while the desk works: each step in a transaction of its own, so that nobody waits in a circle."""
    counts = []
    for step in STEPS:
        with database.writing() as session:
            counts.append(step(session, occasion))
    return Night(*counts)


def expire_holds(session: Session, occasion: Occasion) -> int:
    """Staff take what nobody fetched off the hold shelf."""
    return len(holds.expire(session, occasion))


def give_up(session: Session, occasion: Occasion) -> int:
    """Mark as lost what is overdue for as long as the library waits; how many."""
    days = lending.current(session).policy.lost_after_days
    if days is None:
        return 0
    late = repository.long_overdue(session, occasion.now - timedelta(days=days))
    items = catalogue.items_by_id(session, {loan.item_id for loan in late})
    counter = open_counter(session, occasion, barcodes=[item.barcode for item in items.values()], lock=True)
    count = 0
    for item in counter.items.values():
        loan = counter.loan_of(item)
        if loan is not None and loan.due_at < occasion.now - timedelta(days=days):
            returns.lose(counter, item, loan)
            count += 1
    return count


def forget(session: Session, occasion: Occasion) -> int:
    """Drop who had what, but not of those who keep their history or while a fee is open; how many loans."""
    now = occasion.now
    journal.forget(session, now)
    repository.forget_rows(session, now - KEPT_ANSWERS)
    tasks.forget(session, now - KEPT_ANSWERS)
    rules = lending.current(session).policy
    holds.forget(session, now - timedelta(days=rules.forget_after_days))
    before = now - timedelta(days=rules.forget_after_days)
    refund = rules.lost_refund_days
    lost_before = NEVER if refund is None else min(before, now - timedelta(days=refund))
    last = count = 0
    while loans := repository.to_forget(session, before, lost_before, after=last, limit=AT_ONCE):
        last = loans[-1].id
        known = patrons.find_many(session, sorted({loan.patron_id for loan in loans if loan.patron_id is not None}))
        owing = fees.loans_with_open_fees(session, [loan.id for loan in loans])
        done = [loan.id for loan in loans if loan.id not in owing and not _keeps(known, loan.patron_id)]
        repository.forget(session, done)
        fees.forget_loans(session, done)
        count += len(done)
    return count


STEPS: tuple[Callable[[Session, Occasion], int], ...] = (expire_holds, give_up, forget)
"""In the order of Night's fields."""


def _keeps(known: dict[int, patrons.Patron], patron_id: int | None) -> bool:
    patron = known.get(patron_id or 0)
    return patron is not None and patron.keeps_history
