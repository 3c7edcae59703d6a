import re
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from carrel.web.i18n import LANGUAGES
from carrel.web.pages import Pages, Site
from gateway.stations.kiosk.page import TEMPLATES, ItemLine, Screen, message, state
from tests.support.sample_screens import BOOKS, PATRON, screens

SITE = Site("The Library", "图书馆", ZoneInfo("Asia/Shanghai"), "zh-CN", simulated=True)
NAMES = list(screens("en"))


@pytest.fixture(scope="module")
def pages():
    return Pages(SITE, [TEMPLATES])


def touches(html):
    return re.findall(r'data-touch="(\w+)"', html)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", NAMES)
def test_every_screen_has_one_heading_and_a_way_to_the_other_language(pages, name, language):
    screen = screens(language)[name]
    sent = message(pages, screen)
    assert sent["html"].count("<h1") == 1
    assert "language" in touches(sent["html"])
    assert len(set(touches(sent["html"])) - {"language", "help"}) <= 5
    assert (sent["screen"], sent["lang"], sent["tone"]) == (screen.screen, language, screen.tone)


@pytest.mark.parametrize("name", NAMES)
def test_the_same_screen_gives_the_same_message(pages, name):
    assert message(pages, screens("en")[name]) == message(pages, screens("en")[name])


def test_a_countdown_does_not_make_a_new_screen_every_second(pages):
    screen = screens("en")["items-countdown"]
    later = replace(screen, countdown_s=9)
    assert message(pages, screen)["html"] == message(pages, later)["html"]


@pytest.mark.parametrize(
    ("mode", "offered"), [("both", ["borrow", "return"]), ("borrow", ["borrow"]), ("return", ["return"])]
)
def test_the_idle_screen_offers_what_the_kiosk_does(pages, mode, offered):
    html = message(pages, Screen("idle", "en", mode=mode))["html"]
    assert [t for t in touches(html) if t in ("borrow", "return")] == offered


def test_only_what_can_be_lent_is_counted_on_the_button(pages):
    html = message(pages, replace(screens("en")["items-mixed"], checking=0))["html"]
    assert "Borrow these 3 items" in html
    assert '<span class="count">5</span>' in html
    assert "for use in the library only" in html
    assert "aria-disabled" not in html


def test_nothing_is_lent_while_tags_are_still_being_checked(pages):
    html = message(pages, screens("en")["items-mixed"])["html"]
    assert re.search(r'data-touch="confirm" aria-disabled="true"', html)


def test_nothing_to_lend_offers_no_button_for_it(pages):
    screen = Screen("items", "en", patron=PATRON, items=(ItemLine("1", "A", "refused", "on_loan"),))
    assert "confirm" not in touches(message(pages, screen)["html"])


def test_due_dates_are_in_the_library_s_zone_and_language(pages):
    assert "Due 22 Dec 2026" in message(pages, screens("en")["result"])["html"]
    assert "应还日期 2026年12月22日" in message(pages, screens("zh-CN")["result"])["html"]


def test_a_title_from_a_tag_cannot_speak_html(pages):
    screen = Screen("items", "en", items=(ItemLine("1", "<script>alert(1)</script>", "ok"),))
    assert "<script" not in message(pages, screen)["html"]


def test_a_code_that_is_not_known_still_tells_what_to_do(pages):
    html = message(pages, Screen("identify", "en", message="brand_new"))["html"]
    assert "Please ask a librarian. (brand_new)" in html


def test_a_librarian_who_was_called_is_not_called_again(pages):
    html = message(pages, replace(screens("en")["idle"], help_called=True))["html"]
    assert "help" not in touches(html)
    assert "has been called" in html


def test_where_to_put_what_came_back_is_said_for_each_item(pages):
    html = message(pages, screens("en")["return"])["html"]
    assert "return cart" in html
    assert "staff shelf" in html
    assert "was not on loan" in html


def test_a_screen_for_the_log_holds_no_name():
    plain = state(Screen("items", "en", patron=PATRON, items=BOOKS))
    assert plain["patron"] is True
    assert PATRON.shown_name not in str(plain)
