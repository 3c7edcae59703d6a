"""What a batch of imported records meets in the catalogue, and what it does there."""

from __future__ import annotations

from collections import Counter, defaultdict
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
from server.patrons import service as patrons

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


class Memory:
    """Records by what they are known by, and whose a barcode is, as the import has left them. What is stored can be
    looked up again, so that of an import lasts a batch; that of a dry run, which stores nothing, to the file's end."""

    def __init__(self) -> None:
        self.by_number: defaultdict[str, list[Known]] = defaultdict(list)
        self.by_isbn: defaultdict[str, list[Known]] = defaultdict(list)
        self.by_id: dict[int, Known] = {}
        self.owners: dict[str, Known] = {}


class Shelf:
    """The records that a batch may meet, and what it does to them."""

    def __init__(self, session: Session, batch: Sequence[Prepared], options: Options, memory: Memory) -> None:
        self._options = options
        self._batch = batch
        self._memory = memory
        self._fresh: list[Known] = []
        self._is: dict[int, Known] = {}
        self._became: dict[int, Became] = {}
        self._notes: defaultdict[int, list[Note]] = defaultdict(list)
        self._changes: dict[int, dict[str, Any]] = {}
        self._renumbered: dict[int, Known] = {}
        self._copies: list[tuple[Copy, Known]] = []
        self._held: Counter[int] = Counter()
        self._refused: defaultdict[tuple[int, str], list[str]] = defaultdict(list)
        good = [one.extract for one in batch if one.extract]
        numbers = [number for one in good if (number := one.columns["control_number"])]
        isbns = [isbn for one in good for isbn in one.isbns]
        for known in _known(session, numbers, isbns):
            if memory.by_id.setdefault(_id(known), known) is known:
                self._learn(known)

    def _learn(self, known: Known) -> None:
        for place in self._places(known):
            place.append(known)

    def _places(self, known: Known) -> list[list[Known]]:
        """Where it is looked for."""
        match, number = self._options.match, known.columns["control_number"]
        numbered = [self._memory.by_number[number]] if number and match in ("both", "control_number") else []
        return numbered + ([self._memory.by_isbn[isbn] for isbn in known.isbns] if match in ("both", "isbn") else [])

    def decide(self, one: Prepared, format_: MarcFormat) -> None:
        """Find out which record it is, and what it changes there."""
        if one.extract is None or any(note.fatal for note in one.notes):
            self._became[one.number] = "failed"
            return
        columns, isbns = one.extract.columns, one.extract.isbns
        shared = {id(known): known for isbn in isbns for known in self._memory.by_isbn.get(isbn, ())}
        numbered = self._memory.by_number.get(columns["control_number"], ())
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
        self._fresh.append(known)
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
        self._became[one.number] = "updated" if changes or renumbered else "skipped"
        if not changes and not renumbered:
            return
        for place in self._places(known):
            place.remove(known)
        known.columns |= {name: value for name, value in changes.items() if name in known.columns}
        known.isbns = isbns
        self._learn(known)
        if known.id is not None:
            self._changes.setdefault(known.id, {}).update(changes)
            if renumbered:
                self._renumbered[known.id] = known

    def sort_copies(self, session: Session) -> None:
        """Find out which copies are new; a barcode of another record or of a reader's card is refused, one of the same
        record is kept."""
        wanted = [(one.number, copy) for one in self._batch if one.number in self._is for copy in one.copies]
        owners = repository.owners(session, [copy.barcode for _, copy in wanted]) if wanted else {}
        cards = patrons.cards_among(session, [copy.barcode for _, copy in wanted if copy.barcode not in owners])
        for number, copy in wanted:
            known = self._is[number]
            other = self._memory.owners.get(copy.barcode)
            if owners.get(copy.barcode, known.id) != known.id or (other or known) is not known:
                self._refused[number, "barcode_taken"].append(copy.barcode)
            elif copy.barcode in cards:
                self._refused[number, "barcode_is_card"].append(copy.barcode)
            elif copy.barcode not in owners and other is None:
                self._memory.owners[copy.barcode] = known
                self._copies.append((copy, known))
                self._held[number] += 1

    def outcome(self, one: Prepared) -> Outcome:
        """What became of it."""
        became = self._became[one.number]
        notes = [*one.notes, *self._notes[one.number]]
        refused = {code: self._refused.get((one.number, code)) for code in ("barcode_taken", "barcode_is_card")}
        notes += [Note(code, ", ".join(barcodes)) for code, barcodes in refused.items() if barcodes]
        held = self._held[one.number]
        return Outcome(one, "updated" if became == "skipped" and held else became, notes, held)

    def store(self, session: Session, now: datetime) -> None:
        """Write what was decided, a table at a time."""
        for known, id_ in zip(self._fresh, repository.new_keys(session, len(self._fresh)), strict=True):
            known.id = id_
        repository.add_records(session, [_row(known, now) for known in self._fresh])
        for id_, values in self._changes.items():
            repository.update_record(session, id_, values | {"updated_at": now})
        repository.drop_isbns(session, list(self._renumbered))
        numbered = [*self._fresh, *self._renumbered.values()]
        repository.add_isbns(session, [(_id(known), isbn) for known in numbered for isbn in sorted(known.isbns)])
        repository.add_items(session, [_item(copy, _id(known)) for copy, known in self._copies])
        fresh = [_id(known) for known in self._fresh]
        held = {_id(known) for _, known in self._copies}
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
        "stays": False,
        "note": copy.note,
    }
