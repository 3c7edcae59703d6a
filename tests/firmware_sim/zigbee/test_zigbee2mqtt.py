"""An unmodified Zigbee2MQTT, both major lines, on the simulated coordinator: interview, command, restart."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.mosquitto import running_mosquitto
from tests.support.programs import wait_for
from tests.support.sim import VirtualBuilding, virtual_building
from tests.support.zigbee2mqtt import Zigbee2Mqtt, install, zigbee2mqtt

CURTAIN, THERMOMETER = "0x02ca77e100000006", "0x02ca77e100000001"
DEMO = {f"0x02ca77e1000000{number:02x}" for number in range(1, 13)}
NO_TILT = "currentPositionTiltPercentage"
"""Its definition for models it does not know asks every covering for tilt, which a curtain rightly does not have."""
START_S, INTERVIEW_S = 60.0, 120.0


@pytest.mark.process
@pytest.mark.timeout(600)
@pytest.mark.parametrize("version", ["2.2.1", "2.14.1"])
def test_it_takes_the_whole_building_in_moves_a_curtain_and_finds_it_all_again(version: str, tmp_path: Path) -> None:
    program = install(version, tmp_path)
    state = tmp_path / "building"
    with running_mosquitto() as broker, virtual_building("--state", str(state)) as building:
        serial = building.ports["zigbee"]
        with zigbee2mqtt(program, tmp_path / "data", serial=serial, broker_port=broker.port) as host:
            wait_for("it forms a network", lambda: host.online, START_S)
            wait_for("devices may join", host.lets_in, START_S)
            wait_for("all devices are interviewed", lambda: host.interviewed() >= DEMO, INTERVIEW_S)
            wait_for("the thermometer is heard", lambda: "temperature" in host.state(THERMOMETER), INTERVIEW_S)
            host.say("bridge/request/permit_join", time=0)
            moves_the_curtain(host, building, open_pct=30)

            assert [line for line in host.errors if NO_TILT not in line] == []
            formed = host.network
            host.end()
            host.start()
            wait_for("it serves again", lambda: host.online, START_S)
            wait_for("it tells of its network", lambda: host.network and host.devices())
            assert host.network == formed
            assert host.interviewed() >= DEMO
            moves_the_curtain(host, building, open_pct=80)


def moves_the_curtain(host: Zigbee2Mqtt, building: VirtualBuilding, *, open_pct: int) -> None:
    """It shows per cent open; the building tells per cent closed."""
    host.say(f"{CURTAIN}/set", position=open_pct)
    closed = 100 - open_pct
    wait_for(
        "the curtain moves", lambda: building.observe()["rooms"]["reading-room"]["curtain_closed_pct"] == closed, 30
    )
    wait_for("it hears of it", lambda: host.state(CURTAIN).get("position") == open_pct, 30)
