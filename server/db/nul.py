"""SQLite keeps NUL in a text, PostgreSQL does not: what one refuses the other refuses too."""

from __future__ import annotations

import sqlite3

from sqlalchemy.exc import DataError


class NulError(sqlite3.DataError):
    """A text contains NUL; has no state, as psycopg's, which looks for NUL before it sends anything."""

    sqlstate = None


def without_nul(text: str | None) -> str | None:
    """The same; raises NulError."""
    if text is not None and "\0" in text:
        raise NulError("a text contains NUL")
    return text


def is_nul(error: BaseException) -> bool:
    """Whether the error means that a text held NUL, which no database here keeps."""
    return isinstance(error, DataError) and getattr(error.orig, "sqlstate", "") is None
