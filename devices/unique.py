"""A check that several sections of config.toml need."""

from __future__ import annotations

from collections.abc import Iterable


def refuse_repeats(what: str, values: Iterable[str | int]) -> None:
    """Raise ValueError naming the first value that occurs twice."""
    seen: set[str | int] = set()
    for value in values:
        if value in seen:
            raise ValueError(f"{what} {value} occurs twice")
        seen.add(value)
