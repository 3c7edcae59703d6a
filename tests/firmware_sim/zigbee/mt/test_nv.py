"""The coordinator's memory and its file."""

import json

import pytest

from firmware_sim.zigbee.mt.nv import Nv, entry, load_json, osal, save_json


def test_items_survive_in_the_file(tmp_path):
    path = tmp_path / "deep" / "nv.json"
    nv = Nv(path)
    nv.put(osal(0x0021), b"\x01\x02")
    nv.put(entry(4, 7), b"\x03")
    nv.save()
    again = Nv(path)
    assert (again.get(osal(0x0021)), again.get(entry(4, 7))) == (b"\x01\x02", b"\x03")


def test_each_change_is_told_and_no_other(tmp_path):
    nv, told = Nv(None), []
    nv.on_change = lambda: told.append(1)
    nv.put(osal(1), b"\x01")
    nv.put(osal(1), b"\x01")
    nv.patch(osal(1), 0, b"\x02")
    nv.delete(osal(1))
    nv.delete(osal(1))
    assert len(told) == 3


@pytest.mark.parametrize(("offset", "data", "done"), [(1, b"\x09", True), (2, b"\x09", False), (0, bytes(3), False)])
def test_a_patch_must_fit(offset, data, done):
    nv = Nv(None)
    nv.put(osal(1), b"\x01\x02")
    assert nv.patch(osal(1), offset, data) is done
    assert nv.get(osal(1)) == (b"\x01\x09" if done else b"\x01\x02")


def test_a_missing_item_cannot_be_patched():
    assert not Nv(None).patch(osal(1), 0, b"")


def test_a_table_ends_at_its_first_gap():
    nv = Nv(None)
    for index in (0, 1, 3):
        nv.put(entry(6, index), bytes((index,)))
    assert nv.table(6) == [b"\x00", b"\x01"]


@pytest.mark.parametrize("text", ["{", "[]", "\x00\x01", '"text"'])
def test_an_unreadable_file_is_set_aside(tmp_path, text):
    path = tmp_path / "nv.json"
    path.write_text(text)
    assert load_json(path) == {}
    assert (tmp_path / "nv.json.broken").read_text() == text
    assert not path.exists()


def test_the_old_file_stays_whole_until_the_new_one_is(tmp_path):
    path = tmp_path / "nv.json"
    save_json(path, {"a": 1})
    with pytest.raises(TypeError):
        save_json(path, {"a": object()})
    assert json.loads(path.read_text()) == {"a": 1}
