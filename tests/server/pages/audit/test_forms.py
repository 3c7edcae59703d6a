from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from server.audit.values import Wanted
from server.pages.audit import forms

SHANGHAI = ZoneInfo("Asia/Shanghai")


def test_days_are_the_librarys_and_both_are_included():
    choice = forms.read({"from": "2026-03-01", "until": "2026-03-02", "actor": " user:mei ", "action": ""})
    assert choice.wanted(SHANGHAI) == Wanted(
        actor="user:mei",
        since=datetime(2026, 2, 28, 16, tzinfo=UTC),
        until=datetime(2026, 3, 2, 16, tzinfo=UTC),
    )


def test_a_choice_is_told_as_it_was_asked():
    asked = {"actor": "user:mei", "target": "patron:", "action": "patron.edit", "from": "2026-03-01", "before": "812"}
    choice = forms.read(asked)
    assert choice.said() == asked
    assert choice.said(before=None) == {name: value for name, value in asked.items() if name != "before"}
    assert forms.address("/audit", choice.said(before=700)).endswith("&from=2026-03-01&before=700")
    assert choice.first == date(2026, 3, 1)


def test_the_page_before_which_is_no_filter():
    assert not forms.read({"before": "12"}).filtered
    assert forms.read({"target": "patron:1"}).filtered
    assert forms.address("/audit", forms.read({}).said()) == "/audit"


@pytest.mark.parametrize(
    "query",
    [{"from": "yesterday"}, {"until": "9999-12-31"}, {"before": "0"}, {"before": "x"}, {"actor": "x" * 121},
     {"target": "a\x00b"}],
)  # fmt: skip
def test_filters_that_make_no_sense_are_refused(query):
    with pytest.raises(ValidationError):
        forms.read(query)
