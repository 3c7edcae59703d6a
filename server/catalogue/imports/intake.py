"""Takes records of a file into the catalogue, a batch in a transaction, and says what became of each."""

from __future__ import annotations

from collections.abc import Sequence, Set
from datetime import datetime

from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import Session

from server.catalogue.imports import repository
from server.catalogue.imports.holdings import Mapped, copies
from server.catalogue.imports.policy import Options
from server.catalogue.imports.shelf import Memory, Outcome, Prepared, Shelf
from server.catalogue.marc.mapping import Extract, extract
from server.catalogue.marc.problems import Note
from server.catalogue.marc.reading import Result
from server.catalogue.marc.record import MarcFormat, to_json


def prepare(
    result: Result, number: int, format_: MarcFormat, *, mapping: Mapped | None, branch: str,
    branches: Set[str] = frozenset(),
) -> Prepared:  # fmt: skip
    """What can be done with a record before a transaction begins; the branches are those of its copies."""
    if result.marc is None:
        return Prepared(number, result.offset, result.end, result.notes)
    found = extract(result.marc, format_)
    notes = result.notes + found.notes
    if any(note.fatal for note in found.notes):
        return Prepared(number, result.offset, result.end, notes, Extract(found.columns, (), ()))
    held, bad = copies(result.marc, mapping, branch, branches) if mapping else ([], [])
    return Prepared(number, result.offset, result.end, (*notes, *bad), found, to_json(result.marc), tuple(held))


class Intake:
    """Of one import. A dry run remembers what it would have stored, since later records may be the same."""

    def __init__(self, options: Options, format_: MarcFormat) -> None:
        self._options = options
        self._format = format_
        self._tried = Memory()

    def take(self, session: Session, batch: Sequence[Prepared], now: datetime) -> list[Outcome]:
        """Store a batch; if the database refuses it, store what it does not refuse."""
        repository.queue_up(session)
        try:
            with session.begin_nested():
                return self._take(session, batch, now)
        except OperationalError:
            raise
        except DBAPIError as error:
            if len(batch) == 1:
                note = Note("not_stored", type(error.orig).__name__, fatal=True)
                return [Outcome(batch[0], "failed", [*batch[0].notes, note])]
        return [outcome for one in batch for outcome in self.take(session, [one], now)]

    def _take(self, session: Session, batch: Sequence[Prepared], now: datetime) -> list[Outcome]:
        shelf = Shelf(session, batch, self._options, self._tried if self._options.dry_run else Memory())
        for one in batch:
            shelf.decide(one, self._format)
        shelf.sort_copies(session)
        outcomes = [shelf.outcome(one) for one in batch]
        if not self._options.dry_run:
            shelf.store(session, now)
        return outcomes
