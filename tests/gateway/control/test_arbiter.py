"""The priority array of an output."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from carrel.contracts.actuation import Priority, SetOutput, SetPosition
from gateway.control.arbiter import Arbiter

CLOSED, OPEN, HALF = (SetPosition(device="curtain", closed_pct=pct) for pct in (100, 0, 50))


def test_the_higher_priority_wins_and_the_lower_wish_returns_by_itself() -> None:
    arbiter = Arbiter()
    assert arbiter.place("curtain", Priority.COMFORT, CLOSED) == CLOSED
    assert arbiter.place("curtain", Priority.LIFE_SAFETY, OPEN) == OPEN
    assert arbiter.holder("curtain") is Priority.LIFE_SAFETY
    assert arbiter.place("curtain", Priority.LIFE_SAFETY, None) == CLOSED
    assert arbiter.holder("curtain") is Priority.COMFORT


def test_a_wish_below_the_one_in_force_changes_nothing_now_but_counts_later() -> None:
    arbiter = Arbiter()
    arbiter.place("curtain", Priority.LIFE_SAFETY, OPEN)
    assert arbiter.place("curtain", Priority.COMFORT, HALF) is None
    assert arbiter.place("curtain", Priority.INTRUSION, CLOSED) is None
    assert arbiter.winner("curtain") == OPEN
    assert arbiter.place("curtain", Priority.LIFE_SAFETY, None) == CLOSED


def test_the_same_order_again_is_no_change() -> None:
    arbiter = Arbiter()
    arbiter.place("curtain", Priority.COMFORT, CLOSED)
    assert arbiter.place("curtain", Priority.COMFORT, CLOSED) is None
    assert arbiter.place("curtain", Priority.LIFE_SAFETY, CLOSED) is None


def test_an_output_nobody_claims_has_no_order() -> None:
    arbiter = Arbiter()
    assert arbiter.place("curtain", Priority.COMFORT, None) is None
    assert (arbiter.winner("curtain"), arbiter.holder("curtain"), arbiter.winners()) == (None, None, {})


def test_outputs_do_not_know_each_other() -> None:
    arbiter = Arbiter()
    siren = SetOutput(output="io-1.siren", on=True)
    arbiter.place("io-1.siren", Priority.LIFE_SAFETY, siren)
    arbiter.place("curtain", Priority.COMFORT, CLOSED)
    assert arbiter.winners() == {"io-1.siren": siren, "curtain": CLOSED}


@given(st.lists(st.tuples(st.sampled_from(list(Priority)), st.sampled_from([None, CLOSED, OPEN, HALF]))))
def test_in_force_is_always_the_highest_filled_slot_and_every_change_is_told(
    wishes: list[tuple[Priority, SetPosition | None]],
) -> None:
    arbiter, slots, told = Arbiter(), dict[Priority, SetPosition](), None
    for priority, order in wishes:
        told = arbiter.place("curtain", priority, order) or told
        slots = {**slots, priority: order} if order else {p: o for p, o in slots.items() if p != priority}
        expected = slots[max(slots)] if slots else None
        assert arbiter.winner("curtain") == expected
        assert expected is None or told == expected
