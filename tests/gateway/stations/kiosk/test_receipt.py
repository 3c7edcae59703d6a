"""A receipt's words, in both languages, and what it keeps to itself."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from carrel.web import i18n
from carrel.web.i18n import LANGUAGES, Language, Words
from gateway.stations.kiosk.receipt import WIDTH, Line, render

AT = datetime(2026, 3, 2, 16, 5, tzinfo=UTC)  # five past midnight in Shanghai, of the next day
DUE = datetime(2026, 4, 1, 15, 59, 59, tzinfo=UTC)
CARD = "90000123"
RULE = "-" * WIDTH


def words(language: Language) -> Words:
    return Words(language, ZoneInfo("Asia/Shanghai"), i18n.load(language))


def receipt(*lines: Line, language: Language = "en", card: str = CARD) -> str:
    return render(words(language), "The Library", card, lines, at=AT)


def test_a_receipt_in_english() -> None:
    text = receipt(Line("Pride and Prejudice", DUE), Line("红楼梦", DUE, to_repair=True))
    assert text.splitlines() == [
        "The Library",
        "3 Mar 2026, 00:05",
        "Card ending in 0123",
        RULE,
        "Pride and Prejudice",
        "  due 1 Apr 2026",
        "红楼梦",
        "  due 1 Apr 2026",
        "  please show this item at the desk",
        RULE,
    ]
    assert text.endswith("\n")


def test_a_receipt_in_chinese() -> None:
    text = receipt(Line("红楼梦", DUE, to_repair=True), language="zh-CN")
    assert text.splitlines() == [
        "The Library",
        "2026年3月3日 00:05",
        "卡号尾号 0123",
        RULE,
        "红楼梦",
        "  应还：2026年4月1日",
        "  请到服务台处理此书",
        RULE,
    ]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_card_is_named_by_its_last_four_digits_only(language: Language) -> None:
    text = receipt(Line("A", DUE), language=language)
    assert "0123" in text
    assert CARD not in text
    assert CARD[:4] not in text


def test_only_an_item_whose_tag_is_to_be_switched_is_sent_to_the_desk() -> None:
    text = receipt(Line("A", DUE), Line("B", DUE, to_repair=True), Line("C", DUE))
    assert text.count("at the desk") == 1
    assert text.index("B\n") < text.index("at the desk") < text.index("C\n")


def test_an_item_without_a_due_date_names_none() -> None:
    assert "due" not in receipt(Line("A", None))


@pytest.mark.parametrize("title", ["100% Cotton", "%(tail)s", "{0}"])
def test_a_title_is_printed_as_it_is(title: str) -> None:
    assert title in receipt(Line(title, DUE)).splitlines()
