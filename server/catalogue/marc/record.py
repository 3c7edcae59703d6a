"""A MARC record as a value, and MARC-in-JSON, in which the catalogue keeps it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from json.encoder import encode_basestring as _quoted
from typing import Literal, NamedTuple

MarcFormat = Literal["marc21", "cnmarc"]

LEADER_LENGTH = 24
EMPTY_LEADER = "00000nam a2200000   4500"

_CONTROL = re.compile("[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f]")


class Field(NamedTuple):
    """A field: `data` is a control field's text; other fields have two indicators and (code, value) pairs."""

    tag: str
    indicators: str
    subfields: tuple[tuple[str, str], ...]
    data: str = ""

    def all(self, codes: str) -> list[str]:
        """The values of these subfields that are not empty, in the field's own order."""
        return [text for code, value in self.subfields if code in codes and (text := value.strip())]

    def first(self, codes: str) -> str:
        """The first of these subfields that is not empty; empty when there is none."""
        return next((text for code, value in self.subfields if code in codes and (text := value.strip())), "")


@dataclass(frozen=True, slots=True)
class Marc:
    """A record; `leader` has 24 characters, of which those that say lengths mean nothing here."""

    leader: str
    fields: tuple[Field, ...]

    def of(self, *tags: str) -> Iterator[Field]:
        """The fields with these tags, in the record's order."""
        return (field for field in self.fields if field.tag in tags)


def one_line(text: str) -> str:
    """Blanks made one, and without control characters, such as the marks around an article that is not sorted."""
    return " ".join((text if text.isprintable() else _CONTROL.sub("", text)).split())


def is_control(tag: str) -> bool:
    """Whether fields with this tag have no indicators and subfields."""
    return tag < "010" and tag.isdigit()


def to_json(marc: Marc) -> str:
    """As MARC-in-JSON; nothing is lost and nothing added. Written out: dictionaries for `json` take twice the time."""
    fields = ",".join([_field_to_json(field) for field in marc.fields])
    return f'{{"leader":{_quoted(marc.leader)},"fields":[{fields}]}}'


def _field_to_json(field: Field) -> str:
    tag, indicators, pairs, data = field
    if is_control(tag):
        return f"{{{_quoted(tag)}:{_quoted(data)}}}"
    one, two = _quoted(indicators[0]), _quoted(indicators[1])
    subfields = ",".join([f"{{{_quoted(code)}:{_quoted(value)}}}" for code, value in pairs])
    return f'{{{_quoted(tag)}:{{"ind1":{one},"ind2":{two},"subfields":[{subfields}]}}}}'


def from_json(text: str) -> Marc:
    """The record that `to_json` has written."""
    document = json.loads(text)
    fields = []
    for one in document["fields"]:
        ((tag, value),) = one.items()
        if isinstance(value, str):
            fields.append(Field(tag, "", (), value))
        else:
            pairs = tuple(pair for subfield in value["subfields"] for pair in subfield.items())
            fields.append(Field(tag, value["ind1"] + value["ind2"], pairs))
    return Marc(document["leader"], tuple(fields))
