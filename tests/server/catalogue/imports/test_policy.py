"""Which record an imported one is, and what it changes; copies out of holdings fields."""

import pytest

from server.catalogue.imports.holdings import Copy, copies, mapped
from server.catalogue.imports.policy import Known, Overlay, identify, overlay, titles_agree
from server.catalogue.marc import reading
from tests.support.marc import CNMARC, EMMA, LU, MARC21, Fields
from tests.support.marc import iso2709 as built


def columns(title: str, alt: str = "", **more: str) -> dict[str, str]:
    return {"title": title, "title_alt": alt} | more


def known(id_: int, title: str, alt: str = "") -> Known:
    return Known(id_, columns(title, alt), set())


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
    decision = identify(columns("Emma"), by_number, by_isbn)
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


def test_a_barcode_that_cannot_be_one_is_told() -> None:
    data = built([*EMMA[:-1], ("952", "  $pno barcode")])
    (found,) = reading.read(data, reading.detect(data))
    how = mapped("952")
    assert found.marc is not None
    assert how is not None
    held, notes = copies(found.marc, how, "main")
    assert (held, [(note.code, note.detail, note.fatal) for note in notes]) == ([], [("bad_item", "no barcode", False)])
