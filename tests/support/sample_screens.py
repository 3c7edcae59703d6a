"""Kiosk screens with fixed content, for looking at them and for rendering tests."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from carrel.web.i18n import Language
from gateway.stations.kiosk.page import ItemLine, PatronLine, Screen

DUE = datetime(2026, 12, 22, 15, 59, 59, tzinfo=UTC)
PATRON = PatronLine("张*", 5)
BOOKS = (
    ItemLine("30000001", "红楼梦", "ok"),
    ItemLine("30000002", "The Adventures of Sherlock Holmes", "ok"),
    ItemLine(
        "30000003", "Journey to the Centre of the Earth, translated from the French with the original plates", "ok"
    ),
    ItemLine("30000004", "三国演义", "ok"),
    ItemLine("30000005", "Pride and Prejudice", "ok"),
)
MIXED = (*BOOKS[:3], ItemLine("30000006", "辞海", "refused", "not_for_loan"), ItemLine("30009999", "", "unknown"))


def screens(lang: Language) -> dict[str, Screen]:
    """Every screen by a name of its own."""
    lent = tuple(replace(book, due=DUE) for book in BOOKS)
    idle = Screen("idle", lang)
    items = Screen("items", lang, patron=PATRON, items=BOOKS)
    return {
        "idle": idle,
        "idle-items": replace(idle, message="items_waiting", message_params={"count": 3}),
        "idle-return": replace(idle, mode="return"),
        "identify": Screen("identify", lang),
        "identify-unknown": Screen("identify", lang, message="unknown_card", help_called=True, tone="fail"),
        "items-empty": Screen("items", lang, patron=PATRON),
        "items": items,
        "items-mixed": replace(items, items=MIXED, checking=1),
        "items-countdown": replace(items, countdown_s=15),
        "busy": Screen("busy", lang, patron=PATRON, items=tuple(replace(b, status="pending") for b in BOOKS)),
        "result": Screen("result", lang, patron=PATRON, items=lent, tone="ok"),
        "result-failed": Screen(
            "result",
            lang,
            patron=PATRON,
            items=(*lent[:2], replace(lent[2], status="failed"), MIXED[3], MIXED[4]),
            message="put_it_back",
            tone="attention",
        ),
        "result-timeout": Screen("result", lang, patron=PATRON, message="server_timeout", tone="fail"),
        "return-empty": Screen("return", lang),
        "return": Screen(
            "return",
            lang,
            items=(
                replace(BOOKS[0], advice="cart"),
                replace(BOOKS[1], advice="shelf"),
                replace(MIXED[3], code="not_on_loan"),
            ),
        ),
        "closed": Screen("closed", lang, message="server_away", help_possible=False),
        "out-of-service": Screen("out_of_service", lang, message="reader_down", help_possible=False),
    }
