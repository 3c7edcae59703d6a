"""The receipt as plain text, for a printer of 32 columns. Pure.

It names the card by its last four digits only, and every book whose tag is still to be switched.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from carrel.web.i18n import Words

WIDTH = 32


@dataclass(frozen=True, slots=True)
class Line:
    """One item dealt with."""

    title: str
    due: datetime | None
    to_repair: bool = False


def render(words: Words, library: str, card: str, lines: Sequence[Line], *, at: datetime) -> str:
    """The receipt in the language of `words`."""
    _ = words.gettext
    rows = [library, words.moment(at)]
    rows.append(_("Card ending in %(tail)s", tail=card[-4:]))
    rows.append("-" * WIDTH)
    for line in lines:
        rows.append(line.title)
        if line.due is not None:
            rows.append("  " + _("due %(date)s", date=words.moment(line.due, "date")))
        if line.to_repair:
            rows.append("  " + _("please show this item at the desk"))
    rows.append("-" * WIDTH)
    return "\n".join(rows) + "\n"
