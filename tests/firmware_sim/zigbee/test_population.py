"""Which devices there are."""

import pytest

from firmware_sim.serve import DEMO_BENCH, read_bench
from firmware_sim.zigbee.population import CROWD_MAX, DEMO, population
from tests.support.zigbee import MtHost

PLUG = {"id": "p", "model": "SIM-PLUG", "ieee": "02:CA:77:E1:00:00:00:20", "zone": "stacks"}


def test_the_demo_bench_has_fresh_devices_of_every_class_behind_the_twelve():
    devices = population(read_bench(DEMO_BENCH)["zigbee"])
    assert devices[: len(DEMO)] == DEMO
    assert {one.model.kind for one in devices if one.fresh} == {"occupancy", "co2", "plug", "smoke", "flame", "siren"}


def test_a_crowd_is_the_same_each_time_and_mixed():
    crowd = population((), 200)[len(DEMO) :]
    assert crowd == population((), 200)[len(DEMO) :]
    assert (crowd[0].name, crowd[0].ieee) == ("load-001", "02:ca:77:e1:00:00:01:01")
    assert {one.model.kind for one in crowd} == {"th", "light", "occupancy", "co2"}
    assert len({one.ieee for one in crowd}) == 200


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"model": "SIM-X"}, "no Zigbee model 'SIM-X'; there are: SIM-TH"),
        ({"ieee": DEMO[0].ieee}, f"called {DEMO[0].ieee}"),
        ({"id": "out-th"}, "called out-th"),
        ({"ieee": "02"}, "not an IEEE address"),
        ({"poll_s": 5}, "only for a battery device"),
        ({"model": "SIM-OCC", "poll_s": 0.1}, r"0\.25\.\.3600"),
    ],
)
def test_entries_that_make_no_sense_are_refused(change, complaint):
    with pytest.raises((ValueError, KeyError), match=complaint):
        population([PLUG | change])


def test_a_crowd_has_its_limit():
    with pytest.raises(ValueError, match=f"devices={CROWD_MAX + 1} is outside"):
        population((), CROWD_MAX + 1)


def test_poll_interval_is_taken_from_the_entry():
    entry = PLUG | {"model": "SIM-OCC", "poll_s": 7.5}
    host = MtHost(devices=population([entry]))
    assert host.network.describe()["devices"][-1]["poll_s"] == 7.5


def test_two_hundred_devices_join_within_one_window_and_the_tables_hold_them():
    host = MtHost(devices=population((), 200))
    host.run()
    assert len(host.join_all(60)) == 212
    assert len({each["nwk"] for each in host.network.describe()["devices"]}) == 212
    assert host.ask(0x27, 0x00)[:1] == b"\x00"
    assert host.send(0x25, 0x31, b"\x00\x00\xc8")[1].payload[3:6] == bytes((212, 200, 3))
