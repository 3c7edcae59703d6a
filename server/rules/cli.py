"""`carrel dry-run rules` and `carrel rules`: try rules, read them for mistakes, begin from presets."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.exc import SQLAlchemyError

from carrel.config import DEFAULT_FILE, ConfigError, load
from environment.config import EnvironmentConfig
from environment.rulebook import devices, presets
from environment.rulebook.case import Case, CaseError, read_case, run_case
from environment.rulebook.lint import lint
from server.errors import DomainError
from server.rules.replay import Voice, period_of, replay
from server.rules.rulefile import read_json, read_rules
from server.settings import read_settings

BAD_INPUT = 2
ANY_ZONE = presets.Outputs("ROOM-ac", "ROOM-heater", "ROOM-vent", "ROOM-dehumidifier", "ROOM-curtain")


def dry_run(argv: Sequence[str]) -> int:
    """Print what the rules would have commanded; 2 with one sentence when the input is wrong."""
    parser = argparse.ArgumentParser(
        prog="carrel dry-run",
        description="Run the rules on a simulated clock; nothing is moved. Prints one JSON array per case, "
        "[time_s, actuator, value, reason] of every command.",
    )
    parser.add_argument("what", choices=["rules"])
    parser.add_argument("file", type=Path, help="a case or a list of cases (JSON; - for standard input)")
    parser.add_argument(
        "--stored",
        nargs=2,
        metavar=("FROM", "TO"),
        help="run the rules of FILE (TOML or JSON) on the library's own history: local dates or times",
    )
    parser.add_argument(
        "--config", metavar="FILE", default=DEFAULT_FILE, help="with --stored: the library's configuration file"
    )
    options = parser.parse_args(argv)
    return _guarded("carrel dry-run", lambda: _stored(options) if options.stored else _cases(options.file))


def rules(argv: Sequence[str]) -> int:
    """Check rules (1 when there are findings) or print presets; 2 with one sentence when the input is wrong."""
    parser = argparse.ArgumentParser(prog="carrel rules", description="Check rules; show presets to start from.")
    commands = parser.add_subparsers(dest="command", required=True)
    check = commands.add_parser("lint", help="name rules that conflict, flap or can never fire")
    check.add_argument("file", type=Path, nargs="?", help="a file of rules; left out: those of the library")
    check.add_argument("--config", metavar="FILE", default=DEFAULT_FILE)
    show = commands.add_parser("presets", help="list presets, or print one as TOML to be edited")
    show.add_argument("name", nargs="?")
    show.add_argument("--zone", help="a room of config.toml: its actuators are put in")
    show.add_argument("--config", metavar="FILE", default=DEFAULT_FILE)
    options = parser.parse_args(argv)
    return _guarded("carrel rules", lambda: _lint(options) if options.command == "lint" else _presets(options))


def _guarded(name: str, command: Callable[[], int]) -> int:
    try:
        return command()
    except (ConfigError, CaseError) as error:
        print(f"{name}: {error}", file=sys.stderr)
    except DomainError as error:
        print(f"{name}: {error.title}", file=sys.stderr)
    except (SQLAlchemyError, OSError) as error:
        reason = str(getattr(error, "orig", error)).strip().splitlines()[0]
        print(f"{name}: the library's history cannot be read: {reason}", file=sys.stderr)
    return BAD_INPUT


def _cases(file: Path) -> int:
    if file.suffix == ".toml":
        raise ConfigError(f"{file} holds rules but no samples: add --stored FROM TO to run it on the library's history")
    data = read_json(file)
    entries = data if isinstance(data, list) else [data]
    several = len(entries) if isinstance(data, list) else 0
    found = [_case(entry, f"case {n} of {several}: " if several else "") for n, entry in enumerate(entries, start=1)]
    for case in found:
        print(json.dumps(run_case(case, ZoneInfo), ensure_ascii=False, separators=(", ", ": ")), flush=True)
    return 0


def _case(entry: Any, where: str) -> Case:
    try:
        case, notes = read_case(entry)
        ZoneInfo(case.timezone or "UTC")
    except CaseError as error:
        raise CaseError(f"{where}{error}") from None
    except (KeyError, ValueError, OSError):
        raise CaseError(f"{where}'timezone' = {entry['timezone']!r}: no such time zone, write Asia/Shanghai") from None
    for note in notes:
        _say(f"{where}{note}")
    return case


def _stored(options: argparse.Namespace) -> int:
    document = load(options.config)
    settings = read_settings(document)
    start, end = options.stored
    if settings.database_url.get_backend_name() == "sqlite" and not Path(str(settings.database_url.database)).exists():
        raise ConfigError(f"there is no history yet: {settings.database_url.database} does not exist")
    period = period_of(start, end, settings.common.library.zone, now=datetime.now(UTC))
    replay(settings, read_rules(options.file, document), period, Voice(print, _say))
    return 0


def _say(text: str) -> None:
    print(f"carrel dry-run: {text}", file=sys.stderr)


def _lint(options: argparse.Namespace) -> int:
    document = load(options.config)
    if options.file is None:
        config = document.section("environment", EnvironmentConfig)
    else:
        config = read_rules(options.file, document)
    findings = lint(config)
    for finding in findings:
        print(f"{finding.code}: {finding.text}")
    if not findings:
        count = len(config.rule)
        print(f"{count} {'rule' if count == 1 else 'rules'}, nothing to remark")
    return 1 if findings else 0


def _presets(options: argparse.Namespace) -> int:
    if options.name is None:
        for entry in presets.PRESETS:
            print(f"{entry.name:18} {_bands(entry):34} {entry.title} ({entry.status})")
        print("\nStarting points to edit, not a proof of anything. `carrel rules presets NAME` prints one as TOML.")
        return 0
    preset = presets.find(options.name)
    if preset is None:
        names = ", ".join(known.name for known in presets.PRESETS)
        raise ConfigError(f"there is no preset '{options.name}'; there are: {names}")
    zone, outputs = ("ROOM", ANY_ZONE) if options.zone is None else (options.zone, _outputs(options))
    print(presets.as_toml(preset, zone, outputs), end="")
    return 0


def _bands(preset: presets.Preset) -> str:
    parts = [(presets.band_text(preset.temp), "°C"), (presets.band_text(preset.rh), "%")]
    parts.append((f"at most {preset.lux:g}" if preset.lux is not None else "", "lx"))
    return ", ".join(f"{text} {unit}" for text, unit in parts if text)


def _outputs(options: argparse.Namespace) -> presets.Outputs:
    config = load(options.config).section("environment", EnvironmentConfig)
    zones = sorted({actuator.zone for actuator in config.actuator})
    if options.zone not in zones:
        raise ConfigError(
            f"no actuator is in zone '{options.zone}'; zones with actuators: {', '.join(zones) or 'none'}"
        )
    return devices.outputs_of(options.zone, config)
