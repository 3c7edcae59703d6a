"""Journals of kiosks that worked alone."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from server.circulation.models import LoanRow
from server.lending.policy import LibraryPolicy, Rule
from tests.support.counter import Counter, codes, local
from tests.support.library import ALICE, BLOCKED, BO, BOOKS, NOW, REFERENCE

A, B, C = BOOKS[:3]


def row(
    counter: int | None, kind: str, *barcodes: str, minutes: int = 0, card: str | None = ALICE, **more: Any
) -> dict[str, Any]:
    at = NOW - timedelta(hours=6) + timedelta(minutes=minutes)
    told = {"kiosk": "kiosk-1", "counter": counter, "at": at, "kind": kind, "items": [{"barcode": b} for b in barcodes]}
    return told | ({} if kind == "checkin" else {"card": card}) | more


def loans(counter: Counter, barcode: str) -> list[LoanRow]:
    item_id = counter.item(barcode).id
    query = lambda session: session.query(LoanRow).where(LoanRow.item_id == item_id)  # noqa: E731
    return counter.ask(lambda session: list(query(session).order_by(LoanRow.checked_out_at, LoanRow.id)))


def test_rows_are_carried_out_by_their_own_times(counter: Counter) -> None:
    out, back = counter.replay(row(2, "checkin", A, minutes=30), row(1, "checkout", A, B))
    assert (codes(list(out.results)), codes(list(back.results))) == (["ok"], ["ok", "ok"])
    (loan,) = loans(counter, A)
    assert (loan.checked_out_at, loan.checked_in_at) == (NOW - timedelta(hours=6), NOW - timedelta(hours=5.5))
    assert loan.channel == "replay"
    assert counter.item(A).status == "on_shelf"
    assert counter.item(B).status == "on_loan"
    assert counter.tasks() == []


def test_the_promised_day_is_kept(counter: Counter) -> None:
    promised = NOW + timedelta(days=3)
    counter.replay(row(1, "checkout", A) | {"items": [{"barcode": A, "due": promised}]})
    counter.replay(row(2, "checkout", B))
    assert loans(counter, A)[0].due_at == promised
    assert local(loans(counter, B)[0].due_at) == "2026-04-01 23:59"


def test_a_row_counts_once_by_its_number_and_by_its_request(counter: Counter) -> None:
    first = counter.replay(row(1, "checkout", A))
    counter.checkin(A)
    (again,) = counter.replay(row(1, "checkout", A))
    assert (again.status, again.results) == ("repeated", first[0].results)
    counter.replay(row(None, "checkout", B, request_id="x-1"))
    counter.checkin(B)
    assert counter.replay(row(None, "checkout", B, request_id="x-1"))[0].status == "repeated"
    twice = counter.replay(row(7, "checkout", C), row(7, "checkout", C))
    assert [one.status for one in twice] == ["recorded", "repeated"]
    assert [counter.item(barcode).status for barcode in (A, B, C)] == ["on_shelf", "on_shelf", "on_loan"]


def test_what_the_server_had_done_before_the_line_broke_is_not_done_again(counter: Counter) -> None:
    counter.checkout(ALICE, A)  # its answer, to r-0, was lost
    (told,) = counter.replay(row(1, "checkout", A, request_id="r-0"))
    assert (told.status, codes(list(told.results)), told.conflicts) == ("repeated", ["ok"], ())
    assert len(loans(counter, A)) == 1


def test_what_was_refused_online_and_lent_all_the_same_is_recorded(counter: Counter) -> None:
    counter.checkout(BO, A, B)
    assert codes(counter.checkout(ALICE, A, C)) == ["on_loan", "ok"]  # r-1
    (told,) = counter.at(hours=7).replay(row(1, "checkout", A, C, request_id="r-1", minutes=400))
    assert (told.status, told.conflicts) == ("recorded", ("on_loan",))
    assert [loan.patron_id for loan in loans(counter, A)] == [counter.patron_id(BO), counter.patron_id(ALICE)]
    assert len(loans(counter, C)) == 1


def test_nothing_is_refused_and_every_conflict_is_on_the_list(counter: Counter) -> None:
    counter.checkout(BO, C)
    counter.hold(BO, B)
    told = counter.replay(
        row(1, "checkout", A, card=BLOCKED),
        row(2, "checkout", B),
        row(3, "checkout", REFERENCE),
    )
    assert [one.conflicts for one in told] == [("patron_blocked",), ("item_on_hold",), ("not_for_loan",)]
    assert all(codes(list(one.results)) == ["ok"] for one in told)
    conflicts = counter.tasks("conflict")
    assert [task.code for task in conflicts] == ["patron_blocked", "item_on_hold", "not_for_loan"]
    assert conflicts[0].patron_id == counter.patron_id(BLOCKED)
    assert conflicts[0].item_id == counter.item(A).id
    assert conflicts[0].detail == {"kiosk": "kiosk-1", "counter": 1, "kind": "checkout", "codes": ["patron_blocked"]}


def test_a_loan_to_somebody_else_ended_when_the_kiosk_lent_it(counter: Counter) -> None:
    counter.rule_by(Rule(days=1, fee_per_open_day=Decimal(1)))
    counter.at(days=-5).checkout(BO, A)
    (told,) = counter.replay(row(1, "checkout", A))
    assert told.conflicts == ("on_loan",)
    first, second = loans(counter, A)
    assert (first.ended, first.checked_in_at) == ("implicit", NOW - timedelta(hours=6))
    assert second.checked_in_at is None
    assert counter.owed(BO) == Decimal("4.00")
    assert counter.item(A).status == "on_loan"


def test_a_return_from_before_the_item_was_seen_leaves_it_where_it_is(counter: Counter) -> None:
    counter.at(days=-1).checkout(BO, A)
    counter.at(hours=-1).checkin(A)
    (told,) = counter.replay(row(1, "checkin", A, branch="north"))
    assert (codes(list(told.results)), told.results[0].route) == (["ok"], None)
    assert loans(counter, A)[0].checked_in_at == NOW - timedelta(hours=6)
    assert (counter.item(A).status, counter.item(A).at_branch) == ("on_shelf", "main")


def test_who_waits_has_the_hold_shelfs_time_from_when_the_return_is_known(counter: Counter) -> None:
    counter.at(days=-20).checkout(BO, A)
    wish = counter.at(days=-20).hold(ALICE, A)
    counter.replay(row(1, "checkin", A) | {"at": NOW - timedelta(days=15)})
    hold = counter.get_hold(wish.hold)
    assert (hold.state, hold.ready_at, local(hold.ready_until)) == ("ready", NOW, "2026-03-09 23:59")


def test_a_loan_that_is_told_too_late_is_over_already(counter: Counter) -> None:
    counter.at(hours=-3).checkout(BO, A)
    (told,) = counter.replay(row(1, "checkout", A))
    assert told.conflicts == ("on_loan",)
    late, now = loans(counter, A)
    assert (late.ended, late.checked_in_at) == ("replay", NOW - timedelta(hours=3))
    assert (now.patron_id, now.checked_in_at) == (counter.patron_id(BO), None)
    counter.at(hours=-1).checkin(B)
    counter.replay(row(2, "checkout", B))
    assert loans(counter, B)[0].checked_in_at == NOW - timedelta(hours=1), "it has been seen here since"
    assert counter.item(B).status == "on_shelf"
    counter.replay(row(1, "checkin", C, minutes=60) | {"kiosk": "kiosk-2"})
    counter.replay(row(3, "checkout", C))
    assert loans(counter, C)[0].checked_in_at == NOW - timedelta(hours=5), "another kiosk had told its return before"


def test_a_return_that_is_told_too_late_corrects_the_fee(counter: Counter) -> None:
    counter.rule_by(Rule(days=1, fee_per_open_day=Decimal(1)))
    counter.at(days=-4).checkout(BO, A)
    counter.checkout(ALICE, A, implicit_return=True)
    assert counter.owed(BO) == Decimal("3.00")
    counter.replay(row(1, "checkin", A) | {"at": NOW - timedelta(days=2)})
    assert loans(counter, A)[0].checked_in_at == NOW - timedelta(days=2)
    assert counter.owed(BO) == Decimal("1.00")
    assert loans(counter, A)[1].checked_in_at is None
    assert counter.item(A).status == "on_loan"


def test_what_nobody_knows_is_kept_as_it_came(counter: Counter) -> None:
    told = counter.replay(row(1, "checkout", "nothing", A), row(2, "checkout", B, card="no card, a sticker"))
    assert [codes(list(one.results)) for one in told] == [["unknown_item", "ok"], ["unknown_card"]]
    first, second = counter.tasks("unknown_row")
    assert (first.code, first.detail["barcode"]) == ("unknown_item", "nothing")
    assert second.detail["row"]["card"] == "no card, a sticker"
    assert second.detail["row"]["counter"] == 2


def test_renewals_are_replayed_too(counter: Counter) -> None:
    counter.rule_by(Rule(days=10, renewals=0), policy=LibraryPolicy())
    counter.at(days=-1).checkout(ALICE, A)
    counter.at(days=-1).checkout(BO, B)
    told = counter.replay(row(1, "renewal", A), row(2, "renewal", B), row(3, "renewal", C))
    assert [one.conflicts for one in told] == [("renewal_limit",), ("not_your_loan",), ("not_on_loan",)]
    assert local(loans(counter, A)[0].due_at) == "2026-03-21 23:59"
    late = row(4, "renewal", A) | {"at": NOW + timedelta(days=30)}
    assert counter.at(days=31).replay(late)[0].conflicts == ("overdue", "renewal_limit")
    assert local(loans(counter, A)[0].due_at) == "2026-04-11 23:59", "from the day of the renewal, as at the desk"


def test_a_renewal_from_before_a_loan_is_not_of_it(counter: Counter) -> None:
    counter.at(days=-2).checkout(ALICE, A)
    counter.at(days=-1).checkin(A)
    counter.at(hours=-1).checkout(ALICE, A)
    (told,) = counter.replay(row(1, "renewal", A))
    assert (told.conflicts, told.results[0].security) == (("not_on_loan",), "on_loan")
    assert [loan.renewals for loan in loans(counter, A)] == [0, 0]


def test_a_kiosk_whose_clock_is_ahead_did_it_now(counter: Counter) -> None:
    counter.replay(row(1, "checkout", A, minutes=600))
    assert loans(counter, A)[0].checked_out_at == NOW


def test_the_same_loan_told_twice_is_one(counter: Counter) -> None:
    counter.at(hours=-7).checkout(ALICE, A)
    (told,) = counter.replay(row(1, "checkout", A))
    assert (codes(list(told.results)), told.conflicts, len(loans(counter, A))) == (["ok"], (), 1)


def test_what_is_lent_again_to_who_had_it_stays_lent_when_its_return_is_told_later(counter: Counter) -> None:
    counter.rule_by(Rule(days=1, fee_per_open_day=Decimal(1)))
    counter.at(days=-5).checkout(ALICE, A)
    (told,) = counter.replay(row(1, "checkout", A))
    assert (told.conflicts, counter.owed(ALICE)) == ((), Decimal("4.00"))
    counter.replay(row(1, "checkin", A, kiosk="kiosk-2") | {"at": NOW - timedelta(days=3)})
    first, second = loans(counter, A)
    assert (first.checked_in_at, second.checked_in_at) == (NOW - timedelta(days=3), None)
    assert (counter.item(A).status, counter.owed(ALICE)) == ("on_loan", Decimal("1.00"))


def test_a_lost_item_that_came_back_meanwhile_costs_nothing(counter: Counter) -> None:
    for barcode, minutes in ((A, 60), (B, -60)):  # found after it was given up, or before anybody knew
        counter.change_item(barcode, price=3600)
        counter.at(hours=-9).checkout(BO, barcode)
        counter.at(hours=-6).lose(barcode)
        assert counter.owed(BO) == Decimal("36.00")
        (told,) = counter.replay(row(None, "checkin", barcode, minutes=minutes, request_id=f"back-{barcode}"))
        assert codes(list(told.results)) == ["ok"]
        assert counter.owed(BO) == Decimal("0.00")
        assert (loans(counter, barcode)[0].ended, counter.item(barcode).status) == ("returned", "on_shelf")
    assert counter.tasks("lost") == []


@pytest.mark.parametrize("minutes", [60, -60])
def test_a_lost_item_that_was_lent_meanwhile_is_found(counter: Counter, minutes: int) -> None:
    counter.change_item(A, price=3600)
    counter.at(hours=-9).checkout(BO, A)
    counter.at(hours=-6).lose(A)
    (told,) = counter.replay(row(1, "checkout", A, minutes=minutes))
    assert told.conflicts == ("item_lost",)
    first, second = loans(counter, A)
    assert (first.ended, second.checked_in_at, counter.item(A).status) == ("returned", None, "on_loan")
    assert (counter.owed(BO), counter.tasks("lost")) == (Decimal(0), [])


def test_a_return_before_the_lost_loan_began_finds_nothing(counter: Counter) -> None:
    counter.change_item(A, price=3600)
    counter.at(hours=-3).checkout(BO, A)
    counter.at(hours=-2).lose(A)
    counter.replay(row(1, "checkin", A))
    assert counter.owed(BO) == Decimal("36.00")


def test_a_loan_told_after_the_desk_took_the_item_back_ended_the_one_before(counter: Counter) -> None:
    counter.rule_by(Rule(days=1, fee_per_open_day=Decimal(1)))
    counter.at(days=-5).checkout(BO, A)
    counter.at(hours=-1).checkin(A)
    assert counter.owed(BO) == Decimal("4.00")
    (told,) = counter.replay(row(1, "checkout", A) | {"at": NOW - timedelta(days=4.5)})
    assert told.conflicts == ("on_loan",)
    first, second = loans(counter, A)
    assert (first.checked_in_at, second.patron_id) == (NOW - timedelta(days=4.5), counter.patron_id(ALICE))
    assert counter.owed(BO) == Decimal("0.00")


def test_a_kiosk_that_counts_anew_loses_no_row(counter: Counter) -> None:
    counter.replay(row(1, "checkout", A))
    anew = row(1, "checkout", B, minutes=90)
    (told,) = counter.replay(anew)
    assert (told.status, told.counter, codes(list(told.results))) == ("recorded", 1, ["ok"])
    assert counter.replay(anew)[0].status == "repeated"
    back = row(2, "checkin", C, minutes=100)
    assert [counter.replay(one)[0].status for one in (row(2, "checkout", C), back, back)][1:] == [
        "recorded",
        "repeated",
    ]
    named = row(1, "checkin", A, minutes=120, request_id="back-1")
    assert counter.replay(named)[0].status == "recorded"
    assert counter.replay(named)[0].status == "repeated"
    assert counter.replay(row(1, "checkout", A))[0].status == "repeated"
    assert [counter.item(barcode).status for barcode in (A, B)] == ["on_shelf", "on_loan"]


def test_a_day_promised_before_the_loan_was_promised_to_nobody(counter: Counter) -> None:
    for number, days in enumerate((-40, 9000)):
        told = row(number, "checkout", BOOKS[number]) | {
            "items": [{"barcode": BOOKS[number], "due": NOW + timedelta(days=days)}]
        }
        counter.replay(told)
        assert local(loans(counter, BOOKS[number])[0].due_at) == "2026-04-01 23:59"


def test_a_branch_that_the_library_does_not_have_counts_as_its_own_and_is_told(counter: Counter) -> None:
    counter.rule_by(policy=LibraryPolicy(branches=("main", "north")))
    rows = [
        row(1, "checkout", A, branch="north"), row(2, "checkout", B, branch="nowhere", minutes=1),
        row(3, "checkout", C, minutes=2), row(4, "checkin", B, branch="nowhere", minutes=3),
    ]  # fmt: skip
    told = counter.replay(*rows)
    assert [codes(list(one.results)) for one in told] == [["ok"]] * 4
    assert [one.conflicts for one in told] == [(), ("unknown_branch",), (), ("unknown_branch",)]
    assert [loans(counter, barcode)[0].branch for barcode in (A, B, C)] == ["north", "main", "main"]
    assert (counter.item(B).status, counter.item(B).at_branch) == ("on_shelf", "main")
    tasks = counter.tasks()
    assert [(task.kind, task.code, task.branch) for task in tasks] == [("conflict", "unknown_branch", "main")] * 2
    assert tasks[0].detail["branch"] == "nowhere"
    again = counter.replay(*rows)
    assert [one.conflicts for one in again] == [one.conflicts for one in told], "a repeat gets its first answer"
    assert len(counter.tasks()) == 2
