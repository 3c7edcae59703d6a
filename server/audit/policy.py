"""How rows are sealed into a chain, and where a chain is broken. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from server.audit.values import Entry, Head, Sealed, UnreadableRowError

_CANONICAL = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode
FaultCode = Literal["removed", "replaced", "changed", "cut"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """How many rows are in order, where the chain then ends, and what is wrong with the row after (None: nothing),
    in a sentence and as a code."""

    checked: int
    head: Head
    broken: str | None
    code: FaultCode | None = None


def canonical(detail: Mapping[str, Any] | None) -> str:
    """One text for one meaning: sorted keys, no spaces; raises TypeError for what JSON does not know."""
    return _CANONICAL(detail or {})


def seal(seq: int, entry: Entry, prev: str) -> str:
    """The hash of an entry in its place, `prev` being that of the row before. The databases seal what they store."""
    return hashlib.sha256(f'[{seq}, {entry.told}, "{prev}"]'.encode()).hexdigest()


def verify(rows: Iterable[Sealed], noted: str | None = None) -> Verdict:
    """Walk the whole chain from its first row up to the first that does not fit.

    A chain that was cut off at its end looks whole; `noted` (`SEQ:HASH` of some row, kept elsewhere) shows it.
    """
    head, met = Head(), noted is None
    try:
        for row in rows:
            if fault := _fault(head, row):
                return Verdict(head.seq, head, fault[1], fault[0])
            head = Head(row.seq, row.hash)
            met = met or noted == f"{row.seq}:{row.hash}"
    except UnreadableRowError as error:
        return Verdict(
            head.seq, head, f"row {error.seq} was changed after it was written: it cannot be read", "changed"
        )
    if met:
        return Verdict(head.seq, head, None)
    return Verdict(head.seq, head, f"the noted row {noted} is not in the log: its end was replaced", "cut")


def _fault(head: Head, row: Sealed) -> tuple[FaultCode, str] | None:
    if row.seq != head.seq + 1:
        return (
            "removed",
            f"row {head.seq + 1} is missing: after row {head.seq} comes row {row.seq}, so rows were removed",
        )
    if row.prev != head.hash:
        return "replaced", f"row {row.seq} does not follow row {head.seq}: one of the two was replaced"
    if not _fits(row):
        return "changed", f"row {row.seq} ({row.entry.action} of {row.entry.target}) was changed after it was written"
    return None


def _fits(row: Sealed) -> bool:
    try:
        return row.hash == seal(row.seq, row.entry, row.prev)
    except (AttributeError, TypeError, ValueError):  # SQLite keeps values of any type, and some have no seal
        return False
