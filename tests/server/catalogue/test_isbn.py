"""ISBNs in the texts that people and catalogues write."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.catalogue.isbn import check_10, check_13, isbn10, isbn13, looks_like_one, pasted


@pytest.mark.parametrize(
    ("text", "isbn"),
    [
        ("9787020002207", "9787020002207"),
        ("978-7-02-000220-7 (pbk.) :", "9787020002207"),
        ("7-02-000220-X", "9787020002207"),
        ("0 14 143958 0", "9780141439587"),
        ("080442957x", "9780804429573"),
        ("979-10-90636-07-1", "9791090636071"),
        ("９７８７０２０００２２０７", "9787020002207"),
        ("978–7–02–000220–7", "9787020002207"),
        ("978‑7—02−000220‐7（平装）", "9787020002207"),
        ("7\u00a002\u00a0000220\u00a0X", "9787020002207"),
        ("\u200e978\u00ad7020002207", "9787020002207"),
        ("9787020002208", None),
        ("0141439581", None),
        ("1234567890123", None),
        ("97870200022071", None),
        ("", None),
        ("CNY59.70", None),
    ],
)
def test_an_isbn_is_found_and_its_check_digit_minded(text: str, isbn: str | None) -> None:
    assert isbn13(text) == isbn


@pytest.mark.parametrize(
    ("text", "isbn"),
    [
        ("ISBN 978–7–02–000220–7", "978-7-02-000220-7"),
        ("ISBN-13：９７８７０２０００２２０７", "9787020002207"),
        ("ISBN 1034567890", "1034567890"),
        ("7 02 000220 x", "7 02 000220 x"),
    ],
)
def test_what_is_pasted_is_stored_without_its_label(text: str, isbn: str) -> None:
    assert pasted(text) == isbn


@given(st.text("0123456789", min_size=9, max_size=9))
def test_both_forms_lead_to_each_other(body: str) -> None:
    short, long = body + check_10(body), "978" + body + check_13("978" + body)
    assert isbn13(short) == isbn13(long) == long
    assert isbn10(long) == short


def test_newer_numbers_have_no_older_form() -> None:
    assert isbn10("9791090636071") is None


def test_prices_and_bindings_are_not_meant_as_isbns() -> None:
    assert looks_like_one("978702000220")
    assert looks_like_one("９７８–７０２０００２２")
    assert not looks_like_one("平装（９７８７０２０００２２０７）")
    assert not looks_like_one("pbk.")
    assert not looks_like_one("CNY59.70")
