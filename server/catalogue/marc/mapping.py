"""A MARC record as the catalogue shows it, by the tables of `layouts`.

Where a record gives something twice, romanised and in its own script (MARC 21: 880, tied by subfield 6), the own
script is shown and the romanised form is searched too.
"""

from __future__ import annotations

import html
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from server.catalogue.isbn import isbn13, looks_like_one
from server.catalogue.marc.layouts import LANGUAGES, LAYOUTS, Layout, Place
from server.catalogue.marc.problems import Note
from server.catalogue.marc.record import Field, Marc, MarcFormat, one_line

LONGEST = {
    "title": 500, "author": 300, "year": 40, "edition": 200, "language": 16, "class_number": 40, "call_number": 60,
    "publisher": 300, "control_number": 64,
}  # fmt: skip
"""What the columns hold."""

_YEAR = re.compile(r"(?<![0-9])(1[0-9]{3}|20[0-9]{2})(?![0-9])")
_BRACKETED = re.compile(r"[\[［][^\]］]*?" + _YEAR.pattern)
_INITIAL = re.compile(r"(?:^|[ .])[A-Z]$")
_END = " /:;,=.．。，；：／"
_LINK = re.compile(r"^([0-9]{3})-([0-9]{2})")
_SERIAL_LEVELS = {"marc21": "bis", "cnmarc": "s"}


@dataclass(frozen=True, slots=True)
class Extract:
    """The catalogue's columns of a record, its ISBNs of 13 digits, and what is wrong with it."""

    columns: dict[str, str]
    isbns: tuple[str, ...]
    notes: tuple[Note, ...]


def extract(marc: Marc, format_: MarcFormat) -> Extract:
    """What the catalogue shows of a record; its last note is fatal when that is not enough for a record."""
    reading = _Reading(marc, LAYOUTS[format_])
    layout = reading.layout
    title, titles = reading.title()
    author, authors = reading.author(title)
    isbns, notes = reading.isbns()
    columns = {
        "title": title,
        "title_alt": "\n".join(one for one in dict.fromkeys(titles) if one != title),
        "author": author,
        "author_alt": "\n".join(one for one in dict.fromkeys(authors) if one not in author),
        "year": reading.year(),
        "edition": reading.one((layout.edition,)),
        "language": reading.language(),
        "isbn": isbns[0] if isbns else "",
        "class_number": reading.one(layout.class_number),
        "call_number": reading.one(layout.call_number),
        "publisher": reading.one(layout.publisher),
        "subjects": "\n".join(dict.fromkeys(reading.values(layout.subjects, both=True))),
        "summary": " ".join(reading.values((layout.summary,))),
        "kind": _kind(marc, format_),
        "control_number": reading.control_number(),
    }
    notes += _shorten(columns)
    notes += _not_ours(marc, title)
    return Extract(columns, tuple(isbns), tuple(notes))


def shown(marc: Marc, places: Iterable[Place]) -> tuple[Field, Place] | None:
    """The field, in its own script where the record has it so, from which the catalogue's text comes."""
    reading = _Reading(marc, LAYOUTS["marc21"])
    return next(
        ((field, place) for place in places for field in reading.fields(place.tag) if any(_values(field, place))), None
    )


class _Reading:
    """One record under one layout; 880 fields count as the fields that they are tied to."""

    def __init__(self, marc: Marc, layout: Layout) -> None:
        self.layout = layout
        self._fields: defaultdict[str, list[Field]] = defaultdict(list)
        self._own: dict[str, list[Field]] = {}
        self._own_by_link: dict[tuple[str, str], Field] = {}
        for field in marc.fields:
            if field.tag == "880" and (link := _LINK.match(field.first("6"))):
                self._own.setdefault(link[1], []).append(field)
                if link[2] != "00":
                    self._own_by_link[link[1], link[2]] = field
            else:
                self._fields[field.tag].append(field)

    def fields(self, tag: str) -> list[Field]:
        """The fields with a tag, each in its own script where the record has it so."""
        plain = self._fields.get(tag, [])
        own = self._own.get(tag)
        if not own:
            return plain
        tied = {field: self._tied(field) for field in plain}
        first = [tied[field] or field for field in plain]
        seen = set(first)
        return first + [field for field in own if field not in seen]

    def romanised(self, tag: str) -> list[Field]:
        """The fields of which `fields` gives another form."""
        return [field for field in self._fields.get(tag, []) if self._tied(field)] if tag in self._own else []

    def _tied(self, field: Field) -> Field | None:
        link = _LINK.match(field.first("6"))
        return self._own_by_link.get((field.tag, link[2])) if link else None

    def values(self, places: Iterable[Place], *, both: bool = False) -> list[str]:
        """What these places have, cleaned; with the romanised forms at the end if `both`."""
        found: list[str] = []
        for place in places:
            plain = self._fields.get(place.tag, ())
            if self._own and place.tag in self._own:
                plain = self.fields(place.tag) + (self.romanised(place.tag) if both else [])
            for field in plain:
                found += _values(field, place)
        return found

    def one(self, places: Iterable[Place]) -> str:
        """What the first place that has something says."""
        for place in places:
            if texts := self.values((place,)):
                return texts[0]
        return ""

    def title(self) -> tuple[str, list[str]]:
        """The title, and the others."""
        place = self.layout.title
        titles = [self._titled(field) for field in self.fields(place.tag)]
        others = [self._titled(field) for field in self.romanised(place.tag)]
        others += self.values(self.layout.other_titles, both=True)
        first = next((title for title in titles if title), "")
        return first, [title for title in titles[1:] + others if title]

    def _titled(self, field: Field) -> str:
        text = ""
        for code, value in field.subfields:
            part = _plain(value)
            if code in self.layout.title.codes and part:
                text += (self.layout.before.get(code, " ") if text else "") + part
            elif part[-1:] in ("=", ":") and text:  # stands at the end of a medium, between title and subtitle
                text += f" {part[-1]}"
        return text.rstrip(_END) or text  # what stands before the first word, as in .NET, belongs to it

    def author(self, title: str) -> tuple[str, list[str]]:
        """Who made it, and other forms of the names; the statement of responsibility when no name has a field."""
        layout = self.layout
        names = list(dict.fromkeys(self.values(layout.authors)))
        others = self.values(layout.other_authors)
        named = names or others[:3] or self.values((layout.responsibility,))[:1]
        forms = [
            text
            for place in (layout.authors + layout.other_authors if self._own else ())
            for field in self.romanised(place.tag)
            for text in _values(field, place)
        ]
        forms += self.values(layout.author_forms)
        return "; ".join(dict.fromkeys(named)), [*others, *forms] if title else []

    def isbns(self) -> tuple[list[str], list[Note]]:
        """Those that are valid, and a note about those that are not."""
        found, wrong = [], []
        for field in self._fields.get(self.layout.isbn.tag, []):
            for text in field.all(self.layout.isbn.codes):
                isbn = isbn13(text)
                if isbn:
                    found.append(isbn)
                elif looks_like_one(text):
                    wrong.append(text[:40])
        return list(dict.fromkeys(found)), [Note("bad_isbn", ", ".join(wrong))] if wrong else []

    def year(self) -> str:
        """Of publication: of the years that the publication's field tells (`1376 [1997]`) the coded one, the
        bracketed one or the first; else the coded one, or the field's words."""
        said = self.one(self.layout.date)
        told = _YEAR.findall(said)
        tag, code, at = self.layout.coded_date
        coded = self.coded(tag, code)[at : at + 4]
        if told:
            if coded in told:
                return coded
            bracketed = _BRACKETED.search(said)
            return bracketed[1] if bracketed else told[0]
        return coded if _YEAR.fullmatch(coded) else said

    def language(self) -> str:
        """Of the text, as ISO 639-1 writes it where it can."""
        place, coded = self.layout.language, self.layout.coded_language
        code = self.coded(coded[0], "")[coded[1] : coded[1] + 3].lower() if coded else ""
        if not (code.isalpha() and code.isascii()) or code in ("und", "mul", "zxx"):
            code = self.one((place,)).lower()[:3]
        return LANGUAGES.get(code, code)

    def coded(self, tag: str, code: str) -> str:
        """A field of fixed places."""
        for field in self._fields.get(tag, []):
            return field.data if not code else next((value for c, value in field.subfields if c == code), "")
        return ""

    def control_number(self) -> str:
        """001, with the agency that gave it, as 035 writes it."""
        number = one_line(self.coded("001", ""))
        source = one_line(self.coded(self.layout.control_source, ""))
        return f"({source}){number}" if source and number else number


def _values(field: Field, place: Place) -> list[str]:
    _, codes, between, each, where = place
    if where and field.first(where[0]).lower() != where[1]:
        return []
    parts = [text for code, value in field.subfields if code in codes and (text := _clean(value))]
    return parts if each or not parts else [between.join(parts)]


def _plain(text: str) -> str:
    """On one line; entities of HTML, which some systems leave in, made characters."""
    return one_line(html.unescape(text) if "&" in text else text)


def _clean(text: str) -> str:
    """Without the punctuation that cataloguing rules put between elements; an initial keeps its full stop."""
    plain = _plain(text)
    bare = plain.rstrip(_END)
    if bare is plain or not plain.rstrip(" ,;:/").endswith("."):
        return bare
    return bare + "." if _INITIAL.search(bare, max(0, len(bare) - 2)) else bare


def _kind(marc: Marc, format_: MarcFormat) -> str:
    type_, level = marc.leader[6:7], marc.leader[7:8]
    if type_ in "at" and level in _SERIAL_LEVELS[format_]:
        return "serial"
    return LAYOUTS[format_].kinds.get(type_, "book")


def _shorten(columns: dict[str, str]) -> list[Note]:
    long = [name for name, most in LONGEST.items() if len(columns[name]) > most]
    for name in long:
        columns[name] = columns[name][: LONGEST[name] - 1] + "…"
    return [Note("title_shortened", ", ".join(long))] if long else []


def _not_ours(marc: Marc, title: str) -> list[Note]:
    status, type_ = marc.leader[5:6], marc.leader[6:7]
    if status == "d":
        return [Note("deleted", fatal=True)]
    if type_ in "uvxyzqw" and not title:
        return [Note("not_bibliographic", f"leader/06 {type_}", fatal=True)]
    return [] if title else [Note("no_title", fatal=True)]
