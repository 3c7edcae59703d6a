"""The virtual building's ports and speed: command line, then environment, then table `[sim]` of config.toml."""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

DEFAULT_CONTROL: Final = "127.0.0.1:18700"
DEFAULT_IO_PORT: Final = 18702
DEFAULT_SPEED: Final = 60.0
_DEFAULT_CONFIG: Final = "config.toml"


class SettingsError(ValueError):
    """A setting that cannot be used; the message is one sentence for the person who set it."""


@dataclass(frozen=True, slots=True)
class Port:
    """A TCP address; `explicit` when it was given on the command line, so that no other will do."""

    host: str
    port: int
    explicit: bool = False

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Settings:
    """Addresses of the control socket and of the first I/O module's TCP port; building seconds per second."""

    control: Port
    io: Port
    speed: float


def settings(
    *,
    control: str | None = None,
    io_port: int | None = None,
    speed: float | None = None,
    config: Path | None = None,
    environ: Mapping[str, str] = os.environ,
) -> Settings:
    """Settings from the command line's values, the environment and config.toml; SettingsError."""
    table = _sim_table(config)
    found_control = control or environ.get("CARREL_SIM__CONTROL") or table.get("control", DEFAULT_CONTROL)
    found_speed = environ.get("CARREL_SIM__SPEED") or table.get("speed", DEFAULT_SPEED)
    found_io = environ.get("CARREL_SIM__IO_PORT") or table.get("io_port", DEFAULT_IO_PORT)
    return Settings(
        control=address(found_control, explicit=control is not None),
        io=Port("127.0.0.1", _port(found_io if io_port is None else io_port), explicit=io_port is not None),
        speed=_speed(found_speed if speed is None else speed),
    )


def address(text: object, *, explicit: bool = False) -> Port:
    """`HOST:PORT` as a Port; SettingsError."""
    host, colon, port = text.rpartition(":") if isinstance(text, str) else ("", "", "")
    if not host or not colon:
        raise SettingsError(f"control address {text!r} is not HOST:PORT")
    return Port(host.strip("[]"), _port(port), explicit)


def _port(value: object) -> int:
    try:
        port = int(str(value))
    except ValueError:
        port = -1
    if not 0 <= port <= 65535:
        raise SettingsError(f"port {value!r} is not a number from 0 to 65535")
    return port


def _speed(value: object) -> float:
    try:
        return float(str(value))
    except ValueError:
        raise SettingsError(f"speed {value!r} is not a number") from None


def _sim_table(config: Path | None) -> dict[str, Any]:
    path = config or Path(_DEFAULT_CONFIG)
    if config is None and not path.exists():
        return {}
    table = read_toml(path).get("sim", {})
    if not isinstance(table, dict):
        raise SettingsError(f"{path}: sim is not a table")
    return table


def read_toml(path: Path) -> dict[str, Any]:
    """A TOML file; SettingsError when it cannot be read."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"cannot read {path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"cannot read {path}: {error}") from None
