"""Who is who on the Zigbee network: config.toml's devices, and above them what people changed on the page. Pure.

config.toml is what a fresh site starts with. A device that was named, moved or removed on the page is kept in the
gateway's store by its address, and that stands above config.toml from then on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, get_args

from pydantic import TypeAdapter

from carrel.contracts.telemetry import Quantity
from devices.config import ZigbeeDeviceConfig
from environment.config import EnvironmentConfig, Metric, unmeasured

MEMORY = "zigbee_roster"
VERSION = 1
METRICS = frozenset(get_args(Metric)) - {"flag"}

_ENTRIES: TypeAdapter[dict[str, ZigbeeDeviceConfig]] = TypeAdapter(dict[str, ZigbeeDeviceConfig])


@dataclass(frozen=True, slots=True)
class Roster:
    """What people changed: devices by address, addresses they removed, and what each named sensor measures."""

    entries: Mapping[str, ZigbeeDeviceConfig] = field(default_factory=dict)
    removed: frozenset[str] = frozenset()
    measures: Mapping[str, tuple[Quantity, ...]] = field(default_factory=dict)

    def devices(self, shipped: Iterable[ZigbeeDeviceConfig]) -> tuple[ZigbeeDeviceConfig, ...]:
        """All named devices: config.toml's in its order, as they were changed, then those it does not know."""
        kept = [device for device in shipped if device.ieee not in self.removed]
        known = {device.ieee for device in kept}
        added = [entry for ieee, entry in self.entries.items() if ieee not in known]
        return (*(self.entries.get(device.ieee, device) for device in kept), *added)

    def named(self, device: ZigbeeDeviceConfig) -> Roster:
        """This device is called so from now on, lives there and is of that kind."""
        return replace(self, entries={**self.entries, device.ieee: device}, removed=self.removed - {device.ieee})

    def without(self, ieee: str) -> Roster:
        """This device is forgotten; one of config.toml too."""
        return Roster(
            {name: entry for name, entry in self.entries.items() if name != ieee},
            self.removed | {ieee},
            {name: told for name, told in self.measures.items() if name != ieee},
        )

    def learnt(self, id_: str, quantities: Iterable[Quantity]) -> Roster:
        """The named sensor measures these; the same roster when that is known, or the device is not ours to tell."""
        ieee = next((ieee for ieee, entry in self.entries.items() if entry.id == id_), None)
        told = tuple(quantity for quantity in quantities if quantity.value in METRICS)
        if ieee is None or self.measures.get(ieee, ()) == told:
            return self
        return replace(self, measures={**self.measures, ieee: told})

    def environment(self, config: EnvironmentConfig) -> EnvironmentConfig:
        """The rules with these sensors; raises ValueError when a rule would then find no sensor in its zone.

        A sensor of config.toml follows its device to another zone. A named sensor that config.toml does not mention
        measures as `{device}-{metric}`.
        """
        zones = {entry.id: entry.zone for entry in self.entries.values()}
        sensors: list[dict[str, Any]] = [
            {
                **sensor.model_dump(),
                "zone": sensor.zone if sensor.metric == "flag" else zones.get(sensor.device, sensor.zone),
            }
            for sensor in config.sensor
        ]
        mentioned = {sensor.device for sensor in config.sensor}
        for ieee, entry in self.entries.items():
            if entry.kind == "sensor" and entry.id not in mentioned:
                sensors += [
                    {"id": f"{entry.id}-{quantity}", "zone": entry.zone, "metric": str(quantity), "device": entry.id}
                    for quantity in self.measures.get(ieee, ())
                ]
        if sensors == [sensor.model_dump() for sensor in config.sensor]:
            for sentence in unmeasured(config):  # its rules may be newer than its check
                raise ValueError(sentence)
            return config
        return EnvironmentConfig.model_validate({**config.model_dump(by_alias=True), "sensor": sensors})


def to_json(roster: Roster) -> dict[str, Any]:
    """For the store."""
    return {
        "version": VERSION,
        "devices": {ieee: entry.model_dump(mode="json", exclude_none=True) for ieee, entry in roster.entries.items()},
        "removed": sorted(roster.removed),
        "measures": {ieee: [str(quantity) for quantity in told] for ieee, told in roster.measures.items()},
    }


def from_json(data: Any) -> Roster:
    """What `to_json` wrote; None is a fresh site. Raises ValueError for anything else."""
    if data is None:
        return Roster()
    try:
        if data["version"] != VERSION:
            raise ValueError(f"version {data['version']} instead of {VERSION}")
        return Roster(
            _ENTRIES.validate_python(data["devices"]),
            frozenset(data["removed"]),
            {ieee: tuple(Quantity(name) for name in told) for ieee, told in data["measures"].items()},
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"stored roster cannot be read: {error!r}") from error


def restored(shipped: Iterable[ZigbeeDeviceConfig], devices: Iterable[ZigbeeDeviceConfig]) -> Roster:
    """The roster that leads to these devices, as a backup holds them."""
    wanted = {device.ieee: device for device in devices}
    known = {device.ieee: device for device in shipped}
    changed = {ieee: device for ieee, device in wanted.items() if known.get(ieee) != device}
    return Roster(changed, frozenset(known.keys() - wanted.keys()))
