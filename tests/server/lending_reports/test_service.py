"""The reports over real loans, holds and fees, on both databases."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from server.fees import service as fees
from server.lending.policy import Calendar, LibraryPolicy, Rule
from server.lending_reports import service
from server.lending_reports.errors import ReportPeriodError
from server.lending_reports.policy import OTHER, Name, Report
from server.lending_reports.service import Asked, Desk
from tests.support.counter import SHANGHAI, Counter, codes
from tests.support.library import ALICE, BO, BOOKS, MISSING, NOW, REFERENCE, add_patron

TODAY = date(2026, 3, 2)


def told(counter: Counter, name: Name, **asked: Any) -> list[dict[str, Any]]:
    return rows(made(counter, name, **asked))


def made(counter: Counter, name: Name, **asked: Any) -> Report:
    return counter.ask(
        lambda session: service.report(name, Desk(session, counter.occasion.now, SHANGHAI), Asked(**asked))
    )


def rows(report: Report) -> list[dict[str, Any]]:
    names = [column.name for column in report.columns]
    return [dict(zip(names, row, strict=True)) for row in report.rows]


def people(counter: Counter, count: int, **more: Any) -> list[str]:
    cards = [f"7{number:07}" for number in range(count)]
    counter.do(lambda session: [add_patron(session, card, f"Patron {card}", **more) for card in cards])
    return cards


def each_borrows(counter: Counter, cards: list[str], barcode: str) -> None:
    for card in cards:
        assert codes(counter.checkout(card, barcode)) == ["ok"]
        assert codes(counter.checkin(barcode)) == ["ok"]


def test_loans_returns_and_renewals_are_counted_on_the_librarys_day(counter: Counter) -> None:
    counter.checkout(ALICE, *BOOKS[:3])
    evening = counter.at(hours=11, minutes=20)  # 23:50 in the library
    evening.checkin(BOOKS[0])
    assert codes(evening.renew(ALICE, BOOKS[1])) == ["ok"]
    night = counter.at(hours=11, minutes=35)  # 00:05 of the day after
    assert codes(night.renew(ALICE, BOOKS[1])) == ["ok"]
    night.checkin(BOOKS[1])
    night.lose(BOOKS[2])
    found = told(counter, "circulation", first=TODAY, last=TODAY + timedelta(days=1))
    assert [(row["day"], row["loans"], row["returns"], row["renewals"]) for row in found] == [
        (date(2026, 3, 2), 3, 1, 1),
        (date(2026, 3, 3), 0, 1, 1),
    ]


def test_a_year_later_they_stand_beside_the_day(counter: Counter) -> None:
    counter.checkout(ALICE, BOOKS[0])
    counter.checkin(BOOKS[0])
    later = counter.at(days=365)
    later.checkout(ALICE, *BOOKS[:2])
    (row,) = told(later, "circulation", first=date(2027, 3, 2), last=date(2027, 3, 2))
    assert (row["loans"], row["loans_last_year"], row["returns"], row["returns_last_year"]) == (2, 1, 0, 1)
    months = told(later, "circulation", first=date(2027, 2, 1), last=date(2027, 3, 31), by="month")
    assert [(row["month"], row["loans"], row["loans_last_year"]) for row in months] == [
        (date(2027, 2, 1), 0, 0),
        (date(2027, 3, 1), 2, 1),
    ]


def test_what_was_undone_was_never_lent(counter: Counter) -> None:
    counter.checkout(ALICE, BOOKS[0])
    counter.renew(ALICE, BOOKS[0])
    assert codes(counter.cancel(ALICE, BOOKS[0])) == ["ok"]
    assert all(row["loans"] == row["renewals"] == 0 for row in told(counter, "circulation"))


def test_a_class_with_few_people_is_told_together_with_the_next(counter: Counter) -> None:
    adults = people(counter, 6)
    counter.do(lambda session: add_patron(session, "80000001", "A pupil", patron_class="child"))
    each_borrows(counter, [*adults, "80000001"], BOOKS[0])
    (row,) = told(counter, "circulation", by="class")
    assert (row["class"], row["loans"], row["returns"]) == (OTHER, 7, 7)
    counter.rule_by(policy=LibraryPolicy(report_group_least=1))
    assert [(row["class"], row["loans"]) for row in told(counter, "circulation", by="class")] == [
        ("adult", 6),
        ("child", 1),
    ]


def test_types_of_items_are_told_as_they_are_and_branches_as_classes(counter: Counter) -> None:
    counter.change_item(BOOKS[1], type="dvd")
    counter.checkout(ALICE, *BOOKS[:2])
    assert {row["type"]: row["loans"] for row in told(counter, "circulation", by="type")} == {"book": 1, "dvd": 1}
    assert [row["branch"] for row in told(counter, "circulation", by="branch")] == [OTHER]


def test_a_title_is_shown_from_so_many_borrowers_on(counter: Counter) -> None:
    cards = people(counter, 5)
    each_borrows(counter, cards, BOOKS[0])
    each_borrows(counter, cards[:4], BOOKS[1])
    each_borrows(counter, cards[:1] * 9, BOOKS[2])
    (row,) = told(counter, "top-titles")
    assert (row["title"], row["loans"], row["group_size"], row["group_basis"]) == ("Book 1", 5, 5, "patrons")
    assert row["loans_last_year"] is None


def test_when_it_is_forgotten_who_had_them_loans_are_counted_and_that_is_said(counter: Counter) -> None:
    cards = people(counter, 3)
    each_borrows(counter, cards, BOOKS[0])
    later = counter.at(days=31)
    assert later.night().loans_forgotten == 3
    each_borrows(later, cards[:2], BOOKS[0])
    (row,) = told(later, "top-titles", first=TODAY)
    assert (row["loans"], row["group_size"], row["group_basis"]) == (5, 5, "both")
    much_later = later.at(days=31)
    much_later.night()
    (row,) = told(much_later, "top-titles", first=TODAY)
    assert (row["group_size"], row["group_basis"]) == (5, "loans")


def test_a_title_lent_last_year_to_enough_stands_beside(counter: Counter) -> None:
    cards = people(counter, 5)
    each_borrows(counter, cards, BOOKS[0])
    later = counter.at(days=365)
    each_borrows(later, cards, BOOKS[0])
    each_borrows(later, cards[:1], BOOKS[0])
    (row,) = told(later, "top-titles")
    assert (row["loans"], row["loans_last_year"]) == (6, 5)


def test_dead_stock_is_what_had_time_to_be_lent_and_was_not(counter: Counter) -> None:
    later = counter.at(days=800)
    assert made(counter, "dead-stock").total == 0, "everything is new"
    counter.checkout(ALICE, BOOKS[0], BOOKS[1])
    counter.checkin(BOOKS[0])
    counter.at(days=700).checkout(BO, BOOKS[2])
    counter.at(days=701).checkin(BOOKS[2])
    report = made(later, "dead-stock")
    found = {row["barcode"]: row["last_lent"] for row in rows(report)}
    assert found == {BOOKS[0]: TODAY} | dict.fromkeys(BOOKS[3:])
    assert {BOOKS[1], REFERENCE, MISSING}.isdisjoint(found), "on loan, for use in the library only, missing"
    part = made(later, "dead-stock", limit=2, offset=1)
    assert (part.total, len(part.rows)) == (report.total, 2)
    assert made(later, "dead-stock", branch="east").total == 0


def test_holds_per_copy_put_titles_without_a_copy_first(counter: Counter) -> None:
    cards = people(counter, 3)
    counter.checkout(ALICE, *BOOKS[:2])
    for card in cards:
        assert counter.hold(card, BOOKS[0]).status == "ok"
    assert counter.hold(cards[0], BOOKS[1]).status == "ok"
    counter.change_item(BOOKS[1], status="lost")
    found = told(counter, "hold-ratio")
    assert [(row["title"], row["waiting"], row["copies"], row["holds_per_copy"]) for row in found] == [
        ("Book 2", 1, 0, None),
        ("Book 1", 3, 1, Decimal("3.00")),
    ]


def test_fees_are_summed_by_month_beside_last_year(counter: Counter) -> None:
    patron = counter.patron_id(ALICE)

    def book(at: Counter, amount: str, *, paid: str | None = None) -> None:
        now = at.occasion.now
        fee = at.do(lambda s: fees.charge(s, patron, "damage", Decimal(amount), at=now, actor="user:x", reason="torn"))
        if paid:
            at.do(lambda s: fees.pay(
                s, patron, Decimal(paid), payment_id=f"p{fee}", means="cash", actor="user:x", at=now, fee_id=fee
            ))  # fmt: skip
            at.do(lambda s: fees.waive(s, patron, fee_id=fee, reason="ill", actor="user:x", at=now))

    book(counter, "3.00")
    later = counter.at(days=365)
    book(later, "5.00", paid="2.00")
    report = made(later, "fees", first=date(2027, 2, 1), last=date(2027, 3, 31))
    february, march = rows(report)
    assert report.currency == "CNY"
    assert set(february.values()) == {date(2027, 2, 1), Decimal("0.00")}
    assert [march[name] for name in ("charged", "charged_last_year", "paid", "waived", "refunded")] == [
        Decimal("5.00"), Decimal("3.00"), Decimal("2.00"), Decimal("3.00"), Decimal("0.00"),
    ]  # fmt: skip


def test_who_has_what_is_late_is_told_to_the_desk_only(counter: Counter) -> None:
    counter.rule_by(Rule(days=10), calendar=Calendar())
    counter.checkout(ALICE, BOOKS[0])
    counter.checkout(BO, BOOKS[1])
    later = counter.at(days=14)
    desk_report, other = (
        later.ask(lambda s, seen=seen: service.overdue(Desk(s, later.occasion.now, SHANGHAI), Asked(), contacts=seen))
        for seen in (True, False)
    )
    assert [(row["barcode"], row["card"], row["due"], row["days_late"]) for row in rows(desk_report)] == [
        (BOOKS[0], ALICE, date(2026, 3, 12), 4),
        (BOOKS[1], BO, date(2026, 3, 12), 4),
    ]
    assert other.total == 2
    assert {"card", "email", "phone"}.isdisjoint(rows(other)[0])
    assert ALICE not in str(other)


@pytest.mark.parametrize(("first", "last"), [(TODAY, TODAY - timedelta(days=1)), (TODAY - timedelta(days=366), TODAY)])
def test_a_time_that_cannot_be_told_is_refused(counter: Counter, first: date, last: date) -> None:
    with pytest.raises(ReportPeriodError):
        made(counter, "circulation", first=first, last=last)


def test_without_a_time_it_is_the_last_30_days(counter: Counter) -> None:
    found = told(counter, "circulation")
    assert (len(found), found[-1]["day"]) == (30, NOW.astimezone(SHANGHAI).date())
