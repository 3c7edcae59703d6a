"""Which encoding a record is in, and its fields decoded."""

from __future__ import annotations

import re
from typing import Literal

from server.catalogue.marc import marc8
from server.catalogue.marc.iso2709 import END_OF_FIELD, Raw
from server.catalogue.marc.problems import Note
from server.catalogue.marc.record import Field, Marc, MarcFormat, is_control

Encoding = Literal["utf-8", "gb18030", "marc-8"]
ENCODINGS: tuple[Encoding, ...] = ("utf-8", "gb18030", "marc-8")

SUBFIELD = "\x1f"
UNKNOWN = "\ufffd"
MOST_UNKNOWN = 0.05
"""A record with a greater share of characters unknown is in another encoding."""

_HIGH = re.compile(rb"[\x80-\xff]+")


def guess(raw: Raw, format_: MarcFormat) -> Encoding:
    """What this record's bytes look like: UTF-8 if they can be; ANSEL's marks stand alone before ASCII letters, a
    Chinese character of GB 18030 almost always has two high bytes."""
    body = b"".join(piece for _, piece in raw.fields)
    if body.isascii() and b"\x1b" not in body:
        return "utf-8"
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        pass
    else:
        return "marc-8" if b"\x1b" in body and body.isascii() else "utf-8"
    if format_ == "cnmarc":
        return "gb18030"
    if raw.leader[9:10] == "a":
        return "gb18030" if _mostly_pairs(body) and _decodes(body, "gb18030") else "utf-8"
    return "gb18030" if b"\x1b" not in body and _mostly_pairs(body) else "marc-8"


def _mostly_pairs(body: bytes) -> bool:
    runs = _HIGH.findall(body)
    high = sum(map(len, runs))
    return sum(len(run) for run in runs if len(run) % 2 == 0) >= 0.7 * high


def _decodes(body: bytes, encoding: str) -> bool:
    try:
        body.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def decode(raw: Raw, encoding: Encoding) -> tuple[Marc, list[Note]]:
    """The record, and what is wrong with its fields; the last note is fatal when this is not its encoding."""
    texts, doubtful = _texts(raw, encoding)
    fields: list[Field] = []
    wrong: dict[str, list[str]] = {}
    for (tag, _), text in zip(raw.fields, texts, strict=True):
        if is_control(tag):
            fields.append(Field(tag, "", (), text))
            continue
        indicators, *parts = text.split(SUBFIELD)
        if len(indicators) != 2 or not parts:
            code, indicators, parts = _mended(indicators, parts)
            wrong.setdefault(code, []).append(tag)
        fields.append(Field(tag, indicators, tuple([(part[0], part[1:]) for part in parts if part])))
    notes = [Note(code, ", ".join(dict.fromkeys(tags))) for code, tags in wrong.items()]
    unknown = [tag for (tag, _), text in zip(raw.fields, texts, strict=True) if UNKNOWN in text] if doubtful else []
    if unknown:
        notes.append(_unknown(fields, unknown, encoding))
    leader = raw.leader if raw.leader.isascii() else raw.leader.encode("ascii", "replace").decode("ascii")
    return Marc(leader, tuple(fields)), notes


def _texts(raw: Raw, encoding: Encoding) -> tuple[list[str], bool]:
    """The fields' contents, and whether there may be characters among them that are not known."""
    if encoding == "marc-8":
        return [_marc_8(piece) for _, piece in raw.fields], True
    try:
        return END_OF_FIELD.join([piece for _, piece in raw.fields]).decode(encoding).split("\x1e"), False
    except UnicodeDecodeError:
        return [piece.decode(encoding, "replace") for _, piece in raw.fields], True


def _mended(indicators: str, parts: list[str]) -> tuple[str, str, list[str]]:
    """What is wrong with a field, and what it is taken for."""
    if parts:
        return "indicators_wrong", f"{indicators:2}"[:2], parts
    return "subfields_missing", f"{indicators[:2]:2}", ["a" + indicators[2:]]


def _unknown(fields: list[Field], tags: list[str], encoding: Encoding) -> Note:
    text = "".join(field.data + "".join(value for _, value in field.subfields) for field in fields)
    share = text.count(UNKNOWN) / max(1, len(text))
    where = ", ".join(dict.fromkeys(tags))
    if share > MOST_UNKNOWN:
        return Note("wrong_encoding", f"{encoding}: {where}", fatal=True)
    return Note("bad_characters", where)


def _marc_8(piece: bytes) -> str:
    """Each subfield begins anew with the first character sets."""
    return SUBFIELD.join(marc8.decode(part) for part in piece.split(SUBFIELD.encode("ascii")))


def encode(marc: Marc, encoding: Encoding) -> list[bytes]:
    """Each field's bytes, in order; a character that GB 18030 or MARC-8 does not have is replaced or paraphrased."""
    return [_encoded(field, encoding) for field in marc.fields]


def _encoded(field: Field, encoding: Encoding) -> bytes:
    if encoding != "marc-8":
        text = field.data or field.indicators + "".join(f"{SUBFIELD}{code}{value}" for code, value in field.subfields)
        return text.encode(encoding, "replace")
    if is_control(field.tag):
        return marc8.encode(field.data)
    parts = (b"\x1f" + marc8.encode(code) + marc8.encode(value) for code, value in field.subfields)
    return field.indicators.encode("ascii", "replace") + b"".join(parts)
