"""The lending settings in a real browser, in every look."""

import itertools

import pytest
from playwright.sync_api import expect

from tests.support.browser import DESKTOP, PHONE, barriers, overflows, sign_in, visiting

pytestmark = pytest.mark.browser

URL = "/settings/lending"
ADMINISTRATOR = ("admin", "admin-demo")
LOOKS = list(itertools.product(["zh-CN", "en"], ["light", "dark"], [PHONE, DESKTOP]))[::3]
KIB = 1024


@pytest.fixture
def visit(browser, address):
    """Opens the page of an administrator."""
    with visiting(browser) as opened:

        def visit(*look, **options):
            page = opened(*look, **options)
            sign_in(page, address, ADMINISTRATOR)
            page.goto(address + URL)
            return page

        yield visit


@pytest.mark.parametrize(("language", "theme", "size"), LOOKS, ids=str)
def test_there_are_no_barriers_in_any_look(visit, language, theme, size, tmp_path):
    page = visit(language, theme, size, may_complain=True)
    page.screenshot(path=tmp_path / "settings.png", full_page=True)
    assert barriers(page) == []
    assert not overflows(page)
    page.locator("#matrix ~ .card .actions a").first.click()
    page.locator("#days").fill("")
    page.locator("#hours").fill("")
    page.locator("form[action*='/rules?'] button").click()
    expect(page.locator("#days[aria-invalid=true]")).to_be_focused()
    page.screenshot(path=tmp_path / "refused.png", full_page=True)
    assert barriers(page) == []
    assert not overflows(page)


def test_a_rule_is_added_without_scripts(visit):
    page = visit("en", java_script_enabled=False)
    page.get_by_role("link", name="Add a rule").click()
    page.get_by_label("Type of items").fill("map")
    page.get_by_role("button", name="Save the rule").click()
    expect(page.get_by_role("status")).to_contain_text("The rule is saved.")
    page.get_by_role("link", name="Change all readers, map, all branches").click()
    page.get_by_role("button", name="Remove the rule for all readers, map, all branches").click()
    expect(page.get_by_role("status")).to_contain_text("The rule is removed.")


def test_the_page_stays_within_its_weight(visit):
    page = visit()
    client = page.context.new_cdp_session(page)
    client.send("Network.enable")
    client.send("Network.setCacheDisabled", {"cacheDisabled": True})
    received = []
    client.on("Network.loadingFinished", lambda event: received.append(event["encodedDataLength"]))
    page.reload()
    page.wait_for_load_state("networkidle")
    assert 0 < sum(received) <= 90 * KIB
