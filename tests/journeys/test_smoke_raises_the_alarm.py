"""Journey (c): smoke lights the lamp, sounds the siren, releases the doors, and reaches the page, whatever is dead."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.programs import Library, library, wait_for

pytestmark = [pytest.mark.process, pytest.mark.timeout(180)]

ALL_ON = {"lamp": True, "siren": True, "door-release": True}
ALL_OFF = {"lamp": False, "siren": False, "door-release": False}


def outputs(running: Library) -> dict[str, bool]:
    return {name: on for name, on in running.outputs().items() if name in ALL_ON}


def open_fires(running: Library) -> list[dict[str, Any]]:
    found = running.client().get("/alarms", params={"state": "open"}).json()["alarms"]
    return [alarm for alarm in found if alarm["kind"] == "fire"]


def reset(running: Library) -> None:
    """Air the room and reset the panel, as duty staff would."""
    running.sim("contact", "io-1.smoke", "closed")
    duty = running.client("duty", "duty-demo")
    for alarm in open_fires(running):
        wait_for("the panel is reset", lambda a=alarm: duty.post(f"/alarms/{a['id']}/reset").status_code == 200, 20)
    wait_for("all outputs are off", lambda: outputs(running) == ALL_OFF, 10)


def test_smoke_to_siren_to_page_and_back_to_quiet(running: Library) -> None:
    running.sim("contact", "io-1.smoke", "open")
    wait_for("lamp, siren and door release are on", lambda: outputs(running) == ALL_ON, 5)
    (fire,) = wait_for("the alarm is on the page", lambda: open_fires(running), 10)
    assert fire["severity"] == "critical"
    assert [cause["zone"] for cause in fire["causes"]] == ["smoke"]

    duty = running.client("duty", "duty-demo")
    silenced = duty.post(f"/alarms/{fire['id']}/silence")
    assert silenced.status_code == 200, silenced.text
    wait_for("only the siren is off", lambda: outputs(running) == {**ALL_ON, "siren": False}, 5)

    acknowledged = duty.post(f"/alarms/{fire['id']}/acknowledge")
    assert acknowledged.json()["acknowledged_by"], acknowledged.text

    refused = duty.post(f"/alarms/{fire['id']}/reset")
    assert (refused.status_code, refused.json()["code"]) == (409, "detector_active")

    reset(running)
    assert open_fires(running) == []


def test_a_reader_may_not_touch_the_panel(running: Library) -> None:
    reader = running.client("90000001", "0001")
    assert reader.post("/alarms/fire-building-1/reset").status_code == 403
    assert running.client().post("/alarms/fire-building-1/reset").status_code == 401


def test_with_server_and_broker_dead_the_siren_sounds_and_the_alarm_arrives_later(tmp_path: Path) -> None:
    with library(tmp_path) as running:
        running.kill("server", "broker")

        running.sim("contact", "io-1.smoke", "open")
        wait_for("lamp, siren and door release are on", lambda: outputs(running) == ALL_ON, 5)

        running.start("broker", "server")
        wait_for("the alarm has arrived", lambda: open_fires(running), 30)
        reset(running)


def test_an_alarm_outlives_the_gateway(tmp_path: Path) -> None:
    with library(tmp_path) as running:
        running.sim("contact", "io-1.smoke", "open")
        wait_for("the siren sounds", lambda: outputs(running) == ALL_ON, 5)
        running.kill("gateway")
        running.sim("contact", "io-1.smoke", "closed")

        running.start("gateway")
        (fire,) = wait_for("the alarm still stands", lambda: open_fires(running), 30)
        assert outputs(running) == ALL_ON
        assert fire["state"] == "alarm"
        reset(running)


def test_the_module_unplugged_is_a_fault_and_no_fire(tmp_path: Path) -> None:
    with library(tmp_path) as running:

        def faults() -> list[dict[str, Any]]:
            found = running.client().get("/alarms", params={"state": "open"}).json()["alarms"]
            return [alarm for alarm in found if alarm["kind"] == "fault"]

        running.sim("fault", "io-1", "unplug")
        wait_for("a fault is on the page", faults, 20)
        assert open_fires(running) == []
        running.sim("fault", "io-1", "restore")
        wait_for("the fault is over", lambda: not faults(), 20)
