"""The bench in this process: commands, clock and real wires to the devices of all kinds."""

import os
import random
import tty
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from firmware_sim.bench import Bench, Places
from firmware_sim.building import NotThereError
from firmware_sim.commands import commands
from firmware_sim.serve import DEMO_BENCH, read_bench
from firmware_sim.settings import Port, SettingsError
from tests.support.sim import eventually

SYS_PING = bytes.fromhex("FE00210120")
FEIG_VERSION = bytes.fromhex("05FF65E5CB")
READ_COILS = bytes.fromhex("0101000000183C00")


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    bench = Bench(read_bench(DEMO_BENCH), Places(tmp_path), rng=random.Random(1))
    await bench.open()
    yield bench
    await bench.close()


class Client:
    """A program at the other end of a pseudo-terminal."""

    def __init__(self, path: str) -> None:
        self.fd, self.got = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK), b""
        tty.setraw(self.fd)

    def heard(self) -> bytes:
        """Everything that came so far."""
        try:
            self.got += os.read(self.fd, 4096)
        except BlockingIOError:
            pass
        return self.got


async def _ask(path: str, request: bytes, answer: bytes) -> None:
    """Send a request and wait until its answer came."""
    client = Client(path)
    os.write(client.fd, request)
    await eventually(lambda: answer in client.heard())
    os.close(client.fd)


def _there(path: str | Path) -> bool:
    return os.path.lexists(path)


def _path(bench: Bench, link: str) -> str:
    ports = bench.ports()
    return {"zigbee": ports["zigbee"], **ports["readers"], "io-1": ports["io"]["io-1"]["pty"]}[link]


EXCHANGES = [("zigbee", SYS_PING, b"\xfe\x02\x61\x01"), ("kiosk-1", FEIG_VERSION, b"\x65\x00")]


@pytest.mark.parametrize(("link", "request_", "answer"), [*EXCHANGES, ("io-1", READ_COILS, b"\x01\x01\x03\x03\x00")])
async def test_each_device_answers_on_its_wire(bench: Bench, link: str, request_: bytes, answer: bytes) -> None:
    await _ask(_path(bench, link), request_, answer)


@pytest.mark.parametrize(("link", "request_", "answer"), [*EXCHANGES, ("io-1", READ_COILS, b"\x01\x01\x03\x03\x00")])
@pytest.mark.parametrize("mode", ["unplug", "silence", "garbage"])
async def test_each_link_heals_after_each_fault(
    bench: Bench, link: str, request_: bytes, answer: bytes, mode: str
) -> None:
    await bench.fault(link, mode)
    assert bench.observe()["links"][link] == mode
    assert _there(_path(bench, link)) == (mode != "unplug")
    if mode != "unplug":
        client = Client(_path(bench, link))
        os.write(client.fd, request_)
        await eventually(lambda: client.heard() if mode == "garbage" else bench.faults(link).lost)
        assert mode == "garbage" or client.heard() == b""
        os.close(client.fd)
    await bench.fault(link, "restore")
    assert bench.observe()["links"][link] == "none"
    await _ask(_path(bench, link), request_, answer)


async def test_fault_on_an_unplugged_link_plugs_it_in_first(bench: Bench) -> None:
    await bench.fault("io-1", "unplug")
    await bench.fault("io-1", "silence")
    assert _there(_path(bench, "io-1"))


async def test_clock_runs_at_its_speed_and_stands_still_at_0(bench: Bench) -> None:
    bench.speed = 3600
    before = bench.building.clock
    await eventually(lambda: (bench.building.clock - before).total_seconds() > 600)
    bench.speed = 0
    stopped = bench.building.clock
    bench.building.rooms["stacks"].curtain_closed_pct = 100.0
    light = bench.building.rooms["stacks"].lux
    await eventually(lambda: bench.building.rooms["stacks"].lux < light)
    assert bench.building.clock == stopped
    with pytest.raises(ValueError, match="outside"):
        bench.speed = -1


async def test_observe_has_the_documented_shape(bench: Bench) -> None:
    bench.place("kiosk-1", ["30000001", "90000001"])
    bench.contact("io-1.smoke", "open")
    seen = bench.observe()
    assert set(seen) == {"rooms", "io", "tags", "clock", "links", "zigbee"}
    assert {"temp", "rh", "lux", "curtain_closed_pct", "ac_on", "vent_pct"} <= set(seen["rooms"]["reading-room"])
    assert {"people", "co2", "dehumidifier_on", "siren"} <= set(seen["rooms"]["stacks"])
    assert seen["zigbee"]["load"] == {"rate_s": 0, "sent": 0, "unsent": 0}
    assert {"ieee", "name", "nwk", "model", "kind", "zone", "joined", "fresh", "poll_s", "battery", "faults"} <= set(
        seen["zigbee"]["devices"][0]
    )
    assert seen["io"]["io-1"] == {
        "inputs": {"smoke": True, "flame": False},
        "outputs": {"lamp": False, "siren": False, "door-release": False},
    }
    assert seen["tags"]["30000001"]["pad"] == "kiosk-1"
    assert seen["tags"]["30000001"]["afi"] == "07"
    assert seen["tags"]["30000201"]["afi"] == "C2"
    assert seen["tags"]["30000002"]["pad"] is None
    assert len(seen["tags"]) == 270
    assert seen["clock"]["time"].startswith("2026-08-28T09:")


async def test_tags_stay_as_they_are_over_a_restart(tmp_path: Path) -> None:
    places = Places(tmp_path / "run", tmp_path)
    first = Bench(read_bench(DEMO_BENCH), places)
    await first.open()
    first.place("kiosk-1", ["30000005"])
    await first.close()
    second = Bench(read_bench(DEMO_BENCH), places)
    await second.open()
    assert second.observe()["tags"]["30000005"]["pad"] == "kiosk-1"
    await second.close()


async def test_taken_io_port_is_left_for_a_free_one_unless_it_was_asked_for(bench: Bench, tmp_path: Path) -> None:
    host, _, port = bench.ports()["io"]["io-1"]["rtu_tcp"].rpartition(":")
    other = Bench(read_bench(DEMO_BENCH), Places(tmp_path / "b", io=Port(host, int(port))))
    await other.open()
    assert other.ports()["io"]["io-1"]["rtu_tcp"] != f"{host}:{port}"
    await other.close()
    third = Bench(read_bench(DEMO_BENCH), Places(tmp_path / "c", io=Port(host, int(port), explicit=True)))
    with pytest.raises(SettingsError, match=f"port {host}:{port} is taken"):
        await third.open()
    assert not _there(tmp_path / "c" / "zigbee")


async def test_names_that_do_not_exist_are_answered_with_those_that_do(bench: Bench) -> None:
    with pytest.raises(NotThereError, match="no pad 'x'; there are: kiosk-1"):
        bench.place("x", ["30000001"])
    with pytest.raises(NotThereError, match="no link 'x'; there are: zigbee, kiosk-1, io-1"):
        await bench.fault("x", "silence")
    with pytest.raises(NotThereError, match="no I/O module 'x'; there are: io-1"):
        bench.contact("x.smoke", "open")
    with pytest.raises(ValueError, match=r"like io-1\.smoke"):
        bench.contact("smoke", "open")


@pytest.mark.parametrize("change", [{"io": [{"id": "zigbee"}]}, {"io": [{"id": "io-1", "unit": 0}]}])
async def test_bench_that_makes_no_sense_is_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"zigbee|unit"):
        Bench({**read_bench(DEMO_BENCH), **change}, Places(tmp_path))


async def _run(bench: Bench, cmd: str, **fields: Any) -> dict[str, Any]:
    return await commands(bench)[cmd](fields)


async def test_every_command_does_its_work(bench: Bench) -> None:
    assert (await _run(bench, "set", room="stacks", temp=31, rh=70, lux=900))["room"]["temp"] == 31
    assert bench.building.rooms["stacks"].daylight == 900
    await _run(bench, "set", room="stacks", lux="auto")
    assert bench.building.rooms["stacks"].daylight is None
    await _run(bench, "place", pad="kiosk-1", names=["30000001"])
    await _run(bench, "remove", pad="kiosk-1", names=["30000001"])
    await _run(bench, "contact", point="io-1.flame", state="open")
    await _run(bench, "fault", link="io-1", mode="none", drop=0.5, delay_s=0.1)
    assert (bench.faults("io-1").drop, bench.faults("io-1").delay_s) == (0.5, 0.1)
    await _run(bench, "fault", link="io-1", mode="restore")
    assert bench.faults("io-1").drop == 0
    assert await _run(bench, "timing", pad="kiosk-1", air=False) == {"air": False, "serial": True}
    assert await _run(bench, "speed", speed=10) == {"speed": 10}
    assert (await _run(bench, "people", room="stacks", count=2))["room"]["people"] == 2
    assert (await _run(bench, "people", room="stacks", count="auto"))["room"]["people"] <= 1
    assert (await _run(bench, "zigbee", do="list"))["devices"] == bench.observe()["zigbee"]["devices"]
    seen = await _run(bench, "observe")
    assert seen["io"]["io-1"]["inputs"]["flame"]
    hello = await _run(bench, "hello")
    assert hello["protocol"] == 1
    assert set(hello["commands"]) == set(commands(bench))
    (first, *_) = seen["zigbee"]["devices"]
    report = {"ieee": first["ieee"], "cluster": 0x0402, "attribute": 0, "value": 2500}
    assert await _run(bench, "report", **report) == {"sent": False}  # it is on no network yet
    assert await _run(bench, "report", **report | {"value": -0x8000}) == {"sent": False}


@pytest.mark.parametrize(
    ("cmd", "fields", "complaint"),
    [
        ("set", {}, "room is missing"),
        ("set", {"room": "stacks"}, "nothing to set"),
        ("set", {"room": "stacks", "temp": "31"}, "temp is not a number"),
        ("set", {"room": "stacks", "temp": True}, "temp is not a number"),
        ("set", {"room": "stacks", "lux": "bright"}, "lux is not a number"),
        ("set", {"room": "stacks", "temp": 20, "colour": 1}, "unknown field: colour"),
        ("place", {"pad": "kiosk-1", "names": []}, "names is missing"),
        ("place", {"pad": "kiosk-1", "names": "30000001"}, "not a list of strings"),
        ("place", {"pad": "kiosk-1", "names": [30000001]}, "not a list of strings"),
        ("contact", {"point": "io-1.smoke", "state": "ajar"}, "open or closed"),
        ("fault", {"link": "io-1", "mode": "fire"}, "no fault 'fire'"),
        ("fault", {"link": "io-1", "mode": "none", "delay_s": -1}, "delay_s=-1 is outside 0..60"),
        ("fault", {"link": "io-1", "mode": "none", "drop": 1.5}, "drop=1.5 is outside 0..1"),
        ("timing", {"pad": "kiosk-1", "air": 1}, "air is not true or false"),
        ("speed", {}, "speed is missing"),
        ("speed", {"speed": 1e9}, "outside"),
        ("observe", {"x": 1}, "unknown field"),
        ("report", {"ieee": "00", "cluster": -1}, "cluster is missing"),
        ("report", {"ieee": "00", "cluster": 1, "attribute": 0, "value": "x"}, "value is missing or not a number"),
        ("people", {"room": "stacks", "count": "many"}, "count is not a number"),
        ("people", {"room": "stacks", "count": 11}, r"outside 0\.\.10"),
    ],
)
async def test_wrong_fields_are_refused_in_a_sentence(
    bench: Bench, cmd: str, fields: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(ValueError, match=complaint):
        await _run(bench, cmd, **fields)
