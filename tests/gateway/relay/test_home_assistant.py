"""What Home Assistant is told: documented fields, our topics, and commands that the gateway accepts."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from carrel.config import load
from carrel.contracts.actuation import OverrideSet
from carrel.contracts.codec import decode_command, encode
from carrel.contracts.telemetry import DeviceInfo, DeviceState, Quantity
from gateway.app import announced
from gateway.relay.home_assistant import Announced, Site, announcements
from gateway.settings import read_settings
from tests.support.clock import ManualClock
from tests.support.tree import ROOT

SITE = Site("homeassistant", "main", "gw-1", "0.1")


def told(*devices: Announced) -> dict[str, Any]:
    return {topic: json.loads(payload) for topic, payload in announcements(SITE, devices)}


def device(kind: str, *measures: Quantity, actuator: str | None = None) -> Announced:
    return Announced(DeviceInfo(id="thing", zone="stacks", kind=kind), measures, actuator)


def filled(template: str, **values: str) -> OverrideSet:
    """A command template as Home Assistant would fill it in."""
    text = template.replace("{{ (now().timestamp() * 1000) | int }}", "1760000000000")
    text = text.replace("{{ (utcnow() + timedelta(minutes=1)).isoformat() }}", "2026-11-22T10:01:00.123456+00:00")
    for name, value in values.items():
        text = text.replace(f"{{{{ {name} }}}}", value)
    command = decode_command(text.encode())
    assert isinstance(command, OverrideSet)
    return command


def test_a_sensor_is_told_with_its_unit_and_where_its_value_lies(clock: ManualClock) -> None:
    (topic, payload), *more = told(device("sensor", Quantity.TEMP, Quantity.RH)).items()
    assert not more
    assert topic == "homeassistant/device/carrel_main_gw-1_thing/config"
    temp = payload["components"]["temp"]
    assert (temp["platform"], temp["device_class"], temp["unit_of_measurement"]) == ("sensor", "temperature", "°C")
    assert payload["state_topic"] == "carrel/1/main/gw-1/dev/thing/state"
    state = DeviceState(
        ts=clock.now(), seq=1, zone="stacks", values={Quantity.TEMP: 21.5}, at={Quantity.TEMP: clock.now()}
    )
    path = re.search(r"value_json\['(\w+)'\]\['(\w+)'\]", temp["value_template"])
    assert path is not None
    assert json.loads(encode(state))[path[1]][path[2]] == 21.5


@pytest.mark.parametrize(
    ("kind", "platform", "template", "name"),
    [
        ("curtain", "cover", "set_position_template", "position"),
        ("vent", "number", "command_template", "value"),
        ("ac", "switch", "command_template", "value"),
    ],
)
def test_what_is_moved_from_there_is_an_override_with_an_end(
    kind: str, platform: str, template: str, name: str
) -> None:
    (payload,) = told(device(kind, actuator="stacks-thing")).values()
    control = payload["components"]["control"]
    assert control["platform"] == platform
    assert control.get("command_topic", control.get("set_position_topic")) == "carrel/1/main/gw-1/cmd/stacks-thing"
    wish = filled(control[template], **{name: "1"})
    assert (wish.actuator, wish.value, wish.duration_s) == ("stacks-thing", 1, 7200)
    assert wish.by == "integration:home-assistant"


def test_a_curtain_is_closed_at_a_hundred() -> None:
    (payload,) = told(device("curtain", actuator="c")).values()
    control = payload["components"]["control"]
    assert (control["position_open"], control["position_closed"]) == (0, 100)


def test_every_name_is_told_once_for_the_whole_demo_library(tmp_path: Path) -> None:
    payloads = told(*announced(read_settings(load(ROOT / "config.toml", {})))).values()
    unique = [part["unique_id"] for payload in payloads for part in payload["components"].values()]
    assert len(unique) == len(set(unique)) >= 15
    for payload in payloads:
        state, own = (entry["topic"] for entry in payload["availability"])
        assert state == "carrel/1/main/gw-1/$state"
        assert own == f"carrel/1/main/gw-1/dev/{payload['device']['name']}/availability"
