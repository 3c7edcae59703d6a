"""One thing that was looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["ok", "warn", "bad"]


@dataclass(frozen=True, slots=True)
class Finding:
    """`what` is how it stands; `mend` what to do, empty when it is well."""

    check: str
    verdict: Verdict
    what: str
    mend: str = ""


def ok(check: str, what: str) -> Finding:
    """All is well."""
    return Finding(check, "ok", what)


def warn(check: str, what: str, mend: str) -> Finding:
    """It works, and will not always."""
    return Finding(check, "warn", what, mend)


def bad(check: str, what: str, mend: str) -> Finding:
    """It does not work."""
    return Finding(check, "bad", what, mend)
