"""What `/readyz` asks: a small registry to which each part of the server adds its own check."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

Probe = Callable[[], str | None]
"""None when all is well, else a few words for the administrator (no secrets)."""


@dataclass(frozen=True, slots=True)
class Check:
    """One named probe; when a `required` one fails the server is not ready."""

    name: str
    probe: Probe
    required: bool


@dataclass(frozen=True, slots=True)
class Readiness:
    """What all probes said."""

    ready: bool
    checks: dict[str, str]


class Checks:
    """The checks of one running server."""

    def __init__(self) -> None:
        self._checks: dict[str, Check] = {}

    def add(self, name: str, probe: Probe, *, required: bool = True) -> None:
        """Ask this probe from now on; a later one of the same name replaces it."""
        self._checks[name] = Check(name, probe, required)

    def run(self) -> Readiness:
        """Ask every probe."""
        said = {check: check.probe() for check in self._checks.values()}
        return Readiness(
            ready=not any(trouble and check.required for check, trouble in said.items()),
            checks={check.name: trouble or "ok" for check, trouble in said.items()},
        )
