"""The devices' page in a real browser, with a made-up network."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from tests.support.browser import DESKTOP, PHONE, barriers, overflows, sign_in, visiting
from tests.support.pages_app import STAFF
from tests.support.sample_network import NEW, network, newcomer, show

pytestmark = pytest.mark.browser

KIB = 1024


@pytest.fixture
def picture(site):
    found = site[0].state.rooms.picture
    show(found, datetime.now(UTC), "joining")
    return found


@pytest.fixture
def visit(browser, picture, address):
    """Opens the page for a librarian."""
    with visiting(browser) as opened:

        def visit(*look, **options):
            page = opened(*look, **options)
            sign_in(page, address, STAFF)
            page.goto(f"{address}/devices")
            return page

        yield visit


@pytest.mark.parametrize(
    ("language", "theme", "size"),
    list(itertools.product(["zh-CN", "en"], ["light", "dark"], [PHONE, DESKTOP]))[::3],
    ids=str,
)
def test_there_are_no_barriers_in_any_look(visit, language, theme, size):
    page = visit(language, theme, size)
    page.locator(".more summary").first.click()
    page.locator(".removal summary").first.click()
    assert barriers(page) == []
    assert not overflows(page)


@pytest.mark.parametrize("what", ["empty", "none", "down", "failed"])
def test_states_that_are_empty_or_broken_have_no_barriers(visit, picture, what):
    show(picture, datetime.now(UTC), what)
    assert barriers(visit()) == []


def test_a_device_that_joins_appears_step_by_step_without_reloading(visit, picture):
    now = datetime.now(UTC)
    picture.set_network("gw-1", network(now))
    page = visit()
    expect(page.get_by_text("Waiting for a name")).to_have_count(0)
    picture.set_network("gw-1", network(now, newcomer(now), join_until=now + timedelta(seconds=100)))
    card = page.get_by_role("article", name=NEW)
    expect(card.locator(".is-running")).to_contain_text("Binding to the coordinator", timeout=10_000)
    expect(card.locator(".is-done")).to_have_count(5)
    countdown = page.locator(".join [data-until]")
    before = countdown.text_content()
    expect(countdown).not_to_have_text(before)
    card.get_by_label("Name").fill("lux-9")
    picture.set_network("gw-1", network(now, newcomer(now, failed=True), join_until=now + timedelta(seconds=100)))
    expect(card.locator(".is-failed")).to_contain_text("no answer within 10 s", timeout=10_000)
    expect(card.get_by_label("Name")).to_have_value("lux-9")


def test_the_window_is_opened_by_keyboard_and_the_page_says_that_it_waits(visit, picture):
    picture.set_network("gw-1", network(datetime.now(UTC)))
    page = visit()
    page.get_by_role("button", name="Open the join window").press("Enter")
    expect(page.get_by_role("status").filter(has_text="has not answered yet")).to_be_visible()


def test_everything_works_without_scripts(visit):
    page = visit(java_script_enabled=False)
    row = page.locator("#device-02ca77e100000001")
    row.locator(".more summary, summary").first.click()
    row.locator(".removal summary").click()
    row.get_by_role("button", name="Remove reading-th").click()
    expect(page.get_by_text("the gateway has not answered yet")).to_be_visible()


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
