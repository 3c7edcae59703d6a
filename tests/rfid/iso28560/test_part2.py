"""ISO 28560-2 items: fields, contradictions, and round trips."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rfid.iso28560 import part2
from rfid.iso28560.model import Decoded, Model, Status
from tests.support.vectors import raw, vectors

texts = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)
isils = st.from_regex(r"[A-Z]{2}-[A-Za-z0-9]{1,11}", fullmatch=True)


@st.composite
def items(draw: st.DrawFn) -> Decoded:
    parts = draw(st.none() | st.integers(1, 120))
    return Decoded(
        Model.ISO28560_2,
        Status.OK,
        pii=draw(st.text("0123456789ABCdef.-", min_size=1, max_size=20)),
        owner=draw(st.none() | isils),
        set_parts=parts,
        set_part=None if parts is None else draw(st.integers(1, parts)),
        usage=draw(st.none() | st.integers(0, 255).map("{:02X}".format)),
        shelf_location=draw(st.none() | texts),
        title=draw(st.none() | texts),
        ill_borrower=draw(st.none() | isils | texts),
        local_data_a=draw(st.none() | texts),
        other=draw(st.dictionaries(st.sampled_from(["9", "10", "27", "31"]), texts, max_size=2)),
    )


@given(items(), st.sampled_from([4, 8]), st.booleans())
def test_every_item_comes_back(item: Decoded, block_size: int, content_parameter: bool) -> None:
    memory = part2.encode(item, block_size=block_size, content_parameter=content_parameter)
    assert len(memory) % block_size == 0
    decoded = part2.decode(memory)
    assert (decoded.content_parameter is not None) <= content_parameter
    fields = decoded.to_json()
    fields.pop("content_parameter", None)
    assert fields == item.to_json()


@given(items(), st.integers(0, 60), st.integers(0, 255))
def test_a_changed_byte_never_raises(item: Decoded, position: int, value: int) -> None:
    memory = bytearray(part2.encode(item))
    memory[position % len(memory)] = value
    part2.decode(bytes(memory))


@given(st.binary(max_size=112))
def test_noise_never_raises(memory: bytes) -> None:
    part2.decode(memory)


def test_the_item_id_fills_its_blocks_so_that_it_can_be_locked() -> None:
    memory = part2.encode(Decoded(Model.ISO28560_2, Status.OK, pii="1620168259", usage="10"))
    assert memory == bytes.fromhex("9101046091CE4380 05011000")


@pytest.mark.parametrize("vector", vectors("iso28560", "content_parameter"))
def test_golden_content_parameters_are_read_and_written(vector: dict[str, Any]) -> None:
    element = bytes.fromhex("110203E8 02") + bytes((len(raw(vector)),)) + raw(vector)
    assert part2.decode(element).content_parameter == tuple(vector["elements"])
    fields: dict[int, dict[str, Any]] = {3: {"owner": "XX-1"}, 4: {"set_parts": 2, "set_part": 1}, 5: {"usage": "10"}}
    fields |= {6: {"shelf_location": "A"}, 7: {"onix_media_format": "BA"}}
    chosen: dict[str, Any] = {}
    for oid in vector["elements"]:
        chosen |= fields[oid]
    item = Decoded(Model.ISO28560_2, Status.OK, pii="1000", **chosen)
    assert element in part2.encode(item, content_parameter=True)


@pytest.mark.parametrize(
    ("memory", "status", "problems"),
    [
        ("110203E8 02014000", Status.INCONSISTENT, ("missing:4",)),
        ("110203E8 050110 05011000", Status.INCONSISTENT, ("duplicate:5",)),
        ("110203E8 24020203 00", Status.INCONSISTENT, ("set",)),
        ("110203E8 2402123F 00", Status.CORRUPT, ("value",)),
        ("110203E8 05021011 00", Status.CORRUPT, ("value",)),
        ("110203E8 6700 00", Status.CORRUPT, ("value",)),
        ("010103 00", Status.CORRUPT, ("value",)),
        ("110203E8 050110 637F", Status.CORRUPT, ("length",)),
        ("110203E8 110203E9 637F", Status.TORN, ("length", "duplicate:1")),
    ],
)
def test_what_is_wrong_is_named(memory: str, status: Status, problems: tuple[str, ...]) -> None:
    decoded = part2.decode(bytes.fromhex(memory))
    assert (decoded.status, decoded.problems) == (status, problems)
    assert decoded.trusted == (problems == ("missing:4",))


@pytest.mark.parametrize(("digits", "parts", "part"), [("21", 2, 1), ("0302", 3, 2), ("1203", 12, 3)])
def test_set_information_is_two_halves(digits: str, parts: int, part: int) -> None:
    memory = bytes.fromhex("110203E8") + bytes((0x64, len(digits))) + digits.encode() + b"\0"
    decoded = part2.decode(memory)
    assert (decoded.set_parts, decoded.set_part, decoded.status) == (parts, part, Status.OK)


@pytest.mark.parametrize("owner", ["03 07 ACC09EBAA06F6B", "53 08 AB4D6C9DD556CDEB", "63 09 55532D496E552D4D75"])
def test_any_coding_of_an_owner_is_read(owner: str) -> None:
    assert part2.decode(bytes.fromhex("110203E8" + owner + "00")).owner == "US-InU-Mu"


def test_an_item_without_id_is_not_written() -> None:
    with pytest.raises(ValueError, match="primary item id"):
        part2.encode(Decoded(Model.ISO28560_2, Status.OK, usage="10"))


def test_a_beginning_settles_the_identity_when_the_content_parameter_says_so() -> None:
    item = Decoded(
        Model.ISO28560_2, Status.OK, pii="30000001", owner="CN-000001-DEMO", usage="10", title="一部很长的书名" * 3
    )
    chain = part2.cut_chain(part2.encode(item, content_parameter=True)[:32])
    assert chain is not None
    decoded = part2.decode_chain(chain, whole=False)
    assert (decoded.pii, decoded.owner, decoded.usage) == ("30000001", "CN-000001-DEMO", "10")
    assert (decoded.title, decoded.status, decoded.trusted) == (None, Status.OK, True)


def test_without_content_parameter_or_with_the_owner_cut_off_the_beginning_settles_nothing() -> None:
    item = Decoded(Model.ISO28560_2, Status.OK, pii="30000001", owner="CN-000001-DEMO", usage="10", title="x" * 40)
    assert part2.cut_chain(part2.encode(item)[:32]) is None
    assert part2.cut_chain(part2.encode(item, content_parameter=True)[:16]) is None
