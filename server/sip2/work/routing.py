"""Where a returned item goes and how a sorter hears of it: alert, alert type, destination, bin. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from server.sip2.profile import BinRule, TerminalConfig

MEDIA_TYPES = {
    "book": "001", "magazine": "002", "journal": "003", "audio_tape": "004", "video_tape": "005", "cd": "006",
    "dvd": "006", "disc": "006", "diskette": "007", "book_diskette": "008", "book_cd": "009", "book_tape": "010",
}  # fmt: skip
"""Item types that need no entry in a terminal's `media`."""

OTHER_MEDIA = "000"

Place = Literal["shelf", "hold", "transit", "staff"]


class Returned(NamedTuple):
    """An item that came back: what it is, where it goes, and whether somebody waits for it."""

    place: Place
    destination: str
    held: bool = False
    location: str = ""
    branch: str = ""
    type: str = ""
    call_number: str = ""


class Routed(NamedTuple):
    """What the answer tells: None leaves a field out."""

    alert: bool
    alert_type: str | None
    destination: str | None
    bin: str | None


def route(item: Returned, terminal: TerminalConfig) -> Routed:
    """The answer's routing fields, as the terminal wants them."""
    sends = frozenset(terminal.send)
    kind = alert_type(item)
    shown = kind if "alert_type" in sends and (kind != "00" or terminal.alert_type_always) else None
    alert = kind != "00" and (shown is not None or not terminal.alert_only_with_type)
    away = terminal.destination_always or kind in ("02", "04")
    return Routed(
        alert=alert,
        alert_type=shown,
        destination=item.destination if "destination" in sends and away and item.destination else None,
        bin=bin_of(item, terminal.bins) if "sort_bin" in sends else None,
    )


def alert_type(item: Returned) -> str:
    """CV: 01 a hold here, 02 a hold elsewhere, 04 to another branch, 99 for staff, 00 nothing special."""
    if item.place == "hold":
        return "01"
    if item.place == "transit":
        return "02" if item.held else "04"
    return "99" if item.place == "staff" else "00"


def bin_of(item: Returned, rules: Sequence[BinRule]) -> str | None:
    """CL: the first rule whose conditions all hold; None without any."""
    return next((rule.bin for rule in rules if _fits(rule, item)), None)


def media_type(item_type: str, own: Mapping[str, str]) -> str:
    """CK."""
    return own.get(item_type) or MEDIA_TYPES.get(item_type, OTHER_MEDIA)


def flag(value: bool) -> str:
    """As the fixed part writes it."""
    return "Y" if value else "N"


def _fits(rule: BinRule, item: Returned) -> bool:
    when = {"hold": item.held, "transfer": item.place == "transit", "exception": item.place == "staff"}
    wanted = (
        (rule.when, True, when.get(rule.when or "", True)),
        (rule.branch, rule.branch, item.destination or item.branch),
        (rule.location, rule.location, item.location),
        (rule.type, rule.type, item.type),
    )
    if any(named is not None and expected != found for named, expected, found in wanted):
        return False
    return _within(item.call_number, rule.call_from, rule.call_to)


def _within(call_number: str, first: str, last: str) -> bool:
    """A range holds what begins with its end, too: A to C has C912."""
    if not first and not last:
        return True
    number = call_number.upper()
    return bool(number) and first.upper() <= number and (not last or number[: len(last)] <= last.upper())
