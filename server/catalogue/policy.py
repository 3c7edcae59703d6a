"""How a catalogue search matches: what is indexed and what is looked for. Pure."""

from __future__ import annotations

import re
import unicodedata

MAX_TERMS = 12
MAX_TERM_LENGTH = 64


def normalise(text: str) -> str:
    """Full-width, case and accents made alike (NFKC, casefold, no combining marks); control characters are spaces."""
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    kept = (c for c in folded if not unicodedata.combining(c))
    return " ".join("".join(" " if unicodedata.category(c).startswith("C") else c for c in kept).split())


def terms_of(query: str) -> list[str]:
    """The words that must all occur; a term of Chinese characters is looked for as it stands."""
    return [_isbn(term)[:MAX_TERM_LENGTH] for term in normalise(query).split()[:MAX_TERMS]]


def index_text(*fields: str) -> str:
    """What a record is found by, one line a field."""
    return "\n".join(_isbn(normalise(field)) for field in fields if field)


def _isbn(term: str) -> str:
    """An ISBN is found with and without its hyphens."""
    bare = term.replace("-", "")
    return bare if re.fullmatch(r"[0-9]{9,12}[0-9x]", bare) else term
