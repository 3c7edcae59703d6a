"""Which record an imported one is, and what it changes; copies out of holdings fields."""

from decimal import Decimal

import pytest

from server.catalogue.imports.holdings import Copy, copies, mapped
from server.catalogue.imports.policy import Known, Overlay, identify, overlay, titles_agree
from server.catalogue.marc import reading
from server.catalogue.marc.prices import minor
from tests.support.marc import CNMARC, EMMA, LU, MARC21, Fields
from tests.support.marc import iso2709 as built


def columns(title: str, alt: str = "", number: str = "(CarrelTest)1", **more: str) -> dict[str, str]:
    return {"title": title, "title_alt": alt, "control_number": number} | more


def known(id_: int, title: str, alt: str = "", isbns: tuple[str, ...] = ()) -> Known:
    return Known(id_, columns(title, alt), set(isbns))


EMMA_1, EMMA_2, OTHER = known(1, "Emma"), known(2, "Emma : a novel"), known(3, "Persuasion")


@pytest.mark.parametrize(
    ("by_number", "by_isbn", "is_", "code"),
    [
        ([], [], None, ""),
        ([OTHER], [], OTHER, ""),
        ([OTHER], [EMMA_1], OTHER, ""),
        ([], [EMMA_1], EMMA_1, ""),
        ([], [OTHER], None, "isbn_shared"),
        ([], [OTHER, EMMA_2], EMMA_2, ""),
        ([], [EMMA_1, EMMA_2], None, "ambiguous_match"),
        ([EMMA_1, OTHER], [], EMMA_1, ""),
        ([EMMA_1, EMMA_2], [], None, "ambiguous_match"),
        ([OTHER, known(4, "Sanditon")], [], None, "ambiguous_match"),
    ],
)
def test_the_control_number_decides_then_an_isbn_with_an_agreeing_title(
    by_number: list[Known], by_isbn: list[Known], is_: Known | None, code: str
) -> None:
    decision = identify(columns("Emma"), set(), by_number, by_isbn)
    assert (decision.known, decision.code) == (is_, code)
    assert decision.fatal == (code == "ambiguous_match")


SET = known(5, "Works", isbns=("9787020002207",))


@pytest.mark.parametrize(
    ("by_number", "by_isbn", "is_", "code"),
    [
        ([OTHER], [], None, "number_shared"),
        ([OTHER], [EMMA_1], EMMA_1, ""),
        ([OTHER, EMMA_1], [], EMMA_1, ""),
        ([OTHER, known(4, "Sanditon")], [], None, "number_shared"),
        ([EMMA_1, EMMA_2], [], None, "ambiguous_match"),
        ([SET], [SET], SET, ""),
        ([], [SET], None, "isbn_shared"),
    ],
)
def test_a_number_of_no_known_agency_needs_an_agreeing_title_or_a_common_isbn(
    by_number: list[Known], by_isbn: list[Known], is_: Known | None, code: str
) -> None:
    decision = identify(columns("Emma", number="000001"), {"9787020002207"}, by_number, by_isbn)
    assert (decision.known, decision.code) == (is_, code)
    assert decision.fatal == (code == "ambiguous_match")


@pytest.mark.parametrize(
    ("one", "other", "agree"),
    [
        (columns("Emma"), columns("EMMA : a novel"), True),
        (columns("紅樓夢", "Hong lou meng"), columns("Hong lou meng /"), True),
        (columns("Works. 1"), columns("Works. 2"), False),
        (columns("Emma"), columns("Dilemma"), False),
        (columns("..."), columns("Emma"), False),
    ],
)
def test_titles_agree_whatever_their_punctuation_and_subtitles(
    one: dict[str, str], other: dict[str, str], agree: bool
) -> None:
    assert titles_agree(one, other) == titles_agree(other, one) == agree


@pytest.mark.parametrize(
    ("how", "changes"),
    [
        ("skip", {}),
        ("replace", {"title": "New", "summary": "New", "author": ""}),
        ("merge", {"summary": "New"}),
    ],
)
def test_what_an_imported_record_changes_never_what_people_have_edited(how: Overlay, changes: dict[str, str]) -> None:
    mine = {"title": "Old", "summary": "", "author": "Old", "edition": "Ours", "year": "2003"}
    incoming = {"title": "New", "summary": "New", "author": "", "edition": "Theirs", "year": "2003"}
    assert overlay(Known(1, mine, set(), frozenset({"edition"})), incoming, how) == changes


@pytest.mark.parametrize(
    "text",
    ["", "852:", "952:call_number=o", "952:barcode=p,shelf=q", "95:barcode=p", "952:barcode=", "nonsense", "853"],
)
def test_a_mapping_that_makes_no_sense_is_none(text: str) -> None:
    assert mapped(text) is None


@pytest.mark.parametrize(
    ("fields", "mapping", "expected"),
    [
        (EMMA, "952", [Copy("X0001", "main", "Stacks", "PR4034 E5", "book", 3550, "")]),
        (LU, "905", [Copy(code, "main", "", "I210.6/12", "book", None, "") for code in ("C0001", "C0002")]),
        (EMMA, "952:barcode=p,note=q", [Copy("X0001", "main", "", "", "book", None, "")]),
        (EMMA, "852", []),
    ],
)
def test_copies_come_out_of_holdings_fields(fields: Fields, mapping: str, expected: list[Copy]) -> None:
    data = built(fields, leader=CNMARC if fields is LU else MARC21)
    (found,) = reading.read(data, reading.detect(data))
    how = mapped(mapping)
    assert found.marc is not None
    assert how is not None
    assert copies(found.marc, how, "main") == (expected, [])


@pytest.mark.parametrize(
    ("said", "price"),
    [
        ("35.50", "35.50"),
        ("CNY68.00", "68.00"),
        ("12,50", "12.50"),
        ("28元", "28.00"),
        ("CNY1,234.00", "1234.00"),
        ("¥3,800", "3800.00"),
        ("$1,999", "1999.00"),
        ("1 234,50", "1234.50"),
        ("1.234,50", "1234.50"),
        ("1'234.50", "1234.50"),
        ("1,234,567.89", "1234567.89"),
        ("2册 CNY 30.00", "30.00"),
        ("28.00 (全2册)", "28.00"),
        ("￥４５．００", "45.00"),
        ("Rs.30.00", "30.00"),
        (".50", "0.50"),
        ("25.000000", "25.00"),
    ],
)
def test_a_price_is_read_however_it_is_written(said: str, price: str) -> None:
    assert minor(said) == int(Decimal(price) * 100)


@pytest.mark.parametrize(
    "said",
    ["1.234", "12.500", "12,34,567.00", "¥30-45", "3元5角", "CNY12.00 USD3.00", "2018 100.00", "赠阅", "99999999.00"],
)
def test_a_price_that_is_not_clear_is_told_and_the_copy_comes_without_one(said: str) -> None:
    data = built([*EMMA[:-1], ("952", f"  $pX0001$g{said}")])
    (found,) = reading.read(data, reading.detect(data))
    how = mapped("952")
    assert found.marc is not None
    assert how is not None
    held, notes = copies(found.marc, how, "main")
    assert [(copy.barcode, copy.price) for copy in held] == [("X0001", None)]
    assert [(note.code, note.detail, note.fatal) for note in notes] == [("bad_price", f"X0001: {said}", False)]


@pytest.mark.parametrize(
    ("said", "code", "detail", "taken"),
    [
        ("$pno barcode", "bad_item", "no barcode", None),
        ("$pX1$a总馆", "bad_branch", "X1: 总馆", None),
        ("$pX1$aMain Library", "bad_branch", "X1: Main Library", None),
        ("$pX1$y图书", "bad_type", "X1: 图书", Copy("X1", "main", "", "", "book", None, "")),
        (f"$pX1$o{'9' * 61}", "item_shortened", "X1: call_number", Copy("X1", "main", "", "9" * 60, "book", None, "")),
        ("$pX1$yCD$c Hall\t \x1b2", "", "", Copy("X1", "main", "Hall 2", "", "cd", None, "")),
    ],
)
def test_what_no_copy_can_have_is_told(said: str, code: str, detail: str, taken: Copy | None) -> None:
    data = built([*EMMA[:-1], ("952", f"  {said}")])
    (found,) = reading.read(data, reading.detect(data, encoding="utf-8"))
    how = mapped("952")
    assert found.marc is not None
    assert how is not None
    held, notes = copies(found.marc, how, "main")
    assert held == ([taken] if taken else [])
    assert [(note.code, note.detail, note.fatal) for note in notes] == ([(code, detail, False)] if code else [])
