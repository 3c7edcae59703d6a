"""Patron cards that are ISO 28560 tags: usage class 8, card number as the primary item id."""

from rfid.iso28560.model import Decoded

_CARD_CLASS = "8"


def is_card(tag: Decoded) -> bool:
    """Tell whether the tag says that it is a patron card (type of usage 8x)."""
    return tag.usage is not None and tag.usage.startswith(_CARD_CLASS)


def card_number(tag: Decoded) -> str | None:
    """Return the card number, None when the tag is no patron card or its number is unreadable."""
    return tag.pii if is_card(tag) and tag.trusted else None
