"""How long somebody will probably wait: from the due dates of a title's copies and those who stand before them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from math import ceil
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from carrel.clock import local_date
from server.catalogue import service as catalogue
from server.circulation import service as circulation
from server.circulation.loan import Loan
from server.holds import policy
from server.holds.hold import Hold
from server.holds.policy import Copy, Place
from server.lending import service as lending
from server.lending.policy import Lending
from server.patrons import service as patrons
from server.patrons.service import Patron

NEWCOMER = 0
"""A key that no hold has: of a place that nobody has taken yet."""
HOURS_A_DAY = 24


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a guess is made from, for several titles."""

    lending: Lending
    today: date
    zone: ZoneInfo
    loans: Mapping[int, Loan]
    patrons: Mapping[int, Patron]

    def days(self, queue: Sequence[Hold], items: Sequence[catalogue.Item]) -> dict[int, date]:
        """Of each who waits for a title and has not paused, the day, by hold."""
        lendable = [item for item in items if item.for_loan]
        waiting = [hold for hold in queue if hold.waits(self.today)]
        places = [Place(hold.item_id, self._kept_days(hold, lendable)) for hold in waiting]
        expected = policy.expected_days(self._copies(queue, lendable), places)
        return {
            hold.id: self.lending.calendar.next_open_day(day, hold.pickup)
            for hold, day in zip(waiting, expected, strict=True)
            if day is not None
        }

    def _copies(self, queue: Sequence[Hold], items: Sequence[catalogue.Item]) -> list[Copy]:
        copies = []
        for item in items:
            loan, aside = self.loans.get(item.id), policy.set_aside(queue, item.id)
            day = policy.free_on(
                item.status, today=self.today, due=local_date(loan.due_at, self.zone) if loan else None,
                kept_days=self._kept_days(aside, [item]) if aside else None,
            )  # fmt: skip
            if day is not None:
                copies.append(Copy(item.id, day))
        return copies

    def _kept_days(self, hold: Hold, items: Sequence[catalogue.Item]) -> int:
        """How long whoever has this hold keeps a copy, by the rule of their class where they fetch it."""
        patron = self.patrons.get(hold.patron_id or 0)
        rule = self.lending.rule_for(patron.patron_class, items[0].type, hold.pickup) if patron and items else None
        if rule is None or (rule.days is None and rule.hours is None):
            return self.lending.policy.loan_days
        return rule.days if rule.days is not None else ceil((rule.hours or 0) / HOURS_A_DAY)


def expected_days(
    session: Session, queues: Mapping[int, Sequence[Hold]], *, now: datetime, zone: ZoneInfo
) -> dict[int, date]:
    """The day on which there will probably be something for each who waits for these titles, by hold.

    Left out: who has paused, who has something set aside, and where no copy circulates.
    """
    waited_for = {record_id: queue for record_id, queue in queues.items() if queue}
    items = {record_id: catalogue.items_of(session, record_id) for record_id in waited_for}
    loans = circulation.open_loans_on(session, [item.id for copies in items.values() for item in copies])
    people = {hold.patron_id for queue in waited_for.values() for hold in queue if hold.patron_id is not None}
    outlook = Outlook(
        lending.current(session), local_date(now, zone), zone, {loan.item_id: loan for loan in loans},
        patrons=patrons.find_many(session, sorted(people)),
    )  # fmt: skip
    found: dict[int, date] = {}
    for record_id, queue in waited_for.items():
        found |= outlook.days(queue, items[record_id])
    return found


def newcomer(record_id: int, *, pickup: str, now: datetime) -> Hold:
    """Somebody who would join a title's queue now, to be put at its end: their day is under NEWCOMER."""
    return Hold(
        id=NEWCOMER, patron_id=None, record_id=record_id, item_id=None, pickup=pickup, placed_at=now, expires_on=None,
        paused=False, paused_until=None, state="waiting", filled_item_id=None, ready_at=None, ready_until=None,
        closed_at=None, loan_id=None,
    )  # fmt: skip
