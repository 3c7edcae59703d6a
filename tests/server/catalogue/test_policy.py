"""The life cycle of copies."""

import pytest

from server.catalogue.models import STATUSES
from server.catalogue.policy import BY_HAND, LIFE_CYCLE, Trigger, next_status

TABLE = """
                checkout  checkin   hold           send        lost  missing  found     repair  process        ready     withdraw   reinstate
on_shelf        on_loan   on_shelf  on_hold_shelf  in_transit  lost  missing  -         repair  in_processing  -         withdrawn  -
on_loan         -         on_shelf  on_hold_shelf  in_transit  lost  -        -         -       -              -         -          -
on_hold_shelf   on_loan   on_shelf  on_hold_shelf  in_transit  lost  missing  -         repair  in_processing  -         withdrawn  -
in_transit      on_loan   on_shelf  on_hold_shelf  in_transit  lost  missing  -         repair  in_processing  -         withdrawn  -
missing         -         on_shelf  on_hold_shelf  in_transit  lost  missing  on_shelf  repair  in_processing  -         withdrawn  -
lost            -         on_shelf  on_hold_shelf  in_transit  -     -        -         -       -              -         withdrawn  -
repair          -         on_shelf  on_hold_shelf  in_transit  lost  missing  -         repair  in_processing  on_shelf  withdrawn  -
in_processing   -         on_shelf  on_hold_shelf  in_transit  lost  missing  -         repair  in_processing  on_shelf  withdrawn  -
withdrawn       -         -         -              -           -     -        -         -       -              -         -          in_processing
"""  # noqa: E501  # a table
ROWS = [line.split() for line in TABLE.strip("\n").splitlines()]
CASES = [(state, trigger, after) for state, *cells in ROWS[1:] for trigger, after in zip(ROWS[0], cells, strict=True)]


@pytest.mark.parametrize(("state", "trigger", "after"), CASES)
def test_what_a_copy_becomes(state: str, trigger: str, after: str) -> None:
    assert next_status(state, Trigger(trigger)) == (None if after == "-" else after)


def test_the_table_has_every_state_and_trigger_and_the_database_knows_the_same_states() -> None:
    assert {state for state, _, _ in CASES} == set(LIFE_CYCLE) == set(STATUSES)
    assert {trigger for _, trigger, _ in CASES} == set(Trigger)


def test_what_is_no_state_becomes_nothing() -> None:
    assert next_status("in_stock", Trigger.CHECKOUT) is None


def test_by_hand_nobody_lends_returns_or_loses_a_copy() -> None:
    assert set(BY_HAND).isdisjoint({Trigger.CHECKOUT, Trigger.CHECKIN, Trigger.HOLD, Trigger.SEND, Trigger.LOST})
