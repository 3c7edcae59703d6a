"""What the database decides when several reach for the same place in a queue."""

import threading
from collections import Counter as Tally
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TypeVar

from server.patrons import service as patrons
from tests.support.counter import Counter, codes
from tests.support.library import ALICE, BO, BOOKS

T = TypeVar("T")
AT_ONCE = 8
A, B = BOOKS[:2]


def all_at_once(works: list[Callable[[], T]]) -> list[T]:
    gate = threading.Barrier(len(works))

    def run(work: Callable[[], T]) -> T:
        gate.wait()
        return work()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, works))


def test_eight_requests_place_one_hold(counter: Counter) -> None:
    told = all_at_once([lambda: counter.hold(BO, A)] * AT_ONCE)
    assert Tally(one.code or "ok" for one in told) == {"ok": 1, "hold_exists": AT_ONCE - 1}
    assert len(counter.queue(A)) == 1


def test_who_joins_at_once_is_told_a_place_that_nobody_else_has(counter: Counter) -> None:
    counter.checkout(ALICE, A)
    cards = [f"9100000{number}" for number in range(AT_ONCE)]
    at = counter.occasion.now
    for card in cards:
        counter.do(lambda session, card=card: patrons.add(session, patrons.NewPatron(card, card), at))  # type: ignore[misc]
    earlier = [counter.at(seconds=-number) for number in range(AT_ONCE)]
    told = all_at_once([lambda one=one, card=card: one.hold(card, A) for one, card in zip(earlier, cards, strict=True)])  # type: ignore[misc]
    assert sorted(one.position for one in told) == list(range(1, AT_ONCE + 1))
    assert [hold.id for hold in counter.queue(A)] == [one.hold for one in sorted(told, key=lambda one: one.position)]


def test_two_copies_that_come_back_together_do_not_both_serve_who_waits(counter: Counter) -> None:
    counter.change_item(B, record_id=counter.item(A).record_id)
    counter.checkout(ALICE, A, B)
    first = counter.hold(BO, A)
    all_at_once([lambda barcode=barcode: codes(counter.checkin(barcode)) for barcode in (A, B)])  # type: ignore[misc]
    ready = counter.get_hold(first.hold)
    assert ready.state == "ready"
    other = B if ready.filled_item_id == counter.item(A).id else A
    assert (counter.item(other).status, len(counter.queue(A))) == ("on_shelf", 1)


def test_eight_hands_reach_for_what_is_set_aside_and_its_owner_gets_it(counter: Counter) -> None:
    counter.hold(BO, A)
    counter.checkin(A)
    cards = [BO, *[ALICE] * (AT_ONCE - 1)]
    told = all_at_once([lambda card=card: codes(counter.checkout(card, A)) for card in cards])  # type: ignore[misc]
    assert told[0] == ["ok"]
    assert {code for one in told[1:] for code in one} <= {"item_on_hold", "on_loan"}


def test_the_same_row_from_two_sides_counts_once(counter: Counter) -> None:
    row = {
        "kiosk": "kiosk-1", "counter": 1, "at": counter.occasion.now, "kind": "checkout", "card": ALICE,
        "items": [{"barcode": A}],
    }  # fmt: skip
    other = replace(counter, occasion=counter.occasion._replace(actor="machine"))
    told = all_at_once([lambda: counter.replay(row)[0].status, lambda: other.replay(row)[0].status])
    assert sorted(told) == ["recorded", "repeated"]
