"""Looking up an ISBN: first at home, then in the pool, then in other catalogues, whose answers are kept."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import BoundedSemaphore

from sqlalchemy.orm import Session

from carrel.clock import Clock
from server.audit import service as audit
from server.catalogue.errors import BadIsbnError, LookupEmptyError
from server.catalogue.imports.intake import Intake, prepare
from server.catalogue.imports.policy import Options
from server.catalogue.isbn import isbn13
from server.catalogue.lookup import repository, sru
from server.catalogue.lookup.config import CatalogueConfig, SruConfig
from server.catalogue.marc.mapping import extract
from server.catalogue.marc.reading import Result
from server.catalogue.marc.record import MarcFormat, from_json, to_json
from server.catalogue.search.documents import index_records
from server.db import Database

NOTHING_KEPT = timedelta(days=1)
"""How long it is believed that a catalogue has nothing."""
AT_ONCE = BoundedSemaphore(4)
"""Requests that wait for other catalogues, so that the desk never waits for them."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A record with an ISBN. `source` is catalogue, pool or the name of another catalogue; a key only at home."""

    source: str
    record_id: int | None
    columns: dict[str, str]


@dataclass(frozen=True, slots=True)
class Answer:
    """What is known; `silent` names the catalogues that gave no answer."""

    isbn: str
    candidates: tuple[Candidate, ...]
    silent: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Lookup:
    """What a lookup needs; it opens its own transactions, none of which is open while another catalogue is asked."""

    database: Database
    clock: Clock
    config: CatalogueConfig

    def find(self, text: str) -> Answer:
        """Records with an ISBN, from the nearest place that has some; raises BadIsbnError."""
        isbn = isbn13(text)
        if isbn is None:
            raise BadIsbnError
        now = self.clock.now()
        with self.database.reading() as session:
            home = _at_home(session, isbn)
            kept = {} if home else self._kept(session, isbn, now)
        if home:
            return Answer(isbn, tuple(home))
        silent: list[str] = []
        for source in self.config.sru:
            candidate = kept[source.url] if source.url in kept else self._ask(source, isbn, silent)
            if candidate:
                return Answer(isbn, (candidate,), tuple(silent))
        return Answer(isbn, (), tuple(silent))

    def _kept(self, session: Session, isbn: str, now: datetime) -> dict[str, Candidate | None]:
        """Answers that are still believed, by the source's address."""
        rows, long = repository.cached(session, isbn), timedelta(days=self.config.sru_cache_days)
        return {
            source.url: _candidate(source.name, row.marc, source.format)
            for source in self.config.sru
            if (row := rows.get(source.url)) and now - row.at < (long if row.marc else min(long, NOTHING_KEPT))
        }

    def _ask(self, source: SruConfig, isbn: str, silent: list[str]) -> Candidate | None:
        """Ask another catalogue and keep what it says."""
        if not AT_ONCE.acquire(timeout=source.timeout_s):
            silent.append(source.name)
            return None
        try:
            results = sru.ask(source, isbn)
        except sru.SruError as error:
            log.warning("catalogue %s gave no answer: %s", source.name, error)
            silent.append(source.name)
            return None
        finally:
            AT_ONCE.release()
        best = _best(results, isbn, source.format)
        now = self.clock.now()
        with self.database.writing() as session:
            repository.forget(session, now - timedelta(days=max(1, self.config.sru_cache_days)))
            marc = to_json(best.marc) if best and best.marc else ""
            repository.keep(session, isbn=isbn, source=source.url, marc_format=source.format, marc=marc, at=now)
        return _candidate(source.name, marc, source.format)

    def adopt(self, session: Session, text: str, *, actor: str) -> int:
        """Take the record of the pool or of another catalogue into this one; its key here. A record that is in the
        catalogue is that one. Raises BadIsbnError, LookupEmptyError."""
        isbn, now = isbn13(text), self.clock.now()
        if isbn is None:
            raise BadIsbnError
        rows = repository.records(session, isbn)
        if not rows:
            self._add(session, isbn, now)
            rows = repository.records(session, isbn)
            if not rows:
                raise LookupEmptyError(isbn=isbn)
        elif rows[0].pool:
            rows[0].pool = rows[0].suppressed = False
            rows[0].updated_at = now
            index_records(session, [rows[0].id])
        else:
            return rows[0].id
        target = f"record:{rows[0].id}"
        audit.record(session, actor=actor, action="catalogue.adopt", target=target, at=now, detail={"isbn": isbn})
        return rows[0].id

    def _add(self, session: Session, isbn: str, now: datetime) -> None:
        """Store the record that another catalogue has sent."""
        kept = repository.cached(session, isbn)
        for source in self.config.sru:
            row = kept.get(source.url)
            if row is not None and row.marc:
                result = Result(0, 0, from_json(row.marc), ())
                prepared = prepare(result, 1, source.format, mapping=None, branch="")
                Intake(Options(match="isbn"), source.format).take(session, [prepared], now)
                return


def _at_home(session: Session, isbn: str) -> list[Candidate]:
    rows = repository.records(session, isbn)
    return [Candidate("pool" if row.pool else "catalogue", row.id, _columns(row)) for row in rows]


def _columns(row: object) -> dict[str, str]:
    names = ("title", "author", "year", "edition", "language", "publisher", "class_number", "call_number", "kind")
    return {name: str(getattr(row, name)) for name in names}


def _candidate(name: str, marc: str, format_: MarcFormat) -> Candidate | None:
    return Candidate(name, None, extract(from_json(marc), format_).columns) if marc else None


def _best(results: Sequence[Result], isbn: str, format_: MarcFormat) -> Result | None:
    """The first record that really has this ISBN and can be taken over."""
    for result in results:
        if result.marc is not None:
            found = extract(result.marc, format_)
            if isbn in found.isbns and not any(note.fatal for note in found.notes):
                return result
    return None
