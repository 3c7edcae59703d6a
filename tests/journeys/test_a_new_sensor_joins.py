"""A fresh library lets its Zigbee devices in, names a new sensor and a smoke detector, and lets one go again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

import httpx
import pytest

from carrel.contracts.network import JoinStepName
from tests.support.programs import Library, wait_for

pytestmark = [pytest.mark.process, pytest.mark.timeout(240)]

NEWCOMER, DETECTOR, SIREN = "reading-co2", "smoke-1", "siren-1"
STEPS = list(get_args(JoinStepName))
JOINED_WITHIN_S, SHOWN_WITHIN_S, BACK_WITHIN_S = 90.0, 30.0, 30.0
PANEL = f"""
[[zigbee.device]]
id = "{SIREN}"
ieee = "02:ca:77:e1:00:00:00:12"
zone = "reading-room"
kind = "siren"

[[security.fire_zone]]
id = "stacks-smoke"
area = "building"
kind = "smoke"
detector = "{DETECTOR}"
"""


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    """All programs; no device has ever joined, and none is let in unasked. The tests go on from one another."""
    library = Library(tmp_path_factory.mktemp("fresh"), extra={"CARREL_ZIGBEE__JOIN_AT_START_S": "0"})
    config = library.folder / "config.toml"
    sirens = f'siren = ["io-1.siren", "{SIREN}.siren"]'
    config.write_text(config.read_text().replace('siren = ["io-1.siren"]', sirens) + PANEL)
    try:
        library.start()
        yield library
    finally:
        library.stop()


@pytest.fixture
def duty(fresh: Library) -> httpx.Client:
    """The duty officer."""
    return fresh.client("duty", "duty-demo")


def network(duty: httpx.Client) -> dict[str, Any]:
    """The library's only one; without devices while its gateway has said nothing."""
    found: list[dict[str, Any]] = duty.get("/network").json()["networks"]
    return found[0] if found else {"state": "down", "join_until": None, "devices": []}


def told(duty: httpx.Client, ieee: str) -> dict[str, Any]:
    """What the API says of a device; empty when it knows none."""
    return next((device for device in network(duty)["devices"] if device["ieee"] == ieee), {})


def simulated(fresh: Library, name: str) -> dict[str, Any]:
    """The device itself."""
    found: dict[str, Any] = next(one for one in fresh.observe()["zigbee"]["devices"] if one["name"] == name)
    return found


def name(duty: httpx.Client, ieee: str, id_: str, **where: str) -> None:
    answer = duty.patch(f"/network/devices/{ieee}", json={"device": id_, **where})
    assert answer.status_code in (200, 202), answer.text
    wait_for(f"it is called {id_}", lambda: told(duty, ieee).get("id") == id_)


def alarms(duty: httpx.Client, kind: str) -> list[dict[str, Any]]:
    found = duty.get("/alarms", params={"state": "open"}).json()["alarms"]
    return [alarm for alarm in found if alarm["kind"] == kind]


def test_nobody_joins_until_staff_opens_the_window(fresh: Library, duty: httpx.Client) -> None:
    wait_for("the network runs", lambda: network(duty)["state"] == "running", SHOWN_WITHIN_S)
    devices = network(duty)["devices"]
    assert {device["state"] for device in devices} == {"awaited"}
    assert network(duty)["join_until"] is None

    for caller, refusal in ((fresh.client("90000001", "0001"), 403), (fresh.client(), 401)):
        assert caller.post("/network/join", json={"seconds": 60}).status_code == refusal
        assert caller.get("/network").status_code == refusal
    assert not any(device["joined"] for device in fresh.observe()["zigbee"]["devices"])


def test_through_the_window_a_newcomer_comes_step_by_step(fresh: Library, duty: httpx.Client) -> None:
    ieee = simulated(fresh, NEWCOMER)["ieee"]
    opened = duty.post("/network/join", json={"seconds": 200})
    assert opened.status_code in (201, 202), opened.text
    wait_for("the page can count down", lambda: network(duty)["join_until"])

    wait_for("it is asked who it is", lambda: told(duty, ieee).get("steps"), JOINED_WITHIN_S)
    steps = wait_for("its way in is complete", lambda: finished(duty, ieee), JOINED_WITHIN_S)
    assert [step["name"] for step in steps] == STEPS
    device = told(duty, ieee)
    assert (device["id"], device["model"], device["kind"]) == (None, "SIM-CO2", "sensor"), "a person has to name it"

    awaited = lambda: [d["ieee"] for d in network(duty)["devices"] if d["state"] in ("awaited", "joining")]  # noqa: E731
    wait_for("all others are in", lambda: not awaited(), JOINED_WITHIN_S)
    assert duty.delete("/network/join").status_code in (200, 202)
    wait_for("the window is shut", lambda: network(duty)["join_until"] is None)


def finished(duty: httpx.Client, ieee: str) -> list[dict[str, Any]]:
    """The steps of a device when all of them are done."""
    steps: list[dict[str, Any]] = told(duty, ieee).get("steps", [])
    return steps if all(step["state"] == "done" for step in steps) else []


def test_named_it_measures_its_room(fresh: Library, duty: httpx.Client) -> None:
    ieee = simulated(fresh, NEWCOMER)["ieee"]
    wish = {"device": "desk-air", "zone": "reading-room", "device_kind": "sensor"}
    reader = fresh.client("90000001", "0001")
    assert reader.patch(f"/network/devices/{ieee}", json=wish).status_code == 403

    name(duty, ieee, "desk-air", zone="reading-room", device_kind="sensor")
    value = wait_for("its value is shown in the room", lambda: co2(fresh, "reading-room"), SHOWN_WITHIN_S)
    assert value == pytest.approx(fresh.room("reading-room")["co2"], abs=150)
    wait_for("its value is in the room's history", lambda: remembered(fresh, "reading-room"), SHOWN_WITHIN_S)


def co2(fresh: Library, room: str) -> float | None:
    """What the API shows of a room's air."""
    rooms = fresh.client().get("/rooms").json()["rooms"]
    values = next(one for one in rooms if one["id"] == room)["values"]
    found: float | None = values.get("co2", {}).get("value")
    return found


def remembered(fresh: Library, room: str) -> int:
    """How many values of a room's air its history has."""
    answer = fresh.client().get(f"/rooms/{room}/history", params={"metric": "co2"})
    assert answer.status_code == 200, answer.text
    return sum(answer.json()["n"])


def test_names_must_be_free_and_rooms_must_exist(fresh: Library, duty: httpx.Client) -> None:
    ieee = simulated(fresh, NEWCOMER)["ieee"]
    for wish, code in (
        ({"device": "stacks-th", "zone": "stacks"}, "device_name_taken"),
        ({"device": "desk-air", "zone": "attic"}, "unknown_room"),
    ):
        answer = duty.patch(f"/network/devices/{ieee}", json=wish)
        assert (answer.status_code, answer.json()["code"]) == (409, code)
    assert duty.patch("/network/devices/02:00:00:00:00:00:00:00", json=wish).status_code == 404


def test_the_gateway_dies_and_knows_it_afterwards(fresh: Library, duty: httpx.Client) -> None:
    ieee, known = simulated(fresh, NEWCOMER)["ieee"], remembered(fresh, "reading-room")
    fresh.kill("gateway")
    fresh.start("gateway")
    wait_for("it is online under its name", lambda: _online(duty, ieee, "desk-air"), BACK_WITHIN_S)
    wait_for("it measures on", lambda: remembered(fresh, "reading-room") > known, SHOWN_WITHIN_S)


def _online(duty: httpx.Client, ieee: str, id_: str) -> bool:
    device = told(duty, ieee)
    return (device.get("id"), device.get("state")) == (id_, "online")


def test_carried_to_another_room_it_measures_that(fresh: Library, duty: httpx.Client) -> None:
    ieee = simulated(fresh, NEWCOMER)["ieee"]
    name(duty, ieee, "stacks-air", zone="stacks")
    assert duty.post(f"/network/devices/{ieee}/reinterview").status_code in (200, 202)
    wait_for("its value is shown there", lambda: co2(fresh, "stacks"), SHOWN_WITHIN_S)
    wait_for("the other room shows none any more", lambda: co2(fresh, "reading-room") is None, SHOWN_WITHIN_S)
    assert sum(_history(fresh, "desk-air")["n"]) > 0, "what it measured before is kept under the name it had"


def test_a_smoke_detector_is_named_and_raises_the_alarm(fresh: Library, duty: httpx.Client) -> None:
    faulty = {cause["zone"] for alarm in alarms(duty, "fault") for cause in alarm["causes"]}
    assert "stacks-smoke" in faulty, "a detector that nobody has named yet would not tell a fire"
    name(duty, simulated(fresh, DETECTOR)["ieee"], DETECTOR, zone="stacks", device_kind="smoke")
    wait_for("the fault is over", lambda: not alarms(duty, "fault"), SHOWN_WITHIN_S)

    fresh.sim("zigbee", "alarm", DETECTOR, "on")
    wait_for("the panel's siren sounds", lambda: fresh.outputs()["siren"], 10)
    wait_for("the Zigbee siren sounds", lambda: fresh.room("reading-room")["siren"], 10)
    (fire,) = wait_for("the alarm is on the page", lambda: alarms(duty, "fire"))
    assert [cause["zone"] for cause in fire["causes"]] == ["stacks-smoke"]

    fresh.sim("zigbee", "alarm", DETECTOR, "off")
    wait_for("the panel is reset", lambda: duty.post(f"/alarms/{fire['id']}/reset").status_code == 200, 20)
    wait_for("all is quiet", lambda: not any(fresh.outputs().values()) and not fresh.room("reading-room")["siren"], 10)


def test_removed_it_is_gone_and_what_it_measured_stays(fresh: Library, duty: httpx.Client) -> None:
    ieee = simulated(fresh, NEWCOMER)["ieee"]
    assert fresh.client("90000001", "0001").delete(f"/network/devices/{ieee}").status_code == 403
    assert duty.delete(f"/network/devices/{ieee}").status_code in (200, 202)
    wait_for("it has left", lambda: not simulated(fresh, NEWCOMER)["joined"])
    wait_for("nobody tells of it any more", lambda: not told(duty, ieee))
    wait_for("what it measured is kept", lambda: sum(_history(fresh, "stacks-air")["n"]) > 0, SHOWN_WITHIN_S)


def _history(fresh: Library, id_: str) -> dict[str, list[int]]:
    past: dict[str, list[int]] = fresh.client().get(f"/devices/{id_}/history", params={"quantity": "co2"}).json()
    return past


def test_no_program_has_left_a_trace_of_a_bug(fresh: Library) -> None:
    for program in ("gateway", "server", "sim", "broker"):
        assert "Traceback" not in fresh.log(program), program
