"""The control socket's command `zigbee`, on a network with a host of its own."""

import pytest

from firmware_sim.serve import DEMO_BENCH, read_bench
from firmware_sim.zigbee.commands import ZigbeeCommands
from firmware_sim.zigbee.population import population
from tests.support.zigbee import MtHost


@pytest.fixture
def host():
    host = MtHost(devices=population(read_bench(DEMO_BENCH)["zigbee"], 2))
    host.run()
    host.join_all(30)
    return host


@pytest.fixture
def zigbee(host):
    async def run(do, **fields):
        return await ZigbeeCommands(host.network).run({"do": do, **fields})

    return run


async def test_devices_are_listed_with_what_is_seen_of_them(zigbee):
    seen = (await zigbee("list"))["devices"]
    smoke = next(each for each in seen if each["name"] == "smoke-1")
    assert (smoke["model"], smoke["kind"], smoke["fresh"], smoke["joined"]) == ("SIM-SMOKE", "smoke", True, True)
    assert (smoke["battery"], smoke["poll_s"], smoke["faults"]) == (100.0, 5.0, [])
    assert smoke["state"] == {"enrolled": False, "status": 0, "bits": [], "unanswered": False}


async def test_devices_leave_come_back_and_join_again(zigbee, host):
    network = host.network
    assert await zigbee("leave", device="siren-1") == {}
    assert network.device("siren-1").nwk is None
    with pytest.raises(KeyError, match="siren-1 is not on the network; there are: reading-th"):
        await zigbee("leave", device="siren-1")
    assert await zigbee("join", device="siren-1") == {}
    host.later(1)
    old = network.device("siren-1").nwk
    assert await zigbee("rejoin", device="siren-1") == {"nwk": old}
    assert (await zigbee("rejoin", device="02:ca:77:e1:00:00:00:12", new_address=True))["nwk"] != old
    await zigbee("leave", device="siren-1", rejoin=True)
    host.later(2)
    assert network.device("siren-1").nwk is not None
    assert await zigbee("clash", device="siren-1", owner="smoke-1") == {"nwk": network.device("smoke-1").nwk}
    host.later(300)
    with pytest.raises(ValueError, match="no join window is open; siren-1 is off the network and joins in the next"):
        await zigbee("join", device="siren-1")


async def test_a_device_is_broken_and_healed(zigbee, host):
    assert await zigbee("fault", device="reading-th", mode="lost", share=0.2) == {"faults": ["lost"]}
    assert await zigbee("fault", device="reading-th", mode="refused", status=0xCD) == {"faults": ["lost", "refused"]}
    assert await zigbee("fault", device="reading-th", mode="restore") == {"faults": []}
    with pytest.raises(ValueError, match="no fault 'x'"):
        await zigbee("fault", device="reading-th", mode="x")
    assert (await zigbee("list"))["devices"][0]["faults"] == []


async def test_alarms_batteries_and_check_ins(zigbee):
    assert (await zigbee("alarm", device="smoke-1", event="on"))["state"]["bits"] == ["alarm"]
    assert await zigbee("battery", device="smoke-1", percent=7) == {"battery": 7.0}
    assert await zigbee("check-in", device="smoke-1") == {"sent": False}
    with pytest.raises(KeyError, match="reading-th raises no alarms; there are: smoke-1, flame-1, siren-1"):
        await zigbee("alarm", device="reading-th", event="on")
    with pytest.raises(KeyError, match="siren-1 does not sleep; there are: reading-occupancy, smoke-1, flame-1"):
        await zigbee("check-in", device="siren-1")
    with pytest.raises(ValueError, match="siren-1 runs on mains"):
        await zigbee("battery", device="siren-1", percent=7)
    with pytest.raises(ValueError, match=r"outside 0\.\.100"):
        await zigbee("battery", device="smoke-1", percent=101)


async def test_the_radio_reboots_hangs_and_garbles(zigbee, host):
    await zigbee("reset")
    assert host.frames[-1].payload[0] == 0
    await zigbee("reset", reason="watchdog")
    assert host.frames[-1].payload[0] == 2
    await zigbee("spoil", frames=1)
    assert host.send(0x21, 0x01) == []
    await zigbee("hang")
    assert host.send(0x21, 0x01) == []
    with pytest.raises(ValueError, match="there are: power-up, external, watchdog"):
        await zigbee("reset", reason="boredom")
    with pytest.raises(ValueError, match="frames=100000 is outside"):
        await zigbee("spoil", frames=100_000)


async def test_a_load_is_started_and_ended(zigbee, host):
    assert (await zigbee("load", reports_per_s=50, unbound=True))["rate_s"] == 50
    host.later(2)
    assert (await zigbee("load", reports_per_s=0))["sent"] == pytest.approx(100, abs=2)


@pytest.mark.parametrize(
    ("do", "fields", "complaint"),
    [
        ("dance", {}, "zigbee cannot 'dance'; there are: list, join, leave"),
        ("leave", {}, "device is missing"),
        ("leave", {"device": "x"}, "no device 'x'; there are: reading-th"),
        ("leave", {"device": "smoke-1", "rejoin": 1}, "rejoin is not true or false"),
        ("list", {"x": 1}, "unknown field: x"),
        ("battery", {"device": "smoke-1"}, "percent is missing"),
        ("load", {}, "reports_per_s is missing"),
    ],
)
async def test_wrong_requests_are_refused_in_a_sentence(zigbee, do, fields, complaint):
    with pytest.raises((ValueError, KeyError), match=complaint):
        await zigbee(do, **fields)


async def test_the_channel_is_flooded_for_a_while(zigbee, host):
    assert await zigbee("storm", seconds=3, status=0x11) == {}
    nwk = host.network.device("siren-1").nwk
    assert host.zcl(nwk, 0, b"\x00\x01\x00\x05\x00")[0].payload == b"\x11\x01\x07"
    assert await zigbee("storm", seconds=0) == {}
    assert host.zcl(nwk, 0, b"\x00\x01\x00\x05\x00")[0].payload == b"\x00\x01\x07"
    for fields in ({"seconds": -1}, {"seconds": 1e9}, {"seconds": 1, "status": 7}):
        with pytest.raises(ValueError, match="a storm lasts"):
            await zigbee("storm", **fields)
