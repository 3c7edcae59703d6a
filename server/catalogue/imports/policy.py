"""Which record of the catalogue an imported one is, and what it changes there. Pure.

A record is the same when its control number is, or else when it shares an ISBN and the titles agree: volumes of a set
may share an ISBN, and misprints happen. A control number of which no agency is told, as in CNMARC, is one of many
that begin at 1: it needs an agreeing title or a common ISBN too.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from server.catalogue.marc.encodings import Encoding
from server.catalogue.marc.record import MarcFormat

Overlay = Literal["skip", "replace", "merge"]
Match = Literal["both", "control_number", "isbn", "none"]
State = Literal["waiting", "running", "done", "failed"]

BATCH = 500
"""Records a transaction."""
MOST_ATTEMPTS = 3
SILENT = timedelta(seconds=60)
"""A worker that has not said anything for so long is gone: another one goes on."""
KEPT = timedelta(days=30)
"""How long an import's report stays."""

UNUSABLE = {
    "no_records": "this is no MARC file: export the titles as ISO 2709 or MARCXML and import that",
    "utf_16": "this is in UTF-16: save it as UTF-8 and import it again",
}
"""What an import fails for before its first record, as the command line says it."""

_NO_LETTER = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Options:
    """How a file is imported.

    `overlay` says what becomes of a record that the catalogue has: it stays as it is, takes the imported values, or
    takes those that it lacks; what people have edited always stays. `items` is a holdings mapping or empty; with
    `new_branches` its copies may be of branches that none was of before; `pool` keeps the records aside, for looking
    up ISBNs.
    """

    dry_run: bool = False
    format: MarcFormat | None = None
    encoding: Encoding | None = None
    overlay: Overlay = "skip"
    match: Match = "both"
    items: str = ""
    branch: str = ""
    new_branches: bool = False
    pool: bool = False


@dataclass(slots=True, eq=False)
class Known:
    """A record that the catalogue has, or will have when the batch is stored; `id` None until then."""

    id: int | None
    columns: dict[str, str]
    isbns: set[str]
    edited: frozenset[str] = frozenset()
    pool: bool = False
    marc: str | None = None
    marc_format: str | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """The record that an imported one is, if any; `code` of what a person should know."""

    known: Known | None
    code: str = ""
    fatal: bool = False


def identify(
    columns: dict[str, str], isbns: set[str], by_number: Iterable[Known], by_isbn: Iterable[Known]
) -> Decision:
    """Which of the records with the same control number, or with one of its ISBNs, an imported record is."""
    alike = list(by_number)
    agency = columns["control_number"].startswith("(")
    numbered = [known for known in alike if agency or known.isbns & isbns or titles_agree(columns, known.columns)]
    if len(numbered) == 1:
        return Decision(numbered[0])
    candidates = numbered or list(by_isbn)
    agreeing = [known for known in candidates if titles_agree(columns, known.columns)]
    if len(agreeing) == 1:
        return Decision(agreeing[0])
    if agreeing or numbered:
        return Decision(None, "ambiguous_match", fatal=True)
    return Decision(None, "number_shared" if alike else "isbn_shared" if candidates else "")


def titles_agree(one: dict[str, str], other: dict[str, str]) -> bool:
    """Whether a title of the one is a title of the other, or begins with it (without a subtitle, say)."""
    return any(a.startswith(b) or b.startswith(a) for a in _titles(one) for b in _titles(other))


def _titles(columns: dict[str, str]) -> list[str]:
    texts = [columns["title"], *columns["title_alt"].split("\n")]
    return [key for text in texts if (key := _NO_LETTER.sub("", unicodedata.normalize("NFKC", text).casefold()))]


def overlay(known: Known, incoming: dict[str, str], how: Overlay) -> dict[str, str]:
    """The columns that change."""
    if how == "skip":
        return {}
    return {
        name: value
        for name, value in incoming.items()
        if name not in known.edited
        and value != known.columns.get(name)
        and (how == "replace" or (value and not known.columns.get(name)))
    }


def isbns(known: Known, incoming: Iterable[str], how: Overlay) -> set[str]:
    """The ISBNs that it has then; those that somebody has corrected stay."""
    if how == "skip" or "isbn" in known.edited:
        return known.isbns
    return set(incoming) if how == "replace" else known.isbns | set(incoming)
