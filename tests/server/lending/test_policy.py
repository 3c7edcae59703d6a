"""Which rule counts, and which day a loan is due."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from carrel.clock import local_date
from server.lending.policy import Calendar, Lending, LibraryPolicy, Rule

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOON = datetime(2026, 3, 2, 4, 30, tzinfo=UTC)  # a Monday
ANY = Rule(days=1)
CHILD = Rule("child", days=2)
DISC = Rule("*", "disc", days=3)
NORTH = Rule("*", "*", "north", days=4)
CHILD_DISC = Rule("child", "disc", days=5)
CHILD_NORTH = Rule("child", "*", "north", days=6)
DISC_NORTH = Rule("*", "disc", "north", days=7)
ALL_THREE = Rule("child", "disc", "north", days=8)
MATRIX = Lending(rules=(ALL_THREE, ANY, DISC, NORTH, CHILD_DISC, CHILD, DISC_NORTH, CHILD_NORTH))


@pytest.mark.parametrize(
    ("who", "what", "where", "rule"),
    [
        ("adult", "book", "main", ANY),
        ("child", "book", "main", CHILD),
        ("adult", "disc", "main", DISC),
        ("adult", "book", "north", NORTH),
        ("child", "disc", "main", CHILD_DISC),
        ("child", "book", "north", CHILD_NORTH),
        ("adult", "disc", "north", DISC_NORTH),
        ("child", "disc", "north", ALL_THREE),
    ],
)
def test_the_most_specific_rule_counts(who: str, what: str, where: str, rule: Rule) -> None:
    assert MATRIX.rule_for(who, what, where) == rule


@pytest.mark.parametrize(
    ("rules", "rule"),
    [
        ((CHILD, DISC_NORTH), CHILD),
        ((DISC, NORTH), DISC),
        ((NORTH, ANY), NORTH),
        ((Rule("adult", days=9),), None),
        ((), None),
    ],
)
def test_the_class_stands_before_the_type_and_the_type_before_the_branch(
    rules: tuple[Rule, ...], rule: Rule | None
) -> None:
    assert Lending(rules=rules).rule_for("child", "disc", "north") == rule


EVERY_DAY = Calendar(
    closed_weekdays=("mon", "tue", "wed"), closed_weekdays_by_branch={"north": ("thu", "fri", "sat", "sun")}
)
TWO_YEARS = Calendar(closed_dates=frozenset(date(2027, 1, 1) + timedelta(days=more) for more in range(730)))


@pytest.mark.parametrize(
    ("calendar", "closed"),
    [
        (EVERY_DAY, {"north": date(2026, 3, 2)}),
        (TWO_YEARS, {"main": date(2027, 1, 1)}),
        (Calendar(closed_dates=frozenset(sorted(TWO_YEARS.closed_dates)[:365])), {}),
    ],
)
def test_a_closed_year_is_found(calendar: Calendar, closed: dict[str, date]) -> None:
    assert Lending(calendar=calendar).closed_years("main", date(2026, 3, 2)) == closed


def test_where_a_year_is_closed_calendar_days_count() -> None:
    assert EVERY_DAY.add_open_days(date(2026, 3, 2), 3650, "north") == date(2026, 3, 2) + timedelta(days=3650)
    assert EVERY_DAY.next_open_day(date(2026, 3, 2), "north") == date(2026, 3, 2)


CALENDAR = Calendar(
    closed_weekdays=("mon",),
    closed_dates=frozenset({date(2026, 3, 10)}),
    closed_weekdays_by_branch={"north": ("sun",)},
    closed_dates_by_branch={"north": frozenset({date(2026, 3, 11)})},
)


@pytest.mark.parametrize(
    ("days", "branch", "due"),
    [
        (1, "main", "2026-03-03"),
        (7, "main", "2026-03-11"),  # Monday, then a closed Tuesday
        (8, "north", "2026-03-12"),
        (6, "north", "2026-03-12"),  # Sunday, Monday, two closed dates
        (6, "main", "2026-03-08"),
    ],
)
def test_nothing_falls_due_on_a_closed_day(days: int, branch: str, due: str) -> None:
    lending = Lending(calendar=CALENDAR)
    got = lending.due(NOON, Rule(days=days), zone=SHANGHAI, branch=branch)
    assert got.astimezone(SHANGHAI).isoformat() == f"{due}T23:59:59+08:00"


def test_hours_are_exact_and_without_a_rule_the_usual_days_count() -> None:
    lending = Lending(LibraryPolicy(loan_days=3), calendar=CALENDAR)
    assert lending.due(NOON, Rule(hours=4), zone=SHANGHAI, branch="main") == NOON + timedelta(hours=4)
    for rule in (None, Rule(allowed=False)):
        assert local_date(lending.due(NOON, rule, zone=SHANGHAI, branch="main"), SHANGHAI) == date(2026, 3, 5)


@pytest.mark.parametrize(
    ("returned", "late"),
    [("03-05", 0), ("03-06", 0), ("03-07", 1), ("03-08", 2), ("03-09", 2), ("03-10", 2), ("03-11", 3)],
)
def test_only_open_days_after_the_due_day_are_late(returned: str, late: int) -> None:
    due = datetime(2026, 3, 6, 15, 59, 59, tzinfo=UTC)
    back = datetime.fromisoformat(f"2026-{returned}T10:00+08:00")
    assert Lending(calendar=CALENDAR).open_days_late(due, back, zone=SHANGHAI, branch="main") == late


def test_a_minute_past_the_due_hour_is_no_day_late() -> None:
    assert Lending().open_days_late(NOON, NOON + timedelta(minutes=1), zone=SHANGHAI, branch="main") == 0


def test_the_day_is_counted_in_the_librarys_zone_across_a_clock_change() -> None:
    helsinki = ZoneInfo("Europe/Helsinki")
    start = datetime(2026, 3, 28, 22, 30, tzinfo=UTC)  # already 29 March there
    due = Lending().due(start, Rule(days=1), zone=helsinki, branch="main")
    assert due.astimezone(helsinki).isoformat() == "2026-03-30T23:59:59+03:00"


def test_the_hold_shelf_is_kept_for_open_days() -> None:
    lending = Lending(LibraryPolicy(hold_shelf_days=3), calendar=CALENDAR)
    until = lending.shelf_until(NOON + timedelta(days=5), zone=SHANGHAI, branch="main")  # Saturday; Sun, Wed, Thu
    assert until.astimezone(SHANGHAI).isoformat() == "2026-03-12T23:59:59+08:00"


def test_a_library_that_is_closed_for_a_year_does_not_hang() -> None:
    closed = Calendar(closed_dates=frozenset(date(2026, 1, 1) + timedelta(days=n) for n in range(800)))
    assert closed.next_open_day(date(2026, 3, 2), "main") == date(2026, 3, 2)


days = st.dates(date(2026, 1, 1), date(2027, 1, 1))
calendars = st.builds(
    Calendar,
    closed_weekdays=st.lists(st.sampled_from(["mon", "wed", "sun"]), unique=True).map(tuple),
    closed_dates=st.frozensets(days, max_size=9),
)


@given(calendars, days, st.integers(0, 400))
def test_a_due_day_is_open_and_not_before_its_time(calendar: Calendar, start: date, more: int) -> None:
    at = datetime.combine(start, datetime.min.time(), UTC)
    due = local_date(Lending(calendar=calendar).due(at, Rule(days=more or 1), zone=SHANGHAI, branch="x"), SHANGHAI)
    assert calendar.is_open(due, "x")
    assert due >= local_date(at, SHANGHAI) + timedelta(days=more or 1)


@given(calendars, days, st.integers(0, 60), st.integers(0, 60))
def test_open_days_add_up(calendar: Calendar, start: date, first: int, second: int) -> None:
    middle, end = start + timedelta(days=first), start + timedelta(days=first + second)
    parts = [calendar.open_days_between(a, b, "x") for a, b in ((start, middle), (middle, end), (start, end))]
    assert parts[0] + parts[1] == parts[2]


@pytest.mark.parametrize(
    "wrong", [
        {"days": 0}, {"hours": 0}, {"renewals": -1}, {"fee_per_open_day": "-1"}, {"cap": "1.234"}, {"item_type": "a b"},
        {"branch": ""}, {"surprise": 1},
    ],
)  # fmt: skip
def test_a_rule_that_makes_no_sense_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Rule).validate_python(wrong)


def test_a_library_that_never_opens_is_refused() -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Calendar).validate_python({"closed_weekdays": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]})


def test_money_has_two_places() -> None:
    assert TypeAdapter(Rule).validate_python({"fee_per_open_day": "0.5"}).fee_per_open_day == Decimal("0.50")
