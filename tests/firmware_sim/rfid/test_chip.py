"""The simulated ISO 15693 tag, frame by frame."""

from typing import Any

import pytest

from firmware_sim.rfid.air import Target, inventory_frame, request_frame
from firmware_sim.rfid.chip import BLOCK_COUNT, Tag, crc
from tests.support.feig_host import rows

UID = bytes.fromhex("E0040150A1B2C3D4")
FRAMES = {row["name"]: row for row in rows("iso15693.toml", "frame")}
REQUESTS = [
    ("stay quiet", 0x02, ""),
    ("read single block 4", 0x20, "04"),
    ("write single block 4", 0x21, "04 11 22 33 44"),
    ("lock block 0", 0x22, "00"),
    ("read blocks 0 and 1", 0x23, "00 01"),
    ("select", 0x25, ""),
    ("reset to ready", 0x26, ""),
    ("write AFI C2", 0x27, "C2"),
    ("write DSFID 06", 0x29, "06"),
    ("get system information", 0x2B, ""),
    ("security of blocks 0 and 1", 0x2C, "00 01"),
    ("EAS set", 0xA2, ""),
    ("EAS reset", 0xA3, ""),
    ("EAS alarm", 0xA5, ""),
]


def golden(name: str) -> bytes:
    return bytes.fromhex(FRAMES[name]["hex"])


def demo_tag(**state: Any) -> Tag:
    memory = bytearray(bytes.fromhex("11051CBE991A1400") + bytes(104))
    memory[16:20] = bytes.fromhex("11223344")
    return Tag("t", UID, memory=memory, **{"afi": 0x07, "dsfid": 0x06, **state})


def sealed(text: str) -> bytes:
    data = bytes.fromhex(text)
    return data + crc(data)


def ask(tag: Tag, request: bytes) -> bytes | None:
    reply = tag.receive(request)
    return None if reply is None else reply.data


def error(tag: Tag, command: int, params: str) -> int | None:
    answer = ask(tag, request_frame(command, bytes.fromhex(params), Target(UID)))
    assert answer is not None
    return answer[1] if answer[0] & 1 else None


def test_checksum_agrees_with_the_vector() -> None:
    (row,) = rows("iso15693.toml", "check")
    assert crc(row["text"].encode()) == row["value"].to_bytes(2, "little")


@pytest.mark.parametrize(("name", "command", "params"), REQUESTS, ids=[row[0] for row in REQUESTS])
def test_request_vectors_are_sent_on_air(name: str, command: int, params: str) -> None:
    assert request_frame(command, bytes.fromhex(params), Target(UID)) == golden(name)


def test_inventory_vectors_are_sent_on_air() -> None:
    assert inventory_frame(0, 0) == golden("inventory, 16 slots, no mask")
    assert inventory_frame(0x4, 4) == golden("inventory, 16 slots, mask of 4 bits")
    assert inventory_frame(0xD4, 8) == golden("inventory, 16 slots, mask of 8 bits")


@pytest.mark.parametrize(
    ("request_name", "answer_name"),
    [
        ("inventory, 16 slots, no mask", "inventory answer"),
        ("inventory, 1 slot, no mask", "inventory answer"),
        ("inventory, 16 slots, mask of 8 bits", "inventory answer"),
        ("inventory, 1 slot, AFI 07", "inventory answer"),
        ("read single block 4", "one block"),
        ("read blocks 0 and 1", "two blocks"),
        ("read blocks 0 and 1 with security", "two blocks with security, the second locked"),
        ("write AFI C2", "done"),
        ("select", "done"),
    ],
)
def test_a_tag_answers_as_the_vectors_say(request_name: str, answer_name: str) -> None:
    assert ask(demo_tag(locked={1}), golden(request_name)) == golden(answer_name)


def test_system_information_has_the_fields_of_the_vector() -> None:
    answer = ask(demo_tag(), golden("get system information"))
    wanted = golden("system information of a 28 x 4 tag")
    assert answer is not None
    # The IC reference (last byte before the checksum) is each chip's own.
    assert answer[:-3] == wanted[:-3]


def test_errors_are_those_of_the_vectors() -> None:
    assert ask(demo_tag(), sealed("22 20" + UID[::-1].hex() + "1C")) == golden("block absent")
    assert ask(demo_tag(locked={4}), golden("write single block 4")) == golden("block locked")


def test_the_slot_is_the_four_bits_above_the_mask() -> None:
    for name, slot in (("no mask", 0x4), ("mask of 4 bits", 0xD), ("mask of 8 bits", 0x3)):
        reply = demo_tag().receive(golden(f"inventory, 16 slots, {name}"))
        assert reply is not None
        assert reply.slot == slot
    assert demo_tag().receive(inventory_frame(0x5, 4)) is None


@pytest.mark.parametrize(("afi", "answers"), [("00", True), ("07", True), ("C2", False), ("10", False), ("17", False)])
def test_an_inventory_with_afi_is_answered_by_its_family_only(afi: str, answers: bool) -> None:
    assert (ask(demo_tag(), sealed(f"36 01 {afi} 00")) is not None) is answers


def test_a_written_block_is_read_back_and_a_locked_one_keeps_its_bytes() -> None:
    tag = demo_tag()
    assert error(tag, 0x21, "05 DEADBEEF") is None
    assert tag.blocks()[5].hex() == "deadbeef"
    assert error(tag, 0x22, "05") is None
    assert error(tag, 0x22, "05") == 0x11
    assert error(tag, 0x21, "05 00000000") == 0x12
    assert tag.blocks()[5].hex() == "deadbeef"


def test_afi_dsfid_and_eas_can_be_locked() -> None:
    tag = demo_tag()
    for write, lock in ((0x27, 0x28), (0x29, 0x2A)):
        assert error(tag, write, "C2") is None
        assert error(tag, lock, "") is None
        assert error(tag, lock, "") == 0x11
        assert error(tag, write, "07") == 0x12
    assert (tag.afi, tag.dsfid) == (0xC2, 0xC2)
    assert error(tag, 0xA2, "") is None
    assert error(tag, 0xA4, "") is None
    assert error(tag, 0xA3, "") == 0x12
    assert error(tag, 0xA4, "") == 0x11
    assert tag.eas


def test_eas_alarm_is_silence_when_eas_is_off() -> None:
    assert ask(demo_tag(eas=False), golden("EAS alarm")) is None
    answer = ask(demo_tag(eas=True), golden("EAS alarm"))
    assert answer is not None
    assert len(answer) == 1 + 32 + 2


def test_a_quiet_tag_answers_only_when_named() -> None:
    tag = demo_tag()
    assert ask(tag, golden("stay quiet")) is None
    assert ask(tag, inventory_frame(0, 0)) is None
    assert ask(tag, sealed("02 20 00")) is None
    assert ask(tag, golden("read single block 4")) == golden("one block")
    assert ask(tag, golden("reset to ready")) == golden("done")
    assert ask(tag, inventory_frame(0, 0)) is not None


def test_only_the_selected_tag_hears_selected_commands() -> None:
    tag = demo_tag()
    selected_read = sealed("12 20 04")
    assert ask(tag, selected_read) is None
    ask(tag, golden("select"))
    assert ask(tag, selected_read) == golden("one block")
    other = bytes.fromhex("E0040150A1B2C3D5")
    ask(tag, request_frame(0x25, b"", Target(other)))
    assert ask(tag, selected_read) is None


def test_losing_the_field_forgets_quiet_and_selected() -> None:
    tag = demo_tag()
    ask(tag, golden("stay quiet"))
    tag.power_down()
    assert ask(tag, inventory_frame(0, 0)) is not None


def test_frames_that_are_damaged_or_not_for_it_are_met_with_silence() -> None:
    tag = demo_tag()
    damaged = bytearray(golden("read single block 4"))
    damaged[3] ^= 1
    assert ask(tag, bytes(damaged)) is None
    assert ask(tag, b"") is None
    assert ask(tag, b"\x22\x20") is None
    assert ask(tag, sealed("22 A2 05" + UID[::-1].hex())) is None
    assert ask(tag, sealed("26 02 00")) is None
    assert ask(tag, sealed("06 01 FF")) is None
    assert ask(tag, sealed("06 01")) is None


def test_what_it_cannot_do_is_refused_when_named_and_ignored_otherwise() -> None:
    tag = demo_tag()
    assert error(tag, 0x24, "00 00 11223344") == 0x01
    assert error(tag, 0x20, "00 00") == 0x02
    assert error(tag, 0x23, f"00 {BLOCK_COUNT:02X}") == 0x10
    assert error(tag, 0x2C, "1B 01") == 0x10
    assert ask(tag, sealed("02 24 00")) is None


def test_faults_refuse_writes_and_let_the_tag_vanish() -> None:
    tag = demo_tag(pad="p")
    tag.fail_writes = 2
    assert error(tag, 0x27, "C2") == 0x13
    assert error(tag, 0x20, "00") is None
    assert error(tag, 0x21, "04 00000000") == 0x13
    assert error(tag, 0x27, "C2") is None
    tag.vanish_after = 2
    lay = []
    for _ in range(2):
        assert error(tag, 0x20, "00") is None
        lay.append(tag.pad)
    assert lay == ["p", None]
    tag.move("p")
    tag.vanish_after = 0
    assert ask(tag, golden("read single block 4")) is None
    lay.append(tag.pad)
    assert lay[2:] == [None]
