"""config.toml and the names that people gave to Zigbee devices, brought together."""

from __future__ import annotations

import logging
from dataclasses import replace

from environment.config import EnvironmentConfig
from environment.rulebook.book import BookError, RuleBook, checked, laid_over
from gateway.control.network import House
from gateway.control.roster import Roster
from gateway.settings import GatewaySettings

log = logging.getLogger(__name__)


def with_roster(shipped: GatewaySettings, roster: Roster, book: RuleBook | None = None) -> GatewaySettings:
    """The settings in force: roster and rule book stand above config.toml, where the rules allow it."""
    devices = roster.devices(shipped.zigbee.device)
    return replace(
        shipped,
        zigbee=shipped.zigbee.model_copy(update={"device": devices}),
        environment=_environment(shipped.environment, roster, book),
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


def wiring(config: EnvironmentConfig, roster: Roster) -> EnvironmentConfig:
    """Sensors and actuators as they are named now, without rules."""
    bare = laid_over(config, RuleBook())
    try:
        return roster.environment(bare)
    except ValueError as error:
        log.error("sensors named on the devices page do not fit config.toml's and do not count: %s", error)
        return bare


def _environment(config: EnvironmentConfig, roster: Roster, book: RuleBook | None) -> EnvironmentConfig:
    """config.toml may have changed since the roster was written: its rules come first."""
    if book is not None:
        try:
            return checked(wiring(config, roster), book)[0]
        except BookError as error:
            log.error("the rules edited on the page do not fit any more, config.toml's are in force: %s", error)
    try:
        return roster.environment(config)
    except ValueError as error:
        log.error("sensors named on the devices page do not fit config.toml's rules and do not count: %s", error)
        return config
