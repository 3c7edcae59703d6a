"""The whole Zigbee side: what it tells and what it remembers."""

import json
import random

import pytest

from firmware_sim.building import Building
from firmware_sim.zigbee.network import ZigbeeNetwork
from firmware_sim.zigbee.octets import u16
from firmware_sim.zigbee.population import DEMO
from tests.support.zigbee import NOON, ManualTimers, MtHost, zcl_of

TH = "02:ca:77:e1:00:00:00:01"
CURTAIN = "02:ca:77:e1:00:00:00:06"
CONFIGURE = bytes.fromhex("10 70 06 00 00 00 29 01 00 05 00 01 00")


def remembered(host):
    return {each["ieee"]: each["nwk"] for each in host.network.describe()["devices"] if each["joined"]}


def test_every_device_is_described():
    host = MtHost()
    seen = host.network.describe()
    assert [(d["ieee"], d["model"], d["zone"]) for d in seen["devices"]] == [
        (d.ieee, d.model.name, d.zone) for d in DEMO
    ]
    assert (seen["running"], seen["channel"], seen["pan"], seen["permit_s"]) == (False, None, None, 0)
    assert json.loads(json.dumps(seen)) == seen
    assert {device.zone for device in DEMO} <= Building(NOON).rooms.keys()


def test_reports_come_when_bound_and_configured(tmp_path):
    host = MtHost()
    host.run()
    nwk = host.join_all()[TH]
    host.zcl(nwk, 0x0402, CONFIGURE)
    assert [frame for frame in host.later(10) if frame.cmd1 == 0x81] == []
    host.bind(TH, nwk, 0x0402)
    reports = [zcl_of(frame) for frame in host.later(10) if frame.cmd1 == 0x81]
    assert len(reports) >= 5
    assert all(report[0] == 0x18 and report[2:6] == b"\x0a\x00\x00\x29" for report in reports)


def test_a_power_cut_is_survived_by_network_members_bindings_and_reporting(tmp_path):
    path = tmp_path / "nv.json"
    old = MtHost(path)
    old.run()
    before = old.join_all()
    old.bind(TH, before[TH], 0x0402)
    old.zcl(before[TH], 0x0402, CONFIGURE)
    old.zcl(before[CURTAIN], 0x0102, b"\x11\x01\x05\x1e")
    old.later(5)
    seen = old.network.describe()
    old.network.stop()

    new = MtHost(path, seed=2)
    assert new.building.rooms["reading-room"].curtain_closed_pct == 30
    assert not new.network.describe()["running"]
    assert remembered(new) == before
    new.run()
    after = new.network.describe()
    assert (after["channel"], after["pan"]) == (seen["channel"], seen["pan"])
    assert remembered(new) == before
    assert [frame for frame in new.later(10) if frame.cmd1 == 0x81]


def test_memory_is_written_soon_after_a_change_so_that_a_kill_costs_little(tmp_path):
    path = tmp_path / "nv.json"
    old = MtHost(path)
    old.run()
    before = old.join_all()
    new = MtHost(path, seed=2)
    new.run()
    assert {d["ieee"]: d["nwk"] for d in new.network.describe()["devices"] if d["joined"]} == before


@pytest.mark.parametrize("text", ['{"02:ca:77:e1:00:00:00:01": {"nwk": 1}}', "{", '{"02:ca:77:e1:00:00:00:01": 7}'])
def test_unreadable_memory_of_devices_means_fresh_ones(tmp_path, text):
    (tmp_path / "nv-devices.json").write_text(text)
    host = MtHost(tmp_path / "nv.json")
    host.run()
    assert len(host.join_all()) == 12


def test_a_report_is_pushed_at_once_and_leaves_the_attribute_alone():
    host = MtHost()
    host.run()
    nwk = host.join_all()[TH]
    before = len(host.frames)
    assert host.network.report_now(TH, 0x0402, 0x0000, 3333)
    [frame] = host.frames[before:]
    assert (frame.payload[2:6], zcl_of(frame)[2:]) == (u16(0x0402) + u16(nwk), b"\x0a\x00\x00\x29\x05\x0d")
    assert host.network.device(TH).get((0x0402, 0)) != 3333


def test_only_attributes_that_exist_are_reported():
    with pytest.raises(KeyError, match=r"SIM-TH .* 0x0400/0x0000"):
        MtHost().network.report_now(TH, 0x0400, 0x0000, 1)


def test_a_power_cut_in_the_middle_of_a_rejoin_leaves_a_fresh_device(tmp_path):
    old = MtHost(tmp_path / "nv.json")
    old.run()
    old.join_all()
    old.network.leave(TH, rejoin=True)
    old.network.stop()
    new = MtHost(tmp_path / "nv.json", seed=2)
    new.run()
    assert [d["ieee"] for d in new.network.describe()["devices"] if not d["joined"]] == [TH]
    assert TH in new.join_all()


def test_a_report_from_a_device_that_is_on_no_network_is_not_sent():
    host = MtHost()
    host.run()
    assert not host.network.report_now(TH, 0x0402, 0x0000, 3333)


def test_an_unknown_device_is_named_with_those_that_exist():
    with pytest.raises(KeyError, match=r"no device 'x'.*out-lux"):
        MtHost().network.device("x")


def test_zones_that_are_not_there_have_no_devices():
    rooms = {"stacks": Building(NOON).rooms["stacks"]}
    network = ZigbeeNetwork(rooms, nv_path=None, rng=random.Random(1), timers=ManualTimers())
    assert {device["zone"] for device in network.describe()["devices"]} == {"stacks"}
