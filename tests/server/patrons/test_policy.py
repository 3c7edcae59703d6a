"""What is decided about a patron without the database."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.patrons.policy import email_key, is_minor, name_key, phone_key, pin_fault, renewed_until, shown_name


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("张伟", "张*"),
        ("欧阳 修", "欧*"),
        ("Lena Weber", "L. W."),
        ("oliver stone reed", "O. S. R."),
        ("Plato", "P."),
        ("A B C D E", "A. B. C."),
        ("Émile Zola", "É. Z."),
        ("  ", "*"),
        ("", "*"),
    ],
)
def test_a_kiosk_shows_a_surname_or_initials(name: str, shown: str) -> None:
    assert shown_name(name) == shown


@given(st.text(max_size=80))
def test_a_shown_name_is_short_whatever_the_name(name: str) -> None:
    assert len(shown_name(name)) <= 15


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Lena Weber", "lena  WEBER"),
        ("Ｌｅｎａ Weber", "LenaWeber"),
        ("张 伟", "张伟"),
        ("O'Neill", "ONeill"),
        ("Straße", "STRASSE"),
    ],
)
def test_spellings_of_one_name_meet(one: str, other: str) -> None:
    assert name_key(one) == name_key(other)


@given(st.text(max_size=300))
def test_a_key_fits_its_column_and_is_its_own_key(name: str) -> None:
    assert len(name_key(name)) <= 200
    assert name_key(name_key(name)) == name_key(name)


@pytest.mark.parametrize(
    ("typed", "key"),
    [
        ("138 0000 1111", "13800001111"), ("+86 138-0000-1111", "13800001111"), ("0086 13800001111", "13800001111"),
        ("１３８00001111", "13800001111"), ("(010) 6554 1234", "01065541234"), ("+49 30 1234567", "49301234567"),
        ("", ""),
    ],
)  # fmt: skip
def test_telephone_numbers_are_compared_by_their_digits(typed: str, key: str) -> None:
    assert phone_key(typed) == key


def test_addresses_are_compared_without_case() -> None:
    assert email_key(" Lena.Weber@X.Example ") == "lena.weber@x.example"


@pytest.mark.parametrize(
    ("born", "minor"),
    [
        (None, False), (date(2008, 3, 2), False), (date(2008, 3, 3), True), (date(2020, 1, 1), True),
        (date(1950, 1, 1), False),
    ],
)  # fmt: skip
def test_a_child_is_one_until_the_eighteenth_birthday(born: date | None, minor: bool) -> None:
    assert is_minor(born, date(2026, 3, 2)) is minor


def test_who_was_born_on_leap_day_comes_of_age_on_the_first_of_march() -> None:
    assert is_minor(date(2008, 2, 29), date(2026, 2, 28))
    assert not is_minor(date(2008, 2, 29), date(2026, 3, 1))


@pytest.mark.parametrize(
    ("pin", "fault"),
    [
        ("2468", None), ("591347", None), ("123", "pin_form"), ("1" * 13, "pin_form"), ("12a4", "pin_form"),
        ("１２３４", "pin_form"), ("", "pin_form"), ("1111", "pin_too_simple"), ("3456", "pin_too_simple"),
        ("8901", "pin_too_simple"), ("9876", "pin_too_simple"), ("0001", "pin_too_simple"),
    ],
)  # fmt: skip
def test_a_pin_is_digits_and_no_run_and_no_part_of_the_card(pin: str, fault: str | None) -> None:
    assert pin_fault(pin, "90000001") == fault


@pytest.mark.parametrize(
    ("expires", "days", "until"),
    [
        (date(2026, 3, 12), 10, date(2026, 3, 22)), (date(2026, 2, 1), 10, date(2026, 3, 12)),
        (None, 10, date(2026, 3, 12)), (date(2026, 3, 12), None, None),
    ],
)  # fmt: skip
def test_a_renewal_loses_no_day(expires: date | None, days: int | None, until: date | None) -> None:
    assert renewed_until(expires, days, date(2026, 3, 2)) == until


@given(st.dates(date(2000, 1, 1), date(2050, 1, 1)), st.integers(1, 4000))
def test_a_renewed_membership_is_good_for_its_days_at_least(expires: date, days: int) -> None:
    today = date(2026, 3, 2)
    until = renewed_until(expires, days, today)
    assert until is not None
    assert until >= today + timedelta(days=days)
