"""An unmodified ZHA, Home Assistant's own Zigbee host, on the simulated coordinator: interview, command, restart."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.programs import wait_for
from tests.support.sim import VirtualBuilding, virtual_building
from tests.support.zha import Zha, install, zha

CURTAIN, THERMOMETER = "02:ca:77:e1:00:00:00:06", "02:ca:77:e1:00:00:00:01"
DEMO = {f"02:ca:77:e1:00:00:00:{number:02x}" for number in range(1, 13)}
START_S, INTERVIEW_S = 60.0, 120.0


@pytest.mark.process
@pytest.mark.timeout(600)
def test_it_takes_the_whole_building_in_moves_a_curtain_and_finds_it_all_again(tmp_path: Path) -> None:
    python = install(tmp_path / "venv")
    with virtual_building("--state", str(tmp_path / "building")) as building:
        serial, database = building.ports["zigbee"], tmp_path / "zha.db"
        with zha(python, database, serial) as host:
            wait_for("it forms a network", lambda: host.pan, START_S)
            host.say("join 250")
            wait_for("all devices are interviewed", lambda: host.interviewed() >= DEMO, INTERVIEW_S)
            wait_for("the thermometer is heard", lambda: heard(host), INTERVIEW_S)
            moves_the_curtain(host, building, open_pct=30)
            formed = host.pan
            host.end()
        with zha(python, database, serial) as host:
            wait_for("it serves again", lambda: host.pan, START_S)
            assert host.pan == formed
            assert host.interviewed() >= DEMO
            moves_the_curtain(host, building, open_pct=80)
            host.end()


def heard(host: Zha) -> bool:
    """Whether its temperature entity shows a value."""
    return host.state(THERMOMETER, "Temperature").get("native_value") is not None


def moves_the_curtain(host: Zha, building: VirtualBuilding, *, open_pct: int) -> None:
    """It shows per cent open; the building tells per cent closed."""
    host.say(f"cover {CURTAIN} {open_pct}")
    wait_for(
        "the curtain moves",
        lambda: building.observe()["rooms"]["reading-room"]["curtain_closed_pct"] == 100 - open_pct,
        30,
    )
    wait_for("it hears of it", lambda: host.state(CURTAIN, "Cover").get("current_position") == open_pct, 30)
