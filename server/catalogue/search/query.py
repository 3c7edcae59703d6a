"""What somebody typed, as terms that must all occur. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from server.catalogue.isbn import pasted
from server.catalogue.search.text import bare_isbn, is_cjk, isbn_beginning, normalise, words

Field = Literal["title", "author", "subject", "other"]

MAX_TERMS = 12
MAX_TERM_LENGTH = 64
MIN_PREFIX = 2
"""A single letter is looked for as a word, as the beginning of one it would find nearly everything; not in a number."""

LONG_CJK = 4
"""So many Chinese characters in a term, and it may be looked for by its pairs of characters."""

MAX_UNITS = 24

FIELDS: dict[str, Field] = {
    "title": "title", "题名": "title", "书名": "title",
    "author": "author", "作者": "author", "责任者": "author", "著者": "author", "着者": "author",
    "subject": "subject", "主题": "subject",
    "isbn": "other",
}  # fmt: skip

_QUOTES = str.maketrans(dict.fromkeys('“”„«»「」『』《》〈〉"', '"'))
_TERM = re.compile(rf"(?:({'|'.join(FIELDS)}):)?(?:\"([^\"]*)(?:\"|$)|([^\s\"]+))")
_NOTES = re.compile(r"(?:\s*\([^()]*\)|\s*:\s*[a-z]{3}\s*[0-9.]+)+$")
"""What records and title pages write after an ISBN: `(平装)`, `(pbk.) : CNY39.00`."""
_CLASS = re.compile(r"(?:[a-z]{1,3}[0-9]+(?:[./=:-]\w+)+|[0-9]{3}\.\w+(?:[./-]\w+)*)")
"""A class or call number with two pieces at least: `i247.5`, `qa76.73.p`, `i247.57/1`, `823.8`."""


@dataclass(frozen=True, slots=True)
class Term:
    """Words that follow each other in one field or, without one, in any; the last may be a beginning."""

    words: tuple[str, ...]
    prefix: bool = False
    field: Field | None = None


@dataclass(frozen=True, slots=True)
class Query:
    """Terms, all of which must occur. `asked` tells a query without a searchable letter from one of nothing."""

    terms: tuple[Term, ...]
    asked: bool

    @property
    def title(self) -> str:
        """Index text of what a title would be, if the terms that may be of one were it; empty for none."""
        return " ".join(word for term in self.title_terms for word in term.words)

    @property
    def title_terms(self) -> tuple[Term, ...]:
        """The terms that a title may hold."""
        return tuple(term for term in self.terms if term.field in (None, "title"))

    @property
    def units(self) -> tuple[Term, ...]:
        """What a near match has some of: pairs of neighbouring characters of long Chinese terms, other terms whole."""
        found: dict[Term, None] = {}
        for term in self.terms:
            found.update(dict.fromkeys(_pairs(term) if is_long(term) else (term,)))
        return tuple(found)[:MAX_UNITS] if len(found) > 1 else ()

    @property
    def has_long(self) -> bool:
        """Whether a term is long enough to be typed nearly right."""
        return any(map(is_long, self.terms))


def is_long(term: Term) -> bool:
    """Whether a term has more Chinese characters than a word usually has."""
    return sum(map(is_cjk, term.words)) >= LONG_CJK


def parse(text: str) -> Query:
    """Spaces part terms, quotes (of any kind, also title marks) join words, `author:` and the like name a field."""
    plain = normalise(text).translate(_QUOTES).strip()
    plain = "".join(c if c.isprintable() else " " for c in plain).strip()
    whole = bare_isbn(_NOTES.sub("", pasted(plain)))
    if whole:
        return Query((Term((whole,), field="other"),), asked=True)
    terms = (_term(*match.groups("")) for match in _TERM.finditer(plain))
    return Query(tuple(_first(term for term in terms if term.words)), asked=bool(plain))


def _first(terms: Iterable[Term]) -> list[Term]:
    return list(dict.fromkeys(terms))[:MAX_TERMS]


def _term(field: str, quoted: str, plain: str) -> Term:
    text = (quoted or plain)[:MAX_TERM_LENGTH]
    cut = len(quoted or plain) > MAX_TERM_LENGTH
    limit = FIELDS.get(field)
    if isbn := bare_isbn(text):
        return Term((isbn,), field=limit)
    if digits := isbn_beginning(text):
        return Term((digits,), prefix=True, field=limit)
    found = tuple(words(text))
    open_ended = not quoted or cut
    enough = found and (len(found[-1]) >= MIN_PREFIX or _CLASS.fullmatch(text))
    return Term(found, prefix=bool(open_ended and enough), field=limit)


def _pairs(term: Term) -> list[Term]:
    couples = zip(term.words, term.words[1:], strict=False)
    return [
        Term(couple, prefix=term.prefix and n == len(term.words) - 2 and len(couple[1]) >= MIN_PREFIX, field=term.field)
        for n, couple in enumerate(couples)
    ]
