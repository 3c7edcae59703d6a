from datetime import date
from decimal import Decimal

import pytest

from server.lending.policy import Calendar, LibraryPolicy, Rule
from server.pages.lending_settings import forms

RULE = Rule("adult", "book", "*", days=21, renewals=2, max=10, fee_per_open_day=Decimal("0.50"), cap=Decimal("20.00"))
POLICY = LibraryPolicy(branches=("main", "north"), fee_limit=Decimal("30.00"), max_overdue=None, kiosk_pin=True)
CALENDAR = Calendar(
    closed_weekdays=("mon",),
    closed_dates=frozenset({date(2026, 10, 1), date(2026, 10, 2), date(2026, 12, 31)}),
    closed_weekdays_by_branch={"north": ("sun",)},
)


def sent(texts):
    return list(texts.items())


def test_a_rule_comes_back_as_it_was_shown():
    assert forms.read_rule(sent(forms.rule_texts(RULE)))[1] == RULE


def test_a_policy_comes_back_as_it_was_shown():
    assert forms.read_policy(sent(forms.policy_texts(POLICY)))[1] == POLICY


def test_a_calendar_comes_back_as_it_was_shown():
    texts = forms.calendar_texts(CALENDAR, ["main", "north"])
    assert texts["dates"] == "2026-10-01 .. 2026-10-02\n2026-12-31"
    told = [(name, one) for name, text in texts.items() for one in (text.split() if "days" in name else [text])]
    assert forms.read_calendar(told, ["main", "north"])[1] == CALENDAR


@pytest.mark.parametrize(
    ("field", "text", "code"),
    [
        ("patron_class", "two words", "bad_word"),
        ("days", "0", "too_small"),
        ("days", "soon", "no_number"),
        ("max", "99999999", "too_large"),
        ("fee_per_open_day", "0.505", "places"),
        ("fee_per_open_day", "-1", "too_small"),
    ],
)
def test_what_is_wrong_with_a_rule_is_told_at_its_field(field, text, code):
    draft, rule = forms.read_rule(sent(forms.rule_texts(RULE) | {field: text}))
    assert rule is None
    assert draft.errors == {field: code}
    assert draft.get(field) == text


@pytest.mark.parametrize(
    ("field", "text", "code"),
    [("loan_days", "", "needed"), ("currency", "yuan", "bad_word"), ("branches", "main a/b", "bad_word")],
)
def test_what_is_wrong_with_the_policy_is_told_at_its_field(field, text, code):
    draft, policy = forms.read_policy(sent(forms.policy_texts(POLICY) | {field: text}))
    assert (policy, draft.errors) == (None, {field: code})


@pytest.mark.parametrize(
    "line", ["2026-02-30", "1.10.2026", "2026-10-02 .. 2026-10-01", "2026-01-01 .. 2036-01-01", "x" * 200]
)
def test_a_line_of_dates_that_cannot_be_read_is_named(line):
    draft, calendar = forms.read_calendar([("dates", f"2026-10-01\n{line}")], ["main"])
    assert (calendar, draft.errors, draft.lines) == (None, {"dates": "bad_dates"}, {"dates": line[:60]})


def test_a_branch_cannot_be_closed_on_every_day():
    ticks = [("days:main", day) for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")]
    assert forms.read_calendar(ticks, ["main"])[0].errors == {"days:main": "never_open"}
