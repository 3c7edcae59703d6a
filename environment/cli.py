"""`carrel metrics`: preservation figures on the command line."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from environment.preservation.registry import METRICS, Value, compute, inputs_text

NOTE = """Values are in the unit shown, humidity_ratio in kg/kg (not g/kg). A list is written as JSON:
  carrel metrics twpi samples_h_t_rh='[[1,20,50],[1,25,60]]'
--batch FILE.json holds a list of {"name": ..., "input": {...}} (- reads it from standard input); the list of values is
printed as JSON, in full precision. An entry that cannot be computed is null in its place, with a sentence on stderr
and exit code 1; null without a sentence is a mould_critical_rh where mould does not grow."""


STDIN = "-"


class RefusedError(Exception):
    """What was asked cannot be done; says what to do instead."""


def main(argv: list[str]) -> int:
    """Print what is asked. 0 done; 1 some entries of a batch have no value; 2 refused, in one sentence."""
    parser = argparse.ArgumentParser(
        prog="carrel metrics",
        usage="carrel metrics [NAME key=value ... | --batch FILE.json|-]",
        description="Compute a preservation figure. Without a name: list the names, inputs and units.",
        epilog=NOTE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("name", nargs="?", help="the figure")
    parser.add_argument("inputs", nargs="*", metavar="key=value")
    parser.add_argument("--batch", metavar="FILE.json|-", help="compute a list of figures")
    options = parser.parse_intermixed_args(argv)
    try:
        if options.batch is not None:
            return _batch(options.batch, options.name)
        print(_one(options.name, options.inputs) if options.name else listing())
    except (RefusedError, ValueError) as error:
        print(f"carrel metrics: {error}", file=sys.stderr)
        return 2
    return 0


def listing() -> str:
    """Every figure with its unit and inputs."""
    rows = [
        f"{name:18} {metric.unit:8} {metric.says}\n{'':28}{inputs_text(metric)}" for name, metric in METRICS.items()
    ]
    return "\n".join([*rows, "", NOTE])


def _one(name: str, words: list[str]) -> str:
    """The figure with its unit, to eight digits."""
    given: dict[str, Any] = {}
    for word in words:
        key, equals, text = word.partition("=")
        if not equals:
            raise RefusedError(f"'{word}' is not key=value, such as temp_c=20")
        if key in given:
            raise RefusedError(f"{key} is given twice: give it once")
        given[key] = _read(text)
    value = compute(name, given)
    if value is None:
        return "none: mould does not grow at this temperature"
    return f"{value:.8g} {METRICS[name].unit}"


def _read(text: str) -> Any:
    """JSON where it is JSON that can be read, else the word itself."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _batch(file: str, name: str | None) -> int:
    if name is not None:
        raise RefusedError(f"give either a name or --batch, not both ('{name}' and {file})")
    values, complaints = [], []
    for number, entry in enumerate(_entries(file), start=1):
        try:
            values.append(_entry(entry))
        except ValueError as error:
            values.append(None)
            complaints.append(f"carrel metrics: entry {number}: {error}")
    print(json.dumps(values))
    for complaint in complaints:
        print(complaint, file=sys.stderr)
    return 1 if complaints else 0


def _entry(entry: Any) -> Value:
    if not isinstance(entry, dict) or not isinstance(entry.get("name"), str):
        raise ValueError('it is not {"name": ..., "input": {...}}')
    given = entry.get("input")
    if not isinstance(given, dict):
        raise ValueError(f'{entry["name"]} has no "input" object')
    return compute(entry["name"], given)


def _entries(file: str) -> list[Any]:
    try:
        content = sys.stdin.buffer.read() if file == STDIN else Path(file).read_bytes()
        entries = json.loads(content.decode("utf-8-sig"))  # some editors put a byte order mark first
    except OSError as error:
        raise RefusedError(f"{file} cannot be read ({error.strerror}): give a file that exists") from None
    except (ValueError, RecursionError) as error:
        place = "standard input" if file == STDIN else file
        raise RefusedError(f"{place} is not JSON ({error}): mend it there") from None
    if not isinstance(entries, list):
        raise RefusedError(f'{file} holds no list: write [{{"name": "pi", "input": {{"temp_c": 20, "rh_pct": 50}}}}]')
    return entries
