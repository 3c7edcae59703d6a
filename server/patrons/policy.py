"""What may be decided about a patron without asking the database. Pure."""

from __future__ import annotations

import unicodedata
from datetime import date, timedelta
from itertools import pairwise

ADULT_YEARS = 18
"""Until this birthday a guardian may see and renew a child's loans."""

PIN_DIGITS = range(4, 13)


def shown_name(name: str) -> str:
    """`张*` of a Chinese name, `L. W.` of others; never enough to tell who it is."""
    words = name.split()
    if not words:
        return "*"
    if _is_han(words[0][0]):
        return f"{words[0][0]}*"
    return " ".join(f"{word[0].upper()}." for word in words[:3])


def name_key(name: str) -> str:
    """What two spellings of one name have in common: letters and digits, width and case aside."""
    return "".join(c for c in unicodedata.normalize("NFKC", name).casefold() if c.isalnum())[:200]


def email_key(address: str) -> str:
    """An address as it is compared."""
    return address.strip().casefold()[:254]


def phone_key(number: str) -> str:
    """The digits of a telephone number as dialled within the country; 86 before a mobile number's eleven is China's."""
    digits = "".join(c for c in unicodedata.normalize("NFKC", number) if "0" <= c <= "9").removeprefix("00")
    return digits[2:] if len(digits) == 13 and digits.startswith("861") else digits[:40]


def is_minor(born_on: date | None, today: date) -> bool:
    """Whether somebody is known to be under age."""
    if born_on is None:
        return False
    return (today.year - born_on.year - ((today.month, today.day) < (born_on.month, born_on.day))) < ADULT_YEARS


def pin_fault(pin: str, card: str) -> str | None:
    """Why somebody may not choose this PIN, as a code; None when it will do."""
    if not (pin.isascii() and pin.isdigit() and len(pin) in PIN_DIGITS):
        return "pin_form"
    steps = {(int(b) - int(a)) % 10 for a, b in pairwise(pin)}
    if steps in ({0}, {1}, {9}) or (card and pin in card):
        return "pin_too_simple"
    return None


def renewed_until(expires_on: date | None, days: int | None, today: date) -> date | None:
    """The last day of a renewed membership: `days` from its old end, or from today once that is past; None: no end."""
    if days is None:
        return None
    return max(expires_on or today, today) + timedelta(days=days)


def _is_han(character: str) -> bool:
    return "CJK" in unicodedata.name(character, "")
