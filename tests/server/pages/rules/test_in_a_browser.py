"""The rules' page in a real browser: every look, keyboard, without scripts, and the way to the gateway live."""

import itertools
from datetime import UTC, datetime

import pytest
from playwright.sync_api import expect
from sqlalchemy import delete

from carrel.contracts.config import ConfigState
from server.rules.models import RuleBookRow
from tests.support.browser import DESKTOP, PHONE, barriers, overflows, press_by_keyboard, sign_in, visiting
from tests.support.pages_app import STAFF

pytestmark = pytest.mark.browser

KIB = 1024
PRESET = "/rules/new?room=stacks&preset=mixed-paper&purpose=purge&actuator=stacks-vent&zone=stacks"


@pytest.fixture
def visit(browser, site, address):
    """Opens a page for a librarian; nobody has saved rules yet."""
    with site[0].state.core.database.writing() as session:
        session.execute(delete(RuleBookRow))
    with visiting(browser) as opened:

        def visit(path, *look, **options):
            page = opened(*look, **options)
            sign_in(page, address, STAFF)
            page.goto(address + path)
            return page

        yield visit


@pytest.mark.parametrize(
    ("language", "theme", "size"),
    list(itertools.product(["zh-CN", "en"], ["light", "dark"], [PHONE, DESKTOP]))[::3],
    ids=str,
)
def test_there_are_no_barriers_in_any_look(visit, address, language, theme, size):
    page = visit("/rules", language, theme, size)
    for path in ("", "/rules/new?room=stacks", PRESET, "/rules/reading-purge/edit"):
        if path:
            page.goto(address + path)
        page.eval_on_selector_all("main details", "all => all.forEach(one => { one.open = true; })")
        assert barriers(page) == [], path
        assert not overflows(page), path


def test_a_limit_is_changed_and_tried_by_keyboard_and_seen_coming_into_force(visit, site):
    page = visit("/rules")
    press_by_keyboard(page.get_by_role("link", name="Change stacks-cool"))
    page.wait_for_url("**/rules/stacks-cool/edit")
    page.get_by_label("Limit").first.fill("19")
    press_by_keyboard(page.get_by_role("button", name="Try on the last 24 hours"))
    expect(page.get_by_role("heading", name="What these rules would have done")).to_be_visible(timeout=20_000)
    assert barriers(page) == []
    press_by_keyboard(page.get_by_role("button", name="Save", exact=True))
    page.wait_for_url("**/rules#rule-stacks-cool")
    way = page.locator("#way")
    expect(way).to_contain_text("On the way to the gateway")
    state = ConfigState(section="rules", version=1, since=datetime.now(UTC), newest=1)
    site[0].state.rooms.picture.set_config("gw-1", state)
    expect(way).to_contain_text("In force on the gateway since", timeout=10_000)
    expect(way.locator(".done")).to_have_count(3)


def test_a_rule_that_was_being_changed_comes_back_when_the_session_had_ended(visit, address):
    page = visit("/rules/stacks-cool/edit")
    page.get_by_label("Limit").first.fill("19")
    page.get_by_text("Hours ... always").click()
    page.locator("input[name='hours-0-from']").fill("08:00")
    page.context.clear_cookies(name="carrel_session")
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url("**/sign-in?next=**")
    sign_in(page, address, STAFF)
    page.goto(address + "/rules/reading-cool/edit")
    expect(page.locator("[data-restored]")).to_be_hidden()
    page.goto(address + "/rules/stacks-cool/edit")
    expect(page.locator("[data-restored]")).to_be_visible()
    expect(page.get_by_label("Limit").first).to_have_value("19")
    expect(page.locator("input[name='hours-0-from']")).to_be_visible()
    page.locator("input[name='hours-0-to']").fill("20:00")
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url("**/rules#rule-stacks-cool")


def test_everything_works_without_scripts(visit):
    page = visit("/rules/reading-shade/edit", java_script_enabled=False)
    page.get_by_role("button", name="Try on the last 24 hours").click()
    expect(page.get_by_role("heading", name="What these rules would have done")).to_be_visible(timeout=20_000)
    page.get_by_label("Limit").first.fill("2400")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("#rule-reading-shade")).to_contain_text("Light above 2,400 lx")
    page.locator("#rule-reading-shade .removal summary").click()
    page.get_by_role("button", name="Remove reading-shade").click()
    expect(page.locator("#rule-reading-shade")).to_have_count(0)
    page.get_by_role("button", name="Bring back config.toml").click()
    expect(page.locator("#rule-reading-shade")).to_contain_text("Light above 2,500 lx")


def test_the_page_stays_within_its_weight(visit, address):
    page = visit("/rooms")
    client = page.context.new_cdp_session(page)
    client.send("Network.enable")
    client.send("Network.clearBrowserCache")
    received = []
    client.on("Network.loadingFinished", lambda event: received.append(event["encodedDataLength"]))
    page.goto(f"{address}/rules")
    page.wait_for_load_state("networkidle")
    assert 0 < sum(received) < 90 * KIB
