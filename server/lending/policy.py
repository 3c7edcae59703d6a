"""The rules a library lends by, as values, and the dates they give. Pure.

A rule is for a class of patrons, a type of items and a branch, each of which may be '*'. The most specific rule counts:
one that names the class before one that does not, then the type, then the branch.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Annotated, ClassVar, Literal
from zoneinfo import ZoneInfo

from pydantic import ConfigDict, Field, StringConstraints

from carrel.clock import end_of_day, local_date
from carrel.contracts.ids import BranchId

ANY = "*"
SEARCHED_DAYS = 366
"""How far an open day is looked for; a library that is closed longer has none."""
LOOKED_AHEAD_DAYS = 3660
"""How far a closed year is looked for, ten years: further on no loan is due."""

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

Word = Annotated[str, StringConstraints(pattern=r"^(\*|[0-9A-Za-z][0-9A-Za-z_-]{0,39})$")]
BranchOrAny = Annotated[str, StringConstraints(pattern=r"^(\*|[0-9A-Za-z][0-9A-Za-z_-]{0,62})$")]
Money = Annotated[Decimal, Field(ge=0, max_digits=8, decimal_places=2)]
Days = Annotated[int, Field(ge=0, le=3650)]
Count = Annotated[int, Field(ge=0, le=10_000)]
ClosedWeekdays = Annotated[tuple[Weekday, ...], Field(max_length=6)]
ItemType = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z_-]{1,40}$")]
_IN_A_LINE = r"[^|\x00-\x1f\x7f-\x9f\u2028\u2029]"
_STRICT = ConfigDict(extra="forbid")


@dataclass(frozen=True, slots=True)
class Name:
    """What people call something that has a code: in English, and in Chinese where that differs."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    en: Annotated[str, StringConstraints(strip_whitespace=True, pattern=rf"^{_IN_A_LINE}{{1,80}}$")]
    zh: Annotated[str, StringConstraints(strip_whitespace=True, pattern=rf"^{_IN_A_LINE}{{0,80}}$")] = ""


BRANCH_NAMES = {"main": Name("Main library", "总馆")}
ITEM_TYPE_NAMES = {
    "book": Name("Book", "图书"), "reference": Name("Reference work", "工具书"), "magazine": Name("Magazine", "杂志"),
    "journal": Name("Journal", "期刊"), "cd": Name("CD", "CD 唱片"), "dvd": Name("DVD", "DVD 影碟"),
    "disc": Name("Disc", "光盘"),
}  # fmt: skip
"""For the codes that Carrel itself and its demo library bring; a library gives its own names."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What one class may do with one type at one branch; `max` counts open loans of that class and type."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    patron_class: Word = ANY
    item_type: Word = ANY
    branch: BranchOrAny = ANY
    days: Annotated[int, Field(ge=1, le=3650)] | None = None
    hours: Annotated[int, Field(ge=1, le=24 * 365)] | None = None
    renewals: Count = 0
    max: Count | None = None
    fee_per_open_day: Money = Decimal(0)
    grace_open_days: Days = 0
    cap: Money | None = None
    allowed: bool = True

    @property
    def key(self) -> tuple[str, str, str]:
        """What the rule is for; no two rules of a library have the same."""
        return (self.patron_class, self.item_type, self.branch)


@dataclass(frozen=True, slots=True)
class LibraryPolicy:
    """What holds for every loan of the library. None is no limit. Money is in `currency`."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")] = "CNY"
    branches: tuple[BranchId, ...] = ()
    max_loans: Count | None = 10
    loan_days: Annotated[int, Field(ge=1, le=3650)] = 30
    fee_limit: Money | None = None
    max_overdue: Count | None = None
    renew_overdue: bool = False
    fee_grace_deducted: bool = False
    hold_limit: Count | None = 5
    hold_shelf_days: Days = 7
    hold_expiry_days: Annotated[int, Field(ge=1, le=3650)] | None = None
    hold_on_shelf_allowed: bool = True
    forget_after_days: Days = 30
    undo_s: Annotated[int, Field(ge=0, le=86_400)] = 30
    checkin_backdate_days: Days = 30
    lost_after_days: Annotated[int, Field(ge=1, le=3650)] | None = None
    lost_price: Money | None = None
    lost_processing_fee: Money = Decimal(0)
    lost_refund_days: Days | None = 180
    kiosk_pin: bool = False
    report_group_least: Annotated[int, Field(ge=1, le=1000)] = 5
    branch_names: dict[BranchId, Name] = field(default_factory=BRANCH_NAMES.copy)
    item_type_names: dict[ItemType, Name] = field(default_factory=ITEM_TYPE_NAMES.copy)


@dataclass(frozen=True, slots=True)
class Calendar:
    """The days on which nobody can bring anything back: of all branches, and of single ones beside these."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    closed_weekdays: ClosedWeekdays = ()
    closed_dates: frozenset[date] = frozenset()
    closed_weekdays_by_branch: dict[BranchId, ClosedWeekdays] = field(default_factory=dict)
    closed_dates_by_branch: dict[BranchId, frozenset[date]] = field(default_factory=dict)

    @property
    def branches(self) -> set[str]:
        """Those that have closed days of their own."""
        return {*self.closed_weekdays_by_branch, *self.closed_dates_by_branch}

    def is_open(self, day: date, branch: str) -> bool:
        """Whether this branch opens on this day."""
        weekday = WEEKDAYS[day.weekday()]
        return not (
            weekday in self.closed_weekdays
            or day in self.closed_dates
            or weekday in self.closed_weekdays_by_branch.get(branch, ())
            or day in self.closed_dates_by_branch.get(branch, ())
        )

    def next_open_day(self, day: date, branch: str) -> date:
        """This day or the first open one after it; this day where a whole year is closed."""
        return self._first_open(day, branch) or day

    def add_open_days(self, day: date, count: int, branch: str) -> date:
        """The `count`-th open day after this day; calendar days count from where a year has no open one."""
        for done in range(count):
            following = self._first_open(day + timedelta(days=1), branch)
            if following is None:
                return day + timedelta(days=count - done)
            day = following
        return day

    def closed_year(self, branch: str, today: date) -> date | None:
        """From when on this branch does not open for a year, within the next ten; None when that is never so.

        Nothing is due on an open day then: a mistake in the calendar.
        """
        closed = 0
        for day in (today + timedelta(days=more) for more in range(LOOKED_AHEAD_DAYS)):
            closed = 0 if self.is_open(day, branch) else closed + 1
            if closed == SEARCHED_DAYS:
                return day - timedelta(days=SEARCHED_DAYS - 1)
        return None

    def open_days_between(self, after: date, until: date, branch: str) -> int:
        """How many open days lie after one day and not after the other."""
        days = max(0, (until - after).days)
        return sum(self.is_open(after + timedelta(days=more), branch) for more in range(1, days + 1))

    def _first_open(self, day: date, branch: str) -> date | None:
        days = (day + timedelta(days=more) for more in range(SEARCHED_DAYS))
        return next((one for one in days if self.is_open(one, branch)), None)


@dataclass(frozen=True, slots=True)
class Lending:
    """Everything a library lends by."""

    policy: LibraryPolicy = LibraryPolicy()
    rules: tuple[Rule, ...] = (Rule(days=30, renewals=2),)
    calendar: Calendar = Calendar()
    _found: dict[tuple[str, str, str], Rule | None] = field(default_factory=dict, init=False, repr=False, compare=False)
    """What `rule_for` has found, as every loan asks for the same few."""

    def rule_for(self, patron_class: str, item_type: str, branch: str) -> Rule | None:
        """The most specific rule; None where the library has thought of no such case."""
        case = (patron_class, item_type, branch)
        if case not in self._found:
            fitting = [rule for rule in self.rules if all(k in (ANY, v) for k, v in zip(rule.key, case, strict=True))]
            self._found[case] = max(fitting, key=_specific, default=None)
        return self._found[case]

    def branches(self, own: str) -> tuple[str, ...]:
        """All branches that these settings know, or the library's own."""
        return tuple(dict.fromkeys([*(self.policy.branches or (own,)), *sorted(self.calendar.branches)]))

    def closed_years(self, own: str, today: date) -> dict[str, date]:
        """The branches that do not open for a year, and from when on."""
        found = {branch: self.calendar.closed_year(branch, today) for branch in self.branches(own)}
        return {branch: day for branch, day in found.items() if day is not None}

    def due(self, start: datetime, rule: Rule | None, *, zone: ZoneInfo, branch: str) -> datetime:
        """The end of the branch's next open day, the rule's days after the day of `start`; or its hours on, exactly.

        Without a rule, or with one that names no time, the library's usual days count.
        """
        if rule is not None and rule.hours is not None:
            return start + timedelta(hours=rule.hours)
        days = self.policy.loan_days if rule is None or rule.days is None else rule.days
        return self.end_of_open_day(local_date(start, zone) + timedelta(days=days), zone=zone, branch=branch)

    def end_of_open_day(self, day: date, *, zone: ZoneInfo, branch: str) -> datetime:
        """The last second of this day, or of the branch's next open one."""
        return end_of_day(self.calendar.next_open_day(day, branch), zone).astimezone(UTC)

    def open_days_late(self, due: datetime, returned: datetime, *, zone: ZoneInfo, branch: str) -> int:
        """Open days after the due day up to the day it came back."""
        if returned <= due:
            return 0
        return self.calendar.open_days_between(local_date(due, zone), local_date(returned, zone), branch)

    def shelf_until(self, start: datetime, *, zone: ZoneInfo, branch: str) -> datetime:
        """How long an item waits on the hold shelf: to the end of the last of so many open days."""
        day = self.calendar.add_open_days(local_date(start, zone), self.policy.hold_shelf_days, branch)
        return end_of_day(day, zone).astimezone(UTC)


def _specific(rule: Rule) -> tuple[bool, bool, bool]:
    return (rule.patron_class != ANY, rule.item_type != ANY, rule.branch != ANY)
