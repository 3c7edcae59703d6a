"""How records leave, on both databases."""

import pytest

from server.catalogue import service as catalogue
from server.catalogue.editing import service as editing
from server.catalogue.editing.service import By
from server.catalogue.imports import exporting
from server.catalogue.imports.service import Counts
from server.catalogue.marc.encodings import Encoding
from server.db import Database
from tests.server.catalogue.imports.conftest import Importer, titles
from tests.support.library import NOW
from tests.support.marc import CNMARC, DREAM, EMMA, LU, MARC21, iso2709

BY = By("user:librarian", NOW)


def test_records_leave_as_they_came(empty: Database, take: Importer) -> None:
    data = iso2709(DREAM) + iso2709(EMMA)
    take(data)
    wanted = exporting.Wanted()
    with empty.reading() as session:
        format_ = exporting.format_of(session, wanted)
        assert b"".join(exporting.file(session, wanted, format_)) == data
        as_xml = b"".join(exporting.file(session, exporting.Wanted("marcxml"), format_))
    assert take(as_xml, overlay="replace").counts == Counts(read=2, skipped=2), "nothing is lost on the way"


@pytest.mark.parametrize("encoding", ["gb18030", "marc-8"])
def test_and_in_older_encodings(empty: Database, take: Importer, encoding: Encoding) -> None:
    take(iso2709(DREAM))
    wanted = exporting.Wanted(encoding=encoding)
    with empty.reading() as session:
        data = b"".join(exporting.file(session, wanted, "marc21"))
    assert data[9:10] == b" "
    assert take(data, overlay="replace", match="isbn").counts.read == 1
    assert titles(empty, "紅樓夢") == ["紅樓夢"]


def test_what_came_in_marc_8_is_unicode_in_marcxml_and_says_so(empty: Database, take: Importer) -> None:
    take(iso2709(EMMA, leader=MARC21[:9] + " " + MARC21[10:], encoding="latin-1"))
    with empty.reading() as session:
        assert b"nam a22" in b"".join(exporting.file(session, exporting.Wanted("marcxml"), "marc21"))


def test_corrections_and_titles_catalogued_by_hand_are_in_it(empty: Database, take: Importer) -> None:
    take(iso2709(EMMA))
    with empty.writing() as session:
        editing.update_record(session, 1, {"title": "Emma, corrected"}, BY)
        editing.create_record(session, catalogue.NewRecord("By hand", subjects=("a", "b")), BY)
    with empty.reading() as session:
        data = b"".join(exporting.file(session, exporting.Wanted(), "marc21"))
    assert b"\x1faEmma, corrected" in data
    assert b"\x1faBy hand" in data
    assert b"\x1faEmma :" not in data


def test_what_people_have_emptied_is_not_in_it(empty: Database, take: Importer) -> None:
    take(iso2709(EMMA))
    with empty.writing() as session:
        editing.update_record(session, 1, {"edition": "", "publisher": "", "summary": "x"}, BY)
        editing.update_record(session, 1, {"summary": ""}, BY)
    with empty.reading() as session:
        told = exporting.marc_text(session, 1)
    assert "250" not in told
    assert "520" not in told
    assert "260 __ $a London : $c 2003." in told


def test_two_formats_are_not_mixed_in_one_file(empty: Database, take: Importer) -> None:
    take(iso2709(EMMA))
    take(iso2709(LU, leader=CNMARC))
    with empty.reading() as session:
        with pytest.raises(exporting.MixedFormatsError):
            exporting.format_of(session, exporting.Wanted())
        data = b"".join(exporting.file(session, exporting.Wanted(format="cnmarc"), "cnmarc"))
    assert data == iso2709(LU, leader=CNMARC)


def test_what_is_too_long_for_iso_2709_is_named(empty: Database, take: Importer) -> None:
    xml = "<record><leader>00000nam a2200000 a 4500</leader><datafield tag='245' ind1='0' ind2='0'>"
    xml += f"<subfield code='a'>Long</subfield><subfield code='c'>{'长' * 4000}</subfield></datafield></record>"
    take(xml.encode())
    take(iso2709(EMMA))
    with empty.writing() as session:
        editing.update_record(session, 2, {"summary": "长" * 4000}, BY)
        editing.create_record(session, catalogue.NewRecord("By hand", summary="长" * 4000), BY)
    with empty.reading() as session:
        assert exporting.too_long(session, exporting.Wanted(), "marc21") == [1, 2, 3]
        assert exporting.too_long(session, exporting.Wanted("marcxml"), "marc21") == []
        assert b"".join(exporting.file(session, exporting.Wanted(), "marc21")) == b""
