"""What can be wrong with one device, seen from the host."""

import pytest

from firmware_sim.zigbee.faults import MODES, DeviceFaults
from firmware_sim.zigbee.node.models import SMOKE
from firmware_sim.zigbee.population import DEMO, Placed
from tests.support.zigbee import MtHost, zcl_of

TH = "reading-th"
READ_MODEL = bytes.fromhex("00 01 00 05 00")
SLEEPER = Placed("smoke-1", "02:ca:77:e1:00:00:00:10", SMOKE, "stacks")


@pytest.fixture
def host():
    host = MtHost(devices=(*DEMO, SLEEPER))
    host.run()
    host.join_all()
    return host


def nwk(host, name):
    return host.network.device(name).nwk


def pushed(host, *values):
    """Reports that arrive within five seconds when these are sent: number, value and link quality."""
    before = len(host.frames)
    for value in values:
        host.network.report_now(TH, 0x0402, 0, value)
    host.later(5)
    frames = [frame for frame in host.frames[before:] if frame.cmd1 == 0x81]
    return [(zcl_of(f)[1], int.from_bytes(zcl_of(f)[-2:], "little"), f.payload[9]) for f in frames]


def test_every_mode_has_a_name_and_can_be_told(host):
    for mode in MODES:
        faults = DeviceFaults()
        faults.put(mode, status=0xE9 if mode == "refused" else None)
        assert faults.names() == [mode]


@pytest.mark.parametrize(
    ("mode", "extra", "complaint"),
    [
        ("tired", {}, "no fault 'tired' of a device; there are: lost, duplicated"),
        ("lost", {"share": 0}, "a share is above 0"),
        ("deaf", {"share": 0.5}, "only for lost, duplicated, shuffled"),
        ("refused", {}, "refused takes a status"),
        ("refused", {"status": 0x42}, "there are: 0xE9 no MAC acknowledgement, 0xF0"),
        ("lost", {"status": 0xE9}, "the others none"),
    ],
)
def test_faults_that_make_no_sense_are_refused(mode, extra, complaint):
    with pytest.raises(ValueError, match=complaint):
        DeviceFaults().put(mode, **extra)


def test_lost_frames_are_believed_to_have_arrived(host):
    host.network.faults(TH).put("lost", share=1.0)
    assert host.network.report_now(TH, 0x0402, 0, 2000)
    assert pushed(host, 2001) == []
    host.network.heal(TH)
    assert len(pushed(host, 2002)) == 1


def test_a_share_of_the_frames_is_lost(host):
    host.network.faults(TH).put("lost", share=0.3)
    assert 50 <= len(pushed(host, *range(2000, 2100))) <= 90


def test_a_copy_has_the_same_number_and_another_link_quality(host):
    host.network.faults(TH).put("duplicated", share=1.0)
    first, second = pushed(host, 2000)
    assert first[:2] == second[:2]
    assert first[2] > second[2]


def test_a_frame_is_overtaken_by_the_next(host):
    host.network.faults(TH).put("shuffled", share=1.0)
    assert [value for _, value, _ in pushed(host, 2000, 2001)] == [2001, 2000]
    assert [value for _, value, _ in pushed(host, 2002)] == [2002]


def test_answers_are_lost_while_reports_arrive(host):
    host.network.faults(TH).put("unanswered")
    assert [frame.cmd1 for frame in host.zcl(nwk(host, TH), 0, READ_MODEL)] == [0x80]
    assert host.send(0x25, 0x05, nwk(host, TH).to_bytes(2, "little") * 2)[1:] == []
    assert len(pushed(host, 2000)) == 1


def test_a_dumb_device_acts(host):
    host.network.faults("reading-curtain").put("dumb")
    assert len(host.zcl(nwk(host, "reading-curtain"), 0x0102, b"\x01\x05\x01")) == 1
    host.later(6)
    assert host.building.rooms["reading-room"].curtain_closed_pct == 100


@pytest.mark.parametrize("mode", ["deaf", "gone"])
def test_a_device_that_hears_nothing_acknowledges_nothing(host, mode):
    host.network.faults(TH).put(mode)
    assert [f.payload for f in host.zcl(nwk(host, TH), 0, READ_MODEL)] == [b"\xe9\x01\x07"]
    assert len(pushed(host, 2000)) == (mode == "deaf")


def test_data_for_a_sleeper_that_never_polls_expires(host):
    host.later(60)
    host.network.faults("smoke-1").put("gone")
    assert host.zcl(nwk(host, "smoke-1"), 0, READ_MODEL) == []
    assert [frame.payload for frame in host.later(7.6)] == []
    assert [frame.payload for frame in host.later(0.2)] == [b"\xf0\x01\x07"]


def test_what_is_kept_for_a_sleeper_is_lost_with_the_radio_s_power(host):
    host.later(60)
    host.zcl(nwk(host, "smoke-1"), 0, READ_MODEL)
    host.network.coordinator.reboot()
    assert [frame.cmd1 for frame in host.later(20)] == []


def test_reports_on_the_wire_are_counted(host):
    pushed(host, 1, 2)
    host.network.faults(TH).put("lost", share=1.0)
    pushed(host, 3)
    assert host.network.describe()["devices"][0]["reports"] == 2


def test_a_sleeper_answers_at_its_poll(host):
    host.later(60)
    assert host.zcl(nwk(host, "smoke-1"), 0, READ_MODEL) == []
    frames = []
    while len(frames) < 2:
        frames += host.later(0.2)
    assert [frame.cmd1 for frame in frames] == [0x80, 0x81]
    again = host.send(0x25, 0x05, nwk(host, "smoke-1").to_bytes(2, "little") * 2)[1:]
    assert again == []
    assert {frame.cmd1 for frame in host.later(0.3)} == {0x85, 0xFF}


def test_a_frozen_sensor_goes_on_with_its_last_value(host):
    device = host.network.device(TH)
    host.network.faults(TH).put("frozen")
    value = device.get((0x0402, 0))
    host.building.set("reading-room", temp=40)
    host.later(3)
    assert device.get((0x0402, 0)) == value
    host.network.heal(TH)
    host.later(2)
    assert device.number((0x0402, 0)) > 3900


@pytest.mark.parametrize(("mode", "value"), [("invalid", -0x8000), ("absurd", 0x7FFF)])
def test_a_sensor_that_lies_is_believed_by_its_own_reporting(host, mode, value):
    host.bind("02:ca:77:e1:00:00:00:01", nwk(host, TH), 0x0402)
    host.zcl(nwk(host, TH), 0x0402, bytes.fromhex("10 70 06 00 00 00 29 01 00 3C 00 64 00"))
    host.later(5)
    host.network.faults(TH).put(mode)
    reports = [zcl_of(frame) for frame in host.later(2) if frame.cmd1 == 0x81]
    assert [int.from_bytes(report[-2:], "little", signed=True) for report in reports] == [value]
    answer = host.zcl(nwk(host, TH), 0x0402, b"\x00\x01\x00\x00\x00")[-1]
    assert int.from_bytes(zcl_of(answer)[-2:], "little", signed=True) == value
