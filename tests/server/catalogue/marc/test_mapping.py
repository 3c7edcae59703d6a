"""A MARC record as the catalogue shows it, and the way back."""

import os
from pathlib import Path

import pytest

from server.catalogue.marc import reading
from server.catalogue.marc.composing import compose, corrected
from server.catalogue.marc.mapping import Extract, extract
from server.catalogue.marc.problems import WORDS
from server.catalogue.marc.record import Marc, MarcFormat
from tests.support.marc import CNMARC, DREAM, EMMA, LU, MARC21, Fields
from tests.support.marc import iso2709 as built


def marc(fields: Fields, leader: str = MARC21) -> Marc:
    data = built(fields, leader=leader)
    (found,) = reading.read(data, reading.detect(data))
    assert found.marc is not None
    return found.marc


def mapped(fields: Fields, format_: MarcFormat = "marc21", leader: str = MARC21) -> Extract:
    return extract(marc(fields, leader), format_)


def with_title(*fields: tuple[str, str]) -> Fields:
    return [("245", "00$aT"), *fields]


def test_the_own_script_is_shown_and_the_romanised_form_is_searched_too() -> None:
    columns = mapped(DREAM).columns
    assert columns == {
        "title": "紅樓夢", "title_alt": "Hong lou meng", "author": "曹雪芹",
        "author_alt": "Cao, Xueqin", "year": "1996", "edition": "", "language": "zh", "isbn": "9787020002207",
        "class_number": "", "call_number": "", "publisher": "人民文學出版社",
        "subjects": "Families--China--Fiction", "summary": "", "kind": "book", "control_number": "(CarrelTest)t0001",
    }  # fmt: skip


def test_marc21_in_latin_letters() -> None:
    columns = mapped(EMMA).columns
    assert (columns["title"], columns["author"], columns["edition"]) == ("Emma : a novel", "Austen, Jane", "New ed")
    assert (columns["publisher"], columns["year"], columns["language"]) == ("Penguin", "2003", "en")
    assert (columns["class_number"], columns["call_number"]) == ("PR4034", "PR4034 .E5 2003")
    assert mapped(EMMA).isbns == ("9780141439587",)


def test_cnmarc() -> None:
    columns = mapped(LU, "cnmarc", CNMARC).columns
    assert columns == {
        "title": "呐喊 : 鲁迅小说集", "title_alt": "na han", "author": "鲁迅", "author_alt": "lu xun", "year": "2013",
        "edition": "", "language": "zh", "isbn": "9787020088720", "class_number": "I210.6",
        "call_number": "I210.6/12", "publisher": "人民文学出版社", "subjects": "短篇小说--小说集--中国--现代",
        "summary": "", "kind": "book", "control_number": "t0003",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("field", "column", "value"),
    [
        (("260", "  $c[199-?]"), "year", "[199-?]"),
        (("264", " 1$c清乾隆57 [1792]"), "year", "1792"),
        (("008", "200101s1987    cc            000 1 chi d"), "year", "1987"),
        (("008", "200101s1987    cc            000 1 bod d"), "language", "bod"),
        (("041", "0 $ager$aeng"), "language", "de"),
        (("084", "  $aTP311$2clc"), "class_number", "TP311"),
        (("082", "04$a005.1$223"), "class_number", "005.1"),
        (("653", "  $aone$atwo"), "subjects", "one\ntwo"),
        (("520", "  $aFirst.$bSecond."), "summary", "First Second"),
        (("110", "2 $aUnited Nations.$bLibrary."), "author", "United Nations Library"),
        (("700", "1 $aYe, Shengtao,"), "author", "Ye, Shengtao"),
        (("246", "3 $aAnother title"), "title_alt", "Another title"),
        (("100", "1 $aTolkien, J. R. R."), "author", "Tolkien, J. R. R."),
    ],
)
def test_where_facts_are_found(field: tuple[str, str], column: str, value: str) -> None:
    assert mapped(with_title(field)).columns[column] == value


@pytest.mark.parametrize(
    ("content", "title"),
    [
        ("00$aOne :$btwo /$cthree.", "One : two"),
        ("00$a紅樓夢$h[electronic resource] =$bDream", "紅樓夢 = Dream"),
        ("00$aSets.$n2,$pLater years", "Sets. 2, Later years"),
        ("00$aTom &amp; Jerry", "Tom & Jerry"),
        ("00$a  Much   space /", "Much space"),
        ("04$a\x98The \x9csorted\x1b one\x88", "The sorted one"),
        ("00$a...", "..."),
        ("00$a.NET 框架 /", ".NET 框架"),
        ("00$a...And justice for all.", "...And justice for all"),
    ],
)
def test_titles_without_the_punctuation_between_elements(content: str, title: str) -> None:
    assert mapped([("245", content)]).columns["title"] == title


@pytest.mark.parametrize(
    ("said", "coded", "year"),
    [
        ("1376 [1997]", "1997", "1997"),
        ("1376 [1997]", "    ", "1997"),
        ("1376 [1997 or 1998]", "19uu", "1997"),
        ("1996 [i.e. 1997]", "1996", "1996"),
        ("1987 (2005 printing)", "2005", "2005"),
        ("1987 (2005 printing)", "    ", "1987"),
        ("c2003", "1998", "2003"),
    ],
)
def test_of_several_years_the_coded_one_counts_or_the_bracketed_one(said: str, coded: str, year: str) -> None:
    fields = with_title(("008", f"200101s{coded}    cc            000 1 chi d"), ("264", f" 1$c{said}"))
    assert mapped(fields).columns["year"] == year
    chinese = [("100", f"  $a20200101d{coded}    em y0chiy50      ea"), ("200", "1 $aT"), ("210", f"  $d{said}")]
    assert mapped(chinese, "cnmarc", CNMARC).columns["year"] == year


@pytest.mark.parametrize(
    ("leader", "kind"),
    [("nam", "book"), ("nas", "serial"), ("ncm", "score"), ("nem", "map"), ("ngm", "video"), ("njm", "audio")],
)
def test_what_kind_of_thing_it_is(leader: str, kind: str) -> None:
    assert mapped([("245", "00$aT")], leader=f"00000{leader} a2200000 a 4500").columns["kind"] == kind


@pytest.mark.parametrize(
    ("fields", "leader", "code"),
    [
        ([("001", "x")], MARC21, "no_title"),
        ([("245", "00$aT")], MARC21.replace("nam", "dam"), "deleted"),
        ([("100", "1 $aA name")], MARC21.replace("nam", "nz "), "not_bibliographic"),
    ],
)
def test_what_is_no_title_of_ours_is_refused(fields: Fields, leader: str, code: str) -> None:
    notes = mapped(fields, leader=leader).notes
    assert [(note.code, note.fatal) for note in notes] == [(code, True)]


def test_a_wrong_isbn_is_told_and_no_number_that_is_none() -> None:
    found = mapped(with_title(("020", "  $a9787020002208"), ("020", "  $c12.00 yuan"), ("020", "  $apbk.")))
    assert found.isbns == ()
    assert [(note.code, note.detail) for note in found.notes] == [("bad_isbn", "9787020002208")]


def test_what_is_too_long_is_shortened_and_told() -> None:
    found = mapped([("245", "00$a" + "长" * 600)])
    assert len(found.columns["title"]) == 500
    assert [(note.code, note.detail, note.fatal) for note in found.notes] == [("title_shortened", "title", False)]


@pytest.mark.parametrize(("format_", "leader"), [("marc21", MARC21), ("cnmarc", CNMARC)])
def test_a_title_catalogued_by_hand_becomes_a_record_that_says_the_same(format_: MarcFormat, leader: str) -> None:
    columns = {
        "title": "呐喊", "title_alt": "Na han\nCall to Arms", "author": "鲁迅", "author_alt": "Lu Xun", "year": "1923",
        "edition": "初版", "language": "zh", "isbn": "9787020088720", "class_number": "I210.6",
        "publisher": "新潮社", "subjects": "小说\n短篇", "summary": "十四篇。", "control_number": "7",
    }  # fmt: skip
    made = compose(columns, format_)
    assert [field.tag for field in made.fields] == sorted(field.tag for field in made.fields)
    found = extract(made, format_).columns
    told = {name: value for name, value in columns.items() if name not in ("summary",)}
    assert {name: found[name] for name in told} == told
    assert made.leader[20:] == leader[20:]


def test_a_correction_goes_into_the_field_that_is_shown_and_leaves_the_rest() -> None:
    before = marc(DREAM)
    after = corrected(before, "marc21", {"title": "红楼梦", "publisher": "新社", "isbn": ""}, ["title", "publisher"])
    found = extract(after, "marc21").columns
    assert (found["title"], found["publisher"], found["title_alt"]) == ("红楼梦", "新社", "Hong lou meng")
    changed = [(a, b) for a, b in zip(before.fields, after.fields, strict=True) if a != b]
    assert [a.subfields[0] for a, _ in changed] == [("6", "245-02/$1"), ("6", "260-03/$1")]


def test_every_problem_has_words_in_both_languages() -> None:
    assert all(all(words) for words in WORDS.values())
    assert all(words.said("zh-CN") != words.said("en") for words in WORDS.values())


@pytest.mark.skipif("CARREL_MARC_DIR" not in os.environ, reason="CARREL_MARC_DIR names no folder of real records")
def test_real_records_have_titles_and_come_out_as_they_went_in() -> None:
    files = [f for f in Path(os.environ["CARREL_MARC_DIR"]).iterdir() if f.suffix in (".mrc", ".iso", ".xml")]
    assert files
    for file in files:
        data = file.read_bytes()
        kind = reading.detect(data)
        for found in reading.read(data, kind):
            assert found.marc is not None, (file, found)
            columns = extract(found.marc, kind.format).columns
            assert columns["title"], (file, found.offset)
