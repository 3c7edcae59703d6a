"""What the kiosk shows: one screen as a value, and that screen as the message of docs/kiosk.md."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from carrel.web import words as refusals
from carrel.web.i18n import Language, Words
from carrel.web.pages import Pages

TEMPLATES = Path(__file__).with_name("templates")

ScreenName = Literal["idle", "identify", "items", "busy", "result", "return", "closed", "out_of_service"]
Tone = Literal["ok", "attention", "fail", "none"]
Status = Literal["ok", "refused", "unknown", "pending", "failed"]
Mode = Literal["borrow", "return", "both"]
Advice = Literal["cart", "shelf"]

SESSION_SCREENS: frozenset[ScreenName] = frozenset({"identify", "items", "busy", "result", "return"})
WAITING: frozenset[str] = frozenset({"no_card_seen", "items_waiting"})
"""Message codes that are no refusal: shown as a hint."""


@dataclass(frozen=True, slots=True)
class PatronLine:
    """As much of a patron as a kiosk may show."""

    shown_name: str
    quota_left: int


@dataclass(frozen=True, slots=True)
class ItemLine:
    """One item on the pad. `title` is empty for an item the catalogue does not have."""

    barcode: str
    title: str
    status: Status
    code: str | None = None
    params: Mapping[str, str | int] = field(default_factory=dict)
    due: datetime | None = None
    advice: Advice | None = None


@dataclass(frozen=True, slots=True)
class Screen:
    """Everything that is on the kiosk's screen. `checking` counts tags that were seen only once so far."""

    screen: ScreenName
    lang: Language
    mode: Mode = "both"
    patron: PatronLine | None = None
    items: tuple[ItemLine, ...] = ()
    checking: int = 0
    message: str | None = None
    message_params: Mapping[str, str | int] = field(default_factory=dict)
    help_called: bool = False
    help_possible: bool = True
    tone: Tone = "none"
    countdown_s: int | None = None

    @property
    def done(self) -> tuple[ItemLine, ...]:
        """Items that can be lent, were lent, or were taken back."""
        return tuple(item for item in self.items if item.status in ("ok", "pending", "failed"))

    @property
    def left_out(self) -> tuple[ItemLine, ...]:
        """Items that cannot be lent or taken back."""
        return tuple(item for item in self.items if item.status in ("refused", "unknown"))

    @property
    def in_session(self) -> bool:
        """Somebody is using the kiosk."""
        return self.screen in SESSION_SCREENS


def message(pages: Pages, screen: Screen) -> dict[str, Any]:
    """The JSON that the browser gets for a screen, but for its `seq`. Equal screens give equal messages."""
    words = pages.words(screen.lang)
    html = pages.html(
        f"kiosk/{screen.screen}.html",
        screen.lang,
        screen=screen,
        hint=screen.message in WAITING,
        notice=_worded(words, screen.message, screen.message_params),
        why=lambda item: _why(words, item),
    )
    return {
        "screen": screen.screen,
        "lang": screen.lang,
        "html": html,
        "tone": screen.tone,
        "countdown_s": screen.countdown_s,
    }


def state(screen: Screen) -> dict[str, Any]:
    """A screen as plain values, for logs and tests: no patron's name in it."""
    plain = asdict(screen)
    plain["patron"] = screen.patron is not None
    return plain


def _worded(words: Words, code: str | None, params: Mapping[str, str | int]) -> str:
    if code is None:
        return ""
    if code == "items_waiting":
        count = int(params.get("count", 1))
        return words.ngettext("%(num)s item is on the reader.", "%(num)s items are on the reader.", count)
    return refusals.refusal(words, code, params)


def _why(words: Words, item: ItemLine) -> str:
    """The line under an item's title."""
    if item.status == "unknown":
        return refusals.refusal(words, "unknown_item")
    if item.status == "failed":
        return refusals.refusal(words, item.code or "tag_not_written", item.params)
    if item.status == "refused":
        return refusals.refusal(words, item.code or "unknown", item.params)
    return words.gettext("Due %(date)s", date=words.moment(item.due, "date")) if item.due else ""
