"""The desk, the readers' accounts and the work lists in a real browser, with the demo library."""

import itertools
import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect
from sqlalchemy import update

from server.catalogue import service as catalogue
from server.catalogue.models import ItemRow
from server.circulation import repository as loans
from server.fees import service as fees
from server.patrons import desk as patrons
from server.tasks import service as tasks
from tests.support.browser import DESKTOP, PHONE, barriers, overflows, sign_in, visiting
from tests.support.pages_app import STAFF
from tests.support.sample_building import fire

pytestmark = pytest.mark.browser

KIB = 1024
CARD, OTHER_CARD = "90000001", "90000002"
LOOKS = list(itertools.product(["zh-CN", "en"], ["light", "dark"], [PHONE, DESKTOP]))


@pytest.fixture(scope="module")
def troubled(site):
    """The demo's first reader owes something and is blocked; the second has a loan overdue; one row is in conflict."""
    database, now = site[0].state.core.database, datetime.now(UTC)
    with database.writing() as session:
        by = {"actor": "user:tests", "at": now}
        fees.charge(session, 1, "damage", fees.major(350), reason="a torn page", **by)
        patrons.block(session, 1, patrons.NewBlock("conduct", "ate in the stacks"), **by)
        for loan in loans.open_loans(session, patron_ids=[2])[:1]:
            loans.change(session, loan.id, due_at=now - timedelta(days=3))
        tasks.add(session, "conflict", "loan_limit", branch="main", at=now, now=now, item_id=1, patron_id=2)


@pytest.fixture
def visit(browser, troubled, address):
    """Opens a page for a librarian."""
    with visiting(browser) as opened:

        def visit(*look, path="/desk", **options):
            page = opened(*look, **options)
            sign_in(page, address, STAFF)
            page.goto(address + path)
            return page

        yield visit


@pytest.fixture
def free(site):
    """Barcodes of items that can be lent."""
    with site[0].state.core.database.reading() as session:
        found = [item.barcode for item in catalogue.items_with_status(session, "on_shelf") if item.for_loan]
    return found[::-1]


def scan(page, code):
    page.keyboard.type(code)
    page.keyboard.press("Enter")


def scan_with_tab(page, code):
    """As some scanners do. Within the page, since a busy machine types no faster than a person, whose Tab is none."""
    expect(page.locator("#code")).to_be_focused()
    page.evaluate(
        """(code) => {
      const field = document.activeElement;
      const press = (key) => field.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
      for (const key of code) { press(key); field.value += key; }
      press("Tab");
    }""",
        code,
    )


@pytest.mark.parametrize(("language", "theme", "size"), LOOKS[::3], ids=str)
def test_there_are_no_barriers_in_any_look(visit, free, tmp_path, language, theme, size):
    page = visit(language, theme, size)
    looks = [("desk", None), ("reader", f"/desk?card={CARD}"), ("overdue", f"/desk?card={OTHER_CARD}")]
    looks += [("list", "/patrons"), ("new", "/patrons/new"), ("account", "/patrons/1"), ("tasks", "/worklists")]
    for name, path in looks:
        if path:
            page.goto(re.sub(r"(//[^/]+)/.*", r"\1", page.url) + path)
        for summary in page.locator(".account summary").all():
            summary.click()
        if name == "reader":
            scan(page, free[0])
            expect(page.get_by_role("alert")).to_be_visible()
        page.screenshot(path=tmp_path / f"{name}.png", full_page=True)
        assert barriers(page) == [], name
        assert not overflows(page), name


def test_a_whole_visit_needs_only_the_keyboard(visit, free):
    page = visit()
    field = page.locator("#code")
    expect(field).to_be_focused()
    scan(page, "90000003")
    expect(page.locator("#reader-name")).to_be_visible()
    expect(field).to_be_focused()
    expect(field).to_have_value("")
    scan(page, free[0])
    expect(page.locator(".result")).to_contain_text("Lent until")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Undo")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".result")).to_contain_text("Undone")
    expect(field).to_be_focused()


def test_scans_in_a_row_wait_for_each_other(visit, free):
    page = visit()
    page.route("**/desk/scan", lambda route: (page.wait_for_timeout(50), route.continue_()))
    for code in ("90000004", free[0], free[1]):
        page.keyboard.type(code)
        page.keyboard.press("Enter")
    expect(page.locator(".before li")).to_have_count(1)
    expect(page.locator(".result")).to_contain_text("Lent until")
    expect(page.locator(".before")).to_contain_text("Lent until")
    for code in (free[0], free[1]):
        page.goto(page.url.split("?")[0])
        scan(page, code)
        expect(page.locator(".result")).to_contain_text(
            re.compile(r"Returned\.\s+To its shelf: (Reading room|Stacks) ")
        )


def test_an_alarm_that_comes_and_goes_takes_neither_focus_nor_text_nor_a_scan(visit, free, site):
    page, building, held = visit(), site[0].state.building, []
    field, bar = page.locator("#code"), page.locator("a.alarm-bar.critical")

    def hold(route):
        held.append(route)

    def tell(*alarms):
        building.open_alarms, building.rev = list(alarms), building.rev + 1
        expect(bar).to_have_count(len(alarms), timeout=3000)  # this building speaks once a second

    expect(page.locator("html.is-live")).to_have_count(1)
    page.route("**/desk/scan", hold, times=1)
    scan(page, "90000004")
    page.keyboard.type(free[7][:3])
    tell(fire(now=building.now))
    tell()
    expect(field).to_be_focused()
    expect(field).to_have_value(free[7][:3])
    page.keyboard.type(free[7][3:])
    page.keyboard.press("Enter")
    held[0].continue_()
    expect(page.locator(".result")).to_contain_text("Lent until")
    expect(page).to_have_url(re.compile("card=90000004"))


def after_a_lost_card(visit, items):
    """The page on which a reader is open, and then the next card and items are scanned of which the card is lost."""
    page = visit(path=f"/desk?card={OTHER_CARD}", may_complain=True)
    sent = []

    def lose(route):
        sent.append(route.request.post_data)
        page.wait_for_timeout(100)  # until everything is scanned
        route.abort()

    page.route("**/desk/scan", lose)
    for code in ("90000004", *items):
        scan(page, code)
    held = page.locator("#held")
    expect(held).to_contain_text("Not done: 90000004")
    expect(held).to_contain_text("Waiting behind it: " + ", ".join(items))
    page.wait_for_timeout(100)
    assert len(sent) == 1
    page.unroute("**/desk/scan")
    return page


def test_after_a_scan_that_failed_nothing_behind_it_is_lent_to_the_reader_before(visit, free, tmp_path):
    page = after_a_lost_card(visit, free[3:4])
    scan(page, free[4])
    expect(page.locator("#held")).to_contain_text(f"{free[3]}, {free[4]}")
    expect(page.locator("[data-failed-banner]")).to_be_hidden()
    expect(page.locator(".result")).to_have_count(0)
    page.screenshot(path=tmp_path / "held.png", full_page=True)
    assert barriers(page) == []
    scan(page, "90000004")
    expect(page.locator(".result")).to_contain_text("Lent until")
    expect(page.locator(".before")).to_contain_text("Lent until")
    assert page.url.endswith("card=90000004")
    expect(page.locator("#held")).to_be_hidden()
    expect(page.locator("[data-failed-banner]")).to_be_hidden()


def test_what_waits_behind_a_failed_scan_can_be_discarded(visit, free):
    page = after_a_lost_card(visit, free[5:6])
    page.get_by_role("button", name="Discard").click()
    expect(page.locator("#held")).to_be_hidden()
    expect(page.locator("[data-failed-banner]")).to_be_hidden()
    expect(page.locator("#code")).to_be_focused()
    scan(page, "90000003")
    expect(page).to_have_url(re.compile("card=90000003"))
    expect(page.locator(".result")).to_have_count(0)


def test_a_scan_after_the_session_has_ended_is_told_and_only_sent_for_its_own_reader(visit, free, address):
    page = visit(path=f"/desk?card={OTHER_CARD}")
    page.context.clear_cookies(name="carrel_session")
    scan(page, free[6])
    expect(page.get_by_role("status")).to_contain_text("what you sent last was not done")
    page.fill("#user", STAFF[0])
    page.fill("#password", STAFF[1])
    page.keyboard.press("Enter")
    expect(page.locator("#held")).to_contain_text(f"Not done: {free[6]}")
    assert page.url.endswith(f"/desk?card={OTHER_CARD}")
    page.goto(f"{address}/desk?card={CARD}")
    expect(page.locator("#left")).to_contain_text(f"{OTHER_CARD}: {free[6]}")
    expect(page.locator("#held")).to_be_hidden()
    page.locator("#left a").click()
    expect(page.locator("#left")).to_be_hidden()
    page.get_by_role("button", name="Send again").click()
    expect(page.locator(".result")).to_contain_text("Lent until")
    page.goto(f"{address}/desk")
    scan_with_tab(page, free[6])
    expect(page.locator(".result")).to_contain_text("Returned.")
    expect(page.locator("#left")).to_be_hidden()


def test_a_reason_lends_against_the_rule_without_scripts(visit, free):
    page = visit(java_script_enabled=False, path=f"/desk?card={CARD}")
    page.locator("#code").fill(free[2])
    page.locator("#scan button").click()
    page.get_by_label("Reason to decide otherwise").fill("agreed with the director")
    page.get_by_role("button", name="Lend all the same").click()
    expect(page.locator(".result")).to_contain_text("Lent until")


@pytest.mark.parametrize(("language", "theme", "size"), [LOOKS[-3], LOOKS[2]], ids=str)
def test_a_payment_is_taken_back_and_a_refused_hold_asks_for_a_reason(visit, free, tmp_path, language, theme, size):
    page = visit(language, theme, size, path=f"/desk?card={CARD}", may_complain=True)  # of what screenshots inject
    page.locator("#amount").fill("0.50")
    page.locator("form[action='/desk/pay'] button").click()
    expect(page.locator("[data-undo] button")).to_be_visible()
    page.screenshot(path=tmp_path / "paid.png", full_page=True)
    assert barriers(page) == []
    page.locator("[data-undo] button").click()
    expect(page.locator("[data-undo]")).to_have_count(0)
    expect(page.locator("#amount")).to_have_value("3.50")
    page.locator("#wanted").fill(free[0])
    page.locator("form[action='/desk/hold'] button").click()
    expect(page.locator("form.insist[action='/desk/hold']")).to_be_visible()
    page.screenshot(path=tmp_path / "refused.png", full_page=True)
    assert barriers(page) == []
    assert not overflows(page)


@pytest.mark.parametrize(("language", "theme", "size"), [LOOKS[0], LOOKS[-1]], ids=str)
def test_the_parts_of_a_set_that_came_back_are_counted(visit, free, site, tmp_path, language, theme, size):
    with site[0].state.core.database.writing() as session:
        session.execute(update(ItemRow).where(ItemRow.barcode == free[1]).values(tags=3))
    page = visit(language, theme, size, may_complain=True)  # of what screenshots inject
    scan(page, free[1])
    counted = page.locator("form.insist[action='/desk/return']")
    expect(counted.get_by_role("spinbutton")).to_have_value("2")
    page.screenshot(path=tmp_path / "set.png", full_page=True)
    assert barriers(page) == []
    assert not overflows(page)
    counted.get_by_role("button").click()
    expect(counted).to_have_count(0)
    expect(page.locator(".result .goes")).to_contain_text("不完整" if language == "zh-CN" else "incomplete items")
    page.screenshot(path=tmp_path / "aside.png", full_page=True)
    page.goto(f"{page.url.split('/desk')[0]}/worklists?list=incomplete")
    expect(page.locator("main")).to_contain_text(free[1])
    page.screenshot(path=tmp_path / "list.png", full_page=True)


@pytest.mark.parametrize("path", [f"/desk?card={CARD}", "/patrons/1", "/worklists"])
def test_pages_stay_within_their_weight(visit, path):
    page = visit(path=path)
    client = page.context.new_cdp_session(page)
    client.send("Network.enable")
    client.send("Network.setCacheDisabled", {"cacheDisabled": True})
    received = []
    client.on("Network.loadingFinished", lambda event: received.append(event["encodedDataLength"]))
    page.reload()
    page.wait_for_load_state("networkidle")
    assert 0 < sum(received) <= 90 * KIB
