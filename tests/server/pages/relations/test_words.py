from datetime import date
from zoneinfo import ZoneInfo

import pytest

from carrel.web import i18n
from server.pages.relations import words


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", []),
        ("one", [["one"]]),
        ("one\ntwo", [["one", "two"]]),
        ("one\n\n \n\ntwo\n", [["one"], ["two"]]),
    ],
)
def test_empty_lines_part_paragraphs(text, shown):
    assert words.paragraphs(text) == shown


def test_a_day_is_the_same_day_in_every_zone():
    for zone in ("Asia/Shanghai", "Pacific/Auckland", "America/Los_Angeles"):
        told = i18n.Words("en", ZoneInfo(zone), i18n.load("en"))
        assert words.day(told, date(2026, 3, 2)) == "2 Mar 2026"
