"""What stands on the demo's tags."""

from typing import Any

import pytest

from firmware_sim.rfid.content import (
    PATRON,
    ContentError,
    Label,
    compact,
    content_parameter,
    encode,
    encode_isil,
)
from tests.support.feig_host import rows

ELEMENTS = rows("iso28560.toml", "element")
CODED = [row for row in ELEMENTS if row["compaction"] and row["name"] != "owner, 7-bit"]
ISIL = [row for row in ELEMENTS if row["oid"] == 3 and row["compaction"] == 0]


def data_of(row: dict[str, Any]) -> bytes:
    raw = bytes.fromhex(row["hex"])
    at = 2 if raw[0] & 0x80 else 1
    return raw[at + 1 : at + 1 + raw[at]]


@pytest.mark.parametrize("row", CODED, ids=lambda row: row["name"])
def test_values_are_compacted_as_in_the_vectors(row: dict[str, Any]) -> None:
    assert compact(row["text"]) == (row["compaction"], data_of(row))


def test_seven_bit_compaction_is_as_in_the_vector() -> None:
    (row,) = [row for row in ELEMENTS if row["name"] == "owner, 7-bit"]
    assert compact(row["text"]) == (5, data_of(row))


@pytest.mark.parametrize("row", ISIL, ids=lambda row: row["name"])
def test_owners_are_coded_as_in_the_vectors(row: dict[str, Any]) -> None:
    assert encode_isil(row["text"]) == data_of(row)


@pytest.mark.parametrize("row", rows("iso28560.toml", "content_parameter"), ids=lambda row: row["name"])
def test_content_parameters_are_as_in_the_vectors(row: dict[str, Any]) -> None:
    assert content_parameter(row["elements"]) == bytes.fromhex(row["hex"])


@pytest.mark.parametrize(
    ("text", "code", "data"),
    [
        ("0302", 2, "0302"),
        ("012", 2, "012F"),
        ("12345678901234567890", 2, "12345678901234567890"),
        ("ABC", 3, "0886"),
        ("AB C", 4, "042803"),
        ("A1", 6, "4131"),
        ("Ünter", 6, "DC6E746572"),
        ("书", 7, "E4B9A6"),
    ],
)
def test_the_first_compaction_that_fits_is_taken(text: str, code: int, data: str) -> None:
    assert compact(text) == (code, bytes.fromhex(data))


def test_an_items_label_starts_with_an_item_id_that_can_be_locked_alone() -> None:
    memory = encode(Label("30000001", "CN-000001-DEMO", set_info="11", onix_media_format="BA"), 112)
    assert (
        memory.hex(" ")
        .upper()
        .startswith(
            "91 01 04 01 C9 C3 81 80 02 01 E8 03 09 1B 81 E0 00 00 1A C2 15 AF 14 01 0B 05 01 10 67 02 42 41 00"
        )
    )
    assert len(memory) == 112


def test_a_cards_label_says_patron() -> None:
    memory = encode(Label("90000001", "CN-000001-DEMO", usage=PATRON), 112)
    assert b"\x05\x01\x80" in memory
    assert memory[8:11] == b"\x02\x01\xa0"


def test_a_title_comes_last_as_utf_8_in_element_17() -> None:
    memory = encode(Label("30000001", "CN-000001-DEMO", title="红楼梦"), 112).rstrip(b"\0")
    assert memory.endswith(b"\x7f\x02\x09" + "红楼梦".encode())
    assert memory[8:13] == b"\x02\x02\xa0\x02\x03"


def test_a_label_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ContentError, match="30000001"):
        encode(Label("30000001", "CN-000001-DEMO", title="x" * 100), 112)
    with pytest.raises(ContentError, match="127"):
        encode(Label("30000001", "CN-000001-DEMO", title="x" * 128), 1120)
    with pytest.raises(ContentError, match="ISIL"):
        encode(Label("30000001", "CN_1"), 112)


def test_the_demo_librarys_tags_are_those_of_the_vectors() -> None:
    item = Label("30000001", "CN-000001-DEMO", set_info="11", onix_media_format="BA")
    card = Label("90000001", "CN-000001-DEMO", usage=PATRON)
    for name, label in (("item", item), ("patron card", card)):
        (row,) = [row for row in rows("iso28560.toml", "case") if row["name"] == f"{name} of the demo library"]
        wanted = bytes.fromhex(row["hex"])
        assert encode(label, len(wanted)) == wanted
