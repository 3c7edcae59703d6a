"""The library that is measured: the shipped config.toml in a folder of its own, on free ports.

With a crowd it has as many sensors more. They are in its rooms, so that each report leads to an evaluation of the rules
and to a median of many; but for those of light, which are in a hall, so that one report can move the curtain.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from firmware_sim.zigbee.population import population
from tests.bench.processes import ROOT, free_ports

RULE, CURTAIN = "reading-shade", "reading-curtain"
HALL = "hall"
METRICS = {
    "SIM-TH": ("temp", "rh"),
    "SIM-LUX": ("lux",),
    "SIM-OCC": ("occupancy",),
    "SIM-CO2": ("co2",),
}


@dataclass(frozen=True, slots=True)
class Site:
    """Where it is; `env` lays ports, and what else the benchmark needs, over the file."""

    config: Path
    env: dict[str, str]
    ports: dict[str, int] = field(default_factory=dict)
    crowd: int = 0

    @property
    def folder(self) -> Path:
        """The folder of the configuration; everything lies below."""
        return self.config.parent

    @property
    def run_dir(self) -> Path:
        """Where the links to the ports are."""
        return self.folder / "var" / "run"

    def log(self, name: str) -> Path:
        """Standard error of one of the benchmark's programs."""
        return self.folder / f"{name}.log"


def make_site(folder: Path, crowd: int = 0) -> Site:
    """A library as shipped but for its ports and a crowd of sensors; with one, it also writes to an InfluxDB that is
    down."""
    folder.mkdir(parents=True)
    config = folder / "config.toml"
    config.write_text((ROOT / "config.toml").read_text() + crowd_tables(crowd))
    names = ("server", "sip2", "kiosk", "mqtt", "control", "io", "influx")
    ports = dict(zip(names, free_ports(len(names)), strict=True))
    env = {
        "CARREL_SERVER__PORT": str(ports["server"]),
        "CARREL_SERVER__SIP2__PORT": str(ports["sip2"]),
        "CARREL_GATEWAY__SERVER_URL": f"http://127.0.0.1:{ports['server']}",
        "CARREL_GATEWAY__KIOSK__0__PORT": str(ports["kiosk"]),
        "CARREL_MQTT__PORT": str(ports["mqtt"]),
        "CARREL_SIM__CONTROL": f"127.0.0.1:{ports['control']}",
        "CARREL_SIM__IO_PORT": str(ports["io"]),
        "CARREL_MODBUS__0__URL": f"rtu+tcp://127.0.0.1:{ports['io']}",
    }
    if crowd:
        env |= {
            "CARREL_TELEMETRY__INFLUX__URL": f"http://127.0.0.1:{ports['influx']}",
            "CARREL_TELEMETRY__INFLUX__ORG": "library",
            "CARREL_TELEMETRY__INFLUX__TOKEN": "bench",
            "CARREL_ZIGBEE__JOIN_AT_START_S": "254",
        }
    return Site(config, env, ports, crowd)


def crowd_tables(crowd: int) -> str:
    """Their part of config.toml."""
    if not crowd:
        return ""
    tables = [f'\n[[room]]\nid = "{HALL}"\nname = "Hall"\n']
    for one in population((), crowd):
        if not one.crowd:
            continue
        zone = HALL if one.model.name == "SIM-LUX" else one.zone
        tables.append(f'[[zigbee.device]]\nid = "{one.name}"\nieee = "{one.ieee}"\nzone = "{zone}"\nkind = "sensor"\n')
        tables += [
            f'[[environment.sensor]]\nid = "{one.name}-{metric}"\nzone = "{zone}"\nmetric = "{metric}"\n'
            f'device = "{one.name}"\n'
            for metric in METRICS[one.model.name]
        ]
    return "\n".join(tables)


def twitchy(site: Site) -> dict[str, str]:
    """The environment in which every report across 1000 lx moves the curtain at once."""
    plan = tomllib.loads(site.config.read_text())["environment"]
    rule = next(n for n, entry in enumerate(plan["rule"]) if entry["id"] == RULE)
    curtain = next(n for n, entry in enumerate(plan["actuator"]) if entry["id"] == CURTAIN)
    return {
        **site.env,
        f"CARREL_ENVIRONMENT__RULE__{rule}__WHEN__HYSTERESIS": "0.0",
        f"CARREL_ENVIRONMENT__RULE__{rule}__RELEASE_FOR_S": "0",
        f"CARREL_ENVIRONMENT__ACTUATOR__{curtain}__DEADBAND": "0",
        f"CARREL_ENVIRONMENT__ACTUATOR__{curtain}__MIN_MOVE_INTERVAL_S": "0",
    }
