"""Copies out of the holdings fields of a MARC record, by a mapping that every library writes for itself. Pure.

A mapping is a tag and, for each fact, the subfields that hold it: `952:barcode=p,call_number=o,location=c`. Signs
between subfields are put between their values: `call_number=d/e`. Each barcode makes a copy.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass

from server.catalogue.marc.prices import minor
from server.catalogue.marc.problems import Note
from server.catalogue.marc.record import Field, Marc, one_line

PRESETS: Mapping[str, str] = {
    "852": "852:barcode=p,location=c,call_number=h i",
    "905": "905:barcode=b,call_number=d/e",
    "952": "952:barcode=p,branch=a,location=c,call_number=o,type=y,price=g,note=z",
}
"""MARC 21's own holdings field, that of Chinese libraries, and Koha's."""

FACTS = ("barcode", "branch", "location", "call_number", "type", "price", "note")
LONGEST = {"location": 60, "call_number": 60, "note": 1000}
OTHER_TYPE = "book"

_MAPPING = re.compile(r"([0-9A-Z]{3}):((?:[a-z_]+=[^,=]+)(?:,[a-z_]+=[^,=]+)*)")
_BARCODE = re.compile(r"[0-9A-Za-z.*:/_-]{1,32}")
_BRANCH = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]{0,62}")
_TYPE = re.compile(r"[0-9a-z][0-9a-z_-]{0,39}")
"""What the lending policy can name."""


@dataclass(frozen=True, slots=True)
class Mapped:
    """A holdings mapping: for each fact, what its value is put together from."""

    tag: str
    facts: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy as a record tells it; `price` in minor units."""

    barcode: str
    branch: str
    location: str
    call_number: str
    type: str
    price: int | None
    note: str


def mapped(text: str) -> Mapped | None:
    """The mapping that a text or a preset's name says; None when it says none that makes sense."""
    found = _MAPPING.fullmatch(PRESETS.get(text, text))
    if found is None:
        return None
    facts = dict(one.split("=", 1) for one in found[2].split(","))
    return Mapped(found[1], facts) if "barcode" in facts and set(facts) <= set(FACTS) else None


def copies(
    marc: Marc, mapping: Mapped, branch: str, branches: Set[str] = frozenset()
) -> tuple[list[Copy], list[Note]]:  # fmt: skip
    """The copies of a record; `branch` has those that tell none; where `branches` are named, no other has any."""
    found: list[Copy] = []
    wrong: dict[str, list[str]] = {}
    for field in marc.of(mapping.tag):
        firsts = _firsts(field)
        said = {name: _value(firsts, mapping.facts.get(name, "")) for name in FACTS}
        said["branch"] = said["branch"] or branch
        doubts = list(_doubts(said))
        for barcode in field.all(mapping.facts["barcode"]):
            if refused := _refused(barcode, said["branch"], branches):
                code, detail = refused
                wrong.setdefault(code, []).append(detail)
                continue
            found.append(_copy(barcode, said))
            for code, detail in doubts:
                wrong.setdefault(code, []).append(f"{barcode}: {detail}")
    return found, [Note(code, ", ".join(what)) for code, what in wrong.items()]


def _refused(barcode: str, branch: str, branches: Set[str]) -> tuple[str, str] | None:
    """Why a copy is not taken over, with what."""
    if not _BARCODE.fullmatch(barcode):
        return "bad_item", barcode[:40]
    if branches and branch not in branches:
        return "unknown_branch", f"{barcode}: {branch[:63]}"
    return None if _BRANCH.fullmatch(branch) else ("bad_branch", f"{barcode}: {branch[:63]}")


def _doubts(said: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """What is taken over otherwise than it is said."""
    if said["price"] and minor(said["price"]) is None:
        yield "bad_price", said["price"][:40]
    if said["type"] and not _TYPE.fullmatch(said["type"].lower()):
        yield "bad_type", said["type"][:40]
    for name, most in LONGEST.items():
        if len(said[name]) > most:
            yield "item_shortened", name


def _copy(barcode: str, said: Mapping[str, str]) -> Copy:
    type_ = said["type"].lower()
    return Copy(
        barcode=barcode,
        branch=said["branch"],
        location=said["location"][: LONGEST["location"]],
        call_number=said["call_number"][: LONGEST["call_number"]],
        type=type_ if _TYPE.fullmatch(type_) else OTHER_TYPE,
        price=minor(said["price"]),
        note=said["note"][: LONGEST["note"]],
    )


def _firsts(field: Field) -> dict[str, str]:
    """By code, the first value that is not empty."""
    return {code: text for code, value in reversed(field.subfields) if (text := one_line(value))}


def _value(firsts: Mapping[str, str], pattern: str) -> str:
    """`d/e` of these subfields; a sign whose neighbour is missing is left out."""
    text, sign = "", ""
    for character in pattern:
        if not character.isalnum():
            sign = character
        elif value := firsts.get(character):
            text += (sign if text else "") + value
    return text
