"""Golden vectors of tests/vectors, as pytest parameters named by the vector."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

_FOLDER = Path(__file__).resolve().parents[1] / "vectors"


def vectors(file: str, table: str, **wanted: Any) -> list[Any]:
    """Every entry of `table` in tests/vectors/`file`.toml whose values match `wanted`."""
    entries = tomllib.loads((_FOLDER / f"{file}.toml").read_text(encoding="utf-8"))[table]
    chosen = [entry for entry in entries if all(entry.get(key) == value for key, value in wanted.items())]
    assert chosen, f"{file}.toml has no such {table}"
    return [pytest.param(entry, id=entry["name"]) for entry in chosen]


def raw(entry: dict[str, Any], key: str = "hex") -> bytes:
    """The bytes of a hexadecimal field."""
    return bytes.fromhex(entry[key])
