"""The field: collisions parted, and the time that commands take on air."""

import random
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.rfid.air import Census, Target, exchange, inventory, inventory_frame, request_s, slot_s
from firmware_sim.rfid.chip import Tag
from tests.support.feig_host import rows, run

TIMINGS = {row["name"]: row["ms"] for row in rows("iso15693.toml", "timing")}
COMMANDS = [
    ("read 1 block at once", 0x23, "00 00"),
    ("read 8 blocks at once", 0x23, "00 07"),
    ("read 13 blocks at once", 0x23, "00 0C"),
    ("read 16 blocks at once", 0x23, "00 0F"),
    ("read 28 blocks at once", 0x23, "00 1B"),
    ("read single block", 0x20, "00"),
    ("write one block", 0x21, "00 11223344"),
    ("write AFI", 0x27, "C2"),
]


def tags_of(uids: Sequence[bytes]) -> list[Tag]:
    return [Tag(uid.hex(), uid, dsfid=index & 0xFF) for index, uid in enumerate(uids)]


def census_of(tags: list[Tag]) -> tuple[Census, float]:
    census, seconds = run(inventory(lambda: tags))
    assert isinstance(census, Census)
    return census, seconds


@pytest.mark.parametrize(("name", "command", "params"), COMMANDS, ids=[row[0] for row in COMMANDS])
def test_commands_take_the_time_of_the_table(name: str, command: int, params: str) -> None:
    (tag,) = tags_of([bytes.fromhex("E0040150A1B2C3D4")])
    heard, seconds = run(exchange(lambda: [tag], command, bytes.fromhex(params), Target(tag.uid)))
    assert heard.data is not None
    assert seconds * 1000 == pytest.approx(TIMINGS[name], abs=0.06)


def test_slots_and_the_inventory_request_take_the_time_of_the_table() -> None:
    assert request_s(inventory_frame(0, 0)) * 1000 == pytest.approx(TIMINGS["inventory request"], abs=0.006)
    assert slot_s(full=True) * 1000 == pytest.approx(TIMINGS["full slot"], abs=0.006)
    assert slot_s(full=False) * 1000 == pytest.approx(TIMINGS["empty slot"], abs=0.006)


@pytest.mark.parametrize("row", rows("iso15693.toml", "inventory"), ids=lambda row: row["name"])
def test_inventories_take_the_mean_time_of_the_table(row: dict[str, Any]) -> None:
    rng = random.Random(15693)
    sets = 400
    total_s = rounds = 0.0
    for _ in range(sets):
        census, seconds = census_of(tags_of([b"\xe0\x04\x01" + rng.randbytes(5) for _ in range(row["tags"])]))
        assert len(census.found) == row["tags"]
        total_s += seconds
        rounds += census.rounds
    assert total_s / sets * 1000 == pytest.approx(row["ms"], rel=0.04)
    assert rounds / sets == pytest.approx(row["rounds"], rel=0.06)


@pytest.mark.parametrize("count", range(51))
def test_every_tag_of_a_stack_is_found_once(count: int) -> None:
    rng = random.Random(count)
    tags = tags_of([b"\xe0\x04\x01\x50" + rng.randbytes(4) for _ in range(count)])
    census, _ = census_of(tags)
    assert sorted(census.found) == sorted((tag.dsfid, tag.uid) for tag in tags)
    assert census.duplicates == 0


@given(st.sets(st.integers(0, 0xFFFF), max_size=12), st.integers(0, 48))
def test_uids_alike_but_for_a_few_bits_are_parted(numbers: set[int], shift: int) -> None:
    uids = [(0xE004 << 48 ^ number << shift).to_bytes(8, "big") for number in sorted(numbers)]
    census, _ = census_of(tags_of(uids))
    assert sorted(uid for _, uid in census.found) == sorted(uids)


def test_two_tags_of_one_uid_are_reported_and_the_others_still_found() -> None:
    twin, other = bytes.fromhex("E004015000000001"), bytes.fromhex("E004015000000002")
    census, _ = census_of(tags_of([twin, twin, other]))
    assert [uid for _, uid in census.found] == [other]
    assert census.duplicates == 1


def test_a_quiet_tag_is_not_found() -> None:
    first, second = tags_of([bytes.fromhex("E004015000000001"), bytes.fromhex("E004015000000002")])
    first.quiet = True
    assert [uid for _, uid in census_of([first, second])[0].found] == [second.uid]


def test_a_tag_taken_away_while_the_request_is_on_air_does_not_answer() -> None:
    tags = tags_of([bytes.fromhex("E0040150A1B2C3D4")])
    steps = exchange(lambda: tags, 0x21, bytes.fromhex("00 11223344"), Target(tags[0].uid))
    next(steps)
    (gone,) = tags
    tags.clear()
    heard, _ = run(steps)
    assert heard.data is None
    assert gone.blocks()[0] == bytes(4)


def test_two_different_answers_at_once_are_a_collision() -> None:
    tags = tags_of([bytes.fromhex("E004015000000001"), bytes.fromhex("E004015000000002")])
    heard, _ = run(exchange(lambda: tags, 0x2B, b"", Target()))
    assert heard.collision
    same, _ = run(exchange(lambda: tags, 0x20, b"\0", Target()))
    assert same.data == bytes(4)
