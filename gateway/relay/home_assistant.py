"""Announcements for Home Assistant's MQTT integration (device discovery, one retained message a device). Pure.

A command from there is an override like any other: it ends by itself, and the gateway checks it as it checks all.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from carrel.contracts import topics
from carrel.contracts.telemetry import UNITS, DeviceInfo, Quantity

OVERRIDE_S = 7200
BY = "integration:home-assistant"

CLASSES: Mapping[Quantity, str | None] = {
    Quantity.TEMP: "temperature",
    Quantity.RH: "humidity",
    Quantity.LUX: "illuminance",
    Quantity.CO2: "carbon_dioxide",
    Quantity.BATTERY: "battery",
}
"""Quantities announced as sensors, with Home Assistant's device class."""


@dataclass(frozen=True, slots=True)
class Site:
    """Where the messages go and come from."""

    prefix: str
    branch: str
    gateway: str
    version: str

    def name(self, topic: topics.Topic, id_: str = "") -> str:
        """A topic of this gateway."""
        return topics.name(self.branch, self.gateway, topic, id_)


@dataclass(frozen=True, slots=True)
class Announced:
    """A device, the quantities it measures, and the actuator that it is, if it is one."""

    info: DeviceInfo
    measures: tuple[Quantity, ...] = ()
    actuator: str | None = None


def announcements(site: Site, devices: Iterable[Announced]) -> list[tuple[str, bytes]]:
    """(topic, payload) of each device; to be published retained."""
    return [
        (
            topics.announcement(site.prefix, site.branch, site.gateway, device.info.id),
            json.dumps(_device(site, device)).encode(),
        )
        for device in devices
    ]


def _device(site: Site, device: Announced) -> dict[str, Any]:
    unique = _unique(site, device)
    components = {quantity.value: _sensor(quantity, unique) for quantity in device.measures if quantity in CLASSES}
    if device.actuator is not None:
        components["control"] = _control(site, device, f"{unique}_control")
    return {
        "device": {"identifiers": [unique], "name": device.info.id, "model": device.info.model or device.info.kind},
        "origin": {"name": "Carrel", "sw_version": site.version},
        "availability": [
            {"topic": site.name(topic, id_), "value_template": "{{ value_json.state }}"}
            for topic, id_ in ((topics.STATE, ""), (topics.AVAILABILITY, device.info.id))
        ],
        "availability_mode": "all",
        "state_topic": site.name(topics.DEVICE_STATE, device.info.id),
        "qos": 1,
        "components": components,
    }


def _sensor(quantity: Quantity, unique: str) -> dict[str, Any]:
    return {
        "platform": "sensor",
        "unique_id": f"{unique}_{quantity.value}",
        "device_class": CLASSES[quantity],
        "unit_of_measurement": UNITS[quantity],
        "state_class": "measurement",
        "value_template": _value(quantity),
    }


def _control(site: Site, device: Announced, unique: str) -> dict[str, Any]:
    assert device.actuator is not None
    command = site.name(topics.COMMAND, device.actuator)
    common = {"unique_id": unique, "name": None}
    match device.info.kind:
        case "curtain":  # 100 is closed here; the two limits tell Home Assistant so
            return common | {
                "platform": "cover",
                "device_class": "curtain",
                "position_topic": site.name(topics.DEVICE_STATE, device.info.id),
                "position_template": _value(Quantity.POSITION),
                "position_open": 0,
                "position_closed": 100,
                "set_position_topic": command,
                "set_position_template": _wish(device.actuator, "{{ position }}"),
            }
        case "vent":
            return common | {
                "platform": "number",
                "min": 0,
                "max": 100,
                "unit_of_measurement": "%",
                "value_template": _value(Quantity.LEVEL),
                "command_topic": command,
                "command_template": _wish(device.actuator, "{{ value }}"),
            }
        case _:
            return common | {
                "platform": "switch",
                "value_template": _value(Quantity.ON),
                "state_on": "1.0",
                "state_off": "0.0",
                "command_topic": command,
                "command_template": _wish(device.actuator, "{{ value }}"),
                "payload_on": "1",
                "payload_off": "0",
            }


def _value(quantity: Quantity) -> str:
    return f"{{{{ value_json['values']['{quantity.value}'] | default(none) }}}}"


def _wish(actuator: str, value: str) -> str:
    """An OverrideSet as a template of Home Assistant's, which fills in time and value."""
    return (
        '{"kind":"override_set","id":"ha-{{ (now().timestamp() * 1000) | int }}",'
        f'"actuator":"{actuator}","value":{value},"duration_s":{OVERRIDE_S},"by":"{BY}",'
        '"expires":"{{ (utcnow() + timedelta(minutes=1)).isoformat() }}"}'
    )


def _unique(site: Site, device: Announced) -> str:
    return f"carrel_{site.branch}_{site.gateway}_{device.info.id}"
