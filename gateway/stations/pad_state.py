"""What lies on a pad, as the kiosk and the server are told it; judged from tag contents by pure functions."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from rfid.card import card_number, is_card
from rfid.iso28560.model import Decoded, Status
from rfid.reader import TagError


class PadProblemCode(StrEnum):
    """Why a tag on the pad is neither a card nor an item that may be lent here."""

    BLANK = "blank_tag"
    UNREADABLE = "unreadable_tag"  # answers, but its content cannot be read or is no model we know
    DAMAGED = "damaged_tag"  # a model we know, but the identity is broken or contradictory
    FOREIGN_ITEM = "foreign_item"  # names another library as its owner
    UNKNOWN_OWNER = "unknown_owner"  # names none: must never enter a loan
    FOREIGN_CARD = "foreign_card"
    DUPLICATE = "duplicate_item"  # two tags claim to be the same part of the same item
    TWO_CARDS = "two_cards"


@dataclass(frozen=True, slots=True)
class PadItem:
    """One item of this library on the pad; a set's parts share the barcode."""

    uid: str
    barcode: str
    usage: str | None = None
    set_parts: int | None = None
    set_part: int | None = None


@dataclass(frozen=True, slots=True)
class PadProblem:
    """One tag that does not count as card or item; the barcode is given where it could be read."""

    uid: str
    code: PadProblemCode
    barcode: str | None = None


@dataclass(frozen=True, slots=True)
class PadState:
    """The pad at one moment. While `checking`, what lies there has changed and the rest is the last settled view."""

    card: str | None = None
    items: tuple[PadItem, ...] = ()
    problems: tuple[PadProblem, ...] = ()
    checking: bool = False
    online: bool = False


def judge(tags: Mapping[str, Decoded | TagError], owner: str) -> PadState:
    """Return the settled state of a pad with these tags (by UID, in order of arrival), for the library `owner`."""
    items: list[PadItem] = []
    cards: dict[str, str] = {}
    problems: list[PadProblem] = []
    for uid, tag in tags.items():
        code = _problem_of(tag, owner)
        if isinstance(tag, TagError) or code is not None:
            barcode = None if isinstance(tag, TagError) else tag.pii
            problems.append(PadProblem(uid, code or PadProblemCode.UNREADABLE, barcode))
        elif number := card_number(tag):
            cards[uid] = number
        else:
            items.append(_item(uid, tag))
    items, duplicates = _without_duplicates(items)
    if len(cards) > 1:
        problems += [PadProblem(uid, PadProblemCode.TWO_CARDS, number) for uid, number in cards.items()]
    return PadState(
        card=next(iter(cards.values())) if len(cards) == 1 else None,
        items=tuple(items),
        problems=(*problems, *duplicates),
        online=True,
    )


def _problem_of(tag: Decoded | TagError, owner: str) -> PadProblemCode | None:
    if isinstance(tag, TagError) or tag.status is Status.UNKNOWN:
        return PadProblemCode.UNREADABLE
    if tag.status is Status.BLANK:
        return PadProblemCode.BLANK
    if tag.status is Status.FOREIGN:
        return PadProblemCode.UNKNOWN_OWNER
    if not tag.trusted:
        return PadProblemCode.DAMAGED
    return _owner_problem(tag, owner)


def _owner_problem(tag: Decoded, owner: str) -> PadProblemCode | None:
    ours = tag.owned_by(owner)
    if is_card(tag):  # a card need not name a library: the server knows its own numbers
        return PadProblemCode.FOREIGN_CARD if ours is False else None
    if ours is None:
        return PadProblemCode.UNKNOWN_OWNER
    return None if ours else PadProblemCode.FOREIGN_ITEM


def _item(uid: str, tag: Decoded) -> PadItem:
    assert tag.pii is not None  # a trusted tag has one
    return PadItem(uid, tag.pii, tag.usage, set_parts=tag.set_parts, set_part=tag.set_part)


def _without_duplicates(items: list[PadItem]) -> tuple[list[PadItem], list[PadProblem]]:
    """Part the items into those that are alone and those that two tags claim: neither of these may be lent."""
    claims = Counter((item.barcode, item.set_part) for item in items)
    alone = [item for item in items if claims[item.barcode, item.set_part] == 1]
    twice = [item for item in items if claims[item.barcode, item.set_part] > 1]
    return alone, [PadProblem(item.uid, PadProblemCode.DUPLICATE, item.barcode) for item in twice]
