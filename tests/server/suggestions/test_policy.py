from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from server.suggestions import policy


@pytest.mark.parametrize(
    ("state", "answers"),
    [("open", "oad"), ("ordered", "ad"), ("declined", "oa"), ("arrived", "")],
)
def test_what_may_become_of_a_suggestion_is_one_table(state, answers):
    wanted = {"o": "ordered", "a": "arrived", "d": "declined"}
    assert {name for letter, name in wanted.items() if policy.may_answer(state, name)} == {wanted[a] for a in answers}


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("liu ci xin", "", True),
        ("liu ci xin", "liu ci xin", True),
        ("donald knuth", "knuth donald e", True),
        ("liu ci xin", "wang xiao bo", False),
    ],
)
def test_books_of_one_title_are_told_apart_by_their_authors(one, other, same):
    assert policy.same_work(one, other) is same
    assert policy.same_work(other, one) is same


def test_a_month_is_the_librarys():
    late = datetime(2026, 2, 28, 16, 30, tzinfo=UTC)  # already March in Shanghai
    assert policy.month_start(late, ZoneInfo("Asia/Shanghai")) == datetime(2026, 2, 28, 16, tzinfo=UTC)
    assert policy.month_start(late, ZoneInfo("UTC")) == datetime(2026, 2, 1, tzinfo=UTC)
