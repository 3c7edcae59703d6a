"""Copies out of the holdings fields of a MARC record, by a mapping that every library writes for itself. Pure.

A mapping is a tag and, for each fact, the subfields that hold it: `952:barcode=p,call_number=o,location=c`. Signs
between subfields are put between their values: `call_number=d/e`. Each barcode makes a copy.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Set
from dataclasses import dataclass

from server.catalogue.marc.prices import minor
from server.catalogue.marc.problems import Note
from server.catalogue.marc.record import Field, Marc

PRESETS: Mapping[str, str] = {
    "852": "852:barcode=p,location=c,call_number=h i",
    "905": "905:barcode=b,call_number=d/e",
    "952": "952:barcode=p,branch=a,location=c,call_number=o,type=y,price=g,note=z",
}
"""MARC 21's own holdings field, that of Chinese libraries, and Koha's."""

FACTS = ("barcode", "branch", "location", "call_number", "type", "price", "note")
LONGEST = {"branch": 63, "location": 60, "call_number": 60, "type": 40}

_MAPPING = re.compile(r"([0-9A-Z]{3}):((?:[a-z_]+=[^,=]+)(?:,[a-z_]+=[^,=]+)*)")
_BARCODE = re.compile(r"[0-9A-Za-z.*:/_-]{1,32}")


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
    bad: dict[str, list[str]] = {}
    for field in marc.of(mapping.tag):
        firsts = _firsts(field)
        for barcode in field.all(mapping.facts["barcode"]):
            if not _BARCODE.fullmatch(barcode):
                bad.setdefault("bad_item", []).append(barcode[:40])
                continue
            copy = _copy(firsts, mapping, barcode, branch)
            if branches and copy.branch not in branches:
                bad.setdefault("unknown_branch", []).append(f"{barcode}: {copy.branch}")
                continue
            found.append(copy)
            if copy.price is None and (said := _value(firsts, mapping.facts.get("price", ""))):
                bad.setdefault("bad_price", []).append(f"{barcode}: {said[:40]}")
    return found, [Note(code, ", ".join(what)) for code, what in bad.items()]


def _copy(firsts: Mapping[str, str], mapping: Mapped, barcode: str, branch: str) -> Copy:
    said = {name: _value(firsts, mapping.facts.get(name, ""))[: LONGEST.get(name, 1000)] for name in FACTS}
    return Copy(
        barcode=barcode,
        branch=said["branch"] or branch,
        location=said["location"],
        call_number=said["call_number"],
        type=said["type"].lower() or "book",
        price=minor(said["price"]) if said["price"] else None,
        note=said["note"],
    )


def _firsts(field: Field) -> dict[str, str]:
    """By code, the first value that is not empty."""
    return {code: text for code, value in reversed(field.subfields) if (text := value.strip())}


def _value(firsts: Mapping[str, str], pattern: str) -> str:
    """`d/e` of these subfields; a sign whose neighbour is missing is left out."""
    text, sign = "", ""
    for character in pattern:
        if not character.isalnum():
            sign = character
        elif value := firsts.get(character):
            text += (sign if text else "") + value
    return text
