"""The Zigbee radio reboots, is unplugged, and loses its database: told at once, mended without restart or re-join."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import httpx
import pytest

from tests.support.ear import Ear
from tests.support.programs import Library, wait_for

pytestmark = [pytest.mark.process, pytest.mark.timeout(240)]

RADIO = "zigbee"
SLEEPY = "reading-occupancy"
TOLD_WITHIN_S, BACK_WITHIN_S = 5.0, 5.0
SLACK_S = 5.0
"""For a machine that does much else; what is measured at leisure is in docs/zigbee.md."""
JOINED_WITHIN_S, SHOWN_WITHIN_S = 90.0, 30.0


@pytest.fixture
def ear(running: Library) -> Iterator[Ear]:
    """On the broker, while the radio serves."""
    with Ear(running.ports["mqtt"]) as found:
        wait_for("the radio serves", lambda: found.link(RADIO).get("state") == "up", JOINED_WITHIN_S)
        yield found


@pytest.fixture
def duty(running: Library) -> httpx.Client:
    """The duty officer."""
    return running.client("duty", "duty-demo")


@pytest.fixture
def still(running: Library) -> Iterator[None]:
    """The building's clock stands, so that sensors have nothing to say but what they are asked."""
    running.sim("speed", "0")
    yield
    running.sim("speed", "60")


def session(ear: Ear) -> bytes:
    """Which run of the gateway it is."""
    return wait_for("the gateway is online", lambda: ear.latest.get("carrel/1/main/gw-1/$state"))


def told_and_back(ear: Ear, reconnects: int) -> None:
    """The link is not up within 5 s, and up again within as many."""
    wait_for(
        "the radio's trouble is told",
        lambda: ear.link(RADIO)["state"] != "up" or ear.link(RADIO)["reconnects"] > reconnects,
        TOLD_WITHIN_S + SLACK_S,
    )
    back(ear, reconnects)


def back(ear: Ear, reconnects: int) -> None:
    def is_back() -> bool:
        link = ear.link(RADIO)
        return bool(link["state"] == "up" and link["reconnects"] > reconnects)

    wait_for("the radio serves again", is_back, BACK_WITHIN_S + SLACK_S)


def device(duty: httpx.Client, name: str, running: Library) -> dict[str, Any]:
    """What the API says of a simulated device; empty when it knows none."""
    ieee = simulated(running, name)["ieee"]
    (network,) = duty.get("/network").json()["networks"]
    return next((one for one in network["devices"] if one["ieee"] == ieee), {})


def simulated(running: Library, name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in running.observe()["zigbee"]["devices"] if one["name"] == name)
    return found


def addresses(running: Library) -> dict[str, int]:
    """Short address of each device; one that joins anew gets another."""
    return {one["name"]: one["nwk"] for one in running.observe()["zigbee"]["devices"] if one["joined"]}


def test_it_reboots_by_itself_in_service(running: Library, ear: Ear) -> None:
    run, before, members = session(ear), ear.link(RADIO), addresses(running)
    running.sim("zigbee", "reset", "--reason", "watchdog")
    told_and_back(ear, before["reconnects"])
    assert "restarted by itself" in ear.link(RADIO)["last_error"]
    assert session(ear) == run, "the gateway itself was not restarted"
    assert addresses(running).items() >= members.items(), "nobody had to join again"

    running.sim("set", "out", "temp=21")
    wait_for("its devices are heard again", lambda: near(running.shown("out", "temp"), 21), SHOWN_WITHIN_S)


def near(value: float | None, wanted: float) -> bool:
    return value is not None and abs(value - wanted) < 1.5


def test_it_reboots_while_a_device_is_being_asked_who_it_is(running: Library, ear: Ear, duty: httpx.Client) -> None:
    assert duty.post("/network/join", json={"seconds": 200}).status_code in (201, 202)
    wait_for("it came as from its box", lambda: complete(device(duty, SLEEPY, running)), JOINED_WITHIN_S)
    running.sim("zigbee", "join", SLEEPY)
    wait_for("its interview has begun", lambda: under_way(device(duty, SLEEPY, running)), SHOWN_WITHIN_S)
    reconnects = ear.link(RADIO)["reconnects"]
    running.sim("zigbee", "reset")
    came_with = simulated(running, SLEEPY)["nwk"]
    told_and_back(ear, reconnects)

    wait_for("its way in is complete", lambda: complete(device(duty, SLEEPY, running)), JOINED_WITHIN_S)
    assert simulated(running, SLEEPY)["nwk"] == came_with, "nobody had to press its button again"
    duty.delete("/network/join")


def under_way(device: dict[str, Any]) -> bool:
    return 0 < len(done(device)) < len(device["steps"])  # a battery device takes seconds to tell


def done(device: dict[str, Any]) -> list[str]:
    return [step["name"] for step in device.get("steps", ()) if step["state"] == "done"]


def complete(device: dict[str, Any]) -> bool:
    return device.get("state") == "online" and len(done(device)) == len(device["steps"])


@pytest.mark.usefixtures("still")
def test_unplugged_and_plugged_in_again_it_reads_what_was_missed(running: Library, ear: Ear) -> None:
    run, reconnects = session(ear), ear.link(RADIO)["reconnects"]
    running.sim("fault", RADIO, "unplug")
    wait_for("that is told", lambda: ear.link(RADIO)["state"] != "up", TOLD_WITHIN_S + SLACK_S)
    running.sim("set", "out", "temp=9")  # its sensor says so, to nobody
    wait_for("its sensor has spoken", lambda: near(running.room("out")["temp"], 9))

    running.sim("fault", RADIO, "restore")
    back(ear, reconnects)
    wait_for("what was missed is read", lambda: near(running.shown("out", "temp"), 9), SHOWN_WITHIN_S)
    assert session(ear) == run


def test_its_damaged_database_is_put_back_from_the_backup(running: Library, duty: httpx.Client) -> None:
    members = addresses(running)
    assert duty.post("/network/backup", json={}).status_code in (200, 202)
    wait_for("there is a backup", lambda: list((running.folder / "var" / "backups" / "zigbee").glob("*.json")))
    running.kill("gateway")
    database = running.folder / "var" / "zigbee.db"
    for journal in database.parent.glob("zigbee.db-*"):
        journal.unlink()
    database.write_bytes(b"a page of something else " * 400)

    begun = len(running.log("gateway"))
    running.start("gateway")
    with Ear(running.ports["mqtt"]) as ear:
        wait_for(
            "what was done is told", lambda: "was damaged" in ear.link(RADIO).get("last_error", ""), SHOWN_WITHIN_S
        )
        wait_for("the radio serves", lambda: ear.link(RADIO).get("state") == "up", SHOWN_WITHIN_S)
    assert "was damaged" in running.log("gateway")[begun:]
    assert list(database.parent.glob("zigbee.db.*")), "the damaged file is kept aside"

    wait_for("everybody is known", lambda: len(online(duty)) >= len(members), SHOWN_WITHIN_S)
    assert addresses(running).items() >= members.items(), "nobody had to join again"
    running.sim("set", "out", "temp=26")
    wait_for("its devices are heard", lambda: near(running.shown("out", "temp"), 26), SHOWN_WITHIN_S)


def online(duty: httpx.Client) -> list[dict[str, Any]]:
    with suppress(httpx.HTTPError, ValueError):
        (network,) = duty.get("/network").json()["networks"]
        return [one for one in network["devices"] if one["state"] == "online"]
    return []


def test_no_program_has_left_a_trace_of_a_bug(running: Library) -> None:
    for program in ("gateway", "server", "sim", "broker"):
        assert "Traceback" not in running.log(program), program
