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

_PAIRS = re.compile(f"{SUBFIELD}([^{SUBFIELD}])([^{SUBFIELD}]*)")
_HIGH = re.compile(rb"[\x80-\xff]")
_LATIN = re.compile(rb"(?<![\x80-\xff])(?:[\xa1-\xc8]?[\xe0-\xfe]{1,2}|[\xa1-\xc8])(?=[A-Za-z])")
"""What ANSEL has between ASCII letters: a letter of its own, or one mark or two before the letter that they are on."""
_ESCAPE = re.compile(rb"\x1b(?:[bgps]|\$1|\$?[(),-]!?[1-4BENQS])")
_FOREIGN = re.compile("[\ufffd\ue000-\uf8ff]")
"""Nothing, or what GB 18030 leaves to users: here it stands for other letters."""


def guess(raw: Raw, format_: MarcFormat) -> Encoding:
    """What this record's bytes look like: UTF-8 if they can be, MARC-8 if they change character sets as it does, else
    what the most of them are: ANSEL's marks before ASCII letters, or Chinese characters of two or four bytes."""
    body = END_OF_FIELD.join([piece for _, piece in raw.fields])
    marked, latin = raw.leader[9:10] == "a", format_ == "marc21"
    if body.isascii() and b"\x1b" not in body:
        return "marc-8" if latin and not marked and b"&#x" in body else "utf-8"
    if _decodes(body, "utf-8"):
        return "marc-8" if body.isascii() else "utf-8"
    if _ESCAPE.search(body) and not (latin and marked):
        return "marc-8"
    if not latin:
        return "gb18030"
    if marked:
        return "gb18030" if _mostly_gb18030(body) and _decodes(body, "gb18030") and _hardly_utf_8(body) else "utf-8"
    if not _mostly_gb18030(body):
        return "marc-8"
    wrong = len(_FOREIGN.findall(body.decode("gb18030", "replace")))
    return "gb18030" if not wrong or wrong < "".join(_texts(raw, "marc-8")[0]).count(UNKNOWN) else "marc-8"


def _mostly_gb18030(body: bytes) -> bool:
    """By characters, which have two high bytes as a rule."""
    between_letters = _LATIN.findall(body)
    return len(_HIGH.findall(body)) - sum(map(len, between_letters)) > 2 * len(between_letters)


def _hardly_utf_8(body: bytes) -> bool:
    """Not UTF-8 with some bytes damaged, of which most characters would be right."""
    text = body.decode("utf-8", "replace")
    return text.count(UNKNOWN) > sum(not character.isascii() for character in text) / 2


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
            if SUBFIELD in text:
                wrong.setdefault("control_subfields", []).append(tag)
            fields.append(Field(tag, "", (), _without_subfields(text) if SUBFIELD in text else text))
            continue
        whole = text
        if text.find(SUBFIELD) != 2:
            code, whole = _mended(text)
            wrong.setdefault(code, []).append(tag)
        fields.append(Field(tag, whole[:2], tuple(_PAIRS.findall(whole))))
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


def _mended(text: str) -> tuple[str, str]:
    """What is wrong with a field, and what it is taken for."""
    indicators, mark, rest = text.partition(SUBFIELD)
    if mark:
        return "indicators_wrong", f"{indicators[:2]:2}{mark}{rest}"
    return "subfields_missing", f"{indicators[:2]:2}{SUBFIELD}a{indicators[2:]}"


def _without_subfields(text: str) -> str:
    """What a control field says that came as other fields do: two indicators, then subfields."""
    head, values = text.partition(SUBFIELD)[0], [value for _, value in _PAIRS.findall(text)]
    return " ".join([head, *values] if len(head) > 2 else values)


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
