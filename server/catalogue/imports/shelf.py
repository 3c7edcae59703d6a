"""What a batch of imported records meets in the catalogue, and what it does there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy.orm import Session

from server.catalogue.imports import policy, repository
from server.catalogue.imports.holdings import Copy
from server.catalogue.imports.policy import Known, Options
from server.catalogue.marc.mapping import Extract
from server.catalogue.marc.problems import Note
from server.catalogue.marc.record import MarcFormat
from server.catalogue.search.documents import index_records

Became = Literal["new", "updated", "skipped", "failed"]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A record of the file, ready to be stored; without an extract it is a failed one."""

    number: int
    offset: int
    end: int
    notes: tuple[Note, ...]
    extract: Extract | None = None
    marc: str = ""
    copies: tuple[Copy, ...] = ()


@dataclass(slots=True)
class Outcome:
    """What became of a record."""

    prepared: Prepared
    became: Became
    notes: list[Note]
    items: int = 0


class Shelf:
    """The records that a batch may meet, and what it does to them."""

    def __init__(
        self, session: Session, batch: Sequence[Prepared], options: Options, pretended: Sequence[Known]
    ) -> None:
        self._options = options
        self._batch = batch
        self._by_number: defaultdict[str, list[Known]] = defaultdict(list)
        self._by_isbn: defaultdict[str, list[Known]] = defaultdict(list)
        self.fresh: list[Known] = []
        self._is: dict[int, Known] = {}
        self._became: dict[int, Became] = {}
        self._notes: defaultdict[int, list[Note]] = defaultdict(list)
        self._changes: dict[int, dict[str, Any]] = {}
        self._renumbered: dict[int, Known] = {}
        self._copies: dict[str, tuple[Copy, Known]] = {}
        self._refused: defaultdict[int, list[str]] = defaultdict(list)
        good = [one.extract for one in batch if one.extract]
        numbers = [number for one in good if (number := one.columns["control_number"])]
        isbns = [isbn for one in good for isbn in one.isbns]
        for known in [*_known(session, numbers, isbns), *pretended]:
            self._learn(known)

    def _learn(self, known: Known) -> None:
        if known.columns["control_number"] and self._options.match in ("both", "control_number"):
            self._by_number[known.columns["control_number"]].append(known)
        if self._options.match in ("both", "isbn"):
            for isbn in known.isbns:
                self._by_isbn[isbn].append(known)

    def decide(self, one: Prepared, format_: MarcFormat) -> None:
        """Find out which record it is, and what it changes there."""
        if one.extract is None or any(note.fatal for note in one.notes):
            self._became[one.number] = "failed"
            return
        columns, isbns = one.extract.columns, one.extract.isbns
        shared = {id(known): known for isbn in isbns for known in self._by_isbn.get(isbn, ())}
        numbered = self._by_number.get(columns["control_number"], ())
        decision = policy.identify(columns, set(isbns), numbered, shared.values())
        if decision.code:
            like = numbered if decision.code == "number_shared" else shared.values()
            others = ", ".join(f"record {known.id}" for known in like if known.id)
            self._notes[one.number].append(Note(decision.code, others, fatal=decision.fatal))
        if decision.fatal:
            self._became[one.number] = "failed"
            return
        self._is[one.number] = known = decision.known or self._add(one, one.extract, format_)
        if decision.known:
            self._lay_over(one, one.extract, known, format_=format_)

    def _add(self, one: Prepared, found: Extract, format_: MarcFormat) -> Known:
        known = Known(
            None, dict(found.columns), set(found.isbns), pool=self._options.pool, marc=one.marc, marc_format=format_
        )
        self.fresh.append(known)
        self._learn(known)
        self._became[one.number] = "new"
        return known

    def _lay_over(self, one: Prepared, found: Extract, known: Known, *, format_: MarcFormat) -> None:
        """A record that waits in the pool is taken out of it by an import that is not for the pool."""
        taken_out = known.pool and not self._options.pool
        how = "replace" if taken_out else self._options.overlay
        changes: dict[str, Any] = dict(policy.overlay(known, found.columns, how))
        if (how == "replace" and known.marc != one.marc) or (how == "merge" and known.marc is None):
            known.marc, known.marc_format = one.marc, format_
            changes |= {"marc": one.marc, "marc_format": format_}
        if taken_out:
            known.pool = False
            changes |= {"pool": False, "suppressed": False}
        isbns = policy.isbns(known, found.isbns, how)
        renumbered = isbns != known.isbns
        if renumbered:
            self._renumber(known, isbns)
        known.columns |= {name: value for name, value in changes.items() if name in known.columns}
        self._became[one.number] = "updated" if changes or renumbered else "skipped"
        if known.id is not None and (changes or renumbered):
            self._changes.setdefault(known.id, {}).update(changes)

    def _renumber(self, known: Known, isbns: set[str]) -> None:
        """Later records of the batch find it by its new ISBNs only."""
        if self._options.match in ("both", "isbn"):
            for gone in known.isbns - isbns:
                self._by_isbn[gone].remove(known)
            for isbn in isbns - known.isbns:
                self._by_isbn[isbn].append(known)
        known.isbns = isbns
        if known.id is not None:
            self._renumbered[known.id] = known

    def sort_copies(self, session: Session) -> None:
        """Find out which copies are new; a barcode of another record is refused, one of the same record is kept."""
        wanted = [(one.number, copy) for one in self._batch if one.number in self._is for copy in one.copies]
        owners = repository.owners(session, [copy.barcode for _, copy in wanted]) if wanted else {}
        for number, copy in wanted:
            known, other = self._is[number], self._copies.get(copy.barcode)
            if (copy.barcode in owners and owners[copy.barcode] != known.id) or (other and other[1] is not known):
                self._refused[number].append(copy.barcode)
            elif copy.barcode not in owners:
                self._copies[copy.barcode] = (copy, known)

    def outcome(self, one: Prepared) -> Outcome:
        """What became of it."""
        became, known = self._became[one.number], self._is.get(one.number)
        notes = [*one.notes, *self._notes[one.number]]
        if refused := self._refused.get(one.number):
            notes.append(Note("barcode_taken", ", ".join(refused)))
        mine = sum(self._copies.get(copy.barcode) == (copy, known) for copy in one.copies) if known else 0
        return Outcome(one, "updated" if became == "skipped" and mine else became, notes, mine)

    def store(self, session: Session, now: datetime) -> None:
        """Write what was decided, a table at a time."""
        for known, id_ in zip(self.fresh, repository.new_keys(session, len(self.fresh)), strict=True):
            known.id = id_
        repository.add_records(session, [_row(known, now) for known in self.fresh])
        for id_, values in self._changes.items():
            repository.update_record(session, id_, values | {"updated_at": now})
        repository.drop_isbns(session, list(self._renumbered))
        numbered = [*self.fresh, *self._renumbered.values()]
        repository.add_isbns(session, [(_id(known), isbn) for known in numbered for isbn in sorted(known.isbns)])
        repository.add_items(session, [_item(copy, _id(known)) for copy, known in self._copies.values()])
        fresh = [_id(known) for known in self.fresh]
        held = {_id(known) for _, known in self._copies.values()}
        index_records(session, fresh, anew=True)
        index_records(session, held.union(self._changes).difference(fresh))


def _id(known: Known) -> int:
    """Of a record that is stored."""
    assert known.id is not None
    return known.id


def _known(session: Session, numbers: Sequence[str], isbns: Sequence[str]) -> list[Known]:
    rows = repository.known(session, numbers, isbns) if numbers or isbns else []
    held: defaultdict[int, set[str]] = defaultdict(set)
    for record_id, isbn in repository.isbns_of(session, [row.id for row in rows]) if rows else []:
        held[record_id].add(isbn)
    return [_of_row(row._asdict(), held[row.id]) for row in rows]


def _of_row(values: dict[str, Any], isbns: set[str]) -> Known:
    more = {name: values.pop(name) for name in ("id", "pool", "marc", "marc_format")}
    return Known(columns=values, isbns=isbns, edited=frozenset(values.pop("edited").split()), **more)


def _row(known: Known, now: datetime) -> dict[str, Any]:
    return known.columns | {
        "id": known.id,
        "marc": known.marc,
        "marc_format": known.marc_format,
        "edited": "",
        "pool": known.pool,
        "suppressed": known.pool,
        "created_at": now,
        "updated_at": now,
    }


def _item(copy: Copy, record_id: int) -> dict[str, Any]:
    return {
        "barcode": copy.barcode,
        "record_id": record_id,
        "branch": copy.branch,
        "at_branch": copy.branch,
        "location": copy.location,
        "call_number": copy.call_number,
        "type": copy.type,
        "status": "on_shelf",
        "for_loan": True,
        "price": copy.price,
        "tags": 1,
        "note": copy.note,
    }
