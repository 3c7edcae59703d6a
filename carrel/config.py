"""Reads config.toml and CARREL_* variables. Errors name the key, its line and the mend.

Each package owns the model of its own sections; a program asks for the sections it needs:
`load(path).section("mqtt", MqttConfig)`.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)

SECTIONS = (
    "library", "paths", "log", "mqtt", "telemetry", "server", "gateway", "zigbee", "modbus", "reader", "room",
    "floor", "environment", "security", "sim",
)  # fmt: skip
ENV_PREFIX = "CARREL_"
SECRET = ("password", "database", "secret")
"""Keys whose values are never shown: a database's address holds its password."""
DEFAULT_FILE = "config.toml"


class ConfigError(Exception):
    """One clear sentence for the person who edits the file."""


class Section(BaseModel):
    """Base of every section's model: unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed configuration file with the environment laid over it; `variables` tells which key came from where."""

    file: Path
    data: dict[str, Any]
    text: str
    variables: Mapping[tuple[str, ...], str] = field(default_factory=dict)

    def section(self, name: str, model: type[M]) -> M:
        """The table `[name]` as its model; a missing table gives the model's defaults."""
        return self._validate(name, TypeAdapter(model), self.data.get(name, {}))

    def entries(self, name: str, model: type[M]) -> tuple[M, ...]:
        """The array of tables `[[name]]`."""
        adapter: TypeAdapter[tuple[M, ...]] = TypeAdapter(tuple[model, ...])  # type: ignore[valid-type]  # a run-time type
        return self._validate(name, adapter, self.data.get(name, []))

    def path(self, relative: str | Path) -> Path:
        """A path from the file's own folder, absolute."""
        return (self.file.parent / relative).absolute()

    def where(self, loc: tuple[str | int, ...]) -> str:
        """Where a person finds a key: the variable that set it, or the file and its line."""
        variable = self.variables.get(tuple(str(part) for part in loc))
        if variable is not None:
            return f"environment variable {variable}"
        line = find_line(self.text, loc)
        return f"{self.file.name} line {line}" if line else self.file.name

    def _validate(self, name: str, adapter: TypeAdapter[T], value: Any) -> T:
        try:
            return adapter.validate_python(value)
        except ValidationError as error:
            raise ConfigError(self._sentence(name, error)) from error

    def _sentence(self, name: str, error: ValidationError) -> str:
        first = error.errors(include_url=False)[0]
        loc: tuple[str | int, ...] = (name, *first["loc"])
        key = ".".join(str(part) for part in loc)
        where = self.where(loc)
        if first["type"] == "extra_forbidden":
            return f"{where}: unknown key '{key}': remove it or correct its spelling (`carrel config` lists all keys)"
        if first["type"] == "missing":
            return f"{where}: '{key}' is missing: add it"
        return f"{where}: '{key}'{_shown(loc, first['input'])}: {_plain(first['msg'])}"


def load(path: str | Path | None = None, environ: Mapping[str, str] | None = None) -> Document:
    """Read a configuration file (default ./config.toml); raises ConfigError."""
    file = Path(path or DEFAULT_FILE).absolute()
    try:
        text = file.read_text(encoding="utf-8-sig")  # Windows editors put a mark at the beginning
        data = tomllib.loads(text)
    except FileNotFoundError:
        raise ConfigError(f"no configuration file at {file}: name one with --config FILE") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(unreadable(file, error)) from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{file.name} is not valid TOML: {_lower(str(error))}") from error
    for key in data:
        if key not in SECTIONS:
            line = find_line(text, (key,))
            raise ConfigError(f"{file.name} line {line}: unknown section '{key}'; there are: {', '.join(SECTIONS)}")
    variables = _overlay(data, os.environ if environ is None else environ)
    return Document(file, data, text, variables)


def find_line(text: str, loc: tuple[str | int, ...]) -> int | None:
    """The line of a key, its entry or its table, whichever is the nearest the file has; None if nothing fits."""
    best: tuple[int, int] | None = None
    keys = _keys(text)
    for number, path in keys:
        depth = next((i for i, (a, b) in enumerate(zip(path, loc, strict=False)) if a != b), min(len(path), len(loc)))
        if depth == len(path) and (best is None or depth > best[0]):
            best = (depth, number)
    if best is None:  # a table that should not be one, or the other way round
        return next((number for number, path in keys if loc and path[: len(loc)] == loc), None)
    return best[1]


def _keys(text: str) -> list[tuple[int, tuple[str | int, ...]]]:
    """(line, path) of every table header and key; arrays of tables count their entries."""
    table: tuple[str | int, ...] = ()
    counts: dict[str, int] = {}
    out: list[tuple[int, tuple[str | int, ...]]] = []
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*(\[\[?)\s*([\w.\"-]+)\s*\]", line):
            dotted = header[2].replace('"', "")
            table = tuple(dotted.split("."))
            if header[1] == "[[":
                counts[dotted] = counts.get(dotted, -1) + 1
                table = (*table, counts[dotted])
            out.append((number, table))
        elif key := re.match(r"\s*([\w-]+|\"[^\"]+\")\s*=", line):
            out.append((number, (*table, key[1].strip('"'))))
    return out


def _overlay(data: dict[str, Any], environ: Mapping[str, str]) -> dict[tuple[str, ...], str]:
    found: dict[tuple[str, ...], str] = {}
    for name, value in environ.items():
        if not name.startswith(ENV_PREFIX) or "__" not in name:
            continue
        parts = name.removeprefix(ENV_PREFIX).lower().split("__")
        if parts[0] not in SECTIONS:
            raise ConfigError(f"environment variable {name}: no section '{parts[0]}'; there are: {', '.join(SECTIONS)}")
        _set(data, parts, value, name)
        found[tuple(parts)] = name
    return found


def _set(data: dict[str, Any], parts: list[str], value: str, name: str) -> None:
    here: Any = data
    for part in parts[:-1]:
        try:
            here = here[int(part)] if isinstance(here, list) else here.setdefault(part, {})
        except (ValueError, IndexError, AttributeError):
            raise ConfigError(f"environment variable {name}: there is no entry '{part}'") from None
    if not isinstance(here, dict):
        raise ConfigError(f"environment variable {name}: '{parts[-1]}' is not a key of a table")
    here[parts[-1]] = _scalar(value)


def _scalar(value: str) -> Any:
    """As TOML would read it; anything else is a plain string."""
    try:
        return tomllib.loads(f"v = {value}")["v"]
    except tomllib.TOMLDecodeError:
        return value


def _shown(loc: tuple[str | int, ...], value: Any) -> str:
    """The value, where showing it helps and gives nothing away."""
    secret = str(loc[-1]) in SECRET
    return f" = {value!r}" if isinstance(value, str | int | float) and not secret else ""


def _plain(message: str) -> str:
    """Pydantic's sentence without its own words."""
    return _lower(message.removeprefix("Value error, ").replace("a valid tuple", "a list"))


def unreadable(file: Path, error: OSError | UnicodeDecodeError) -> str:
    """Why a text file cannot be read, and the mend."""
    match error:
        case UnicodeDecodeError():
            line = error.object.count(b"\n", 0, error.start) + 1
            why = f"line {line} is not UTF-8; save the file as UTF-8"
        case IsADirectoryError():
            why = "it is a folder; name a file"
        case PermissionError():
            why = "this user may not; run it as the user that Carrel runs as, or let this one read it"
        case _:
            why = str(error.strerror)
    return f"cannot read {file}: {why}"


def _lower(message: str) -> str:
    return message[:1].lower() + message[1:]
