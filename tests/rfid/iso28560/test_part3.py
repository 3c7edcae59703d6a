"""ISO 28560-3 basic blocks and their extension blocks."""

from functools import reduce
from operator import xor
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rfid.iso28560 import part3
from rfid.iso28560.model import Decoded, Model, Status
from tests.support.vectors import raw, vectors

GOLDEN = bytes.fromhex("110101313233343536373839" + "00" * 7 + "D927" + "4445426F313333" + "00" * 6)


def extension(block_id: int, payload: bytes) -> bytes:
    block = bytes((len(payload) + 4, block_id, 0))
    return block + bytes((reduce(xor, block + payload),)) + payload


@pytest.mark.parametrize("vector", vectors("iso28560", "check", value=0x29B1))
def test_checksum_agrees_with_the_published_check_value(vector: dict[str, Any]) -> None:
    assert part3.crc16(vector["text"].encode()) == vector["value"]


@pytest.mark.parametrize("vector", vectors("iso28560", "case", model="iso28560-3", status="ok"))
def test_golden_block_is_written(vector: dict[str, Any]) -> None:
    item = Decoded(Model.ISO28560_3, Status.OK, pii="123456789", owner="DE-Bo133", usage="1", set_parts=1, set_part=1)
    assert part3.encode(item) == raw(vector)[:34] == GOLDEN


@given(
    pii=st.text("0123456789ABC", min_size=1, max_size=16),
    owner=st.from_regex(r"[A-Z]{2}-[A-Za-z0-9]{1,8}", fullmatch=True),
    parts=st.integers(1, 255),
    short=st.booleans(),
)
def test_every_item_comes_back(pii: str, owner: str, parts: int, short: bool) -> None:
    item = Decoded(Model.ISO28560_3, Status.OK, pii=pii, owner=owner, usage="1", set_parts=parts, set_part=1)
    decoded = part3.decode(part3.encode(item, short=short))
    assert decoded.status is Status.OK
    assert (decoded.pii, decoded.owner, decoded.set_parts, decoded.set_part) == (pii, owner, parts, 1)
    assert decoded.owned_by(owner)
    assert not decoded.owned_by(owner + "x")


def test_an_owner_cut_by_a_short_tag_is_still_ours() -> None:
    item = Decoded(Model.ISO28560_3, Status.OK, pii="1", owner="CN-000001-DE", usage="1")
    decoded = part3.decode(part3.encode(item, short=True))
    assert decoded.owned_by("CN-000001-DEMO")
    assert not decoded.owned_by("CN-000002-DEMO")
    assert part3.decode(part3.encode(item)).owned_by("CN-000001-DEMO") is False


def test_extension_blocks_are_read() -> None:
    blocks = [
        extension(1, b"\x01" + b"alt-1\x00XX-2"),
        extension(3, b"shelf 5\x00mm\x00BA"),
        extension(4, "书名".encode()),
        extension(5, b"YY-1\x00tx9"),
        extension(9, b"\xab"),
    ]
    decoded = part3.decode(GOLDEN + b"".join(blocks) + b"\0" * 4)
    assert decoded.status is Status.OK
    assert (decoded.media_format, decoded.shelf_location, decoded.marc_media_format) == ("1", "shelf 5", "mm")
    assert (decoded.onix_media_format, decoded.title) == ("BA", "书名")
    assert (decoded.ill_borrower, decoded.ill_transaction) == ("YY-1", "tx9")
    assert decoded.other == {"22": "alt-1", "23": "XX-2", "block9": "ab"}
    assert part3.whole(GOLDEN + b"".join(blocks) + b"\0")
    assert not part3.whole(GOLDEN + blocks[0])


def test_broken_extension_blocks_leave_the_others_good() -> None:
    wrong = bytearray(extension(4, b"title"))
    wrong[-1] ^= 1
    decoded = part3.decode(GOLDEN + bytes(wrong) + extension(5, b"YY-1") + b"\x40\x01")
    assert (decoded.status, decoded.problems) == (Status.CORRUPT, ("xor", "length"))
    assert (decoded.pii, decoded.title, decoded.ill_borrower) == ("123456789", None, "YY-1")
    assert not decoded.trusted


@pytest.mark.parametrize(
    ("parts", "part", "status"),
    [(1, 2, Status.INCONSISTENT), (0, 0, Status.OK), (2, 0, Status.INCONSISTENT), (3, 3, Status.OK)],
)
def test_impossible_parts_are_named(parts: int, part: int, status: Status) -> None:
    block = bytearray(GOLDEN)
    block[1:3] = bytes((parts, part))
    body = bytes(block[:19] + block[21:])
    block[19:21] = part3.crc16(body).to_bytes(2, "little")
    decoded = part3.decode(bytes(block))
    assert (decoded.status, "set" in decoded.problems) == (status, status is Status.INCONSISTENT)


def test_a_block_without_item_id_is_inconsistent() -> None:
    block = bytearray(GOLDEN)
    block[3:19] = bytes(16)
    block[19:21] = part3.crc16(bytes(block[:19] + block[21:])).to_bytes(2, "little")
    assert part3.decode(bytes(block)).problems == ("missing:1",)


def test_too_little_memory_is_corrupt() -> None:
    assert part3.decode(GOLDEN[:20]).status is Status.CORRUPT


def test_owners_that_are_no_isil_stay_raw() -> None:
    item = Decoded(Model.ISO28560_3, Status.OK, pii="1", owner="1234567", usage="1")
    decoded = part3.decode(part3.encode(item))
    assert (decoded.owner, decoded.owner_raw) == (None, "1234567")


def test_fields_that_do_not_fit_are_refused() -> None:
    for pii, owner in [("", "XX-1"), ("1" * 17, "XX-1"), ("1", "XX-12345678901234")]:
        with pytest.raises(ValueError, match="does not fit"):
            part3.encode(Decoded(Model.ISO28560_3, Status.OK, pii=pii, owner=owner))


@given(st.binary(min_size=30, max_size=112))
def test_noise_never_raises(memory: bytes) -> None:
    part3.decode(memory)
    part3.whole(memory)
