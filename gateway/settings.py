"""Everything the gateway reads of config.toml, checked across sections."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, StringConstraints

from carrel.config import ConfigError, Document, Section
from carrel.contracts.ids import Slug
from carrel.contracts.network import DeviceKind
from carrel.sections import Common, MqttConfig, Port, read_common, refuse_repeats
from devices.config import DETECTORS, ModbusConfig, ZigbeeConfig, ZigbeeDeviceConfig, resolve_port
from environment.config import EnvironmentConfig
from gateway.control.orders import ControlledDevice, Kind
from gateway.relay.spool import INFLUX
from gateway.relay.telemetry import TELEMETRY
from rfid.config import PadReaderConfig
from security.config import SecurityConfig

CONTROLLED: dict[DeviceKind, Kind] = {"curtain": "curtain", "ac": "ac", "vent": "vent", "plug": "other"}
"""Kinds of Zigbee devices that carry out orders of rules and people."""
RADIO = "zigbee"
"""The link of the radio; no module and no reader may be called so."""
SLUG_LENGTH = 63


class KioskConfig(Section):
    """`[[gateway.kiosk]]`. The id is part of request ids, which have 64 characters at most."""

    id: Annotated[Slug, StringConstraints(max_length=32)]
    host: str = "127.0.0.1"
    port: Port
    pad: Slug
    mode: Literal["borrow", "return", "both"] = "both"
    session_s: int = Field(default=45, ge=10, le=600)
    receipts: Path | None = None


class GatewayConfig(Section):
    """`[gateway]`."""

    id: Slug = "gw-1"
    mqtt_username: str = ""
    mqtt_password: str = ""
    server_url: Annotated[str, StringConstraints(pattern=r"^https?://[^\s/]+(/\S*)?$")] = "http://127.0.0.1:8080"
    store: Path = Path("var/gateway.db")
    kiosk: tuple[KioskConfig, ...] = ()


class ReaderConfig(PadReaderConfig):
    """`[[reader]]`: a reader with its id; `owner` comes from `[library]`."""

    id: Slug


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    """All of it, paths absolute."""

    common: Common
    gateway: GatewayConfig
    store: Path
    token_file: Path
    zigbee: ZigbeeConfig
    modbus: tuple[ModbusConfig, ...]
    readers: tuple[ReaderConfig, ...]
    environment: EnvironmentConfig
    security: SecurityConfig
    absent: tuple[ZigbeeDeviceConfig, ...] = ()
    """Devices of config.toml that people removed: their actuators wait for another device of that name."""

    @property
    def mqtt(self) -> MqttConfig:
        """The broker, with the gateway's own name where it has one."""
        own = {"username": self.gateway.mqtt_username, "password": self.gateway.mqtt_password}
        return self.common.mqtt.model_copy(update=own) if self.gateway.mqtt_username else self.common.mqtt

    @property
    def controlled(self) -> tuple[ControlledDevice, ...]:
        """The devices that carry out orders."""
        devices = {device.id: device for device in (*self.absent, *self.zigbee.device)}
        return tuple(
            ControlledDevice(d.id, CONTROLLED[d.kind], d.setpoint_c) for d in devices.values() if d.kind in CONTROLLED
        )


def read_settings(doc: Document) -> GatewaySettings:
    """Validate the gateway's part of a configuration; raises ConfigError."""
    common = read_common(doc)
    gateway = _with_folders(doc, doc.section("gateway", GatewayConfig))
    zigbee = doc.section("zigbee", ZigbeeConfig)
    settings = GatewaySettings(
        common=common,
        gateway=gateway,
        store=doc.path(gateway.store),
        token_file=doc.path(doc.section("server", _ServerPart).token_file),
        zigbee=zigbee.model_copy(
            update={
                "path": resolve_port(doc, zigbee.path),
                "database": doc.path(zigbee.database),
                "backups": doc.path(zigbee.backups),
            }
        ),
        modbus=tuple(
            m.model_copy(update={"url": resolve_port(doc, m.url)}) for m in doc.entries("modbus", ModbusConfig)
        ),
        readers=tuple(
            r.model_copy(update={"path": resolve_port(doc, r.path)}) for r in _readers(doc, common.library.owner)
        ),
        environment=doc.section("environment", EnvironmentConfig),
        security=doc.section("security", SecurityConfig),
    )
    _no_repeats(settings, doc)
    for loc, name, known in (*_wires(settings), *_rules(settings), *_fire(settings)):
        if name not in known:
            there_are = ", ".join(sorted(known)) or "none"
            raise ConfigError(f"{doc.where(loc)}: '{_key(loc)}' = '{name}' does not exist; there are: {there_are}")
    _fitting(settings, doc)
    return settings


def _with_folders(doc: Document, gateway: GatewayConfig) -> GatewayConfig:
    kiosks = (k.model_copy(update={"receipts": doc.path(k.receipts) if k.receipts else None}) for k in gateway.kiosk)
    return gateway.model_copy(update={"kiosk": tuple(kiosks)})


class _ServerPart(Section):
    """What the gateway reads of `[server]`; the server checks the rest."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    token_file: Path = Path("var/run/machine-token")


Loc = tuple[str | int, ...]
Check = tuple[Loc, str, Collection[str]]
"""Where a name is used, the name, and the names that are defined elsewhere."""

LEVELS = ("curtain", "vent")


def _readers(doc: Document, owner: str) -> tuple[ReaderConfig, ...]:
    entries = doc.data.get("reader", [])
    if isinstance(entries, list) and all(isinstance(entry, dict) for entry in entries):
        entries = [{"owner": owner} | entry for entry in entries]
    return replace(doc, data={"reader": entries}).entries("reader", ReaderConfig)


def _no_repeats(settings: GatewaySettings, doc: Document) -> None:
    refuse_repeats(doc, "modbus", [module.id for module in settings.modbus])
    refuse_repeats(doc, "reader", [reader.id for reader in settings.readers])
    refuse_repeats(doc, "gateway.kiosk", [kiosk.id for kiosk in settings.gateway.kiosk])
    links: list[tuple[Loc, str]] = [(("zigbee",), RADIO), (("telemetry",), TELEMETRY), (("telemetry",), INFLUX)]
    links += [(("modbus", n, "id"), module.id) for n, module in enumerate(settings.modbus)]
    links += [(("reader", n, "id"), reader.id) for n, reader in enumerate(settings.readers)]
    _used_once(doc, links)
    _used_once(doc, [(("gateway", "kiosk", n, "pad"), k.pad) for n, k in enumerate(settings.gateway.kiosk)])
    _used_once(doc, [(("gateway", "kiosk", n, "port"), str(k.port)) for n, k in enumerate(settings.gateway.kiosk)])
    moved = enumerate(settings.environment.actuator)
    _used_once(doc, [(("environment", "actuator", n, "device"), actuator.device) for n, actuator in moved])


def _used_once(doc: Document, uses: list[tuple[Loc, str]]) -> None:
    seen: set[str] = set()
    for loc, name in uses:
        if name in seen:
            raise ConfigError(f"{doc.where(loc)}: '{_key(loc)}' = '{name}' is taken by another entry: choose another")
        seen.add(name)


def _wires(settings: GatewaySettings) -> Iterator[Check]:
    rooms = {room.id for room in settings.common.rooms}
    readers = {reader.id for reader in settings.readers}
    for n, device in enumerate(settings.zigbee.device):
        yield ("zigbee", "device", n, "zone"), device.zone, rooms
    for n, kiosk in enumerate(settings.gateway.kiosk):
        yield ("gateway", "kiosk", n, "pad"), kiosk.pad, readers


def _rules(settings: GatewaySettings) -> Iterator[Check]:
    rooms = {room.id for room in settings.common.rooms}
    devices = {device.id for device in settings.zigbee.device}
    controlled = {device.id for device in settings.controlled}
    for n, sensor in enumerate(settings.environment.sensor):
        yield ("environment", "sensor", n, "zone"), sensor.zone, rooms
        if sensor.metric != "flag":
            yield ("environment", "sensor", n, "device"), sensor.device, devices
    for n, actuator in enumerate(settings.environment.actuator):
        yield ("environment", "actuator", n, "zone"), actuator.zone, rooms
        yield ("environment", "actuator", n, "device"), actuator.device, controlled


def _fire(settings: GatewaySettings) -> Iterator[Check]:
    inputs = {f"{m.id}.{name}" for m in settings.modbus for name in m.inputs}
    points = {f"{m.id}.{name}" for m in settings.modbus for name in m.outputs}
    for n, zone in enumerate(settings.security.fire_zone):
        for key, name in (("input", zone.input), ("tamper_input", zone.tamper_input)):
            if name is not None:
                yield ("security", "fire_zone", n, key), f"{zone.module}.{name}", inputs
        if zone.place is not None:
            yield ("security", "fire_zone", n, "place"), zone.place, set(settings.common.places)
    points |= {f"{device.id}.siren" for device in settings.zigbee.device if device.kind == "siren"}
    wired = settings.security.outputs
    for key in ("lamp", "siren", "buzzer", "door_release"):
        for point in getattr(wired, key):
            yield ("security", "outputs", key), point, points
    for name in wired.ventilation_stop:
        yield ("security", "outputs", "ventilation_stop"), name, {a.id for a in settings.environment.actuator}


def _fitting(settings: GatewaySettings, doc: Document) -> None:
    """What is well-formed in itself and does not go together."""
    kinds = {device.id: device.kind for device in settings.controlled}
    for n, actuator in enumerate(settings.environment.actuator):
        kind = kinds[actuator.device]
        wanted = "level" if kind in LEVELS else "switch"
        if actuator.type != wanted:
            where = doc.where(("environment", "actuator", n, "type"))
            raise ConfigError(f"{where}: '{actuator.id}' moves {actuator.device} ({kind}): its type is {wanted}")
    _detectors_fit(settings, doc)
    if settings.zigbee.form and not settings.common.library.simulated:
        where = doc.where(("zigbee", "form"))
        raise ConfigError(
            f"{where}: form = true is for the simulated library: set it to false, and make the network once with "
            "`carrel zigbee form` or with Form on the devices page"
        )
    ids: list[tuple[Loc, str]] = [
        (("security", "area", n, "id"), area.id) for n, area in enumerate(settings.security.area)
    ]
    ids += [(("security", "fire_zone", n, "id"), zone.id) for n, zone in enumerate(settings.security.fire_zone)]
    for loc, id_ in ids:
        if len(id_) > SLUG_LENGTH:  # or its alarms could not be told
            raise ConfigError(f"{doc.where(loc)}: '{id_}' is longer than {SLUG_LENGTH} characters")


def _detectors_fit(settings: GatewaySettings, doc: Document) -> None:
    """A Zigbee detector without a fire zone would watch for nobody; a fire zone's detector must be one."""
    named = {zone.detector for zone in settings.security.fire_zone}
    for n, device in enumerate(settings.zigbee.device):
        if device.kind in DETECTORS and device.id not in named:
            where = doc.where(("zigbee", "device", n, "id"))
            raise ConfigError(
                f"{where}: '{device.id}' is a {device.kind} detector and no [[security.fire_zone]] has "
                f'detector = "{device.id}"'
            )
        if device.kind not in DETECTORS and device.id in named:
            where = doc.where(("zigbee", "device", n, "kind"))
            raise ConfigError(
                f"{where}: a fire zone's detector is of kind smoke or flame, '{device.id}' is {device.kind}"
            )


def _key(loc: Loc) -> str:
    return ".".join(str(part) for part in loc)
