"""Typed FEIG requests and answers against the golden vectors."""

from typing import Any, Literal

import pytest

from rfid.errors import ProtocolError
from rfid.feig import commands
from rfid.feig.commands import Blocks
from rfid.feig.framing import build
from rfid.reader import ReaderInfo, SystemInfo, TagSeen
from tests.support.vectors import raw, vectors

UID = "E0040150A1B2C3D4"


@pytest.mark.parametrize(
    ("name", "request_"),
    [
        ("software version", commands.software_version()),
        ("inventory", commands.inventory()),
        ("inventory, more data", commands.inventory(more=True)),
        ("system information", commands.system_info(UID)),
        ("read blocks 0 to 7", commands.read_blocks(UID, 0, 8)),
        ("write block 4", commands.write_blocks(UID, 4, Blocks(4, (bytes.fromhex("11223344"),)))),
        ("write AFI C2", commands.write_afi(UID, 0xC2)),
        ("write AFI 07", commands.write_afi(UID, 0x07)),
    ],
)
def test_requests_are_the_golden_ones(name: str, request_: commands.Request) -> None:
    [golden] = vectors("feig", "frame", kind="request", form="standard", name=name)
    assert build(0xFF, request_.command, request_.data) == raw(golden.values[0])


def with_field(field: str) -> list[Any]:
    return [each for each in vectors("feig", "frame", kind="answer") if field in each.values[0]]


@pytest.mark.parametrize("vector", with_field("tags"))
def test_inventory_answers_tell_the_golden_tags(vector: dict[str, Any]) -> None:
    tags = [TagSeen(tag["uid"], tag["dsfid"]) for tag in vector["tags"]]
    assert commands.parse_inventory(raw(vector, "data")) == tags


@pytest.mark.parametrize("vector", with_field("system"))
def test_system_information_tells_the_golden_layout(vector: dict[str, Any]) -> None:
    assert commands.parse_system_info(raw(vector, "data"), UID) == SystemInfo(**vector["system"])


@pytest.mark.parametrize("vector", with_field("blocks"))
def test_block_answers_tell_the_golden_blocks(vector: dict[str, Any]) -> None:
    blocks = tuple(bytes.fromhex(block["data"]) for block in vector["blocks"])
    assert commands.parse_blocks(raw(vector, "data"), len(blocks)) == Blocks(4, blocks)


def test_version_answer_tells_the_reader() -> None:
    info = commands.parse_version(bytes.fromhex("03030044530D30"))
    assert info == ReaderInfo(family="feig", firmware="3.3.0", hardware=0x44, model=0x53)


def test_sizes_sent_as_the_chip_has_them_are_understood() -> None:
    minus_one = bytes.fromhex("06" + UID + "07031B01")
    assert commands.parse_system_info(minus_one, UID) == SystemInfo(UID, 6, 7, 4, 28, 1)


def test_blocks_without_security_bytes_are_understood() -> None:
    assert commands.parse_blocks(bytes.fromhex("0204" + "11051CBE991A1400"), 2) == Blocks(
        4, (bytes.fromhex("11051CBE"), bytes.fromhex("991A1400"))
    )


@pytest.mark.parametrize(
    "data",
    ["020300" + UID, "010300" + UID[:-2], "010400" + UID, "010300" + UID + "00"],
    ids=["count too high", "cut", "other tag family", "bytes left over"],
)
def test_wrong_inventories_are_refused(data: str) -> None:
    with pytest.raises(ProtocolError):
        commands.parse_inventory(bytes.fromhex(data))


@pytest.mark.parametrize("data", ["", "0104", "020400112233", "0204" + "00" * 9, "0200" + "00" * 8])
def test_wrong_block_answers_are_refused(data: str) -> None:
    with pytest.raises(ProtocolError):
        commands.parse_blocks(bytes.fromhex(data), 2)


def test_system_information_of_another_tag_is_refused() -> None:
    with pytest.raises(ProtocolError):
        commands.parse_system_info(bytes.fromhex("06E0040150A1B2C3D507041C01"), UID)


def test_short_version_and_data_behind_a_write_are_refused() -> None:
    with pytest.raises(ProtocolError):
        commands.parse_version(b"\x01\x02")
    with pytest.raises(ProtocolError):
        commands.parse_done(b"\x00")


@pytest.mark.parametrize(("order", "wire"), [("direct", "0102030405060708"), ("reversed", "0403020108070605")])
def test_block_byte_order_is_applied_both_ways(order: Literal["direct", "reversed"], wire: str) -> None:
    memory = bytes(range(1, 9))
    blocks = commands.to_wire(memory, 4, order)
    assert b"".join(blocks.blocks).hex() == wire
    assert commands.to_memory(blocks, order) == memory


def test_half_blocks_cannot_be_written() -> None:
    with pytest.raises(ValueError, match="whole blocks"):
        commands.to_wire(bytes(6), 4, "direct")


def test_an_inventory_answer_without_data_holds_no_tags() -> None:
    assert commands.parse_inventory(b"") == []
