"""The sections of config.toml that describe field wires; each is defined beside its driver."""

from __future__ import annotations

from carrel.config import Document
from devices.modbus.config import RTU_SCHEME, ModbusConfig
from devices.zigbee.config import DETECTORS, ZigbeeConfig, ZigbeeDeviceConfig

__all__ = ["DETECTORS", "ModbusConfig", "ZigbeeConfig", "ZigbeeDeviceConfig", "resolve_port"]

NETWORK_SCHEMES = ("socket://", "tcp://", "rtu+tcp://")


def resolve_port(doc: Document, port: str) -> str:
    """The port with its path made absolute from the configuration file's folder; network addresses stay as they are."""
    if not port or port.startswith(NETWORK_SCHEMES):
        return port
    if port.startswith(RTU_SCHEME):
        return RTU_SCHEME + str(doc.path(port.removeprefix(RTU_SCHEME)))
    return str(doc.path(port))
