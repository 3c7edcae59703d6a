"""Which kind of link is made how. To add hardware: a driver package, a config section, one line here, a simulator."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from carrel.clock import Clock
from devices.config import ModbusConfig, ZigbeeConfig
from devices.modbus.module import ModbusModule
from devices.zigbee.coordinator import Coordinator
from gateway.links.link import Link
from gateway.links.reader_link import ReaderLink
from gateway.stations.pad import Pad
from rfid.config import PadReaderConfig


@dataclass(frozen=True, slots=True)
class Wiring:
    """What links need beside their own section; `pads` by the id of their reader."""

    clock: Clock
    pads: Mapping[str, Pad]


LinkFactory = Callable[[str, Any, Wiring], Link]
"""(name, the section's model with absolute paths, wiring) -> link."""


def _zigbee(name: str, config: ZigbeeConfig, wiring: Wiring) -> Link:
    return Coordinator(name, config, wiring.clock)


def _modbus(name: str, config: ModbusConfig, wiring: Wiring) -> Link:
    return ModbusModule(name, config, wiring.clock)


def _feig(name: str, config: PadReaderConfig, wiring: Wiring) -> Link:
    return ReaderLink(name, config, wiring.pads[name])


LINK_FACTORIES: dict[str, LinkFactory] = {
    "znp": _zigbee,
    "bellows": _zigbee,
    "modbus": _modbus,
    "feig": _feig,
}


def make_link(kind: str, name: str, config: ZigbeeConfig | ModbusConfig | PadReaderConfig, wiring: Wiring) -> Link:
    """The link for one section of config.toml; `kind` is the section's own, or `modbus`."""
    return LINK_FACTORIES[kind](name, config, wiring)
