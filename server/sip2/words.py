"""What a terminal shows: refusals and news in the patron's language, in lines that fit a small display."""

from __future__ import annotations

import unicodedata
from functools import cache, lru_cache
from typing import cast
from zoneinfo import ZoneInfo

from carrel.web import i18n
from carrel.web.i18n import N_, Words
from carrel.web.words import refusal
from server.sip2.profile import Profile

LINE_CELLS = 60
"""Width of a line; a Chinese character takes two."""

SPOKEN: dict[str, str] = {
    "lent": N_("Borrowed."),
    "taken_back": N_("Returned."),
    "renewed": N_("Renewed."),
    "nothing_renewed": N_("Nothing is on loan on this card."),
    "undone": N_("Undone."),
    "paid": N_("Paid. Thank you."),
    "hold_placed": N_("Reserved."),
    "hold_cancelled": N_("The reservation is cancelled."),
    "hold_changed": N_("The reservation is changed."),
    "stored": N_("Noted."),
    "patron_is_blocked": N_("This card is blocked now."),
    "patron_is_enabled": N_("This card is good again."),
    "keep_for_hold": N_("Reserved for another reader. Please give it to a librarian."),
    "send_on": N_("This item goes to another branch. Please give it to a librarian."),
    "give_to_staff": N_("Please give this item to a librarian."),
    "kept_for_staff": N_("Kept for the librarians to look at."),
    # refusals that only a terminal meets
    "terminal_not_signed_in": N_("This terminal is not signed in. Please tell a librarian."),
    "terminal_may_not": N_("This terminal may not do that. Please ask a librarian."),
    "message_incomplete": N_("The terminal's message is incomplete. Please ask a librarian."),
    "other_currency": N_("The library takes another currency. Nothing was booked. Please ask a librarian."),
    "several_titles": N_("Several titles have this name. Please choose an item, or ask a librarian."),
    "pin_needed": N_("Please enter your PIN."),
    "no_terminal_service": N_("The lending system does not answer. Please try again."),
}


def say(profile: Profile, language: str, code: str, **params: object) -> tuple[str, ...]:
    """A code in words, a line per element; the terminal's own wording comes first."""
    own = profile.terminal.messages.get(code)
    if own is not None:
        return lines(own)
    words = _words(language, profile.zone.key)
    if code in SPOKEN:
        return lines(words.gettext(SPOKEN[code]))
    return lines(refusal(words, code, params))


@lru_cache(1000)
def lines(text: str) -> tuple[str, ...]:
    """Cut so that each line fits; between words where there are any."""
    out, line = [], ""
    for piece in _pieces(text):
        if line and cells(line + piece.rstrip()) > LINE_CELLS:
            out.append(line.rstrip())
            line = ""
        line += piece if line else piece.lstrip()
    return (*out, line.rstrip()) if line.strip() else tuple(out)


def cells(text: str) -> int:
    """How wide a display shows it."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def _pieces(text: str) -> list[str]:
    """What must not be cut: a word with the blank behind it, or one wide character."""
    out: list[str] = []
    for char in text:
        wide = cells(char) == 2
        if out and not wide and not out[-1].endswith(" ") and cells(out[-1][-1]) == 1:
            out[-1] += char
        else:
            out.append(char)
    return out


@cache
def _words(language: str, zone: str) -> Words:
    spoken = cast(i18n.Language, language)
    return Words(spoken, ZoneInfo(zone), i18n.load(spoken))
