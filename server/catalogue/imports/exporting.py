"""The catalogue as a MARC file. Records leave as they came, but for what people have corrected since."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, cast

from sqlalchemy import Row
from sqlalchemy.orm import Session

from server.catalogue.errors import MixedFormatsError, UnknownRecordError
from server.catalogue.imports import repository
from server.catalogue.marc import encodings, iso2709, xml
from server.catalogue.marc.composing import compose, corrected
from server.catalogue.marc.encodings import Encoding
from server.catalogue.marc.reading import Container
from server.catalogue.marc.record import Marc, MarcFormat, from_json


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file. `format` None is the one of all records; records of the other format are left out."""

    container: Container = "iso2709"
    format: MarcFormat | None = None
    encoding: Encoding = "utf-8"
    pool: bool = False


@dataclass(frozen=True, slots=True)
class Piece:
    """A record's bytes; None when it does not fit into ISO 2709, whose numbers have five digits."""

    record_id: int
    data: bytes | None


def format_of(session: Session, wanted: Wanted) -> MarcFormat:
    """In which format the file is; raises MixedFormatsError when that has to be told."""
    if wanted.format:
        return wanted.format
    counts = repository.formats(session, pool=wanted.pool)
    if len(counts) > 1:
        raise MixedFormatsError(**counts)
    return cast("MarcFormat", next(iter(counts), "marc21"))


def records(session: Session, wanted: Wanted, format_: MarcFormat) -> Iterator[Piece]:
    """All records of the file, in the order in which they came into the catalogue."""
    for row in repository.every_marc(session, pool=wanted.pool):
        if row.marc_format in (None, format_):
            yield Piece(row.id, write(marc_of(row, format_), wanted, format_))


def marc_of(row: Row[Any], format_: MarcFormat) -> Marc:
    """A stored record's MARC; one catalogued by hand is put together."""
    columns = row._asdict()
    if row.marc is None:
        return compose(columns, format_)
    marc = from_json(row.marc)
    return corrected(marc, format_, columns, row.edited.split()) if row.edited else marc


def marc_text(session: Session, record_id: int) -> str:
    """A record as cataloguers read it, a field a line; raises UnknownRecordError."""
    row = repository.one_marc(session, record_id)
    if row is None:
        raise UnknownRecordError
    marc = marc_of(row, row.marc_format or "marc21")
    lines = [f"LDR    {marc.leader}"]
    for field in marc.fields:
        indicators = field.indicators.replace(" ", "_")
        parts = " ".join(f"${code} {value}" for code, value in field.subfields)
        lines.append(f"{field.tag} {indicators:2} {field.data or parts}")
    return "\n".join(lines) + "\n"


def write(marc: Marc, wanted: Wanted, format_: MarcFormat) -> bytes | None:
    """A record's bytes. Of MARC 21 the leader's place 9 says whether they are UTF-8."""
    if wanted.container == "marcxml":
        leader = f"{marc.leader[:9]}a{marc.leader[10:]}" if format_ == "marc21" else marc.leader
        return xml.write(replace(marc, leader=leader)).encode("utf-8")
    coding = None if format_ == "cnmarc" else "a" if wanted.encoding == "utf-8" else " "
    return iso2709.put_together(marc, encodings.encode(marc, wanted.encoding), coding)


def too_long(session: Session, wanted: Wanted, format_: MarcFormat) -> list[int]:
    """Records that do not fit into ISO 2709."""
    if wanted.container == "marcxml":
        return []
    rows = repository.long_marc(session, pool=wanted.pool)
    ours = [row for row in rows if row.marc_format in (None, format_)]
    return [row.id for row in ours if not write(marc_of(row, format_), wanted, format_)]


def file(session: Session, wanted: Wanted, format_: MarcFormat) -> Iterator[bytes]:
    """The whole file, some records at a time; what does not fit is left out."""
    if wanted.container == "marcxml":
        yield xml.HEAD.encode("utf-8")
    for piece in records(session, wanted, format_):
        if piece.data is not None:
            yield piece.data
    if wanted.container == "marcxml":
        yield xml.TAIL.encode("utf-8")
