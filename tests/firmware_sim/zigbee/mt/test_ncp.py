"""What the firmware keeps ahead of a power cut."""

from tests.support.zigbee import MtHost

READ_MODEL = bytes.fromhex("00 2A 00 05 00")


def counter(host):
    return int.from_bytes(host.ask(0x21, 0x33, b"\x01\x07\x00\x00\x00\x00\x00\x0c")[2:6], "little")


def test_stored_frame_counters_are_ahead_of_every_frame_sent():
    host = MtHost()
    host.run()
    at_start = counter(host)
    assert at_start >= 1250
    for _ in range(1300):
        host.zcl(0, 0, READ_MODEL)
    assert counter(host) == at_start + 1250


def test_an_open_pan_and_channel_are_drawn():
    drawn = set()
    for seed in range(6):
        host = MtHost(seed=seed)
        host.ask(0x2F, 0x08, b"\x01" + (1 << 15 | 1 << 20 | 1 << 25).to_bytes(4, "little"))
        host.run()
        seen = host.network.describe()
        assert seen["channel"] in (15, 20, 25)
        assert 0 < seen["pan"] < 0xFFFE
        drawn.add((seen["channel"], seen["pan"]))
    assert len(drawn) > 1
