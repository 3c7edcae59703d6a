"""Every request of the reader's table, answered by a reader with tags in its field; air time does not pass here."""

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.rfid.chip import Tag
from firmware_sim.rfid.feig import Answer, Framer, Request, encode_answer
from firmware_sim.rfid.reader import Reader
from tests.support.feig_host import ask, pauses, rows, run

UID = bytes.fromhex("E0040150A1B2C3D4")
ADDRESSED = b"\x01" + UID
FRAMES = {(row["kind"], row["name"]): bytes.fromhex(row["hex"]) for row in rows("feig.toml", "frame")}


def demo_tag(uid: bytes = UID, **state: Any) -> Tag:
    memory = bytearray(bytes.fromhex("11051CBE991A1400") + bytes(104))
    return Tag(uid.hex(), uid, memory=memory, **{"afi": 0x07, "dsfid": 0x06, "eas": True, "pad": "p", **state})


def reader_with(*tags: Tag, **options: Any) -> Reader:
    return Reader(lambda: [tag for tag in tags if tag.pad], **options)


def many(count: int) -> list[Tag]:
    return [
        demo_tag(b"\xe0\x04\x01\x50" + (index * 0x9E3779B1 & 0xFFFFFFFF).to_bytes(4, "big")) for index in range(count)
    ]


def wire(reader: Reader, name: str) -> bytes:
    """The answer's bytes to a request vector."""
    (request,) = Framer().feed(FRAMES["request", name], 0.0)
    answer, _ = run(reader.handle(request))
    assert isinstance(answer, Answer)
    return encode_answer(reader.com_adr, request.command, answer, advanced=request.advanced)


def uids(answer: Answer) -> list[bytes]:
    count, records = answer.data[0], answer.data[1:]
    assert len(records) == 10 * count
    assert all(records[at] == 0x03 for at in range(0, len(records), 10))
    return [records[at + 2 : at + 10] for at in range(0, len(records), 10)]


@pytest.mark.parametrize(
    ("request_name", "answer_name"),
    [
        ("inventory", "inventory, one tag"),
        ("inventory, advanced", "inventory, one tag, advanced"),
        ("system information", "system information of a 28 x 4 tag"),
        ("read blocks 0 and 1 with security status", "two blocks"),
        ("write block 4", "done"),
        ("write AFI C2", "done"),
        ("write DSFID 06", "done"),
        ("lock blocks 0 and 1", "done"),
        ("stay quiet", "done"),
        ("select", "done"),
        ("reset to ready, addressed", "done"),
        ("EAS alarm", "EAS alarm, a tag with EAS on is there"),
        ("EAS set", "EAS alarm, a tag with EAS on is there"),
        ("RF reset", "RF reset done"),
        ("baud rate detection", "baud rate detected"),
    ],
)
def test_answers_are_those_of_the_vectors(request_name: str, answer_name: str) -> None:
    assert wire(reader_with(demo_tag()), request_name) == FRAMES["answer", answer_name]


def test_with_an_empty_field_every_tag_command_finds_no_tag() -> None:
    reader = reader_with()
    for (kind, name), raw in FRAMES.items():
        if kind == "request":
            (request,) = Framer().feed(raw, 0.0)
            # No tag ever answers Stay Quiet, so none can be missed.
            if request.command == 0xB0 and name != "stay quiet":
                assert run(reader.handle(request))[0] == Answer(0x01), name
    assert wire(reader, "inventory") == FRAMES["answer", "no tag in the field"]
    assert wire(reader, "EAS alarm") == FRAMES["answer", "EAS alarm, none"]


def test_write_read_and_afi_change_the_tag() -> None:
    tag = demo_tag()
    reader = reader_with(tag)
    assert ask(reader, 0xB0, b"\x24" + ADDRESSED + b"\x1a\x02\x04" + bytes(range(8))).status == 0
    assert tag.blocks()[26:] == [bytes(range(4)), bytes(range(4, 8))]
    answer = ask(reader, 0xB0, b"\x23" + ADDRESSED + b"\x19\x03")
    assert answer == Answer(0, bytes.fromhex("03 04 00 00000000 00 00010203 00 04050607"))
    assert ask(reader, 0xB0, b"\x27" + ADDRESSED + b"\xc2").status == 0
    assert tag.afi == 0xC2
    assert ask(reader, 0xB0, b"\x2b" + ADDRESSED).data[9] == 0xC2
    assert ask(reader, 0xB1, b"\x04\xa3" + ADDRESSED).status == 0
    assert not tag.eas
    assert ask(reader, 0xB1, b"\x04\xa5" + ADDRESSED).status == 0x01


def test_one_block_is_read_with_and_without_its_security_byte() -> None:
    reader = reader_with(demo_tag(locked={0}))
    assert ask(reader, 0xB0, b"\x23" + ADDRESSED + b"\x00\x01").data.hex() == "01040011051cbe"
    assert ask(reader, 0xB0, b"\x23\x09" + UID + b"\x00\x01").data.hex() == "01040111051cbe"
    assert ask(reader, 0xB0, b"\x2c" + ADDRESSED + b"\x00\x03").data.hex() == "03010000"


def test_a_reader_that_sends_the_highest_byte_first_reverses_each_block() -> None:
    tag = demo_tag()
    reader = reader_with(tag, block_bytes="reversed")
    assert ask(reader, 0xB0, b"\x23" + ADDRESSED + b"\x00\x02").data.hex() == "020400be1c051100" + "00141a99"
    ask(reader, 0xB0, b"\x24" + ADDRESSED + b"\x04\x01\x04\x44\x33\x22\x11")
    assert tag.blocks()[4].hex() == "11223344"


def test_locked_and_absent_blocks_are_named_in_the_answer() -> None:
    reader = reader_with(demo_tag(locked={5}, afi_locked=True))
    assert ask(reader, 0xB0, b"\x24" + ADDRESSED + b"\x04\x02\x04" + bytes(8)) == Answer(0x95, b"\x12\x05")
    assert ask(reader, 0xB0, b"\x24" + ADDRESSED + b"\x1c\x01\x04" + bytes(4)) == Answer(0x95, b"\x10\x1c")
    assert ask(reader, 0xB0, b"\x22" + ADDRESSED + b"\x04\x02") == Answer(0x95, b"\x11\x05")
    assert ask(reader, 0xB0, b"\x23" + ADDRESSED + b"\x1b\x02") == Answer(0x95, b"\x10")
    assert ask(reader, 0xB0, b"\x24" + ADDRESSED + b"\x04\x01\x08" + bytes(8)) == Answer(0x95, b"\x02\x04")
    assert ask(reader, 0xB0, b"\x27" + ADDRESSED + b"\x07") == Answer(0x95, b"\x12")
    assert ask(reader, 0xB0, b"\x28" + ADDRESSED) == Answer(0x95, b"\x11")


def test_a_tag_removed_in_mid_write_leaves_the_blocks_before_written() -> None:
    tag = demo_tag()
    reader = reader_with(tag)
    tag.vanish_after = 2
    answer = ask(reader, 0xB0, b"\x24" + ADDRESSED + b"\x04\x03\x04" + b"\xaa" * 12)
    assert answer == Answer(0x03, b"\x06")
    assert [block.hex() for block in tag.blocks()[4:7]] == ["aaaaaaaa", "aaaaaaaa", "00000000"]
    assert ask(reader, 0xB0, b"\x01\x00") == Answer(0x01)


def test_a_write_that_fails_on_the_chip_is_told() -> None:
    tag = demo_tag()
    tag.fail_writes = 1
    reader = reader_with(tag)
    assert ask(reader, 0xB0, b"\x27" + ADDRESSED + b"\xc2") == Answer(0x95, b"\x13")
    assert ask(reader, 0xB0, b"\x27" + ADDRESSED + b"\xc2") == Answer(0x00)


@pytest.mark.parametrize("count", [0, 1, 24, 25, 48, 49, 50])
def test_an_inventory_is_fetched_page_by_page_in_standard_frames(count: int) -> None:
    tags = many(count)
    reader = reader_with(*tags)
    answer = ask(reader, 0xB0, b"\x01\x00")
    if not count:
        assert answer == Answer(0x01)
        return
    found = uids(answer)
    while answer.status == 0x94:
        assert answer.data[0] == 24
        answer = ask(reader, 0xB0, b"\x01\x80")
        found += uids(answer)
    assert answer.status == 0
    assert sorted(found) == sorted(tag.uid for tag in tags)
    assert ask(reader, 0xB0, b"\x01\x80") == Answer(0x01)


def test_an_advanced_inventory_brings_fifty_tags_at_once() -> None:
    answer = ask(reader_with(*many(50)), 0xB0, b"\x01\x00", advanced=True)
    assert (answer.status, answer.data[0]) == (0, 50)


def test_two_tags_of_one_uid_make_an_unfinished_anticollision() -> None:
    other = demo_tag(bytes.fromhex("E0040150A1B2C3D5"))
    answer = ask(reader_with(demo_tag(), demo_tag(), other), 0xB0, b"\x01\x00")
    assert answer.status == 0x83
    assert uids(answer) == [other.uid]


def test_a_notified_inventory_waits_for_a_tag() -> None:
    tag = demo_tag(pad=None)
    reader = reader_with(tag)
    assert pauses(reader, 0xB0, b"\x01\x40\x0a") == pytest.approx(1.0)
    assert ask(reader, 0xB0, b"\x01\x40\x0a") == Answer(0x01)


def test_a_notified_inventory_answers_as_soon_as_a_tag_comes() -> None:
    tag = demo_tag(pad=None)
    reader = reader_with(tag)
    steps = reader.handle(Request(0xFF, 0xB0, b"\x01\x40\xff", False, 8))
    for _ in itertools.islice(steps, 20):
        pass
    tag.move("p")
    answer, _ = run(steps)
    assert uids(answer) == [UID]


def test_the_antenna_byte_is_obeyed() -> None:
    reader = reader_with(demo_tag())
    assert ask(reader, 0xB0, b"\x01\x10\x01").status == 0
    assert ask(reader, 0xB0, b"\x01\x10\x02") == Answer(0x01)
    assert ask(reader, 0xB0, b"\x01\x70\x01\x00").status == 0
    assert ask(reader, 0xB0, b"\x01\x20").status == 0


def test_with_ont_off_quiet_tags_are_found_again_and_with_ont_on_only_new_ones() -> None:
    tag = demo_tag()
    reader = reader_with(tag)
    ask(reader, 0xB0, b"\x02" + ADDRESSED)
    assert uids(ask(reader, 0xB0, b"\x01\x00")) == [UID]
    only_new = b"\x05" + bytes(11) + b"\x01" + bytes(2)
    assert ask(reader, 0x81, only_new) == Answer(0)
    assert uids(ask(reader, 0xB0, b"\x01\x00")) == [UID]
    assert ask(reader, 0xB0, b"\x01\x00") == Answer(0x01)
    assert ask(reader, 0x69) == Answer(0)
    assert uids(ask(reader, 0xB0, b"\x01\x00")) == [UID]
    assert ask(reader, 0xB0, b"\x26" + ADDRESSED) == Answer(0)
    assert uids(ask(reader, 0xB0, b"\x01\x00")) == [UID]


def test_un_addressed_commands_work_for_one_tag_and_collide_for_two() -> None:
    one = reader_with(demo_tag())
    assert ask(one, 0xB0, b"\x2b\x00").data[1:9] == UID
    two = reader_with(demo_tag(), demo_tag(bytes.fromhex("E0040150A1B2C3D5")))
    assert ask(two, 0xB0, b"\x2b\x00") == Answer(0x02)


def test_a_selected_tag_is_reached_without_its_uid() -> None:
    tags = demo_tag(), demo_tag(bytes.fromhex("E0040150A1B2C3D5"))
    reader = reader_with(*tags)
    assert ask(reader, 0xB0, b"\x27\x02\xc2") == Answer(0x01)
    assert ask(reader, 0xB0, b"\x25" + ADDRESSED) == Answer(0)
    assert ask(reader, 0xB0, b"\x27\x02\xc2") == Answer(0)
    assert [tag.afi for tag in tags] == [0xC2, 0x07]
    assert ask(reader, 0xB0, b"\x26\x02") == Answer(0)
    assert ask(reader, 0xB0, b"\x27\x02\xc2") == Answer(0x01)


def test_with_the_field_off_nothing_is_found_until_it_is_on() -> None:
    reader = reader_with(demo_tag())
    assert ask(reader, 0x6A, b"\x00") == Answer(0)
    assert ask(reader, 0xB0, b"\x01\x00") == Answer(0x01)
    assert ask(reader, 0x6A, b"\x01") == Answer(0)
    assert ask(reader, 0xB0, b"\x01\x00").status == 0
    assert ask(reader, 0x6A, b"\x02") == Answer(0x11)


def test_version_and_info_tell_of_an_hf_reader_for_iso_15693() -> None:
    reader = reader_with()
    version = ask(reader, 0x65)
    assert (version.status, len(version.data)) == (0, 7)
    assert version.data[6] & 0x08
    info = ask(reader, 0x66, b"\x00")
    assert info.data == version.data + b"\x04\x00\x04\x00"
    assert len(ask(reader, 0x66, b"\x80").data) == 16
    assert ask(reader, 0x66, b"\x07") == Answer(0x11)
    assert wire(reader, "software version, advanced")[:7] == bytes.fromhex("02 00 0F 00 65 00 01")


def test_configuration_is_memory_and_survives_a_restart_only_in_eeprom() -> None:
    reader = reader_with()
    values = bytes(range(14))
    assert ask(reader, 0x81, b"\x07" + values) == Answer(0)
    assert ask(reader, 0x80, b"\x07") == Answer(0, values)
    assert ask(reader, 0x80, b"\x87") == Answer(0, bytes(14))
    assert ask(reader, 0x63) == Answer(0)
    assert ask(reader, 0x80, b"\x07") == Answer(0, bytes(14))
    ask(reader, 0x81, b"\x87" + values)
    ask(reader, 0x64)
    assert ask(reader, 0x80, b"\x07") == Answer(0, values)
    assert ask(reader, 0x80, b"\x10") == Answer(0x15)
    assert ask(reader, 0x80, b"\x40") == Answer(0x11)


def test_the_bus_address_comes_into_force_at_a_restart() -> None:
    reader = reader_with()
    ask(reader, 0x81, b"\x81\x12" + bytes(13))
    assert reader.com_adr == 0
    ask(reader, 0x63)
    assert reader.com_adr == 0x12


@pytest.mark.parametrize(
    ("command", "data", "status"),
    [
        (0x77, "", 0x80),
        (0x31, "", 0x80),
        (0x65, "00", 0x81),
        (0x80, "", 0x81),
        (0x81, "07 00", 0x81),
        (0xB0, "", 0x81),
        (0xB0, "01", 0x81),
        (0xB0, "01 00 00", 0x81),
        (0xB0, "01 40", 0x81),
        (0xB0, "7F 00", 0x80),
        (0xB0, "23", 0x81),
        (0xB0, "23 00", 0x81),
        (0xB0, "23 01 E004", 0x81),
        (0xB0, "23 03 00 01", 0x11),
        (0xB0, "23 10 00 01", 0x11),
        (0xB0, "23 00 00 00", 0x11),
        (0xB0, "23 00 00 21", 0x11),
        (0xB0, "24 00 00 01 00", 0x11),
        (0xB0, "24 00 00 21 04", 0x11),
        (0xB0, "24 00 00 01 04 112233", 0x81),
        (0xB0, "22 00 00 00", 0x11),
        (0xB0, "2C 00 00 00", 0x11),
        (0xB0, "02 00", 0x11),
        (0xB0, "25 02", 0x11),
        (0xB0, "27 00", 0x81),
        (0xB0, "2B 00 00", 0x81),
        (0xB1, "04 A2", 0x81),
        (0xB1, "04 A6 00", 0x80),
        (0xB1, "07 A2 00", 0x05),
    ],
)
def test_wrong_requests_get_their_status(command: int, data: str, status: int) -> None:
    assert ask(reader_with(demo_tag()), command, bytes.fromhex(data)) == Answer(status)


@given(st.integers(0, 255), st.binary(max_size=40))
def test_no_request_breaks_the_reader(command: int, data: bytes) -> None:
    reader = reader_with(demo_tag())
    assert 0 <= ask(reader, command, data).status <= 0xFF
    assert ask(reader, 0x65).status == 0


@given(st.sampled_from([0x01, 0x02, *range(0x20, 0x2D), 0xA2]), st.binary(max_size=24))
def test_no_host_command_breaks_the_reader(command: int, data: bytes) -> None:
    reader = reader_with(demo_tag())
    assert 0 <= ask(reader, 0xB0, bytes((command,)) + data).status <= 0xFF
    assert 0 <= ask(reader, 0xB0, bytes((command,)) + ADDRESSED + data).status <= 0xFF
