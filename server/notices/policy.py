"""When a notice is due, what makes it the same notice as another, when none goes out, when to try again. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Literal
from zoneinfo import ZoneInfo

from carrel.clock import local_date
from server.circulation.loan import Loan
from server.holds.hold import Hold

if TYPE_CHECKING:
    from server.fees.service import Fee

Kind = Literal["due_soon", "overdue", "hold_ready", "hold_expiring", "fee"]
Channel = Literal["email", "webhook"]
State = Literal["waiting", "sending", "sent", "failed", "dropped"]

LEASE = timedelta(minutes=5)
"""A sender that has a letter for longer is taken for dead; longer than any time-out."""

PAUSES = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 180, 360))
"""Between attempts; after the one that follows the last pause, a letter has failed."""

GIVEN_UP = "given_up"
"""The code of a letter that was dropped because staff said so."""

LATEST = timedelta(days=60)
"""A loan that was overdue for so long when notices began is not written about."""


@dataclass(frozen=True, slots=True)
class Terms:
    """When the library writes."""

    zone: ZoneInfo
    due_soon_days: int = 3
    overdue_days: tuple[int, ...] = (1, 7, 21)
    hold_expiring_days: int = 1
    fee_from: Decimal = Decimal("1.00")
    fee_after: timedelta = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Want:
    """A patron should hear of something: `about` is `loan:12`, `hold:3` or `fee:7`; each step of it is told once."""

    kind: Kind
    about: str
    step: str
    patron_id: int

    @property
    def key(self) -> tuple[str, str, str]:
        """What tells it from any other."""
        return self.kind, self.about, self.step


def of_loan(loan: Loan, now: datetime, terms: Terms) -> Want | None:
    """Due within some days, unless it was lent later than that; or overdue, by the last step that is reached."""
    if loan.patron_id is None or loan.checked_in_at is not None:
        return None
    due, today = local_date(loan.due_at, terms.zone), local_date(now, terms.zone)
    if now < loan.due_at:
        remind_on = due - timedelta(days=terms.due_soon_days)
        if today < remind_on or local_date(loan.checked_out_at, terms.zone) >= remind_on:
            return None
        return Want("due_soon", f"loan:{loan.id}", due.isoformat(), loan.patron_id)
    reached = [step for step in terms.overdue_days if step <= (today - due).days]
    if not reached or now - loan.due_at > LATEST + timedelta(days=terms.overdue_days[-1]):
        return None
    return Want("overdue", f"loan:{loan.id}", f"{due.isoformat()}+{reached[-1]}", loan.patron_id)


def of_hold(hold: Hold, now: datetime, terms: Terms) -> Want | None:
    """Something can be fetched, or can be so only for some days more; one of the two."""
    if hold.patron_id is None or hold.state != "ready" or hold.ready_at is None:
        return None
    if hold.ready_until is not None:
        if hold.ready_until <= now:
            return None
        last = local_date(hold.ready_until, terms.zone)
        warn_on = last - timedelta(days=terms.hold_expiring_days)
        if local_date(now, terms.zone) >= warn_on > local_date(hold.ready_at, terms.zone):
            return Want("hold_expiring", f"hold:{hold.id}", last.isoformat(), hold.patron_id)
    return Want("hold_ready", f"hold:{hold.id}", hold.ready_at.isoformat(timespec="seconds"), hold.patron_id)


def of_fees(fees: Collection[Fee], now: datetime, terms: Terms) -> list[Want]:
    """Of one patron's open fees those that rested long enough to be paid at the desk, if together they are worth it."""
    owed = sum((fee.owed for fee in fees), Decimal(0))
    if owed <= 0 or owed < terms.fee_from:
        return []
    rested = now - terms.fee_after
    return [Want("fee", f"fee:{fee.id}", "", fee.patron_id) for fee in fees if now - LATEST <= fee.charged_at <= rested]


def loan_window(now: datetime, terms: Terms) -> tuple[datetime, datetime]:
    """Loans that are due within it may be worth a notice."""
    last = max(terms.overdue_days, default=0)
    return now - LATEST - timedelta(days=last + 1), now + timedelta(days=terms.due_soon_days + 2)


def channels_for(chosen: Sequence[str], email: str, served: Collection[str]) -> list[Channel]:
    """Over which channels a patron wants to hear and can: their own choice, as far as the library serves it."""
    usable: list[Channel] = [channel for channel in ("email", "webhook") if channel in chosen and channel in served]
    return [channel for channel in usable if channel != "email" or email]


def quiet(now: datetime, zone: ZoneInfo, *, begin: str, end: str) -> bool:
    """Whether nothing goes out: from `begin` (21:00) until `end` (08:00) on the library's clock; equal means never."""
    here = now.astimezone(zone).time()
    starts, ends = time.fromisoformat(begin), time.fromisoformat(end)
    if starts <= ends:
        return starts <= here < ends
    return here >= starts or here < ends


def quiet_end(now: datetime, zone: ZoneInfo, *, begin: str, end: str) -> datetime | None:
    """When letters go out again; None when it is not quiet."""
    if not quiet(now, zone, begin=begin, end=end):
        return None
    here, ends = now.astimezone(zone), time.fromisoformat(end)
    day = here.date() if here.time() < ends else here.date() + timedelta(days=1)
    return datetime.combine(day, ends, zone)


def pause_after(attempts: int) -> timedelta | None:
    """How long to wait after so many attempts; None when enough was tried."""
    return PAUSES[attempts - 1] if attempts <= len(PAUSES) else None


def days_late(due: date, today: date) -> int:
    """Whole days since the due day."""
    return max(0, (today - due).days)
