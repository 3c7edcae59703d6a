"""The queue at work: who gets what comes free, and what happens when nobody fetches it."""

import json
from decimal import Decimal

import pytest

from server.audit import service as audit
from server.audit.values import Wanted
from server.catalogue import service as catalogue
from server.holds import service as holds
from server.holds.errors import HoldOverError, HoldReadyError, UnknownHoldError
from server.lending.occasion import Channel
from server.lending.policy import Calendar, LibraryPolicy, Rule
from tests.support.counter import Counter, codes, day, local
from tests.support.library import ALICE, BLOCKED, BO, BOOKS, EXPIRED, NOW, REFERENCE, add_patron

A, B = BOOKS[:2]
CHEN, DAN = "90000011", "90000012"


@pytest.fixture
def desk(counter: Counter) -> Counter:
    """With two patrons more, and with two copies of the second title."""

    def work(session) -> None:  # type: ignore[no-untyped-def]
        add_patron(session, CHEN, "Chen Li")
        add_patron(session, DAN, "Dan Ho")
        record_id = catalogue.items_by_barcode(session, [B])[B].record_id
        catalogue.add_item(session, record_id, catalogue.NewItem("39999999", branch="main"))

    counter.do(work)
    return counter


def states(counter: Counter, barcode: str) -> list[tuple[str, str]]:
    cards = {counter.patron_id(card): card for card in (ALICE, BO, CHEN, DAN)}
    return [(cards[hold.patron_id or 0], hold.state) for hold in counter.queue(barcode)]


def test_the_queue_is_served_in_its_order(desk: Counter) -> None:
    desk.checkout(ALICE, A)
    assert [desk.hold(card, A).position for card in (BO, CHEN)] == [1, 2]
    (back,) = desk.checkin(A)
    assert (back.status, back.route, back.route_to, back.security) == ("ok", "hold", "main", "in_stock")
    assert states(desk, A) == [(BO, "ready"), (CHEN, "waiting")]
    assert desk.item(A).status == "on_hold_shelf"
    assert codes(desk.checkout(CHEN, A)) == ["item_on_hold"]
    assert codes(desk.checkout(BO, A)) == ["ok"]
    assert states(desk, A) == [(CHEN, "waiting")]
    assert [desk.checkin(A)[0].route, states(desk, A)] == ["hold", [(CHEN, "ready")]]


@pytest.mark.parametrize(
    ("card", "barcode", "code"),
    [
        ("12345", A, "unknown_card"),
        (BO, "nothing", "unknown_item"),
        (BLOCKED, A, "patron_blocked"),
        (EXPIRED, A, "card_expired"),
        (ALICE, A, "on_loan_to_you"),
        (BO, REFERENCE, "not_for_loan"),
        (BO, A, None),
        (BO, B, None),
    ],
)
def test_a_wish_is_judged(desk: Counter, card: str, barcode: str, code: str | None) -> None:
    desk.checkout(ALICE, A)
    told = desk.hold(card, barcode)
    assert (told.code, told.status) == (code, "refused" if code else "ok")
    assert told.available == (barcode == B and code is None)


def test_nobody_waits_twice_for_a_title_or_for_more_than_the_library_allows(desk: Counter) -> None:
    desk.rule_by(policy=LibraryPolicy(hold_limit=2, branches=("main", "north")))
    assert desk.hold(BO, A).status == "ok"
    assert desk.hold(BO, A, only_this=True).code == "hold_exists"
    assert desk.hold(BO, B, pickup="south").code == "unknown_branch"
    assert desk.hold(BO, B, pickup="north").status == "ok"
    refused = desk.hold(BO, BOOKS[2])
    assert (refused.code, refused.params) == ("hold_limit", {"limit": 2})


def test_a_library_may_ask_people_to_fetch_what_is_on_the_shelf(desk: Counter) -> None:
    desk.rule_by(policy=LibraryPolicy(hold_on_shelf_allowed=False))
    assert desk.hold(BO, B).code == "title_on_shelf"
    desk.checkout(ALICE, B, "39999999")
    assert desk.hold(BO, B).status == "ok"


def test_a_title_without_copies_cannot_be_waited_for(desk: Counter) -> None:
    desk.change_item(A, status="lost")
    assert desk.hold(BO, A).code == "hold_no_copy"
    desk.rule_by(Rule(allowed=False))
    assert desk.hold(BO, B).code == "not_for_loan"


def test_who_waits_for_one_item_does_not_get_another(desk: Counter) -> None:
    desk.checkout(ALICE, B, "39999999")
    desk.hold(BO, B, only_this=True)
    desk.hold(CHEN, B)
    assert desk.checkin("39999999")[0].route == "hold"
    assert states(desk, B) == [(BO, "waiting"), (CHEN, "ready")]
    desk.checkin(B)
    assert states(desk, B) == [(BO, "ready"), (CHEN, "ready")]


def test_whoever_comes_to_the_shelf_first_leaves_enough_for_those_who_wait(desk: Counter) -> None:
    desk.hold(BO, B)
    assert codes(desk.checkout(ALICE, B)) == ["ok"], "the other copy serves the hold"
    assert codes(desk.checkout(CHEN, "39999999")) == ["item_on_hold"]
    assert codes(desk.checkout(BO, "39999999")) == ["ok"]
    assert states(desk, B) == []


def test_a_copy_on_the_shelf_serves_only_one_of_those_who_wait(desk: Counter) -> None:
    desk.checkout(ALICE, B)
    desk.hold(BO, "39999999", only_this=True)
    assert codes(desk.renew(ALICE, B)) == ["ok"]
    desk.hold(CHEN, B)
    assert codes(desk.renew(ALICE, B)) == ["hold_waiting"], "the copy on the shelf is for the one before"


def test_who_takes_any_copy_leaves_the_other_to_whom_only_that_one_will_do(desk: Counter) -> None:
    desk.hold(BO, B)
    desk.hold(CHEN, B, only_this=True)
    assert codes(desk.checkout(ALICE, "39999999")) == ["item_on_hold"], "each of the two on the shelf serves one"
    pulls = desk.ask(lambda session: holds.pull_list(session, day("2026-03-02")))
    assert [one.item.barcode for one in pulls] == ["39999999", B]


def test_a_renewal_is_refused_while_somebody_waits_and_has_not_paused(desk: Counter) -> None:
    desk.checkout(ALICE, A)
    wish = desk.hold(BO, A)
    assert codes(desk.renew(ALICE, A)) == ["hold_waiting"]
    desk.do(lambda session: holds.pause(session, wish.hold or 0, desk.occasion))
    assert codes(desk.renew(ALICE, A)) == ["ok"]
    assert codes(desk.renew(ALICE, A, overrides=["hold_waiting"], reason="exam")) == ["ok"]


def test_a_pause_keeps_the_place(desk: Counter) -> None:
    desk.checkout(ALICE, A)
    first, _ = desk.hold(BO, A), desk.hold(CHEN, A)
    with pytest.raises(HoldOverError):
        desk.do(lambda session: holds.pause(session, first.hold or 0, desk.occasion, until=day("2026-03-01")))
    assert not desk.get_hold(first.hold).paused
    desk.do(lambda session: holds.pause(session, first.hold or 0, desk.occasion, until=day("2026-03-10")))
    desk.checkin(A)
    assert states(desk, A) == [(BO, "waiting"), (CHEN, "ready")]
    desk.checkout(CHEN, A)
    assert desk.hold(DAN, A).position == 2
    desk.at(days=8).night()
    assert not desk.get_hold(first.hold).paused
    desk.at(days=8).checkin(A)
    assert states(desk, A) == [(BO, "ready"), (DAN, "waiting")]
    with pytest.raises(HoldReadyError):
        desk.do(lambda session: holds.pause(session, first.hold or 0, desk.occasion))
    desk.do(lambda session: holds.resume(session, first.hold or 0, desk.occasion))


def test_a_pause_and_a_last_day_are_over_also_when_no_night_has_come(desk: Counter) -> None:
    desk.checkout(ALICE, A)
    over, paused = desk.hold(BO, A, expires_on=day("2026-03-04")), desk.hold(CHEN, A)
    desk.do(lambda session: holds.pause(session, paused.hold or 0, desk.occasion, until=day("2026-03-10")))
    assert codes(desk.at(days=7).renew(ALICE, A)) == ["ok"], "one wish is over, one is paused"
    assert codes(desk.at(days=8).renew(ALICE, A)) == ["hold_waiting"]
    desk.at(days=8).checkin(A)
    assert (desk.get_hold(over.hold).state, desk.get_hold(paused.hold).state) == ("waiting", "ready")


def test_a_hold_elsewhere_sends_the_item_there(desk: Counter) -> None:
    desk.checkout(ALICE, A)
    wish = desk.hold(BO, A, pickup="north")
    (back,) = desk.checkin(A)
    assert (back.route, back.route_to) == ("transit", "north")
    assert (desk.item(A).status, desk.item(A).transit_to) == ("in_transit", "north")
    assert desk.get_hold(wish.hold).state == "in_transit"
    (strayed,) = desk.on(branch="south").checkin(A)
    assert (strayed.code, strayed.route, strayed.route_to) == ("not_on_loan", "transit", "north")
    (there,) = desk.on(branch="north").checkin(A, accept_not_on_loan=True)
    assert (there.route, desk.get_hold(wish.hold).state) == ("hold", "ready")
    desk.on(branch="south").checkin(A)
    assert (desk.get_hold(wish.hold).state, desk.get_hold(wish.hold).ready_until) == ("in_transit", None)
    desk.on(branch="north").checkin(A)
    assert codes(desk.on(branch="north").checkout(BO, A)) == ["ok"]
    assert desk.on(branch="north").checkin(A)[0].route_to == "main"


def test_the_hold_shelf_is_kept_for_open_days(desk: Counter) -> None:
    closed = Calendar(closed_weekdays=("sat", "sun"))
    desk.rule_by(policy=LibraryPolicy(hold_shelf_days=5), calendar=closed)
    desk.checkout(ALICE, A)
    wish, second = desk.hold(BO, A), desk.hold(CHEN, A)
    desk.checkin(A)
    assert local(desk.get_hold(wish.hold).ready_until) == "2026-03-09 23:59"
    assert desk.at(days=7).night().holds_expired == 0
    assert desk.at(days=8).night().holds_expired == 1
    assert desk.at(days=8).night().holds_expired == 0
    assert desk.get_hold(wish.hold).state == "expired"
    assert desk.get_hold(second.hold).state == "ready"
    assert desk.item(A).status == "on_hold_shelf"
    (task,) = desk.tasks("hold_shelf_expired")
    assert task.detail == {"route": "hold", "route_to": "main"}
    desk.at(days=30).night()
    assert desk.item(A).status == "on_shelf"
    assert [task.detail["route"] for task in desk.tasks("hold_shelf_expired")] == ["hold", "shelf"]


def test_who_has_waited_long_enough_waits_no_longer(desk: Counter) -> None:
    desk.rule_by(policy=LibraryPolicy(hold_expiry_days=60))
    desk.checkout(ALICE, A)
    assert desk.hold(BO, A, expires_on=day("2026-03-01")).code == "hold_over"
    assert desk.hold(BO, A, expires_on=day("2026-03-10")).expires_on == day("2026-03-10")
    assert desk.hold(CHEN, A, expires_on=day("2027-03-10")).expires_on == day("2026-05-01")
    assert desk.at(days=8).night().holds_expired == 0
    assert desk.at(days=9).night().holds_expired == 1
    assert states(desk, A) == [(CHEN, "waiting")]


def test_a_hold_whose_last_day_is_over_is_not_in_the_way_of_another(desk: Counter) -> None:
    desk.rule_by(policy=LibraryPolicy(hold_limit=1))
    desk.checkout(ALICE, A)
    over = desk.hold(BO, A, expires_on=day("2026-03-10"))
    assert desk.at(days=8).hold(BO, A).code == "hold_exists"
    assert desk.at(days=9).hold(BO, A).position == 1
    assert desk.get_hold(over.hold).state == "expired"


def test_cancelling_gives_what_was_set_aside_to_the_next(desk: Counter) -> None:
    desk.checkout(ALICE, A)
    first, second = desk.hold(BO, A), desk.hold(CHEN, A)
    desk.checkin(A)
    with pytest.raises(UnknownHoldError):
        desk.do(lambda s: holds.cancel(s, first.hold or 0, desk.occasion, patron_id=desk.patron_id(CHEN)))
    desk.do(lambda s: holds.cancel(s, first.hold or 0, desk.occasion, patron_id=desk.patron_id(BO)))
    assert states(desk, A) == [(CHEN, "ready")]
    desk.do(lambda s: holds.cancel(s, second.hold or 0, desk.occasion))
    assert (desk.item(A).status, desk.queue(A)) == ("on_shelf", [])
    with pytest.raises(UnknownHoldError):
        desk.do(lambda s: holds.cancel(s, second.hold or 0, desk.occasion))


def test_what_travels_for_a_cancelled_hold_serves_the_next_on_arrival(desk: Counter) -> None:
    desk.checkout(ALICE, A)
    first = desk.hold(BO, A, pickup="north")
    desk.checkin(A)
    desk.do(lambda s: holds.cancel(s, first.hold or 0, desk.occasion))
    desk.hold(CHEN, A, pickup="north")
    assert desk.on(branch="north").checkin(A, accept_not_on_loan=True)[0].route == "hold"
    assert states(desk, A) == [(CHEN, "ready")]


def test_staff_lend_what_is_set_aside_and_its_owner_waits_again(desk: Counter) -> None:
    desk.checkout(ALICE, A)
    wish = desk.hold(BO, A)
    desk.checkin(A)
    assert codes(desk.checkout(CHEN, A, overrides=["item_on_hold"], reason="BO rang up")) == ["ok"]
    assert desk.get_hold(wish.hold).state == "waiting"
    assert desk.checkin(A)[0].route == "hold"


def test_an_undone_checkout_puts_the_hold_back(desk: Counter) -> None:
    desk.checkout(ALICE, A)
    wish = desk.hold(BO, A)
    desk.checkin(A)
    desk.checkout(BO, A)
    assert desk.get_hold(wish.hold).state == "fulfilled"
    assert desk.cancel(BO, A)[0].route == "hold"
    assert (desk.get_hold(wish.hold).state, desk.item(A).status) == ("ready", "on_hold_shelf")


def test_the_pull_list_names_one_copy_for_each_who_waits(desk: Counter) -> None:
    desk.hold(BO, B)
    desk.hold(CHEN, B, pickup="north")
    desk.hold(DAN, B)
    pulls = desk.ask(lambda session: holds.pull_list(session, day("2026-03-02")))
    assert [(pull.hold.patron_id, pull.item.barcode) for pull in pulls] == [
        (desk.patron_id(BO), B), (desk.patron_id(CHEN), "39999999"),
    ]  # fmt: skip
    assert desk.checkin(B)[0].code == "not_on_loan"
    assert desk.checkin("39999999")[0].route_to == "north"
    assert desk.ask(lambda session: holds.pull_list(session, day("2026-03-02"))) == []
    assert states(desk, B) == [(BO, "ready"), (CHEN, "in_transit"), (DAN, "waiting")]


def test_who_waits_for_what_no_copy_can_serve_is_told_to_staff(desk: Counter) -> None:
    def stranded(branch: str | None = None, on: str = "2026-03-02") -> list[int | None]:
        return [hold.patron_id for hold in desk.ask(lambda session: holds.stranded(session, day(on), branch))]

    bo, chen, dan = map(desk.patron_id, (BO, CHEN, DAN))
    desk.hold(BO, B, only_this=True)
    desk.hold(CHEN, B, pickup="north", expires_on=day("2026-03-10"))
    paused = desk.hold(DAN, B)
    desk.do(lambda session: holds.pause(session, paused.hold or 0, desk.occasion))
    assert stranded() == []
    desk.change_item(B, status="withdrawn")
    assert stranded() == [bo]
    desk.change_item("39999999", for_loan=False)
    assert stranded() == [bo, chen, dan]
    assert (stranded("north"), stranded(on="2026-03-11")) == ([chen], [bo, dan])
    desk.change_item("39999999", for_loan=True, status="repair")
    assert stranded() == [bo]
    desk.change_item("39999999", status="missing")
    desk.change_item(B, status="on_loan")
    assert stranded() == []


def test_who_owes_too_much_waits_for_nothing(desk: Counter) -> None:
    desk.rule_by(Rule(days=1, fee_per_open_day=Decimal(5)), policy=LibraryPolicy(fee_limit=Decimal(10)))
    desk.checkout(BO, A)
    desk.at(days=3).checkin(A)
    assert desk.hold(BO, B).code == "fee_limit"


def test_the_same_request_places_one_hold(desk: Counter) -> None:
    first = desk.hold(BO, A)
    assert desk.occasion.now == NOW
    again = Counter(desk.database, desk.occasion).hold(BO, A)
    assert again == first
    assert len(desk.queue(A)) == 1


def test_staff_place_a_hold_against_the_rules_and_say_why(desk: Counter) -> None:
    desk.rule_by(policy=LibraryPolicy(hold_limit=0, hold_on_shelf_allowed=False))
    against = {"overrides": ["hold_limit", "title_on_shelf", "card_expired", "hold_exists"], "reason": "school project"}
    kiosk = desk.on(Channel.KIOSK)
    assert kiosk.hold(BO, A, **against).code == "title_on_shelf", "only the desk decides against the rules"
    placed = desk.hold(BO, A, **against)
    assert (placed.status, placed.overridden) == ("ok", ("title_on_shelf", "hold_limit"))
    assert desk.hold(BO, A, **against).code == "hold_exists"
    with desk.database.reading() as session:
        (entry,) = [row.entry for row in audit.page(session, Wanted()) if row.entry.action == "hold.place"]
    assert json.loads(entry.detail) == {"overridden": ["title_on_shelf", "hold_limit"], "reason": "school project"}


def test_a_refusal_for_fees_or_an_ended_card_tells_its_numbers(desk: Counter) -> None:
    told = desk.hold(EXPIRED, A)
    assert (told.code, told.params) == ("card_expired", {"expired_on": "2026-03-01"})
