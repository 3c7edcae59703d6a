"""The classes of the Chinese Library Classification: 22 main classes as shipped, finer ones as a library imports."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any

from sqlalchemy import delete, func, insert, or_, select
from sqlalchemy.orm import Session

from server.audit import service as audit
from server.catalogue.errors import ClassTableError
from server.catalogue.models import ClassRow, RecordRow

MOST_CLASSES = 100_000
LONGEST_CAPTION = 200
COLUMNS = ("code", "caption_zh", "caption_en")
ENCODINGS = ("utf-8-sig", "gb18030")

_CODE = re.compile(r"[A-Z][0-9A-Z.\-/+=()\"<>\[\]:{}]{0,39}")
_BRACKETED = re.compile(r"[\[{]([^\[\]{}]+)[\]}]")
"""As the tables write a class that a library may use instead of another, or no longer: `[B82-02]`, `{D9}`."""


@dataclass(frozen=True, slots=True)
class Class:
    """A class, how many titles are in it and in those below it, and whether there are finer ones."""

    code: str
    caption_zh: str
    caption_en: str
    titles: int
    finer: bool


@cache
def main_classes() -> tuple[tuple[str, str, str], ...]:
    """(code, Chinese, English), in order."""
    with (files(__package__) / "clc.csv").open(encoding="utf-8") as file:
        return tuple((row["code"], row["caption_zh"], row["caption_en"]) for row in csv.DictReader(file))


def browse(session: Session, under: str = "") -> list[Class]:
    """The classes right below one; the main classes below none. `under` need not be a class of the tables."""
    under = under.upper()
    known = _below(session, under) if under else list(main_classes())
    direct: list[tuple[str, str, str]] = []
    finer: set[str] = set()
    for row in known:  # in order, so that a class comes right before those in it
        if direct and row[0].startswith(direct[-1][0]):
            finer.add(direct[-1][0])
        else:
            direct.append(row)
    counts = _counts(session, [code for code, _, _ in direct])
    if not under:
        finer = set(session.scalars(select(func.substr(ClassRow.code, 1, 1)).distinct()))
    return [Class(code, zh, en, counts[code], code in finer) for code, zh, en in direct]


def _below(session: Session, under: str) -> list[tuple[str, str, str]]:
    below = ClassRow.code.startswith(under, autoescape=True)
    query = select(ClassRow.code, ClassRow.caption_zh, ClassRow.caption_en).where(below, ClassRow.code != under)
    return sorted(session.execute(query))


def _counts(session: Session, codes: Sequence[str]) -> dict[str, int]:
    """Titles whose class number begins so, one pass over the class numbers in use."""
    counts = dict.fromkeys(codes, 0)
    if not codes:
        return counts
    inside = or_(*(RecordRow.class_number.startswith(code, autoescape=True) for code in codes))
    query = select(RecordRow.class_number, func.count()).where(RecordRow.suppressed.is_(False), inside)
    for number, count in session.execute(query.group_by(RecordRow.class_number)):
        for code in codes:
            if number.startswith(code):
                counts[code] += count
    return counts


def caption(session: Session, number: str) -> tuple[str, str]:
    """(Chinese, English) of the finest known class that a class number is in; empty when there is none."""
    starts = [number[:length] for length in range(1, min(len(number), 40) + 1)]
    rows = session.execute(select(ClassRow).where(ClassRow.code.in_(starts))).scalars() if starts else ()
    known = {row.code: (row.caption_zh, row.caption_en) for row in rows}
    known |= {code: (zh, en) for code, zh, en in main_classes() if code not in known}
    return next((known[start] for start in reversed(starts) if start in known), ("", ""))


def load(session: Session, data: bytes, *, subject: str, now: datetime) -> int:
    """Replace the finer classes by those of a CSV file; returns how many; raises ClassTableError."""
    rows = _read(data)
    session.execute(delete(ClassRow))
    if rows:
        session.execute(insert(ClassRow), list(rows.values()))
    detail = {"classes": len(rows)}
    audit.record(session, actor=subject, action="catalogue.classes", target="classification", at=now, detail=detail)
    return len(rows)


def _read(data: bytes) -> dict[str, dict[str, str]]:
    """The table's rows by code."""
    reader = csv.DictReader(io.StringIO(_decoded(data), newline=""), strict=True)
    rows: dict[str, dict[str, str]] = {}
    try:
        if not set(COLUMNS) <= set(reader.fieldnames or ()):
            raise ClassTableError(line=1, wrong="columns")
        for row in reader:
            cells = {name: (row[name] or "").strip() for name in COLUMNS}
            if not any(cells.values()):
                continue
            cells["code"] = _BRACKETED.sub(r"\1", cells["code"])
            if wrong := _wrong(row, cells, rows):
                raise ClassTableError(line=reader.line_num, wrong=wrong)
            rows[cells["code"]] = cells
    except csv.Error as error:
        raise ClassTableError(line=reader.line_num + 1, wrong="quotes") from error
    return rows


def _decoded(data: bytes) -> str:
    for encoding in ENCODINGS:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise ClassTableError(line=1, wrong="encoding")


def _wrong(row: Mapping[str | None, Any], cells: Mapping[str, str], rows: Mapping[str, Any]) -> str:
    """What is wrong with a row after others, if anything: a comma in a caption without quotes makes too many cells."""
    captions = [cells[name] for name in COLUMNS[1:]]
    checks = (
        ("cells", None in row),
        ("code", not _CODE.fullmatch(cells["code"])),
        ("caption", not any(captions) or max(map(len, captions)) > LONGEST_CAPTION),
        ("twice", cells["code"] in rows),
        ("too_many", len(rows) == MOST_CLASSES),
    )
    return next((code for code, wrong in checks if wrong), "")
