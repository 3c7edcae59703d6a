"""How often a checkout and a checkin ask the database: what a counter at rush hour lives by."""

from decimal import Decimal

from server.lending.policy import LibraryPolicy, Rule
from tests.support.counter import Counter, codes
from tests.support.library import ALICE, BOOKS

CHECKOUT, CHECKIN, EACH_MORE_OUT, EACH_MORE_IN = 15, 15, 2, 4


def warm(counter: Counter) -> Counter:
    """With every rule in force and remembered."""
    counter.rule_by(
        Rule(days=10, fee_per_open_day=Decimal("0.10"), max=50),
        policy=LibraryPolicy(fee_limit=Decimal(20), max_overdue=3),
    )
    counter.checkout(ALICE, BOOKS[9])
    counter.checkin(BOOKS[9])
    return counter


def test_a_checkout_and_a_checkin_take_few_statements(counter: Counter) -> None:
    warm(counter)
    with counter.counting() as out:
        assert codes(counter.checkout(ALICE, BOOKS[0])) == ["ok"]
    with counter.counting() as back:
        assert codes(counter.checkin(BOOKS[0])) == ["ok"]
    assert len(out) <= CHECKOUT, "\n\n".join(out)
    assert len(back) <= CHECKIN, "\n\n".join(back)


def test_more_items_take_only_their_own_statements(counter: Counter) -> None:
    warm(counter)
    with counter.counting() as one:
        counter.checkout(ALICE, BOOKS[0])
    with counter.counting() as five:
        counter.checkout(ALICE, *BOOKS[1:6])
    with counter.counting() as one_back:
        counter.checkin(BOOKS[0])
    with counter.counting() as five_back:
        counter.checkin(*BOOKS[1:6])
    assert len(five) <= len(one) + 4 * EACH_MORE_OUT
    assert len(five_back) <= len(one_back) + 4 * EACH_MORE_IN
