"""ISO 2709: finding records in a file, good and bad ones, and taking them apart and together.

A record ends with 1D, a field with 1E; 1F begins a subfield. A leader of 24 bytes tells the record's length and where
the fields begin; a directory of 12 bytes a field (tag, length, place) follows it. Lengths count bytes, yet some
programs count characters: where lengths and end marks disagree, the end marks are believed.
"""

from __future__ import annotations

import mmap
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from server.catalogue.marc.problems import Note
from server.catalogue.marc.record import LEADER_LENGTH, Marc

END_OF_RECORD, END_OF_FIELD, SUBFIELD = b"\x1d", b"\x1e", b"\x1f"
ENTRY_LENGTH = 12
LONGEST = 1 << 20
MOST_RECORD, MOST_FIELD = 99_999, 9_999
"""What five and four digits can say."""

Buffer = bytes | mmap.mmap
_Entry = tuple[str, str, str]

_LEADER = re.compile(rb"[0-9]{5}[ a-z][ a-z].[ a-z0-9][ a-z0-9]22[0-9]{5}...45", re.DOTALL)
_ENTRY = re.compile("([0-9A-Za-z]{3})([0-9]{4})([0-9]{5})")
_FILLER = re.compile(rb"(?:[\t-\r\x00\x1a\xef\xbb\xbf]| +(?=[0-9\t-\r\x00\x1a]|\Z))*")
"""What programs and people leave between records: line ends, zeros, the end mark of old systems, a byte order mark.
Blanks may also be a leader's missing length."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """The bytes of one record or of what stands in its place, and what is known to be wrong with them."""

    offset: int
    end: int
    data: bytes
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class Raw:
    """A record taken apart but not decoded: tags with the bytes of their fields, without end marks."""

    leader: str
    fields: tuple[tuple[str, bytes], ...]
    notes: tuple[Note, ...] = ()


def chunks(buffer: Buffer, start: int = 0) -> Iterator[Chunk]:
    """All records from `start` on, in order; every byte that is not filler is in one of them."""
    at, size = start, len(buffer)
    while True:
        filler = _FILLER.match(buffer, at)
        at = filler.end() if filler else at
        if at >= size:
            return
        end, note = _extent(buffer, at, size)
        if end - at > LONGEST:
            note = Note("too_long", f"{end - at} bytes", fatal=True)
        yield Chunk(at, end, bytes(buffer[at : min(end, at + LONGEST)]), (note,) if note else ())
        at = end


def _extent(buffer: Buffer, at: int, size: int) -> tuple[int, Note | None]:
    """Where the record that begins at `at` ends, and what is wrong with its length."""
    told = _number(buffer[at : at + 5])
    mark = buffer.find(END_OF_RECORD, at)
    whole = told >= LEADER_LENGTH and at + told <= size and buffer[at + told - 1] == END_OF_RECORD[0]
    if whole and (mark == at + told - 1 or not _LEADER.match(buffer, mark + 1)):
        return at + told, None
    end = mark + 1 if mark >= 0 else size
    following = _following(buffer, at + 1, end)
    if following is not None:
        return following, _broken(buffer, at)
    if mark < 0 or not _looks_like_a_leader(buffer, at):
        return end, _broken(buffer, at)
    return end, Note("length_wrong", f"{told} told, {end - at} found")


def _broken(buffer: Buffer, at: int) -> Note:
    return Note("cut_off" if _looks_like_a_leader(buffer, at) else "no_leader", fatal=True)


def _looks_like_a_leader(buffer: Buffer, at: int) -> bool:
    """Also one whose numbers are not to be believed."""
    return bytes(buffer[at + 10 : at + 12]) == b"22" or bytes(buffer[at + 20 : at + 22]) == b"45"


def _following(buffer: Buffer, at: int, end: int) -> int | None:
    """Where within these bytes another record begins, one that fills them to the end."""
    for found in _LEADER.finditer(buffer, at, end):
        if found.start() + int(found[0][:5]) == end:
            return found.start()
    return None


def begins_with_leader(buffer: Buffer) -> bool:
    """Whether the first bytes that are no filler look like a record's."""
    filler = _FILLER.match(buffer)
    return _looks_like_a_leader(buffer, filler.end() if filler else 0)


def take_apart(data: bytes) -> Raw:
    """A record's fields; when it cannot be read, one without fields whose last note is fatal."""
    leader = data[:LEADER_LENGTH].decode("latin-1")
    directory_end = data.find(END_OF_FIELD, LEADER_LENGTH)
    entries = _ENTRY.findall(data[LEADER_LENGTH:directory_end].decode("latin-1")) if directory_end >= 0 else []
    if not entries or LEADER_LENGTH + ENTRY_LENGTH * len(entries) != directory_end:
        return Raw(leader, (), (Note("directory_unreadable", fatal=True),))
    body = data[directory_end + 1 :]
    fields = _by_directory(entries, body) if _number(data[12:17]) == directory_end + 1 else None
    if fields is not None:
        return Raw(leader, fields)
    fields = _by_marks(entries, body)
    if fields is None:
        return Raw(leader, (), (Note("directory_unreadable", fatal=True),))
    return Raw(leader, fields, (Note("directory_wrong"),))


def _by_directory(entries: Sequence[_Entry], body: bytes) -> tuple[tuple[str, bytes], ...] | None:
    """The fields where the directory says that they are; None when it is wrong."""
    fields = []
    for tag, length, place in entries:
        start = int(place)
        end = start + int(length) - 1
        if end < start or body.find(END_OF_FIELD, start) != end:
            return None
        fields.append((tag, body[start:end]))
    return tuple(fields)


def _by_marks(entries: Sequence[_Entry], body: bytes) -> tuple[tuple[str, bytes], ...] | None:
    """The fields by their end marks, in the directory's order; None when there are more or fewer of them."""
    tags = [tag for tag, _, _ in entries]
    pieces = body.removesuffix(END_OF_RECORD).removesuffix(END_OF_FIELD).split(END_OF_FIELD)
    return tuple(zip(tags, pieces, strict=True)) if len(tags) == len(pieces) else None


def put_together(marc: Marc, encoded: list[bytes], coding: str | None) -> bytes | None:
    """A record of these fields' bytes, `coding` as the leader's place 9 unless None; None when it is too long."""
    leader = marc.leader if coding is None else marc.leader[:9] + coding + marc.leader[10:]
    directory, start = [], 0
    for field, piece in zip(marc.fields, encoded, strict=True):
        length = len(piece) + 1
        if length > MOST_FIELD:
            return None
        directory.append(f"{field.tag}{length:04}{start:05}".encode("latin-1", "replace"))
        start += length
    base = LEADER_LENGTH + ENTRY_LENGTH * len(directory) + 1
    total = base + start + 1
    if total > MOST_RECORD:
        return None
    head = f"{total:05}{leader[5:12]}{base:05}{leader[17:]}".encode("latin-1", "replace")
    body = b"".join(piece + END_OF_FIELD for piece in encoded)
    return head + b"".join(directory) + END_OF_FIELD + body + END_OF_RECORD


def _number(digits: bytes) -> int:
    return int(digits) if digits.isdigit() else -1
