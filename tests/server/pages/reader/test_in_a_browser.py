import itertools

import pytest
from playwright.sync_api import expect

from tests.support.browser import DESKTOP, PHONE, barriers, browser, overflows, serving, sign_in, visiting
from tests.support.pages_app import READER, build
from tests.support.reader_sample import busy_reader

__all__ = ["browser"]

pytestmark = pytest.mark.browser

KIB = 1024
PATHS = ("/my/loans", "/my/history", "/my/holds", "/my/fees", "/my/notices", "/my/account", "/my/card", "/offline")
LOOKS = list(itertools.product(["zh-CN", "en"], ["light", "dark"], [PHONE, DESKTOP]))


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """The pages of a reader who has everything: (address, a title reserved)."""
    app = build(tmp_path_factory.mktemp("reader"))
    reserved = busy_reader(app.state.core)
    with serving(app) as address:
        yield address, reserved


@pytest.fixture
def visit(browser):
    with visiting(browser) as opened:
        yield opened


@pytest.mark.parametrize(("language", "theme", "size"), LOOKS[::3], ids=str)
def test_readers_pages_have_no_barriers(visit, house, language, theme, size):
    address, reserved = house
    page = visit(language, theme, size)
    page.goto(address + reserved)
    assert barriers(page) == []
    sign_in(page, address, READER)
    for path in (*PATHS, reserved):
        page.goto(address + path)
        for summary in page.locator("main summary").all():
            summary.click()
        assert barriers(page) == [], path
        assert not overflows(page), path
        rail = page.locator(".rail")
        assert rail.evaluate("bar => bar.scrollWidth <= bar.clientWidth"), path


def test_a_reservation_is_paused_without_reloading_and_it_is_told(visit, house):
    address, reserved = house
    page = visit(size=PHONE)
    sign_in(page, address, READER)
    page.goto(f"{address}/my/holds")
    number = reserved.rpartition("/")[2]
    record = page.locator("li.record", has=page.locator(f"a[href='/titles/{number}']"))
    record.locator("summary").click()
    record.locator("form button.primary").click()
    expect(page.locator(".outcomes")).to_contain_text("Paused.")
    record.get_by_role("button", name="Resume").click()
    expect(page.locator(".outcomes")).to_contain_text("waits again")


def test_a_title_is_reserved_and_given_up_without_scripts(browser, house):
    address, _ = house
    context = browser.new_context(java_script_enabled=False, locale="en")
    page = context.new_page()
    sign_in(page, address, ("90000003", "0003"))
    page.goto(f"{address}/search?available=1")
    page.locator(".record .title a").first.click()
    page.get_by_role("button", name="Reserve").click()
    expect(page.locator("#reserve [role=status]")).to_have_text("This title is reserved for you.")
    page.get_by_role("link", name="Pause or cancel it").click()
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator(".outcomes")).to_have_text("The reservation is cancelled.")
    context.close()


def test_loans_and_card_are_there_without_a_connection_until_one_signs_out(visit, house):
    address, _ = house
    page = visit("en", size=PHONE, service_workers="allow", may_complain=True)  # of what it cannot load
    sign_in(page, address, READER)
    page.goto(f"{address}/my/loans")
    titles = page.locator(".record h2").all_inner_texts()
    page.evaluate("navigator.serviceWorker.ready")
    page.reload()  # the first visit is not the worker's yet
    expect(page.get_by_role("button", name="Renew all")).to_be_visible()
    page.wait_for_function("caches.open('carrel-mine').then(mine => mine.match('/my/card')).then(Boolean)")

    page.context.set_offline(True)
    page.goto(f"{address}/my/loans")
    assert page.locator(".record h2").all_inner_texts() == titles != []
    expect(page.locator(".when-offline")).to_contain_text("This copy was made")
    expect(page.get_by_role("button", name="Renew")).to_have_count(0)
    assert barriers(page) == []
    page.goto(f"{address}/my/card")
    expect(page.get_by_role("img", name="QR code of your card number")).to_be_visible()
    page.goto(f"{address}/search?q=world")
    expect(page.locator("h1")).to_have_text("No connection")
    page.locator(".topbar").get_by_role("link", name="Sign in").wait_for()
    page.get_by_role("link", name="My loans, as they were last").click()
    page.locator(".topbar form button").click()

    page.context.set_offline(False)
    assert page.evaluate("caches.has('carrel-mine')") is False
    page.goto(f"{address}/my/loans")
    expect(page.locator(".record h2").first).to_be_visible()  # still signed in: the server was not told
    page.evaluate("localStorage.setItem('carrel-searches', '[\"world\"]')")
    page.locator(".topbar form button").click()
    page.context.set_offline(True)
    page.goto(f"{address}/my/loans")
    expect(page.locator("h1")).to_have_text("No connection")
    assert page.evaluate("localStorage.getItem('carrel-searches')") is None


@pytest.mark.parametrize("path", ["/my/holds", "/my/account"])
def test_pages_stay_within_their_weight(visit, house, path):
    page = visit(size=PHONE)
    sign_in(page, house[0], READER)
    client = page.context.new_cdp_session(page)
    client.send("Network.enable")
    client.send("Network.setCacheDisabled", {"cacheDisabled": True})
    received = []
    client.on("Network.loadingFinished", lambda event: received.append(event["encodedDataLength"]))
    page.goto(house[0] + path)
    page.wait_for_load_state("networkidle")
    assert 0 < sum(received) <= 60 * KIB
