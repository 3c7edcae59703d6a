"""Patrons from a CSV file: read row by row, judged row by row; one bad row never stops the file.

Rows are stored in short transactions, and a row that is stored already is told as `same`: an import that was
interrupted is simply begun again. SQLite has one writer at a time: between its turns an import gives way to others.
"""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from itertools import islice
from typing import Any, Literal

from pydantic import ValidationError
from sqlalchemy.orm import Session

from carrel.contracts.ids import CardNumber
from server import hashing
from server.catalogue import service as catalogue
from server.db import Database
from server.errors import DomainError
from server.lending import service as lending
from server.lending.policy import Lending
from server.patrons import desk, repository
from server.patrons.errors import (
    BirthdayError,
    CardIsBarcodeError,
    CardTakenError,
    UnknownCardError,
    UnreadableFileError,
)
from server.patrons.policy import email_key, name_key, phone_key, pin_fault
from server.patrons.schemas import PatronFields
from server.patrons.service import NewPatron, Patron, find, find_by_id

BATCH = 100
TURN_S = 0.2
"""Longer than this, a transaction takes up no further row."""
GIVE_WAY_S = 0.12
"""The least pause between two turns: who waits for SQLite looks every 0.1 s whether it is free."""

COLUMN_OF = {
    "card_is_barcode": "card", "card_taken": "card", "unknown_branch": "branch", "unknown_class": "patron_class",
}  # fmt: skip
"""What a refusal is about."""

ENCODINGS = ("utf-8-sig", "gb18030")

ALIASES: dict[str, tuple[str, ...]] = {
    "card": ("card", "card number", "barcode", "卡号", "证号", "读者证号"),
    "name": ("name", "full name", "姓名"),
    "external": ("external", "external number", "student number", "学号", "工号", "外部编号"),
    "patron_class": ("class", "patron class", "读者类型", "类型"),
    "language": ("language", "语言"),
    "born_on": ("born on", "birth date", "date of birth", "出生日期", "生日"),
    "expires_on": ("expires on", "expiry", "有效期", "有效期至"),
    "branch": ("branch", "分馆"),
    "email": ("email", "e-mail", "电子邮件", "邮箱"),
    "phone": ("phone", "telephone", "mobile", "电话", "手机"),
    "address": ("address", "地址", "住址"),
    "note": ("note", "备注"),
    "pin": ("pin", "密码"),
    "guardian_card": ("guardian card", "guardian", "监护人卡号", "监护人证号"),
}
_FIELD_OF = {alias: name for name, aliases in ALIASES.items() for alias in (*aliases, name)}


class ImportRow(PatronFields):
    """A row's values; an empty cell is as good as none."""

    name: str = ""
    card: CardNumber | None = None
    pin: str | None = None
    guardian_card: CardNumber | None = None


@dataclass(frozen=True, slots=True)
class Raw:
    """A row of the file: the line it ends on, and its filled cells by field."""

    line: int
    cells: dict[str, str]


@dataclass(frozen=True, slots=True)
class Table:
    """What was read of a file."""

    encoding: str
    ignored: tuple[str, ...]
    rows: tuple[Raw, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a row; `column` is the field an error is about."""

    line: int
    outcome: Literal["new", "changed", "same", "error"]
    code: str | None = None
    column: str | None = None
    possible_duplicate: bool = False


class Undone:
    """What a dry run has stored and undone with each turn, by all that a later row may have to do with it."""

    def __init__(self) -> None:
        self._rows: dict[tuple[Any, ...], dict[int, tuple[Raw, ImportRow]]] = {}

    def keep(self, raw: Raw, row: ImportRow, known: Patron | None) -> None:
        """A row that was stored; `known` is the patron whom it has changed."""
        keys = [("card", row.card), ("external", row.external)]
        if known is None:
            keys += _likeness(row.name, row.born_on, row.phone, row.email)
        else:
            keys += [("card", known.card), ("external", known.external)]
            keys += _likeness(row.name or known.name, row.born_on or known.born_on, row.phone, row.email)
        for key in keys:
            self._rows.setdefault(key, {})[raw.line] = (raw, row)

    def needed(self, row: ImportRow, here: set[int]) -> list[tuple[Raw, ImportRow]]:
        """What must be stored again before a row, in the file's order: whoever has or had its numbers, somebody like
        it, and the guardians of all. `here` are the lines that this turn has stored, to which they are added."""
        found: dict[int, tuple[Raw, ImportRow]] = {}
        waiting = [pair for key in _numbers(row) for pair in self._rows.get(key, {}).values()]
        for key in _likeness(row.name, row.born_on, row.phone, row.email):
            waiting += islice((pair for pair in self._rows.get(key, {}).values() if not _one_family(row, pair[1])), 1)
        while waiting:
            raw, earlier = waiting.pop()
            if raw.line not in here:
                here.add(raw.line)
                found[raw.line] = (raw, earlier)
                waiting += self._rows.get(("card", earlier.guardian_card), {}).values()
        return [found[line] for line in sorted(found)]


@dataclass(slots=True)
class Run:
    """An import under way: who imports and when, the library's own branch, which counts for whoever has none in the
    file, which cards and numbers the file has named so far, and, in a dry run, the rows so far by card."""

    actor: str
    now: datetime
    today: date
    branch: str
    dry_run: bool
    lending: Lending = field(default_factory=Lending)
    barcodes: Set[str] = frozenset()
    seen: set[tuple[str, str]] = field(default_factory=set)
    undone: Undone = field(default_factory=Undone)


def _numbers(row: ImportRow) -> list[tuple[Any, ...]]:
    """What a row names people by."""
    named = (("card", row.card), ("external", row.external), ("card", row.guardian_card))
    return [key for key in named if key[1]]


def _likeness(name: str, born_on: date | None, phone: str, email: str) -> list[tuple[Any, ...]]:
    """By what `desk.duplicates` takes two people for the same."""
    same = (("name", name_key(name), born_on), ("phone", phone_key(phone)), ("email", email_key(email)))
    return [key for key in same if key[1]]


def _one_family(row: ImportRow, other: ImportRow) -> bool:
    """Who may share a telephone."""
    return row.guardian_card is not None and row.guardian_card in (other.card, other.guardian_card)


def read(data: bytes) -> Table:
    """Take a file apart: UTF-8 or GB18030, commas, semicolons or tabs. Raises UnreadableFileError."""
    text, encoding = _decode(data)
    head = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        names = [cell.strip() for cell in next(reader, [])]
        known = [_FIELD_OF.get(name.casefold().replace("_", " "), _FIELD_OF.get(name.casefold())) for name in names]
        if "name" not in known or not {"card", "external"} & set(known):
            raise UnreadableFileError
        rows = tuple(_rows(reader, known))
    except csv.Error:
        raise UnreadableFileError from None
    ignored = tuple(name for name, kind in zip(names, known, strict=True) if kind is None and name)
    return Table(encoding, ignored, rows)


def run(database: Database, table: Table, work: Run) -> Iterator[Outcome]:
    """Store the rows, one outcome each, in the file's order; a dry run finds out the same and stores nothing."""
    for start in range(0, len(table.rows), BATCH):
        judged = [(raw, _checked(raw, work)) for raw in table.rows[start : start + BATCH]]
        cards = [row.card for _, row in judged if isinstance(row, ImportRow) and row.card]
        with database.reading() as session:
            work.barcodes = catalogue.items_by_barcode(session, cards).keys()
        hashes = {row.pin: hashing.make(row.pin) for _, row in judged if isinstance(row, ImportRow) and row.pin}
        while judged:
            begun = time.monotonic()
            outcomes = _turn(database, judged, work=work, hashes=hashes)
            took = time.monotonic() - begun
            judged = judged[len(outcomes) :]
            yield from outcomes
            if database.engine.dialect.name == "sqlite" and (judged or start + BATCH < len(table.rows)):
                time.sleep(max(took, GIVE_WAY_S))


def _turn(
    database: Database, judged: Sequence[tuple[Raw, ImportRow | Outcome]], *, work: Run, hashes: dict[str, str]
) -> list[Outcome]:
    """What became of the first rows, as many as one transaction may take."""
    outcomes: list[Outcome] = []
    here: set[int] = set()
    with database.writing() as session:
        work.lending = lending.current(session)
        whole = session.begin_nested()
        begun = time.monotonic()
        for raw, row in judged:
            if isinstance(row, Outcome):
                outcomes.append(row)
                continue
            for earlier in work.undone.needed(row, here) if work.dry_run else ():
                _stored(session, *earlier, work=work, hashes=hashes)
            outcomes.append(_stored(session, raw, row, work=work, hashes=hashes))
            here.add(raw.line)
            if time.monotonic() - begun >= TURN_S:
                break
        if work.dry_run:
            whole.rollback()
    return outcomes


def _checked(raw: Raw, work: Run) -> ImportRow | Outcome:
    """The row's values, or what is wrong with them whatever the library knows."""
    if damaged := [name for name, cell in raw.cells.items() if "\0" in cell]:
        return Outcome(raw.line, "error", "malformed", damaged[0])
    try:
        row = ImportRow.model_validate(raw.cells)
    except ValidationError as error:
        place = error.errors()[0]["loc"]
        return Outcome(raw.line, "error", "malformed", str(place[0]) if place else None)
    if row.card is None and row.external is None:
        return Outcome(raw.line, "error", "no_key", "card")
    if row.born_on is not None and row.born_on > work.today:
        return Outcome(raw.line, "error", BirthdayError.code, "born_on")
    if row.pin and (fault := pin_fault(row.pin, row.card or "")):
        return Outcome(raw.line, "error", fault, "pin")
    for kind, key in (("card", row.card), ("external", row.external)):
        if key and (kind, key) in work.seen:
            return Outcome(raw.line, "error", "repeated_in_file", kind)
    work.seen |= {(kind, key) for kind, key in (("card", row.card), ("external", row.external)) if key}
    return row


def _stored(session: Session, raw: Raw, row: ImportRow, *, work: Run, hashes: dict[str, str]) -> Outcome:
    try:
        with session.begin_nested():
            known = _known(session, row)
            values = _values(session, row, raw)
            if known is None or row.branch != known.branch:
                lending.check_branch(work.lending, row.branch, own=work.branch)
            if known is None:
                told = _registered(session, raw, values, work=work, pin_hash=hashes.get(row.pin or ""))
            else:
                changed = _changed(session, known, row, values, work=work)
                told = Outcome(raw.line, "changed" if changed else "same")
            if work.dry_run and told.outcome in ("new", "changed"):
                work.undone.keep(raw, row, known)
            return told
    except DomainError as error:
        return Outcome(raw.line, "error", error.code, COLUMN_OF.get(error.code))


def _known(session: Session, row: ImportRow) -> Patron | None:
    """Whom the row is about; raises CardTakenError when card and external number are two people's."""
    by_card = find(session, row.card) if row.card else None
    found = repository.id_of_external(session, row.external) if row.external else None
    if by_card is not None and found is not None and found != by_card.id:
        raise CardTakenError
    if by_card is not None and by_card.card_state != "active":
        raise CardTakenError
    return by_card or (find_by_id(session, found) if found is not None else None)


def _values(session: Session, row: ImportRow, raw: Raw) -> dict[str, Any]:
    """The filled cells as fields of a patron."""
    values = {name: getattr(row, name) for name in raw.cells if name not in ("card", "pin", "guardian_card")}
    if row.guardian_card:
        guardian = find(session, row.guardian_card)
        if guardian is None:
            raise UnknownCardError
        values["guardian_id"] = guardian.id
    return values


def _registered(session: Session, raw: Raw, values: dict[str, Any], *, work: Run, pin_hash: str | None) -> Outcome:
    card = raw.cells.get("card")
    if card is None or not values.get("name"):
        return Outcome(raw.line, "error", "no_name_or_card", "name" if card else "card")
    new = NewPatron(card=card, **{"branch": work.branch} | values)
    if pin_hash:
        new = replace(new, pin_hash=pin_hash)
    alike = bool(desk.duplicates(session, new))
    if card in work.barcodes:
        raise CardIsBarcodeError
    desk.register(session, new, actor=work.actor, at=work.now, today=work.today, sure=True, free=True)
    return Outcome(raw.line, "new", possible_duplicate=alike)


def _changed(session: Session, known: Patron, row: ImportRow, values: dict[str, Any], *, work: Run) -> bool:
    """A PIN that somebody has is left alone: the file may be older than it."""
    changes = {name: value for name, value in values.items() if getattr(known, name) != value}
    other_card = row.card is not None and known.card != row.card
    if other_card:
        assert row.card is not None
        if row.card in work.barcodes:
            raise CardIsBarcodeError
        desk.replace_card(session, known.id, row.card, actor=work.actor, at=work.now, free=True)
    if changes:
        desk.edit(session, known.id, changes, actor=work.actor, at=work.now, today=work.today)
    return bool(changes) or other_card


def _decode(data: bytes) -> tuple[str, str]:
    for encoding in ENCODINGS:
        try:
            return data.decode(encoding), encoding.removesuffix("-sig")
        except UnicodeDecodeError:
            continue
    raise UnreadableFileError


def _rows(reader: Any, known: Sequence[str | None]) -> Iterator[Raw]:
    for cells in reader:
        filled = {name: cell.strip() for name, cell in zip(known, cells, strict=False) if name and cell.strip()}
        if filled:
            yield Raw(reader.line_num, filled)
