"""Reads rules from a file: TOML with an [environment] section, or JSON with a `config`. Raises ConfigError."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from carrel.config import ConfigError, Document, load, unreadable
from environment.config import EnvironmentConfig
from environment.rulebook.case import CaseError, read_config

LIBRARYS = ("tick_s", "stale_after_s", "sensor", "actuator")
"""What a file of rules may leave out: the library's own is taken."""


def read_json(file: Path) -> Any:
    """The content of a JSON file, or of standard input for `-`."""
    try:
        text = Path("/dev/stdin").read_text("utf-8-sig") if str(file) == "-" else file.read_text("utf-8-sig")
        return json.loads(text)
    except FileNotFoundError:
        raise ConfigError(f"there is no file {file}: name an existing one") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(unreadable(file, error)) from None
    except RecursionError:
        raise ConfigError(f"{file} is nested too deeply to be a dry run") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno} column {error.colno}"
        raise ConfigError(f"{file} is not valid JSON, {where}: {error.msg}") from None
    except ValueError:  # Python reads no integer of more than 4300 digits
        raise ConfigError(f"{file} holds a number of thousands of digits: write a shorter one") from None


def read_rules(file: Path, library: Document) -> EnvironmentConfig:
    """The rules of a file; sensors and actuators that it does not name are the library's."""
    own = library.data.get("environment", {})
    given = {key: own[key] for key in LIBRARYS if isinstance(own, Mapping) and key in own}
    if file.suffix == ".json":
        data = read_json(file)
        if not isinstance(data, Mapping) or not isinstance(data.get("config"), Mapping):
            raise ConfigError(f'{file} holds no rules: write {{"config": {{"rule": [...]}}}}')
        try:
            return read_config({**given, **data["config"]})
        except CaseError as error:
            raise ConfigError(f"{file}: {error}") from None
    if not file.exists():
        raise ConfigError(f"there is no file {file}: name an existing one")
    document = load(file, {})
    section = document.data.get("environment") if document.data else {}  # comments alone, as a preset without figures
    if not isinstance(section, Mapping):
        raise ConfigError(f"{file} has no [environment] section: put the rules there as [[environment.rule]]")
    whole = replace(document, data={"environment": {**given, **section}})
    return whole.section("environment", EnvironmentConfig)
