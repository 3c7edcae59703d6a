"""MARC records of what people have catalogued or corrected on pages: the way back from the catalogue's columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import chain
from typing import NamedTuple

from server.catalogue.marc.layouts import LANGUAGES, LAYOUTS, Layout, Place
from server.catalogue.marc.mapping import shown
from server.catalogue.marc.record import EMPTY_LEADER, Field, Marc, MarcFormat


class Target(NamedTuple):
    """Where a column goes; `each` makes a field of every line."""

    tag: str
    indicators: str
    code: str
    each: bool = False


TARGETS: Mapping[MarcFormat, Mapping[str, Target]] = {
    "marc21": {
        "control_number": Target("001", "", ""),
        "isbn": Target("020", "  ", "a"),
        "language": Target("041", "0 ", "a"),
        "class_number": Target("084", "  ", "a"),
        "call_number": Target("090", "  ", "a"),
        "author": Target("100", "1 ", "a"),
        "title": Target("245", "10", "a"),
        "title_alt": Target("246", "3 ", "a", each=True),
        "edition": Target("250", "  ", "a"),
        "publisher": Target("264", " 1", "b"),
        "year": Target("264", " 1", "c"),
        "summary": Target("520", "  ", "a"),
        "subjects": Target("650", " 4", "a", each=True),
        "author_alt": Target("700", "1 ", "a", each=True),
    },
    "cnmarc": {
        "control_number": Target("001", "", ""),
        "isbn": Target("010", "  ", "a"),
        "language": Target("101", "0 ", "a"),
        "title": Target("200", "1 ", "a"),
        "edition": Target("205", "  ", "a"),
        "publisher": Target("210", "  ", "c"),
        "year": Target("210", "  ", "d"),
        "summary": Target("330", "  ", "a"),
        "title_alt": Target("517", "1 ", "a", each=True),
        "subjects": Target("610", "0 ", "a", each=True),
        "class_number": Target("690", "  ", "a"),
        "author": Target("701", " 0", "a"),
        "author_alt": Target("702", " 0", "a", each=True),
        "call_number": Target("905", "  ", "d"),
    },
}
"""In the order of the tags."""

_CODES = {short: long for long, short in LANGUAGES.items()} | {
    "cs": "cze", "de": "ger", "el": "gre", "fa": "per", "fr": "fre", "is": "ice", "ms": "may", "nl": "dut", "ro": "rum",
    "zh": "chi",
}  # fmt: skip
"""Of languages with two codes, the one that MARC uses."""


def compose(columns: Mapping[str, str], format_: MarcFormat) -> Marc:
    """A record that says what the columns say."""
    fields: list[Field] = []
    for name, target in TARGETS[format_].items():
        for value in _values(columns, name, target):
            if target.code and fields and fields[-1].tag == target.tag and not target.each:
                fields[-1] = fields[-1]._replace(subfields=(*fields[-1].subfields, (target.code, value)))
            elif target.code:
                fields.append(Field(target.tag, target.indicators, ((target.code, value),)))
            else:
                fields.append(Field(target.tag, "", (), value))
    leader = EMPTY_LEADER if format_ == "marc21" else "00000nam0 2200000   450 "
    return Marc(leader, tuple(fields))


def corrected(marc: Marc, format_: MarcFormat, columns: Mapping[str, str], edited: Iterable[str]) -> Marc:
    """A record in which the columns that people have edited are what they wrote; all else stays as it is."""
    for name in edited:
        target = TARGETS[format_].get(name)
        if target is None or not target.code:
            continue
        values = _values(columns, name, target)
        if target.each:
            made = [Field(target.tag, target.indicators, ((target.code, value),)) for value in values]
            marc = _sorted(marc, [field for field in marc.fields if field.tag != target.tag] + made)
        else:
            marc = _replaced(marc, target, _places(LAYOUTS[format_], name), "".join(values))
    return marc


def _places(layout: Layout, name: str) -> tuple[Place, ...]:
    """Where the catalogue's text for a column comes from."""
    places: dict[str, tuple[Place, ...]] = {
        "title": (layout.title,),
        "author": layout.authors,
        "year": layout.date,
        "edition": (layout.edition,),
        "language": (layout.language,),
        "isbn": (layout.isbn,),
        "class_number": layout.class_number,
        "call_number": layout.call_number,
        "publisher": layout.publisher,
        "summary": (layout.summary,),
    }
    return places[name]


def _replaced(marc: Marc, target: Target, places: tuple[Place, ...], value: str) -> Marc:
    """With the field that is shown saying this; the subfields of the text before go, its links stay. A field that says
    nothing any more goes, too."""
    found = shown(marc, places)
    if found is None and not value:
        return marc
    if found is None:
        return _sorted(marc, [*marc.fields, Field(target.tag, target.indicators, ((target.code, value),))])
    field, place = found
    links = tuple(pair for pair in field.subfields if pair[0] == "6")
    rest = tuple(pair for pair in field.subfields if pair[0] != "6" and pair[0] not in place.codes)
    said = [(place.codes[0], value)] if value else []
    new = [field._replace(subfields=(*links, *said, *rest))] if said or rest else []
    others = {other.tag for other in places} if target.tag in ("100", "701") else set()
    kept = (new if one is field else [one] * (one.tag not in others) for one in marc.fields)
    return Marc(marc.leader, tuple(chain.from_iterable(kept)))


def _sorted(marc: Marc, fields: list[Field]) -> Marc:
    return Marc(marc.leader, tuple(sorted(fields, key=lambda field: field.tag)))


def _values(columns: Mapping[str, str], name: str, target: Target) -> list[str]:
    value = columns.get(name, "")
    if name == "language":
        value = _CODES.get(value, value)
    return [line for line in (value.split("\n") if target.each else [value]) if line]
