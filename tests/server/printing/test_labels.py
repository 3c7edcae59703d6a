"""Spine and barcode labels."""

import base64
import re
import zlib

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from server.catalogue.editing.service import By, update_item
from server.db import Database
from server.deps import Role
from server.printing import pdf
from server.printing.errors import LabelOverfullError, LabelTooSmallError
from server.printing.policy import GRIDS, Grid, legible, shortened, spine_lines
from tests.support.library import BOOKS, NOW, colleague


def texts(file: bytes) -> list[str]:
    """What is written on the pages of a PDF by reportlab, in order."""
    found = []
    for stream in re.findall(rb"stream\r?\n(.*?)endstream", file, re.DOTALL):
        content = zlib.decompress(base64.a85decode(stream.strip().removesuffix(b"~>")))
        for raw in re.findall(rb"\(((?:[^()\\]|\\.)*)\) Tj", content):
            plain = re.sub(rb"\\([0-7]{3})", lambda m: bytes((int(m[1], 8),)), raw)
            plain = re.sub(rb"\\(.)", rb"\1", plain)
            wide = b"\x00" in plain or any(byte >= 0x80 for byte in plain)
            found.append(plain.decode("utf-16-be" if wide else "latin-1"))
    return found


def narrower(width: int) -> object:
    return lambda text: len(text) <= width


@pytest.mark.parametrize(
    ("call_number", "width", "lines"),
    [
        ("I242.47/1", 20, ["I242.47", "1"]),
        ("QA76.73 .P98 B43 2018", 20, ["QA76.73", ".P98", "B43", "2018"]),
        ("TP311.561-43/W23(2)", 20, ["TP311.561-43", "W23(2)"]),
        ("TP311.561-43/W23(2)", 7, ["TP311.", "561-43", "W23(2)"]),
        ("TP311.561", 6, ["TP311.", "561"]),
        ("QA76.73", 5, ["QA", "76.73"]),
        ("索书号很长的时候", 4, ["索书号很", "长的时候"]),
        ("  ", 4, []),
    ],
)
def test_a_call_number_is_broken_where_people_would(call_number: str, width: int, lines: list[str]) -> None:
    assert spine_lines(call_number, narrower(width)) == lines  # type: ignore[arg-type]


@given(st.text(max_size=60), st.integers(1, 20))
def test_no_line_is_too_wide_and_no_character_is_lost(call_number: str, width: int) -> None:
    lines = spine_lines(call_number, narrower(width))  # type: ignore[arg-type]
    assert all(0 < len(line) <= width for line in lines)


@given(st.text(max_size=60), st.integers(1, 20))
def test_a_shortened_text_fits(text: str, width: int) -> None:
    assert len(shortened(text, narrower(width))) <= width  # type: ignore[arg-type]


@pytest.mark.parametrize("grid", GRIDS.values())
def test_the_shipped_sheets_fit_a4_and_labels_do_not_overlap(grid: Grid) -> None:
    assert grid.fits
    per_sheet = grid.columns * grid.rows
    places = [grid.place(number) for number in range(per_sheet + 1)]
    assert [sheet for sheet, _, _ in places] == [0] * per_sheet + [1]
    assert len(set(places)) == per_sheet + 1


def test_spines_say_the_call_numbers_in_both_scripts() -> None:
    labels = [pdf.Label("1", "I242.47/1", "x"), pdf.Label("2", "中文/王明", "x")]
    file = pdf.spines(labels, GRIDS["65"], 0)
    assert texts(file) == ["I242.47", "1", "中文", "王明"]
    assert b"STSong-Light" in file


def test_barcode_labels_say_whose_the_copy_is_and_carry_its_code() -> None:
    file = pdf.barcodes([pdf.Label("30000001", "I0/1", "红楼梦")], GRIDS["40"], 0, library="示范图书馆")
    assert texts(file) == ["示范图书馆", "30000001", "红楼梦"]


@pytest.mark.parametrize(
    ("title", "said"), [("Dvořák", "Dvorak"), ("Cafe\u0301", "Café"), ("Мир", "Мир"), ("안녕", ""), ("𠮷野家", "")]
)
def test_a_title_is_written_as_far_as_the_fonts_have_its_letters(title: str, said: str) -> None:
    assert legible(title) == said
    file = pdf.barcodes([pdf.Label("30000001", "", title)], GRIDS["40"], 0, library="L")
    assert texts(file)[:2] == ["L", "30000001"]


@pytest.mark.parametrize(("barcode", "height"), [("A" * 32, 21.2), ("30000001", 12.0)])
def test_bars_too_narrow_or_too_low_to_be_read_are_refused(barcode: str, height: float) -> None:
    with pytest.raises(LabelTooSmallError):
        pdf.barcodes([pdf.Label(barcode, "", "")], Grid(5, 13, 38.1, height), 0, library="L")


def test_a_low_label_has_bars_and_their_characters_alone() -> None:
    file = pdf.barcodes([pdf.Label("30000001", "", "Title")], Grid(5, 20, 38.1, 13.0), 0, library="L")
    assert texts(file) == ["30000001"]


def test_no_part_of_a_call_number_is_left_out() -> None:
    label = pdf.Label("1", "QA76.73 .P98 B43 2018 v.2 c.1 copy 3 REF", "x")
    assert " ".join(texts(pdf.spines([label], GRIDS["65"], 0))) == label.call_number
    with pytest.raises(LabelOverfullError):
        pdf.spines([label], Grid(1, 1, 15.0, 8.0), 0)


def test_labels_go_on_behind_those_that_are_used_up() -> None:
    labels = [pdf.Label(str(n), f"A{n}", "x") for n in range(3)]
    file = pdf.spines(labels, GRIDS["24"], 23)
    assert file.count(b"/Type /Page\n") == 2
    assert texts(file) == ["A0", "A1", "A2"]


class TestEndpoint:
    def ask(self, client: TestClient, **body: object):  # type: ignore[no-untyped-def]
        wanted = {"kind": "spine", "barcodes": [BOOKS[1], BOOKS[0]]} | body
        return client.post("/api/v1/labels", json=wanted, headers=colleague(client, Role.LIBRARIAN))

    def test_sheets_come_in_the_order_asked(self, client: TestClient, database: Database) -> None:
        with database.writing() as session:
            update_item(session, BOOKS[0], {"call_number": "I210.6/鲁迅"}, By("user:x", NOW))
        answer = self.ask(client)
        assert answer.headers["content-type"] == "application/pdf"
        assert texts(answer.content) == ["I0", "2", "I210.6", "鲁迅"]
        with database.writing() as session:
            update_item(session, BOOKS[0], {"call_number": "895.7 이상"}, By("user:x", NOW))
        refused = self.ask(client)
        assert (refused.status_code, refused.json()["code"]) == (422, "label_letters")
        assert refused.json()["params"] == {"copies": f"{BOOKS[0]} (895.7 이상)"}
        with database.writing() as session:
            update_item(session, BOOKS[1], {"call_number": ""}, By("user:x", NOW))
        blank = self.ask(client).json()
        assert (blank["code"], blank["params"]) == ("label_empty", {"copies": BOOKS[1]})
        page = client.post(
            "/catalogue/labels", data={"barcodes": BOOKS[0], "kind": "spine", "grid": "40", "start": "1"},
            headers=colleague(client, Role.LIBRARIAN) | {"Accept": "text/html", "Accept-Language": "en"},
        )  # fmt: skip
        assert f"{BOOKS[0]} (895.7 이상)" in page.text
        assert texts(self.ask(client, kind="barcode", grid="24", start=24).content)[1] == BOOKS[1]

    @pytest.mark.parametrize(
        ("body", "status", "code"),
        [
            ({"barcodes": ["no-such"]}, 404, "unknown_items"),
            ({"barcodes": []}, 422, "malformed_request"),
            ({"grid": "1000"}, 422, "malformed_request"),
            ({"grid": "24", "start": 25}, 422, "label_start"),
            ({"grid": {"columns": 2, "rows": 5, "width_mm": 60, "height_mm": 29}, "start": 11}, 422, "label_start"),
            ({"start": 0}, 422, "malformed_request"),
            ({"grid": {"columns": 4, "rows": 10, "width_mm": 60, "height_mm": 29}}, 422, "label_grid"),
        ],
    )
    def test_what_cannot_be_printed_is_refused(
        self, client: TestClient, body: dict[str, object], status: int, code: str
    ) -> None:
        answer = self.ask(client, **body)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
