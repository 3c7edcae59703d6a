"""Records out of a MARC file: what the file is, then one result for each record, whatever is wrong with it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Literal

from server.catalogue.marc import encodings, iso2709, xml
from server.catalogue.marc.encodings import Encoding
from server.catalogue.marc.iso2709 import Buffer, Chunk
from server.catalogue.marc.problems import Note
from server.catalogue.marc.record import Marc, MarcFormat

Container = Literal["iso2709", "marcxml"]

LOOKED_AT = 50
"""So many records tell what a file is."""
_UTF_16 = re.compile(rb"\xff\xfe.\x00|\xfe\xff\x00.|<\x00|\x00<", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Kind:
    """What a file is. `encoding` None: each record of ISO 2709 tells its own; MARCXML's first line tells."""

    container: Container
    format: MarcFormat
    encoding: Encoding | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """What stands at a place of the file; no record when a note is fatal."""

    offset: int
    end: int
    marc: Marc | None
    notes: tuple[Note, ...]


def is_utf_16(buffer: Buffer) -> bool:
    """Whether a file begins as texts in UTF-16 do, in which neither records nor elements are found."""
    return _UTF_16.match(buffer) is not None


def detect(buffer: Buffer, *, format_: MarcFormat | None = None, encoding: Encoding | None = None) -> Kind:
    """What a file is; what is told is believed."""
    container: Container = "marcxml" if bytes(buffer[:1024]).lstrip(b"\xef\xbb\xbf\r\n\t ")[:1] == b"<" else "iso2709"
    return Kind(container, format_ or _format(buffer, container), encoding)


def holds_no_record(buffer: Buffer, kind: Kind) -> bool:
    """Whether a file is of another sort: nothing in it can be read, and it does not even begin as a damaged record."""
    if kind.container == "marcxml":
        return next(xml.chunks(buffer), None) is None
    return not iso2709.begins_with_leader(buffer) and all(result.marc is None for result in read(buffer, kind))


def _format(buffer: Buffer, container: Container) -> MarcFormat:
    """By where the titles are; of records without any, by the leader's last places."""
    votes = Counter[str]()
    for result in islice(read(buffer, Kind(container, "marc21")), LOOKED_AT):
        if result.marc is not None:
            votes.update(field.tag for field in result.marc.of("245", "200"))
            votes["450 "] += result.marc.leader[20:] == "450 "
    if votes["200"] == votes["245"]:
        return "cnmarc" if votes["450 "] else "marc21"
    return "cnmarc" if votes["200"] > votes["245"] else "marc21"


def read(buffer: Buffer, kind: Kind, start: int = 0) -> Iterator[Result]:
    """Everything from `start`, the end of an earlier result, on."""
    if kind.container == "iso2709":
        for chunk in iso2709.chunks(buffer, start):
            yield _iso(chunk, kind)
        return
    declared = kind.encoding or xml.encoding_of(buffer)
    for chunk in xml.chunks(buffer, start):
        yield _xml(chunk, declared)


def _iso(chunk: Chunk, kind: Kind) -> Result:
    if any(note.fatal for note in chunk.notes):
        return Result(chunk.offset, chunk.end, None, chunk.notes)
    raw = iso2709.take_apart(chunk.data)
    if not raw.fields:
        return Result(chunk.offset, chunk.end, None, chunk.notes + raw.notes)
    marc, notes = encodings.decode(raw, kind.encoding or encodings.guess(raw, kind.format))
    return _result(chunk, marc, chunk.notes + raw.notes + tuple(notes))


def _xml(chunk: Chunk, encoding: str) -> Result:
    if chunk.notes:
        return Result(chunk.offset, chunk.end, None, chunk.notes)
    marc, notes = xml.parse(chunk.data, encoding)
    return _result(chunk, marc, tuple(notes))


def _result(chunk: Chunk, marc: Marc | None, notes: tuple[Note, ...]) -> Result:
    """NUL is no character that a database keeps."""
    fatal = any(note.fatal for note in notes)
    if marc is not None and b"\x00" in chunk.data:
        marc = replace(
            marc,
            fields=tuple(
                f._replace(
                    data=f.data.replace("\x00", " "),
                    subfields=tuple((code, value.replace("\x00", " ")) for code, value in f.subfields),
                )
                for f in marc.fields
            ),
        )
        notes = (*notes, Note("bad_characters", "NUL"))
    return Result(chunk.offset, chunk.end, None if fatal else marc, notes)
