"""Who may join a queue, and who will probably get a copy when: a row a case."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from server.holds.policy import (
    OVERRIDABLE,
    Accepted,
    Copy,
    Place,
    Refused,
    Wish,
    decide_place,
    expected_days,
    free_on,
)

TODAY = date(2026, 3, 2)
A, B = 1, 2


FINE = Wish(
    item_id=None, pickup="main", objections=(), branches=("main",), open_holds=0, limit=2, on_same_record=False,
    borrowed=False, items={A, B}, lendable={A}, free={A}, on_shelf_allowed=True,
)  # fmt: skip
BLOCKED, OWING = Refused("patron_blocked"), Refused("fee_limit", {"owed": "9.00", "limit": "5.00"})


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        ({}, None),
        ({"objections": (BLOCKED, OWING)}, "patron_blocked"),
        ({"pickup": "north"}, "unknown_branch"),
        ({"pickup": "north", "branches": ()}, None),
        ({"on_same_record": True}, "hold_exists"),
        ({"borrowed": True}, "on_loan_to_you"),
        ({"items": ()}, "hold_no_copy"),
        ({"item_id": 9}, "hold_no_copy"),
        ({"lendable": ()}, "not_for_loan"),
        ({"item_id": B}, "not_for_loan"),
        ({"on_shelf_allowed": False}, "title_on_shelf"),
        ({"on_shelf_allowed": False, "free": {B}, "lendable": {A, B}, "item_id": A}, None),
        ({"open_holds": 1}, None),
        ({"open_holds": 2}, "hold_limit"),
        ({"open_holds": 99, "limit": None}, None),
    ],
)
def test_who_may_join_the_queue(wish: dict[str, object], code: str | None) -> None:
    decision = decide_place(replace(FINE, **wish))  # type: ignore[arg-type]
    assert (decision.code if isinstance(decision, Refused) else None) == code


@pytest.mark.parametrize(
    ("wish", "overrides", "answer"),
    [
        ({"objections": (BLOCKED, OWING)}, {"patron_blocked"}, OWING),
        ({"objections": (BLOCKED, OWING)}, {"fee_limit", "patron_blocked"}, Accepted((BLOCKED, OWING))),
        ({"objections": (Refused("card_expired"),)}, {"card_expired"}, Accepted((Refused("card_expired"),))),
        ({"objections": (Refused("card_replaced"),)}, {"card_replaced"}, Refused("card_replaced")),
        ({"on_shelf_allowed": False}, {"title_on_shelf"}, Accepted((Refused("title_on_shelf"),))),
        ({"open_holds": 2}, {"hold_limit"}, Accepted((Refused("hold_limit", {"limit": 2}),))),
        ({}, OVERRIDABLE, Accepted()),
        ({"on_same_record": True}, {"hold_exists"}, Refused("hold_exists")),
        ({"pickup": "north"}, {"unknown_branch"}, Refused("unknown_branch")),
        ({"borrowed": True}, {"on_loan_to_you"}, Refused("on_loan_to_you")),
        ({"items": ()}, {"hold_no_copy", "not_for_loan"}, Refused("hold_no_copy")),
        ({"lendable": ()}, {"not_for_loan"}, Refused("not_for_loan")),
    ],
)
def test_what_staff_may_decide_against(wish: dict[str, object], overrides: set[str], answer: object) -> None:
    assert decide_place(replace(FINE, overrides=frozenset(overrides), **wish)) == answer  # type: ignore[arg-type]


def on(days: int) -> date:
    return TODAY + timedelta(days=days)


@pytest.mark.parametrize(
    ("status", "due", "kept_days", "day"),
    [
        ("on_shelf", None, None, on(0)),
        ("on_loan", on(9), None, on(9)),
        ("on_loan", on(0), None, on(0)),
        ("on_loan", on(-9), None, on(0)),
        ("on_hold_shelf", None, 30, on(30)),
        ("in_transit", None, 14, on(14)),
        ("in_transit", None, None, on(0)),
        ("repair", None, None, None),
        ("in_processing", None, None, None),
        ("missing", None, None, None),
        ("lost", None, None, None),
        ("withdrawn", None, None, None),
    ],
)
def test_when_an_item_is_free(status: str, due: date | None, kept_days: int | None, day: date | None) -> None:
    assert free_on(status, today=TODAY, due=due, kept_days=kept_days) == day


@pytest.mark.parametrize(
    ("copies", "places", "days"),
    [
        ([], [(None, 30)], [None]),
        ([(A, 9)], [], []),
        ([(A, 9)], [(None, 30)], [9]),
        ([(A, 9)], [(None, 30), (None, 7), (None, 7)], [9, 39, 46]),
        ([(A, 9), (B, 4)], [(None, 30), (None, 30)], [4, 9]),
        ([(A, 9), (B, 4)], [(None, 3), (None, 30), (None, 30)], [4, 7, 9]),
        ([(A, 0), (B, 0)], [(None, 30), (None, 30), (None, 30)], [0, 0, 30]),
        ([(A, 9), (B, 4)], [(A, 30), (None, 30), (A, 30)], [9, 4, 39]),
        ([(A, 9), (B, 4)], [(None, 30), (B, 30)], [4, 34]),
        ([(A, 9)], [(B, 30), (None, 30)], [None, 9]),
    ],
)
def test_each_place_gets_the_copy_that_is_free_first(
    copies: list[tuple[int, int]], places: list[tuple[int | None, int]], days: list[int | None]
) -> None:
    told = expected_days([Copy(item, on(day)) for item, day in copies], [Place(*place) for place in places])
    assert told == [None if day is None else on(day) for day in days]
