from zoneinfo import ZoneInfo

import pytest

from carrel.web import i18n
from carrel.web.i18n import Words
from environment.preservation.zone import Figure
from server.pages.reports import words as report_words
from server.reports.policy import ACTUATOR_UNITS, ROOM_UNITS


@pytest.fixture
def words():
    return Words("en", ZoneInfo("UTC"), i18n.load("en"))


def test_every_figure_has_a_name_and_a_place():
    assert report_words.NAMES.keys() == ROOM_UNITS.keys()
    assert [name for _, names, _ in report_words.GROUPS for name in names] == list(report_words.NAMES)
    assert report_words.ACTUATOR_NAMES.keys() == ACTUATOR_UNITS.keys()


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("temp_in_band", 95.04, "95.0 %"),
        ("temp_deviation", 1.25, "1.2 K"),
        ("energy", 1234.56, "1,234.6 kWh"),
        ("twpi", 36.4, "36 years"),
        ("mould_index", 0.5, "0.50"),
        ("light_year", 150000.4, "150,000 lx·h"),
        ("switches_per_day", 7.25, "7.2 times a day"),
        ("twpi", None, "no data"),
    ],
)
def test_figures_are_told_with_their_unit(words, name, value, text):
    assert report_words.amount(words, name, Figure(value, 1.0)) == text


def test_how_much_is_known_is_told_unless_all_is(words):
    assert report_words.known(words, Figure(1.0, 1.0)) == ""
    assert report_words.known(words, Figure(1.0, 0.92)) == "92 % of the time known"


def test_preservation_is_rated(words):
    assert report_words.rating("twpi", Figure(80.0, 1.0)) == ("ok", "good")
    assert report_words.rating("mould_index", Figure(3.0, 1.0)) == ("alarm", "grows visibly")
    assert report_words.rating("twpi", Figure(None, 0.0)) is None
    assert report_words.rating("emc", Figure(9.0, 1.0)) is None
