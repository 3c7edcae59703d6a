"""Every wire breaks in every way, every program dies: it is told, nothing is lost, and all heals by itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.ear import Ear
from tests.support.kiosk import KioskScreen
from tests.support.programs import Library, wait_for
from tests.support.tap import Tap

pytestmark = [pytest.mark.process, pytest.mark.timeout(240)]

LINKS = ("zigbee", "kiosk-1", "io-1")
ALL_ON = {"lamp": True, "siren": True, "door-release": True}
BOOK = "30000041"
LOST_WITHIN_S, BACK_WITHIN_S = 30.0, 60.0


@pytest.fixture
def ear(running: Library) -> Iterator[Ear]:
    """On the broker; all wires are whole afterwards."""
    with Ear(running.ports["mqtt"]) as found:
        yield found
    for link in LINKS:
        running.sim("fault", link, "restore")
    running.sim("set", "reading-room", "lux=auto")


# ---------------------------------------------------------------- wires
@pytest.mark.parametrize("fault", ["unplug", "silence", "garbage"])
def test_all_wires_break_at_once_and_come_back_by_themselves(fault: str, running: Library, ear: Ear) -> None:
    running.sim("set", "reading-room", "lux=200")
    before = {link: up(ear, link) for link in LINKS}

    for link in LINKS:
        running.sim("fault", link, fault)
    for link in LINKS:
        reported_lost(ear, link, fault, before[link]["bad_frames"])
    assert fires(running) == [], "a broken wire is a fault and no fire"

    for link in LINKS:
        running.sim("fault", link, "restore")
    for link in LINKS:
        up(ear, link)
    smoke_alarms(running)
    the_pad_reads_a_book(running)
    the_curtain_obeys(running)


def up(ear: Ear, link: str) -> dict[str, Any]:
    """Wait for it; the link's health."""
    wait_for(f"{link} is up", lambda: ear.link(link).get("state") == "up", BACK_WITHIN_S)
    return ear.link(link)


def reported_lost(ear: Ear, link: str, fault: str, bad_frames: int) -> None:
    """The gateway says so, and counts wrong frames."""
    wait_for(f"{link} is reported", lambda: ear.link(link)["state"] != "up", LOST_WITHIN_S)
    if fault == "garbage":
        wait_for(f"{link}'s wrong frames are counted", lambda: ear.link(link)["bad_frames"] > bad_frames, LOST_WITHIN_S)
    else:
        wait_for(f"{link}'s trouble is told", lambda: ear.link(link)["last_error"], LOST_WITHIN_S)


def curtain(running: Library) -> float:
    return float(running.room("reading-room")["curtain_closed_pct"])


def the_curtain_obeys(running: Library) -> None:
    wait_for("the curtain is open", lambda: curtain(running) == 0, BACK_WITHIN_S)
    running.sim("set", "reading-room", "lux=3000")
    wait_for("the curtain is closed", lambda: curtain(running) == 100, BACK_WITHIN_S)
    running.sim("set", "reading-room", "lux=200")


def the_pad_reads_a_book(running: Library) -> None:
    with KioskScreen(running.kiosk) as screen:
        if screen.now["screen"] == "return":
            screen.touch("done")  # somebody left without it
        screen.until("idle")
        screen.touch("return")
        screen.until("return")
        running.sim("place", "kiosk-1", BOOK)
        screen.until("return", BOOK)
        running.sim("remove", "kiosk-1", BOOK)
        screen.touch("done")
        screen.until("idle")


def fires(running: Library) -> list[str]:
    alarms = running.client().get("/alarms", params={"state": "open"}).json()["alarms"]
    return [alarm["id"] for alarm in alarms if alarm["kind"] == "fire"]


def smoke_alarms(running: Library) -> None:
    running.sim("contact", "io-1.smoke", "open")
    wait_for("lamp, siren and door release are on", lambda: running.outputs().items() >= ALL_ON.items(), 10)
    (fire,) = wait_for("the alarm is on the page", lambda: fires(running))
    running.sim("contact", "io-1.smoke", "closed")
    duty = running.client("duty", "duty-demo")
    wait_for("the panel is reset", lambda: duty.post(f"/alarms/{fire}/reset").status_code == 200)
    wait_for("all outputs are off", lambda: not any(running.outputs().values()))


# ---------------------------------------------------------------- programs
@pytest.fixture
def tap(running: Library) -> Iterator[Tap]:
    """On the gateway's log."""
    opened = Tap(running.folder)
    yield opened
    opened.close()


def change_the_weather(running: Library, tap: Tap, celsius: float) -> None:
    """Something to report; returns when the gateway has logged it."""
    known = tap.count()
    running.sim("set", "out", f"temp={celsius}")
    wait_for("the gateway logs reports", lambda: tap.count() >= known + 2, BACK_WITHIN_S)


@pytest.mark.parametrize("dead", [("broker",), ("server",), ("broker", "server"), ("gateway",)], ids="+".join)
def test_readings_flow_again_and_none_is_lost_or_invented(dead: tuple[str, ...], running: Library, tap: Tap) -> None:
    change_the_weather(running, tap, 12)
    running.sim("set", "stacks", "temp=19")  # its reports are under way while the power goes
    running.kill(*dead)
    if "gateway" not in dead:
        change_the_weather(running, tap, 30)
        assert tap.missing(), "reports wait in the gateway"

    running.start(*dead)
    change_the_weather(running, tap, 6)
    wait_for("everything logged is stored", lambda: not tap.missing(), BACK_WITHIN_S)
    assert tap.invented() == set()
    wait_for("the page shows the weather of now", lambda: (running.shown("out", "temp") or 99) < 12, BACK_WITHIN_S)


def test_a_gateway_that_is_gone_is_told_and_back_again(running: Library, ear: Ear) -> None:
    def state() -> str:
        found = re.search(rb'"state":"(\w+)"', ear.latest.get("carrel/1/main/gw-1/$state", b""))
        return found[1].decode() if found else ""

    wait_for("it is online", lambda: state() == "online")
    running.kill("gateway")
    told = len(running.log("gateway"))
    wait_for("the broker says its last will", lambda: state() == "offline", LOST_WITHIN_S)
    running.start("gateway")
    wait_for("it is online again", lambda: state() == "online", BACK_WITHIN_S)
    for link in LINKS:
        up(ear, link)
    assert "dropped" not in running.log("gateway")[told:], "a healthy restart brings nothing that cannot be understood"


def test_after_all_this_no_program_has_left_a_trace_of_a_bug(running: Library) -> None:
    for name in ("gateway", "server", "sim", "broker"):
        assert "Traceback" not in running.log(name), name
