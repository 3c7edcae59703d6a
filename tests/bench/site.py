"""The library that is measured: the shipped config.toml in a folder of its own, on free ports."""

from __future__ import annotations

import shutil
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench.processes import ROOT, free_ports

RULE, CURTAIN = "reading-shade", "reading-curtain"


@dataclass(frozen=True, slots=True)
class Site:
    """Where it is; `env` lays ports, and what else the benchmark needs, over the file."""

    config: Path
    env: dict[str, str]
    ports: dict[str, int] = field(default_factory=dict)

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


def make_site(folder: Path) -> Site:
    """A library as shipped but for its ports."""
    folder.mkdir(parents=True)
    config = folder / "config.toml"
    shutil.copy(ROOT / "config.toml", config)
    names = ("server", "kiosk", "mqtt", "control", "io")
    ports = dict(zip(names, free_ports(len(names)), strict=True))
    env = {
        "CARREL_SERVER__PORT": str(ports["server"]),
        "CARREL_GATEWAY__SERVER_URL": f"http://127.0.0.1:{ports['server']}",
        "CARREL_GATEWAY__KIOSK__0__PORT": str(ports["kiosk"]),
        "CARREL_MQTT__PORT": str(ports["mqtt"]),
        "CARREL_SIM__CONTROL": f"127.0.0.1:{ports['control']}",
        "CARREL_SIM__IO_PORT": str(ports["io"]),
        "CARREL_MODBUS__0__URL": f"rtu+tcp://127.0.0.1:{ports['io']}",
    }
    return Site(config, env, ports)


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
