"""`carrel sim` as people type it, against a running building."""

import json
from collections.abc import Callable, Iterator

import pytest

from firmware_sim.cli import main
from tests.support.sim import VirtualBuilding, virtual_building

Sim = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def building(tmp_path_factory) -> Iterator[VirtualBuilding]:
    with virtual_building(cwd=tmp_path_factory.mktemp("cli")) as running:
        yield running


@pytest.fixture
def sim(building: VirtualBuilding, monkeypatch, capsys, tmp_path) -> Sim:
    """Runs one command line; gives exit code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CARREL_SIM__CONTROL", building.ports["control"])

    def run(line: str) -> tuple[int, str, str]:
        code = main(line.split())
        seen = capsys.readouterr()
        return code, seen.out, seen.err

    return run


def test_room_is_set_and_observed(sim: Sim) -> None:
    assert sim("set reading-room temp=31 rh=70 lux=900") == (0, "", "")
    code, out, _ = sim("observe --json")
    room = json.loads(out)["rooms"]["reading-room"]
    assert code == 0
    assert room["temp"] == pytest.approx(31, abs=0.5)
    assert room["rh"] == pytest.approx(70, abs=2)
    assert room["lux"] == pytest.approx(900 * (1 - 0.85 * room["curtain_closed_pct"] / 100) + 80, abs=1)
    assert sim("set reading-room lux=auto") == (0, "", "")


def test_tags_are_placed_and_removed(sim: Sim, building: VirtualBuilding) -> None:
    assert sim("place kiosk-1 30000001 30000002 90000001") == (0, "", "")
    assert building.observe()["tags"]["90000001"]["pad"] == "kiosk-1"
    _, table, _ = sim("observe")
    assert "on kiosk-1: 30000001 (AFI 07), 30000002 (AFI 07), 90000001" in table
    assert sim("remove kiosk-1 30000001 30000002 90000001") == (0, "", "")
    assert building.observe()["tags"]["90000001"]["pad"] is None


def test_contact_opens_and_closes(sim: Sim, building: VirtualBuilding) -> None:
    assert sim("contact io-1.smoke open") == (0, "", "")
    assert building.observe()["io"]["io-1"]["inputs"] == {"smoke": True, "flame": False}
    assert "smoke ACTIVE" in sim("observe")[1]
    assert sim("contact io-1.smoke closed") == (0, "", "")
    assert building.observe()["io"]["io-1"]["inputs"] == {"smoke": False, "flame": False}


@pytest.mark.parametrize("link", ["zigbee", "kiosk-1", "io-1"])
@pytest.mark.parametrize("mode", ["unplug", "silence", "garbage"])
def test_link_is_broken_and_restored(sim: Sim, building: VirtualBuilding, link: str, mode: str) -> None:
    assert sim(f"fault {link} {mode}") == (0, "", "")
    assert building.observe()["links"][link] == mode
    assert f"link {link}: {mode}" in sim("observe")[1]
    assert sim(f"fault {link} restore") == (0, "", "")
    assert building.observe()["links"][link] == "none"


def test_people_are_set(sim: Sim, building: VirtualBuilding) -> None:
    assert sim("people stacks 3") == (0, "", "")
    assert building.observe()["rooms"]["stacks"]["people"] == 3
    assert sim("people stacks auto") == (0, "", "")


def test_zigbee_devices_are_listed_broken_and_alarmed(sim: Sim, building: VirtualBuilding) -> None:
    assert sim("zigbee fault smoke-1 refused --status 0xE9") == (0, "", "")
    assert sim("zigbee alarm smoke-1 tamper") == (0, "", "")
    code, table, _ = sim("zigbee list")
    assert code == 0
    assert "network none, no host" in table
    [line] = [line for line in table.splitlines() if line.startswith("smoke-1")]
    assert line.split()[:5] == ["smoke-1", "02:ca:77:e1:00:00:00:10", "SIM-SMOKE", "stacks", "-"]
    assert "battery 100 %, polls every 5 s, refused, tamper" in line
    assert json.loads(sim("zigbee list --json")[1])["devices"][0]["name"] == "reading-th"
    assert sim("zigbee fault smoke-1 restore") == (0, "", "")
    assert sim("zigbee battery smoke-1 50") == (0, "", "")
    assert building.observe()["zigbee"]["devices"][15]["battery"] == 50
    assert sim("zigbee reset --reason watchdog") == (0, "", "")


def test_timing_and_speed_are_changed(sim: Sim, building: VirtualBuilding) -> None:
    assert sim("timing kiosk-1 air=off serial=off") == (0, "", "")
    assert building.command("timing", pad="kiosk-1") == {"air": False, "serial": False}
    assert sim("timing kiosk-1 air=on serial=on") == (0, "", "")
    assert sim("speed 120") == (0, "", "")
    assert building.observe()["clock"]["speed"] == 120


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("set attic temp=3", "no room 'attic'; there are: reading-room, stacks, out"),
        ("set stacks temp=99", "temp=99 is outside -40..80"),
        ("set stacks temp=warm", "temp=warm is not a number"),
        ("set stacks tmp=9", "'tmp=9' is not one of temp=..., rh=..., lux=..."),
        ("set stacks temp=nan", "temp=nan is outside"),
        ("set stacks", "the following arguments are required"),
        ("place kiosk-9 30000001", "no pad 'kiosk-9'; there are: kiosk-1"),
        ("place kiosk-1 999", "items 30000001..30000240, cards 90000001..90000030"),
        ("remove kiosk-1 30000009", "30000009"),
        ("contact io-1.door open", "no contact 'io-1.door'; there are: io-1.smoke, io-1.flame"),
        ("contact io-1.smoke ajar", "invalid choice: 'ajar'"),
        ("fault io-9 silence", "no link 'io-9'; there are: zigbee, kiosk-1, io-1"),
        ("fault io-1 fire", "invalid choice: 'fire'"),
        ("timing kiosk-1 air=maybe", "air is on or off, not 'maybe'"),
        ("observe --config none.toml", "cannot read none.toml"),
        ("observe --control 127.0.0.1:1", "no virtual building at 127.0.0.1:1; start one with `carrel run`"),
        ("people out 3", "no room for people 'out'; there are: reading-room, stacks"),
        ("people stacks many", "people=many is not a number"),
        ("zigbee", "arguments are required: WHAT"),
        ("zigbee leave smoke-9", "no device 'smoke-9'; there are: reading-th"),
        ("zigbee leave smoke-1", "smoke-1 is not on the network; there are: none"),
        ("zigbee join smoke-1", "no join window is open"),
        ("zigbee fault smoke-1 tired", "no fault 'tired' of a device; there are: lost"),
        ("zigbee fault smoke-1 refused --status ten", "invalid"),
        ("zigbee alarm smoke-1 fire", "no alarm 'fire'; there are: on, test, tamper, trouble, off"),
        ("zigbee load 10", "start the building with --devices N"),
        ("dance", "invalid choice: 'dance'"),
        ("", "arguments are required: COMMAND"),
    ],
)
def test_mistake_is_one_sentence_and_exit_code_2(sim: Sim, line: str, complaint: str) -> None:
    code, out, err = sim(line)
    assert code == 2
    assert out == ""
    assert err.startswith("carrel sim")
    assert complaint in err
    assert err.count("\n") == 1


def test_help_names_every_command(sim: Sim) -> None:
    code, out, _ = sim("--help")
    assert code == 0
    for command in ("set", "place", "remove", "contact", "fault", "observe", "people", "zigbee", "serve"):
        assert command in out
