"""Makes the reports from what circulation, holds, fees and the catalogue count. Nothing is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final, get_args
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from carrel.clock import local_date
from server.catalogue import service as catalogue
from server.circulation.statistics import service as statistics
from server.circulation.statistics.service import Event, Group, Tally
from server.fees import service as fees
from server.holds import service as holds
from server.lending import service as lending
from server.lending_reports import policy
from server.lending_reports.errors import ReportPeriodError
from server.lending_reports.policy import By, Cell, Column, Name, Report, Span
from server.patrons import service as patrons

EVENTS: Final[tuple[Event, ...]] = get_args(Event)
GROUPS: Final[Mapping[By, Group]] = {"class": "patron_class", "branch": "branch", "type": "item_type"}
GUARDED: Final = ("class", "branch")
"""Groupings that say something about people; a type of items does not."""
ENTRIES: Final[Mapping[str, str]] = {
    "charge": "charged", "payment": "paid", "waiver": "waived", "refund": "refunded"
}  # fmt: skip
USUAL_DAYS: Final = 30
TEXT: Final[policy.Kind] = "text"
DATE: Final[policy.Kind] = "date"


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody wants to see. Days left out: the last 30. `months` is for how long dead stock was not lent."""

    first: date | None = None
    last: date | None = None
    by: By = "day"
    months: int = 24
    branch: str | None = None
    limit: int = 100
    offset: int = 0


@dataclass(frozen=True, slots=True)
class Desk:
    """Where a report is made: in which transaction, when, in which zone."""

    session: Session
    now: datetime
    zone: ZoneInfo

    def span(self, asked: Asked) -> Span:
        """The days asked for; raises ReportPeriodError."""
        last = asked.last or local_date(self.now, self.zone)
        span = Span(asked.first or last - timedelta(days=USUAL_DAYS - 1), last)
        if not 0 < span.days <= policy.MOST_DAYS:
            raise ReportPeriodError(most=policy.MOST_DAYS)
        return span

    def limits(self, span: Span) -> tuple[datetime, datetime]:
        """First instant and first one after it."""
        return span.start(self.zone), span.end(self.zone)

    @property
    def least(self) -> int:
        """How many people a group needs to be told of."""
        return lending.current(self.session).policy.report_group_least


def report(name: Name, desk: Desk, asked: Asked) -> Report:
    """One of the reports that name no person; raises ReportPeriodError."""
    return MAKERS[name](desk, asked)


def overdue(desk: Desk, asked: Asked, *, contacts: bool) -> Report:
    """Loans that are late, the latest first; card and contact of who has them for whom may see these."""
    total, late = statistics.overdue(
        desk.session, desk.now, asked.branch, limit=asked.limit, offset=asked.offset
    )  # fmt: skip
    items = catalogue.items_by_id(desk.session, {loan.item_id for loan in late})
    ids = sorted({loan.patron_id for loan in late if loan.patron_id is not None}) if contacts else []
    known = patrons.find_many(desk.session, ids)
    today = local_date(desk.now, desk.zone)
    rows: list[tuple[Cell, ...]] = []
    for loan in late:
        item, due = items[loan.item_id], local_date(loan.due_at, desk.zone)
        patron = known.get(loan.patron_id or 0)
        contact = (patron.card, patron.email, patron.phone) if patron else ()
        rows.append(
            (item.barcode, item.title, item.call_number, loan.branch, due, (today - due).days, loan.renewals, *contact)
            + (("",) * 3 if contacts and not contact else ())
        )
    columns = _columns(
        barcode=TEXT, title=TEXT, call_number=TEXT, branch=TEXT, due=DATE, days_late="count", renewals="count"
    )
    if contacts:
        columns += _columns(card=TEXT, email=TEXT, phone=TEXT)
    return Report("overdue", columns, rows, total, desk.least)


def circulation(desk: Desk, asked: Asked) -> Report:
    """Loans, returns and renewals, beside the same days of last year."""
    span = desk.span(asked)
    rows = _by_group(desk, span, asked.by) if asked.by in GROUPS else _by_time(desk, span, asked.by)
    kind: policy.Kind = TEXT if asked.by in GROUPS else DATE
    counts: dict[str, policy.Kind] = {name: "count" for event in EVENTS for name in (event, f"{event}_last_year")}
    return Report(
        "circulation",
        (Column(asked.by, kind), *_columns(**counts)),
        rows,
        len(rows),
        desk.least,
        span=span,
        by=asked.by,
    )


def top_titles(desk: Desk, asked: Asked) -> Report:
    """Titles lent most; those with few people behind their loans are left out, here and last year."""
    span, least = desk.span(asked), desk.least
    copies = catalogue.item_titles()
    found = statistics.by_title(desk.session, copies, desk.limits(span), least=least, limit=asked.limit)
    before = statistics.by_title(
        desk.session, copies, desk.limits(span.year_before), least=least, limit=asked.limit, only=[*found]
    ) if found else {}  # fmt: skip
    titles = catalogue.titles(desk.session, [*found])
    rows: list[tuple[Cell, ...]] = [
        (
            record, *titles[record], tally.count, before[record].count if record in before else None,
            tally.size, _basis(tally),
        )
        for record, tally in found.items()
    ]  # fmt: skip
    columns = _columns(
        record="count", title=TEXT, author=TEXT, loans="count", loans_last_year="count", group_size="count",
        group_basis=TEXT,
    )  # fmt: skip
    return Report("top-titles", columns, rows, len(rows), least, span=span)


def dead_stock(desk: Desk, asked: Asked) -> Report:
    """What stands on the shelf and was not lent for so many months, or ever."""
    day = policy.months_before(local_date(desk.now, desk.zone), asked.months)
    before = Span(day, day).start(desk.zone)
    total, items = catalogue.unlent(
        desk.session, statistics.lent_since(before), before=before, branch=asked.branch, limit=asked.limit,
        offset=asked.offset,
    )  # fmt: skip
    lent = statistics.last_lent(desk.session, [item.id for item in items])
    rows: list[tuple[Cell, ...]] = [
        (
            item.branch, item.location, item.call_number, item.barcode, item.title, item.author, item.type,
            local_date(lent[item.id], desk.zone) if item.id in lent else None,
        )
        for item in items
    ]  # fmt: skip
    columns = _columns(
        branch=TEXT, location=TEXT, call_number=TEXT, barcode=TEXT, title=TEXT, author=TEXT, type=TEXT, last_lent=DATE
    )
    return Report("dead-stock", columns, rows, total, desk.least)


def hold_ratio(desk: Desk, asked: Asked) -> Report:
    """How many wait for each copy of a title, most first; titles without a copy before all others."""
    waiting = holds.waiting_counts(desk.session, local_date(desk.now, desk.zone))
    copies = catalogue.copies(desk.session, sorted(waiting))
    ranked = sorted(
        ((policy.ratio(count, copies.get(record, 0)), count, record) for record, count in waiting.items()),
        key=lambda one: (one[0] is not None, -(one[0] or 0), -one[1], one[2]),
    )
    shown = ranked[asked.offset : asked.offset + asked.limit]
    titles = catalogue.titles(desk.session, [record for _, _, record in shown])
    rows: list[tuple[Cell, ...]] = [
        (record, *titles[record], count, copies.get(record, 0), per_copy) for per_copy, count, record in shown
    ]
    columns = _columns(
        record="count", title=TEXT, author=TEXT, waiting="count", copies="count", holds_per_copy="ratio"
    )  # fmt: skip
    return Report("hold-ratio", columns, rows, len(ranked), desk.least)


def fee_months(desk: Desk, asked: Asked) -> Report:
    """What was charged, paid, waived and refunded by month, beside the same days of last year."""
    span = desk.span(asked)
    now = _booked(desk, span, last_year=False)
    before = _booked(desk, span.year_before, last_year=True)
    nothing = Decimal("0.00")
    rows: list[tuple[Cell, ...]] = [
        (month, *(sums.get((month, entry), nothing) for entry in ENTRIES for sums in (now, before)))
        for month in policy.buckets(span, "month")
    ]
    money: dict[str, policy.Kind] = {name: "money" for word in ENTRIES.values() for name in (word, f"{word}_last_year")}
    currency = lending.current(desk.session).policy.currency
    return Report(
        "fees", _columns(month=DATE, **money), rows, len(rows), desk.least, span=span, by="month", currency=currency
    )


MAKERS: Final[Mapping[Name, Callable[[Desk, Asked], Report]]] = {
    "circulation": circulation,
    "top-titles": top_titles,
    "dead-stock": dead_stock,
    "hold-ratio": hold_ratio,
    "fees": fee_months,
}


def _by_time(desk: Desk, span: Span, by: By) -> list[tuple[Cell, ...]]:
    def counts(event: Event, of: Span, *, last_year: bool) -> dict[date, int]:
        found = statistics.by_quarter(desk.session, event, desk.limits(of))
        return policy.counted(found, desk.zone, by, last_year=last_year)

    figures = [
        one
        for event in EVENTS
        for one in (counts(event, span, last_year=False), counts(event, span.year_before, last_year=True))
    ]
    return [(bucket, *(figure.get(bucket, 0) for figure in figures)) for bucket in policy.buckets(span, by)]


def _by_group(desk: Desk, span: Span, by: By) -> list[tuple[Cell, ...]]:
    """Six figures of each group: each event now and last year."""
    figures = [
        statistics.by_group(desk.session, event, GROUPS[by], desk.limits(of))
        for event in EVENTS
        for of in (span, span.year_before)
    ]
    groups = sorted({group for figure in figures for group in figure})
    small = _small(figures, groups, desk.least) if by in GUARDED else frozenset()
    rows: list[tuple[Cell, ...]] = [
        (group, *_sums(figures, [group])) for group in groups if group not in small
    ]  # fmt: skip
    rows.sort(key=lambda row: -int(str(row[1])))
    return [*rows, (policy.OTHER, *_sums(figures, small))] if small else rows


def _small(figures: list[dict[str, Tally]], groups: Iterable[str], least: int) -> frozenset[str]:
    """A group is as large as the largest of its events in a period; of the two periods the smaller counts."""

    def size(group: str, period: int) -> int:
        return max(figure[group].size if group in figure else 0 for figure in figures[period::2])

    return policy.together({group: (size(group, 0), size(group, 1)) for group in groups}, least)


def _sums(figures: list[dict[str, Tally]], groups: Iterable[str]) -> list[int]:
    return [sum(figure[group].count for group in groups if group in figure) for figure in figures]


def _booked(desk: Desk, span: Span, *, last_year: bool) -> dict[tuple[date, str], Decimal]:
    sums: dict[tuple[date, str], Decimal] = {}
    for line in fees.booked(desk.session, *desk.limits(span)):
        day = policy.day_of(line.quarter, desk.zone)
        key = (policy.bucket_of(policy.year_later(day) if last_year else day, "month"), line.entry)
        sums[key] = sums.get(key, Decimal(0)) + line.amount
    return sums


def _basis(tally: Tally) -> str:
    """What the size of a group was counted by."""
    if not tally.forgotten:
        return "patrons"
    return "both" if tally.patrons else "loans"


def _columns(**kinds: policy.Kind) -> tuple[Column, ...]:
    return tuple(Column(name, kind) for name, kind in kinds.items())
