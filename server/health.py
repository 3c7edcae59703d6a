"""What `/readyz` asks: a small registry to which each part of the server adds its own check."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy.exc import DBAPIError

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


TRY_EVERY_S, TRY_AGAIN_S = 30.0, 5.0
BUSY = "SQLITE_BUSY"


class Writes:
    """Whether the database takes what is written, for any thread.

    A trial is made every 30 s; 5 s after one that failed; and at once after somebody's write was refused.
    """

    def __init__(self, trial: Callable[[], None], *, seconds: Callable[[], float] = time.monotonic) -> None:
        """`trial` writes and takes it back; what it raises says why nothing can be written."""
        self._trial = trial
        self._seconds = seconds
        self._trying = threading.Lock()
        self._due_at = -1.0
        self.trouble: str | None = None
        """What the last trial found; None when all was well."""

    def doubt(self) -> None:
        """Somebody's write was refused: perhaps for reasons of its own."""
        self._due_at = min(self._due_at, self._seconds())

    def probe(self) -> str | None:
        """Make a trial if one is due; None when all is well, else why not."""
        if self._seconds() >= self._due_at and self._trying.acquire(blocking=False):
            try:
                self.trouble = self._tried()
                self._due_at = self._seconds() + (TRY_AGAIN_S if self.trouble else TRY_EVERY_S)
            finally:
                self._trying.release()
        return self.trouble

    def _tried(self) -> str | None:
        try:
            self._trial()
        except Exception as error:  # any driver's error means the same here
            name = _name(error)
            busy = name.startswith(BUSY)  # somebody else is writing just now
            return self.trouble if busy else f"cannot be written: {name}"
        return None


def _name(error: Exception) -> str:
    """The driver's own name of it, such as SQLITE_FULL or DiskFull; never its words, which may hold addresses."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    return str(getattr(cause, "sqlite_errorname", type(cause).__name__))
