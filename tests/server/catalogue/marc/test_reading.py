"""Records out of good, bad and foreign files."""

import io
import json
from itertools import pairwise

import pymarc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.catalogue.marc import encodings, iso2709, reading
from server.catalogue.marc.reading import Kind, Result, detect, read
from server.catalogue.marc.record import Field, Marc, from_json, to_json
from tests.support.marc import CNMARC, DREAM, EMMA, LU, MARC21, Fields, many, numbered
from tests.support.marc import iso2709 as built

GOOD = built(EMMA)


def results(data: bytes, **told: str) -> list[Result]:
    return list(read(data, detect(data, **told)))  # type: ignore[arg-type]


def codes(result: Result) -> list[str]:
    return [note.code for note in result.notes]


def titles(found: list[Result]) -> list[str]:
    return [next(one.marc.of("245", "200")).first("a") if one.marc else "-" for one in found]


@pytest.mark.parametrize(
    ("fields", "leader", "encoding", "kind"),
    [
        (DREAM, MARC21, "utf-8", Kind("iso2709", "marc21")),
        (LU, CNMARC, "utf-8", Kind("iso2709", "cnmarc")),
        (LU, CNMARC, "gb18030", Kind("iso2709", "cnmarc")),
        (DREAM, MARC21.replace("nam a", "nam  "), "gb18030", Kind("iso2709", "marc21")),
    ],
)
def test_format_and_encoding_are_found_and_every_field_is_read(
    fields: Fields, leader: str, encoding: str, kind: Kind
) -> None:
    data = built(fields, leader=leader, encoding=encoding)
    assert detect(data) == kind
    (found,) = results(data)
    assert found.marc is not None
    assert [field.tag for field in found.marc.fields] == [tag for tag, _ in fields]
    assert ("紅樓夢" if fields is DREAM else "呐喊") in str(found.marc.fields)
    assert found.notes == ()


def test_what_is_written_from_what_was_read_is_the_same_bytes_and_json_loses_nothing() -> None:
    for data, encoding in ((built(DREAM), "utf-8"), (built(LU, leader=CNMARC, encoding="gb18030"), "gb18030")):
        (found,) = results(data)
        assert found.marc is not None
        again = from_json(to_json(found.marc))
        assert iso2709.put_together(again, encodings.encode(again, encoding), None) == data  # type: ignore[arg-type]


@given(st.text(), st.text(min_size=1, max_size=1))
def test_json_is_written_as_json_itself_would_write_it(text: str, sign: str) -> None:
    marc = Marc(
        text, (Field("001", "", (), text), Field("245", f"1{sign}", ((sign, text), ("b", ""))), Field("999", "  ", ()))
    )
    title = {"ind1": "1", "ind2": sign, "subfields": [{sign: text}, {"b": ""}]}
    fields = [{"001": text}, {"245": title}, {"999": {"ind1": " ", "ind2": " ", "subfields": []}}]
    assert to_json(marc) == json.dumps({"leader": text, "fields": fields}, ensure_ascii=False, separators=(",", ":"))
    assert from_json(to_json(marc)) == marc


def test_json_is_what_pymarc_calls_marc_in_json() -> None:
    (found,) = results(GOOD)
    theirs = next(iter(pymarc.MARCReader(GOOD)))
    assert found.marc is not None
    assert theirs is not None
    assert from_json(to_json(found.marc)) == from_json(theirs.as_json())


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        (GOOD[: len(GOOD) // 2], "cut_off"),
        (b"not a record at all", "no_leader"),
        (GOOD[:24] + b"x" * 30 + GOOD[54:], "directory_unreadable"),
        (built(EMMA).replace(b"Emma", b"\xff\xfe\xff\xfe"), "bad_characters"),
        (b"\x1d", "no_leader"),
    ],
)
def test_one_bad_record_does_not_stop_the_file(bad: bytes, code: str) -> None:
    """In the middle and at the end; the records around it are read, and each byte is told of once."""
    for data, places in ((GOOD + bad + GOOD + GOOD, [0, 2, 3]), (GOOD + GOOD + bad, [0, 1])):
        found = results(data)
        assert [number for number, one in enumerate(found) if codes(one) == []] == places
        wrong = next(one for one in found if one.notes)
        assert wrong.notes[0].code == code
        assert data[wrong.offset : wrong.end].rstrip() == bad.rstrip()
        assert [one.offset for one in found[1:]] == [one.end for one in found[:-1]]


@pytest.mark.parametrize("length", [b"00000", b"99999", b"     ", b"00100", b"01000"])
def test_a_wrong_length_is_told_and_the_end_mark_believed(length: bytes) -> None:
    found = results(GOOD + length + GOOD[5:] + GOOD)
    assert titles(found) == ["Emma :"] * 3
    assert [codes(one) for one in found] == [[], ["length_wrong"], []]


def test_lengths_that_count_characters_are_seen_through() -> None:
    data = built(LU, leader=CNMARC, encoding="gb18030", count="characters")
    found = results(data + data)
    assert titles(found) == ["呐喊", "呐喊"]
    assert codes(found[0]) == ["length_wrong", "directory_wrong"]


def test_a_control_field_with_subfields_is_read_and_told() -> None:
    (found,) = results(built([("001", "  \x1fa123\x1fb4"), ("005", "2020\x1fa1"), ("245", "00$aX")]))
    assert found.marc is not None
    assert [field.data for field in found.marc.fields] == ["123 4", "2020 1", ""]
    assert [(note.code, note.detail) for note in found.notes] == [("control_subfields", "001, 005")]


def test_line_ends_zeros_and_byte_order_marks_between_records_are_nothing() -> None:
    assert titles(results(b"\xef\xbb\xbf" + GOOD + b"\r\n\x00" + GOOD + b"\n\x1a")) == ["Emma :"] * 2


def test_reading_goes_on_at_the_end_of_any_earlier_result() -> None:
    data = many(5) + GOOD[:50] + many(3)
    kind = detect(data)
    whole = list(read(data, kind))
    for number, one in enumerate(whole, 1):
        assert list(read(data, kind, one.end)) == whole[number:]


def test_a_record_in_another_encoding_than_told_fails_with_the_way_out() -> None:
    (found,) = results(built(LU, leader=CNMARC, encoding="gb18030"), encoding="utf-8")
    assert found.marc is None
    assert codes(found) == ["wrong_encoding"]


def test_a_single_bad_byte_is_replaced_and_told() -> None:
    (found,) = results(built(DREAM).replace("人民".encode(), b"\xff" + "民".encode()))
    assert found.marc is not None
    assert codes(found) == ["length_wrong", "directory_wrong", "bad_characters"]
    assert found.notes[-1].detail == "880"


def test_a_file_of_nothing_has_no_records() -> None:
    assert results(b"") == results(b"\r\n\r\n") == []


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_whatever_is_in_a_file_every_byte_belongs_to_one_result(data: st.DataObject) -> None:
    piece = st.one_of(st.binary(max_size=60), st.just(GOOD), st.integers(1, len(GOOD)).map(lambda n: GOOD[:n]))
    file = b"".join(data.draw(st.lists(piece, max_size=6)))
    for kind in (Kind("iso2709", "marc21"), Kind("iso2709", "cnmarc", "gb18030"), Kind("marcxml", "marc21")):
        found = list(read(file, kind))
        assert all(one.offset < one.end for one in found)
        assert [one.offset for one in found] == sorted({one.offset for one in found})
        assert all((one.marc is None) == any(note.fatal for note in one.notes) for one in found)
        if kind.container == "iso2709":
            between = [file[a.end : b.offset] for a, b in pairwise(found)]
            assert all(gap.strip(b" \t\r\n\x0b\x0c\x00\x1a\xef\xbb\xbf") == b"" for gap in between)


OLD = MARC21.replace("nam a", "nam  ")


def title_of(data: bytes, **told: str) -> str:
    (found,) = results(data, **told)
    assert found.marc is not None
    return next(found.marc.of("245", "200")).first("a")


class TestGb18030InMarc21:
    """Beside MARC-8, of which the leader says the same."""

    @pytest.mark.parametrize(
        "text",
        [
            "红楼梦", "紅樓夢", "馬氏文通", "電腦與網路：從DOS到Web", "㐀𠮷 rare", "Zürich – Köln", "一個",
            "ABC 第A卷 DEF",
        ],
    )  # fmt: skip
    def test_chinese_whether_or_not_its_second_bytes_are_high(self, text: str) -> None:
        data = built((("001", "g1"), ("245", f"00$a{text}")), leader=OLD, encoding="gb18030")
        assert title_of(data) == text

    def test_a_damaged_byte_does_not_make_it_marc_8(self) -> None:
        title = "紅樓夢研究：曹雪芹的生平與家世考論，附錄脂硯齋評語彙輯"
        data = built((("001", "g1"), ("245", f"00$a{title}")), leader=OLD, encoding="gb18030")
        (found,) = results(data.replace("曹".encode("gb18030"), b"\xb2 "))
        assert codes(found) == ["bad_characters"]
        assert found.marc is not None
        assert next(found.marc.of("245")).first("a").startswith("紅樓夢研究：")

    @pytest.mark.parametrize(
        "text",
        [
            "Les Misérables", "Découverte", "Łódź", "Smørrebrød & øl", "Việt Nam", "œuvre", "Dvořák", "£5 or ©1996",
            "Ærø – ʻAlī",
        ],
    )  # fmt: skip
    def test_latin_in_marc_8_stays_what_it_is(self, text: str) -> None:
        (plain,) = results(built((("001", "m1"), ("245", f"00$a{text.replace('–', '-')}"))))
        assert plain.marc is not None
        data = iso2709.put_together(plain.marc, encodings.encode(plain.marc, "marc-8"), " ")
        assert data is not None
        assert title_of(data) == text.replace("–", "-")


class TestMarc8:
    @pytest.mark.parametrize("text", ["红楼梦 : ā là carte", "Война и мир, Müller"])
    def test_its_escapes_tell_it_in_cnmarc_too(self, text: str) -> None:
        (plain,) = results(built((("001", "m1"), ("200", f"1 $a{text}")), leader=CNMARC))
        assert plain.marc is not None
        data = iso2709.put_together(plain.marc, encodings.encode(plain.marc, "marc-8"), None)
        assert data is not None
        assert title_of(data) == text

    def test_references_alone_are_the_characters_that_they_name(self) -> None:
        fields = (("001", "m1"), ("245", "00$aEmoji &#x1F600; book &#x20BB7;"))
        assert title_of(built(fields, leader=OLD)) == "Emoji 😀 book 𠮷"
        assert title_of(built(fields)) == "Emoji &#x1F600; book &#x20BB7;", "UTF-8 needs none"

    def test_a_reference_to_an_end_mark_or_nul_names_no_character(self) -> None:
        text = "A&#x0000;B&#x001F;bC&#x001E;D"
        assert title_of(built((("001", "m1"), ("245", f"00$a{text}")), leader=OLD)) == text

    def test_marks_and_chinese_are_read_as_pymarc_reads_them(self) -> None:
        raw = b"D\xe2ecouverte \x1b$1!09!ay\x1b(B end"
        data = built([("001", "m1"), ("245", "00$aX")], leader=MARC21.replace("nam a", "nam  "))
        data = data.replace(b"\x1faX", b"\x1fa" + raw)
        (found,) = results(data)
        assert found.marc is not None
        theirs = pymarc.marc8_to_unicode(raw)
        assert next(found.marc.of("245")).first("a") == theirs

    @pytest.mark.parametrize(
        "text", ["Les Misérables", "红楼夢", "Ångström, Łódź", "Война и мир", "ὁ λόγος 😀", "a中b国c"]
    )
    def test_what_is_written_is_read_back(self, text: str) -> None:
        fields = (("001", "m1"), ("245", f"00$a{text}"))
        (plain,) = results(built(fields))
        assert plain.marc is not None
        data = iso2709.put_together(plain.marc, encodings.encode(plain.marc, "marc-8"), " ")
        assert data is not None
        assert data.isascii() or text[0] not in "红a"
        (found,) = results(data, encoding="marc-8")
        assert found.marc is not None
        assert next(found.marc.of("245")).first("a") == text

    def test_escapes_and_bytes_without_meaning_are_told(self) -> None:
        data = built(numbered(EMMA, 1)).replace(b"Title", b"Ti\x1b\x07e")
        (found,) = results(data, encoding="marc-8")
        assert "bad_characters" in codes(found)


class TestXml:
    HEAD = b'<?xml version="1.0" encoding="UTF-8"?><m:collection xmlns:m="http://www.loc.gov/MARC21/slim">'

    def xml(self, *fields: Fields) -> list[bytes]:
        """Records as pymarc writes them."""
        records = [next(iter(pymarc.MARCReader(built(one)))) for one in fields]
        return [pymarc.record_to_xml(record) for record in records]

    def test_records_are_read_with_any_prefix_and_a_bad_one_stops_nothing(self) -> None:
        one, two = self.xml(DREAM, EMMA)
        prefixed = one.replace(b"<", b"<m:").replace(b"<m:/", b"</m:")
        broken = two.replace(b"</leader>", b"</ledger>")
        data = self.HEAD + prefixed + broken + two[:200] + b"\n" + two + b"</m:collection>"
        assert detect(data) == Kind("marcxml", "marc21")
        found = results(data)
        assert [codes(result) for result in found] == [[], ["bad_xml"], ["cut_off"], []]
        assert found[0].marc == results(built(DREAM))[0].marc

    @pytest.mark.parametrize(
        ("field", "read", "wrong"),
        [
            ('<controlfield tag="FMT">BK</controlfield>', Field("FMT", "  ", (("a", "BK"),)), "subfields_missing"),
            ('<controlfield tag="245">X</controlfield>', Field("245", "  ", (("a", "X"),)), "subfields_missing"),
            ('<datafield tag="500" ind1="1">X</datafield>', Field("500", "1 ", (("a", "X"),)), "subfields_missing"),
            (
                '<datafield tag="1" ind1=" " ind2=" "><subfield code="a">7</subfield> <subfield code="b">8</subfield>'
                "</datafield>",
                Field("001", "", (), "7 8"), "control_subfields",
            ),
            ('<datafield tag="245"><subfield code="">X</subfield></datafield>', Field("245", "  ", ((" ", "X"),)), ""),
            ('<datafield tag="245"><subfield>X</subfield></datafield>', Field("245", "  ", ((" ", "X"),)), ""),
            (
                '<datafield tag="245"><subfield code="a">in <i>Nature</i> 7</subfield></datafield>',
                Field("245", "  ", (("a", "in Nature 7"),)), "",
            ),
            ('<controlfield tag="001">\n  n 1\n </controlfield>', Field("001", "", (), "n 1"), ""),
            ('<datafield tag="24中"><subfield code="a">X</subfield></datafield>', None, "bad_xml"),
            ("<datafield><subfield>X</subfield></datafield>", None, "bad_xml"),
        ],
    )  # fmt: skip
    def test_a_field_in_the_wrong_element_is_read_as_its_tag_says_and_told(
        self, field: str, read: Field | None, wrong: str
    ) -> None:
        (found,) = results(f"<collection><record><leader>{MARC21}</leader>{field}</record></collection>".encode())
        assert codes(found) == ([wrong] if wrong else [])
        assert (found.marc and found.marc.fields) == (read and (read,))
        assert not found.marc or from_json(to_json(found.marc)) == found.marc

    @pytest.mark.parametrize("encoding", ["undefined", "utf-7", "hex", "no-such"])
    def test_an_encoding_that_python_alone_knows_is_a_wrong_one(self, encoding: str) -> None:
        data = f'<?xml version="1.0" encoding="{encoding}"?><record><leader>+2AA-</leader></record>'.encode()
        assert [codes(found) for found in results(data)] == [["wrong_encoding"]]

    def test_what_is_written_is_read_back_but_for_what_xml_forbids(self) -> None:
        (found,) = results(built(DREAM))
        assert found.marc is not None
        odd = found.marc.fields[3]._replace(subfields=(("a", 'a<b>&"c"\r\n\x0cd'),))
        changed = type(found.marc)(found.marc.leader, (*found.marc.fields, odd))
        text = reading.xml.HEAD + reading.xml.write(changed) + reading.xml.TAIL
        (again,) = results(text.encode())
        assert again.marc is not None
        assert again.marc.fields[:-1] == found.marc.fields
        assert again.marc.fields[-1].first("a") == 'a<b>&"c"\r\nd'
        assert pymarc.parse_xml_to_array(io.BytesIO(text.encode()))[0]["001"].data == "t0001"

    def test_fixed_places_stay_where_they_are(self) -> None:
        (found,) = results(built([("001", "c1"), ("008", "010301s1996\x01   cc"), ("245", "00$aControl")]))
        assert found.marc is not None
        changed = type(found.marc)(found.marc.leader[:23] + "\x01", found.marc.fields)
        text = reading.xml.HEAD + reading.xml.write(changed) + reading.xml.TAIL
        (again,) = results(text.encode())
        assert again.marc is not None
        assert next(again.marc.of("008")).data == "010301s1996    cc"
        assert again.marc.leader == found.marc.leader[:23] + " "

    def test_entities_of_a_prologue_are_not_expanded(self) -> None:
        (one,) = self.xml(EMMA)
        bomb = b'<?xml version="1.0"?><!DOCTYPE c [<!ENTITY x "ha">]><collection>'
        found = results(bomb + one.replace(b"novel", b"&x;") + b"</collection>")
        assert [codes(result) for result in found] == [["bad_xml"]]

    def test_a_leader_on_a_line_of_its_own_keeps_its_places(self) -> None:
        (found,) = results(f"<record><leader>\n  {MARC21}\n</leader></record>".encode())
        assert found.marc is not None
        assert found.marc.leader == MARC21

    def test_what_calls_itself_gb2312_is_gb18030(self) -> None:
        text = '<datafield tag="245"><subfield code="a">朱镕基 喆 紅樓夢</subfield></datafield>'
        data = f'<?xml version="1.0" encoding="GB2312"?><record>{text}</record>'.encode("gb18030")
        assert titles(results(data)) == ["朱镕基 喆 紅樓夢"]

    def test_the_declared_encoding_is_heeded(self) -> None:
        (one,) = self.xml(DREAM)
        text = one.decode() if b"\xe7" in one else pymarc.parse_xml_to_array(io.BytesIO(one))[0].as_json()
        data = '<?xml version="1.0" encoding="GB18030"?><collection><record><leader>' + MARC21
        data += '</leader><datafield tag="245" ind1="0" ind2="0"><subfield code="a">紅樓夢</subfield></datafield>'
        data += "</record></collection>"
        (found,) = results(data.encode("gb18030"))
        assert text
        assert titles([found]) == ["紅樓夢"]
