"""The messages of SIP2 as data (3M Standard Interchange Protocol 2.00): fixed parts by position, then marked fields."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

DATE_WIDTH = 18


class F(StrEnum):
    """The two letters before a field's value."""

    PATRON = "AA"
    ITEM = "AB"
    TERMINAL_PASSWORD = "AC"  # noqa: S105  # a field's id
    PIN = "AD"
    NAME = "AE"
    SCREEN = "AF"
    PRINT = "AG"
    DUE = "AH"
    TITLE = "AJ"
    BLOCKED_MESSAGE = "AL"
    LIBRARY = "AM"
    TERMINAL_PLACE = "AN"
    INSTITUTION = "AO"
    PRESENT_PLACE = "AP"
    HOME_PLACE = "AQ"
    HOLDS_READY = "AS"
    OVERDUE = "AT"
    CHARGED = "AU"
    FEES = "AV"
    ADDRESS = "BD"
    EMAIL = "BE"
    PHONE = "BF"
    OWNER = "BG"
    CURRENCY = "BH"
    CANCEL = "BI"
    TRANSACTION = "BK"
    VALID_PATRON = "BL"
    RENEWED = "BM"
    UNRENEWED = "BN"
    FEE_ACKNOWLEDGED = "BO"
    START_ITEM = "BP"
    END_ITEM = "BQ"
    QUEUE_POSITION = "BR"
    PICKUP = "BS"
    FEE_TYPE = "BT"
    RECALLED = "BU"
    FEE_AMOUNT = "BV"
    EXPIRY = "BW"
    SUPPORTED = "BX"
    HOLD_TYPE = "BY"
    HOLD_LIMIT = "BZ"
    OVERDUE_LIMIT = "CA"
    CHARGED_LIMIT = "CB"
    FEE_LIMIT = "CC"
    HOLDS_QUEUED = "CD"
    QUEUE_LENGTH = "CF"
    FEE_ID = "CG"
    PROPERTIES = "CH"
    SECURITY_INHIBIT = "CI"
    RECALL_DATE = "CJ"
    MEDIA_TYPE = "CK"
    SORT_BIN = "CL"
    PICKUP_DATE = "CM"
    LOGIN_USER = "CN"
    LOGIN_PASSWORD = "CO"  # noqa: S105  # a field's id
    LOCATION_CODE = "CP"
    VALID_PIN = "CQ"
    COLLECTION = "CR"
    CALL_NUMBER = "CS"
    DESTINATION = "CT"
    ALERT_TYPE = "CV"
    HOLD_PATRON = "CY"
    HOLD_PATRON_NAME = "DA"
    SHELF_NEW = "KQ"
    SHELF = "KP"
    CARD_EXPIRY = "PA"
    BIRTH_DATE = "PB"
    PATRON_CLASS = "PC"


SECRET = frozenset({F.PIN, F.LOGIN_PASSWORD, F.TERMINAL_PASSWORD})
"""Never written down."""

PERSONAL = frozenset({F.NAME, F.ADDRESS, F.EMAIL, F.PHONE, F.BIRTH_DATE, F.HOLD_PATRON_NAME})
"""Not in the message log either."""


class Part(NamedTuple):
    """A piece of the fixed part; counted from the character after the two digits of the message."""

    name: str
    start: int
    end: int

    @property
    def width(self) -> int:
        """Characters."""
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Layout:
    """One message: its fixed part and the fields without which it cannot be understood."""

    id: str
    title: str
    fixed: tuple[Part, ...]
    width: int
    """Characters of the fixed part."""
    required: tuple[F, ...] = ()
    answer: str | None = None
    needed: frozenset[str] = frozenset()
    """What is required but for the institution, which every terminal of ours is of."""


class Message(NamedTuple):
    """A message as values. `fixed` has every part of the layout, at its full width; fields keep their order."""

    id: str
    fixed: Mapping[str, str]
    fields: tuple[tuple[str, str], ...] = ()

    def get(self, wanted: F, default: str = "") -> str:
        """The first value of a field; `default` when it is not there."""
        for name, value in self.fields:
            if name == wanted:
                return value
        return default

    def all(self, wanted: F) -> list[str]:
        """Every value of a field that may be repeated."""
        return [value for name, value in self.fields if name == wanted]

    def names(self) -> set[str]:
        """Of the fields that are there, empty or not."""
        return {name for name, _ in self.fields}

    def yes(self, part: str) -> bool:
        """Whether a flag of the fixed part is Y."""
        return self.fixed[part] == "Y"


@dataclass(slots=True)
class Draft:
    """A message in the making; the parts not named are filled with what a refusal would say."""

    id: str
    fixed: dict[str, str] = field(default_factory=dict)
    fields: list[tuple[str, str]] = field(default_factory=list)

    def set(self, **parts: str) -> Draft:
        """Parts of the fixed part."""
        self.fixed.update(parts)
        return self

    def add(self, name: F, value: str | None) -> Draft:
        """A field; None leaves it out."""
        if value is not None:
            self.fields.append((name, value))
        return self

    def fill(self, name: F, value: str) -> Draft:
        """Give a value to a field that is there and empty, or not there at all."""
        if not any(key == name for key, _ in self.fields):
            return self.add(name, value)
        self.fields = [(key, value) if key == name and not old else (key, old) for key, old in self.fields]
        return self

    def each(self, name: F, values: Iterable[str]) -> Draft:
        """A repeated field."""
        self.fields.extend((name, value) for value in values)
        return self

    def done(self, date: str) -> Message:
        """The message; `date` is for the part of that name, if there is one."""
        layout = LAYOUTS[self.id]
        known = {**REFUSING.get(self.id, {}), "date": date, **self.fixed}
        return Message(self.id, {name: known[name] for name, _, _ in layout.fixed}, tuple(self.fields))


def _layout(id_: str, title: str, fixed: str, required: str = "", *, answer: str | None = None) -> Layout:
    """`fixed` is written as `name:width` with spaces between, `required` as the fields' ids."""
    parts = tuple(_parts(fixed))
    fields = tuple(F(name) for name in required.split())
    needed = frozenset(fields) - {F.INSTITUTION}
    return Layout(id_, title, parts, parts[-1].end if parts else 0, fields, answer, needed=needed)


def _parts(text: str) -> Iterator[Part]:
    start = 0
    for word in text.split():
        name, _, width = word.partition(":")
        yield Part(name, start, start := start + int(width))


_LOANED = "ok:1 renewal_ok:1 magnetic:1 desensitise:1 date:18"

REQUESTS: tuple[Layout, ...] = (
    _layout("93", "login", "uid_algorithm:1 pwd_algorithm:1", "CN CO", answer="94"),
    _layout("99", "terminal's status", "status:1 print_width:3 version:4", "", answer="98"),
    _layout("23", "patron status", "language:3 date:18", "AO AA", answer="24"),
    _layout("63", "patron information", "language:3 date:18 summary:10", "AO AA", answer="64"),
    _layout("11", "checkout", "renewal:1 no_block:1 date:18 due:18", "AO AA AB", answer="12"),
    _layout("09", "checkin", "no_block:1 date:18 returned:18", "AB", answer="10"),
    _layout("29", "renewal", "third_party:1 no_block:1 date:18 due:18", "AO AA", answer="30"),
    _layout("65", "renewal of all", "date:18", "AO AA", answer="66"),
    _layout("15", "hold", "mode:1 date:18", "AO AA", answer="16"),
    _layout("17", "item information", "date:18", "AB", answer="18"),
    _layout("19", "item status update", "date:18", "AB", answer="20"),
    _layout("37", "fee paid", "date:18 fee_type:2 payment_type:2 currency:3", "BV AA", answer="38"),
    _layout("01", "block patron", "card_retained:1 date:18", "AA", answer="24"),
    _layout("25", "patron enable", "date:18", "AA", answer="26"),
    _layout("35", "end of session", "date:18", "AA", answer="36"),
    _layout("97", "send again", ""),
)

ANSWERS: tuple[Layout, ...] = (
    _layout("94", "login answer", "ok:1"),
    _layout(
        "98", "library's status",
        "online:1 checkin:1 checkout:1 renewal:1 status_update:1 offline:1 timeout:3 retries:3 date:18 version:4",
        "AO BX",
    ),
    _layout("24", "patron status answer", "status:14 language:3 date:18", "AO AA AE"),
    _layout("26", "patron enable answer", "status:14 language:3 date:18", "AO AA AE"),
    _layout(
        "64", "patron information answer",
        "status:14 language:3 date:18 holds:4 overdue:4 charged:4 fees:4 recalls:4 unavailable:4", "AO AA AE",
    ),
    _layout("12", "checkout answer", _LOANED, "AO AA AB AJ AH"),
    _layout("30", "renewal answer", _LOANED, "AO AA AB AJ AH"),
    _layout("10", "checkin answer", "ok:1 resensitise:1 magnetic:1 alert:1 date:18", "AO AB AQ"),
    _layout("66", "renewal of all answer", "ok:1 renewed:4 unrenewed:4 date:18", "AO"),
    _layout("16", "hold answer", "ok:1 available:1 date:18", "AO AA"),
    _layout("18", "item information answer", "circulation:2 security:2 fee_type:2 date:18", "AB AJ"),
    _layout("20", "item status update answer", "ok:1 date:18", "AB"),
    _layout("38", "fee paid answer", "ok:1 date:18", "AO AA"),
    _layout("36", "end of session answer", "ok:1 date:18", "AO AA"),
    _layout("96", "say again", ""),
)  # fmt: skip

LAYOUTS: dict[str, Layout] = {layout.id: layout for layout in (*REQUESTS, *ANSWERS)}
REQUEST_IDS = frozenset(layout.id for layout in REQUESTS)

UNKNOWN_PATRON = "YYYY" + " " * 10
_NOBODY = {"status": UNKNOWN_PATRON, "language": "000"}
_NO_LOAN = {"ok": "0", "renewal_ok": "N", "magnetic": "U", "desensitise": "N"}

REFUSING: dict[str, dict[str, str]] = {
    "94": {"ok": "0"},
    "24": _NOBODY,
    "26": _NOBODY,
    "64": {**_NOBODY, **dict.fromkeys(("holds", "overdue", "charged", "fees", "recalls", "unavailable"), "0000")},
    "12": _NO_LOAN,
    "30": _NO_LOAN,
    "10": {"ok": "0", "resensitise": "N", "magnetic": "U", "alert": "Y"},
    "66": {"ok": "0", "renewed": "0000", "unrenewed": "0000"},
    "16": {"ok": "0", "available": "N"},
    "18": {"circulation": "01", "security": "01", "fee_type": "01"},
    "20": {"ok": "0"},
    "38": {"ok": "N"},
    "36": {"ok": "Y"},
}
"""What the fixed part of an answer says when nothing was done."""

ECHOED: dict[str, tuple[F, ...]] = {
    "24": (F.PATRON,),
    "26": (F.PATRON,),
    "64": (F.PATRON,),
    "12": (F.PATRON, F.ITEM),
    "30": (F.PATRON, F.ITEM),
    "10": (F.ITEM,),
    "16": (F.PATRON, F.ITEM, F.TITLE),
    "18": (F.ITEM,),
    "20": (F.ITEM,),
    "38": (F.PATRON, F.TRANSACTION),
    "36": (F.PATRON,),
}
"""Fields of the request that its answer repeats, whatever the outcome."""
