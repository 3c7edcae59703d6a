"""What people write to each other through the library, as requests bring it: one line, or a text with paragraphs."""

from __future__ import annotations

import unicodedata
from typing import Annotated

from pydantic import BeforeValidator, StringConstraints


def number(text: str) -> str:
    """A card's number, a barcode or an amount as it was meant: not in full-width characters, and without blanks."""
    return "".join(unicodedata.normalize("NFKC", text).split())


def _unix(text: object) -> object:
    """Forms send CR LF at the end of a line, which browsers do not count."""
    return text.replace("\r\n", "\n").replace("\r", "\n") if isinstance(text, str) else text


Line = Annotated[str, StringConstraints(strip_whitespace=True, max_length=300, pattern=r"^[^\x00-\x1f\x7f]*$")]
"""May be empty."""

Prose = Annotated[
    str, BeforeValidator(_unix), StringConstraints(strip_whitespace=True, max_length=4000, pattern=r"^[^\x00]*$")
]
"""May be empty; a database cannot keep NUL."""

WrittenLine = Annotated[Line, StringConstraints(min_length=1)]
WrittenProse = Annotated[Prose, StringConstraints(min_length=1)]
