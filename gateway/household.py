"""config.toml and the names that people gave to Zigbee devices, brought together."""

from __future__ import annotations

import logging
from dataclasses import replace

from environment.config import EnvironmentConfig
from gateway.control.network import House
from gateway.control.roster import Roster
from gateway.settings import GatewaySettings

log = logging.getLogger(__name__)


def with_roster(shipped: GatewaySettings, roster: Roster) -> GatewaySettings:
    """The settings in force: the roster stands above config.toml, where the rules allow it."""
    devices = roster.devices(shipped.zigbee.device)
    return replace(
        shipped,
        zigbee=shipped.zigbee.model_copy(update={"device": devices}),
        environment=_environment(shipped.environment, roster),
        absent=tuple(device for device in shipped.zigbee.device if device.ieee in roster.removed),
    )


def house_of(shipped: GatewaySettings) -> House:
    """What a name must fit."""
    environment, security = shipped.environment, shipped.security
    detectors = frozenset(zone.detector for zone in security.fire_zone if zone.detector is not None)
    used = {sensor.device for sensor in environment.sensor if sensor.metric != "flag"}
    used |= {actuator.device for actuator in environment.actuator} | detectors
    used |= {point.partition(".")[0] for point in security.outputs.siren}
    taken = {module.id for module in shipped.modbus} | {reader.id for reader in shipped.readers}
    return House(
        shipped=shipped.zigbee.device,
        environment=environment,
        rooms=frozenset(room.id for room in shipped.common.rooms),
        used=frozenset(used),
        detectors=detectors,
        taken=frozenset(taken),
    )


def _environment(config: EnvironmentConfig, roster: Roster) -> EnvironmentConfig:
    """config.toml may have changed since the roster was written: its rules come first."""
    try:
        return roster.environment(config)
    except ValueError as error:
        log.error("sensors named on the devices page do not fit config.toml's rules and do not count: %s", error)
        return config
