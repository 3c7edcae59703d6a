"""The store of tags: placing, faults, and what lasts over a restart."""

import json
from pathlib import Path
from typing import Any

import pytest

from firmware_sim.rfid.tags import StateError, TagNotThereError, TagStore, TagStoreError, UnknownTagError, uid_of
from tests.support.feig_host import DEMO
from tests.support.sim import eventually


def store(path: Path | None = None, **changes: Any) -> TagStore:
    return TagStore({**DEMO, **changes}, state_path=path)


def test_the_demo_library_has_its_items_and_cards() -> None:
    seen = store().observe()
    assert len(seen) == 270
    assert {name for name, tag in seen.items() if tag["afi"] == "C2"} == {str(30000201 + n) for n in range(12)}
    assert {tag["afi"] for name, tag in seen.items() if name.startswith("9")} == {"00"}
    assert seen["30000001"]["blocks"][:2] == ["91010401", "C9C38180"]
    assert len(seen["30000001"]["blocks"]) == 28
    assert seen["30000001"]["pad"] is None
    json.dumps(seen)


def test_uids_are_slix_and_never_repeat() -> None:
    seen = {uid_of(str(number)) for number in [*range(30000001, 30002000), *range(90000001, 90002000)]}
    assert len(seen) == 3998
    assert all(uid.hex().startswith("e0040150") for uid in seen)
    assert store().observe()["30000001"]["uid"] == uid_of("30000001").hex().upper()


def test_eas_is_on_for_items_in_the_library_only() -> None:
    tags = store()
    assert tags.tag("30000001").eas
    assert not tags.tag("30000201").eas
    assert not tags.tag("90000001").eas


def test_a_placed_tag_is_on_one_pad_at_a_time() -> None:
    tags = store()
    tags.place("a", ["30000001", "90000001"])
    assert [tag.name for tag in tags.on_pad("a")] == ["30000001", "90000001"]
    tags.place("b", ["30000001"])
    assert [tag.name for tag in tags.on_pad("a")] == ["90000001"]
    assert tags.observe()["30000001"]["pad"] == "b"
    tags.remove("b", ["30000001"])
    assert tags.on_pad("b") == []


def test_placing_a_tag_where_it_lies_does_not_take_its_power() -> None:
    tags = store()
    tags.place("a", ["30000001"])
    tags.tag("30000001").quiet = True
    tags.place("a", ["30000001"])
    assert tags.tag("30000001").quiet
    tags.place("b", ["30000001"])
    assert not tags.tag("30000001").quiet


def test_errors_name_what_exists() -> None:
    tags = store()
    with pytest.raises(UnknownTagError) as unknown:
        tags.place("a", ["30000001", "x"])
    assert str(unknown.value) == "no tag 'x'; items 30000001..30000240, cards 90000001..90000030"
    assert tags.on_pad("a") == []
    tags.place("b", ["30000001", "30000002"])
    with pytest.raises(TagNotThereError, match="tag '30000001' is not on pad 'a'; it lies on pad 'b'"):
        tags.remove("a", ["30000001"])
    with pytest.raises(TagNotThereError, match="on no pad"):
        tags.remove("b", ["30000002", "30000003"])
    assert len(tags.on_pad("b")) == 2
    tags.add_pad("kiosk-1")
    with pytest.raises(TagStoreError, match="no pad 'kiosk-9'; there are: kiosk-1"):
        tags.place("kiosk-9", ["30000001"])
    assert issubclass(TagStoreError, KeyError)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"items": {"first": 30000001, "count": 2, "on_loan": [30000003]}}, "30000003"),
        ({"items": {"first": 90000001, "count": 2}}, "both an item and a card"),
        ({"items": {"first": 1, "count": -1}}, "items"),
        ({"cards": {"first": 9_999_999_999, "count": 1}}, "cards"),
        ({"owner": "no isil!"}, "ISIL"),
    ],
)
def test_a_spec_that_makes_no_sense_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        store(**changes)


def test_a_shelf_location_can_stand_on_the_items() -> None:
    memory = store(shelf="TP391").tag("30000001").memory
    assert b"\x46\x04" in memory[:40]


def test_what_was_written_lasts_over_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "tags.json"
    tags = store(path)
    tags.place("kiosk-1", ["30000001"])
    tag = tags.tag("30000001")
    tag.memory[0:4] = b"\xde\xad\xbe\xef"
    tag.afi, tag.eas, tag.afi_locked = 0xC2, False, True
    tag.locked.add(3)
    tags.save()
    again = store(path)
    assert again.observe() == tags.observe()
    kept = again.tag("30000001")
    assert (kept.afi, kept.eas, kept.afi_locked, kept.dsfid_locked, kept.locked) == (0xC2, False, True, False, {3})
    assert list(path.parent.iterdir()) == [path]


def test_a_tag_new_in_the_spec_starts_fresh_and_a_dropped_one_is_gone(tmp_path: Path) -> None:
    path = tmp_path / "tags.json"
    small = store(path, items={"first": 30000001, "count": 2})
    small.place("a", ["30000002"])
    other = store(path, items={"first": 30000002, "count": 2})
    assert other.observe()["30000002"]["pad"] == "a"
    assert other.observe()["30000003"]["pad"] is None
    assert "30000001" not in other.observe()


def test_without_a_loop_a_change_is_saved_at_once(tmp_path: Path) -> None:
    path = tmp_path / "tags.json"
    store(path).place("a", ["30000001"])
    assert json.loads(path.read_text())["tags"]["30000001"]["pad"] == "a"


async def test_in_a_loop_many_changes_make_one_write(tmp_path: Path) -> None:
    path = tmp_path / "tags.json"
    tags = store(path)
    for number in range(1, 6):
        tags.place("a", [f"3000000{number}"])
    assert not path.exists()
    await eventually(path.exists)
    kept = json.loads(path.read_text())["tags"]
    assert [name for name, tag in kept.items() if tag["pad"]] == [f"3000000{number}" for number in range(1, 6)]
    tags.place("a", ["30000007"])
    tags.save()
    assert json.loads(path.read_text())["tags"]["30000007"]["pad"] == "a"


async def test_a_write_that_fails_is_logged_and_tried_again_at_the_next_change(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "state"
    folder.write_text("a file where the folder should be")
    tags = store(folder / "tags.json")
    tags.place("a", ["30000001"])
    await eventually(lambda: "not saved" in caplog.text)
    folder.unlink()
    tags.place("a", ["30000002"])
    await eventually((folder / "tags.json").exists)


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[: len(text) // 2],
        lambda text: "",
        lambda text: "[]",
        lambda text: text.replace('"version": 1', '"version": 9'),
        lambda text: text.replace('"afi": 7', '"afi": 700', 1),
        lambda text: text.replace('"afi"', '"fia"', 1),
        lambda text: text.replace("91010401", "9101040", 1),
        lambda text: text.replace("91010401", "91", 1),
        lambda text: text.replace('"pad": null', '"pad": 4', 1),
    ],
)
def test_a_damaged_state_file_is_refused_in_words(tmp_path: Path, damage: Any) -> None:
    path = tmp_path / "tags.json"
    store(path).save()
    path.write_text(damage(path.read_text()))
    with pytest.raises(StateError, match=r"tags\.json is not a usable tag state file .* delete it"):
        store(path)


def test_faults_are_set_by_name() -> None:
    tags = store()
    tags.fail_next_writes("30000001", 2)
    tags.vanish_after("30000002", 3)
    assert tags.tag("30000001").fail_writes == 2
    assert tags.tag("30000002").vanish_after == 3
    with pytest.raises(UnknownTagError):
        tags.vanish_after("x", 1)
