from datetime import timedelta

import pytest

from server.catalogue import service as catalogue
from server.lending.occasion import Occasion
from server.lending.policy import LibraryPolicy
from tests.support.browser import DESKTOP, PHONE, barriers, overflows, serving, sign_in
from tests.support.counter import SHANGHAI, Counter
from tests.support.library import add_patron
from tests.support.pages_app import STAFF, build

pytestmark = pytest.mark.browser

CARDS = [f"7{number:07}" for number in range(7)]
LENT = (3, 5, 1, 0, 2, 6, 4, 7, 2, 1)
"""So many loans on each of the last days."""


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """A library in which something was lent on some days of this year and of last year."""
    app = build(tmp_path_factory.mktemp("pages"))
    core = app.state.core
    today = Counter(core.database, Occasion("user:librarian", core.clock.now(), SHANGHAI))
    today.rule_by(policy=LibraryPolicy(max_loans=50, report_group_least=3))
    today.do(lambda session: [add_patron(session, card, f"Patron {card}") for card in CARDS])
    barcode = next(
        item.barcode for item in today.ask(catalogue.all_items) if item.for_loan and item.status == "on_shelf"
    )
    for ago, count in enumerate(LENT):
        for days, cards in ((ago, CARDS[:count]), (ago + 365, CARDS[: count // 2])):
            counter = today.at(-timedelta(days=days) + today.occasion.now)
            for card in cards:
                counter.checkout(card, barcode)
                counter.checkin(barcode)
    today.at(-timedelta(days=60) + today.occasion.now).checkout(CARDS[0], barcode)
    with serving(app) as address:
        yield address


@pytest.mark.parametrize(("language", "theme", "size"), [("en", "light", DESKTOP), ("zh-CN", "dark", PHONE)], ids=str)
def test_the_reports_have_no_barriers_and_fit_the_screen(browser, address, tmp_path, language, theme, size):
    context = browser.new_context(locale=language, color_scheme=theme, viewport=size, timezone_id="Asia/Shanghai")
    complaints = []
    page = context.new_page()
    page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
    sign_in(page, address, STAFF)
    for query in ("", "by=class", "report=overdue", "report=top-titles"):
        page.goto(f"{address}/reports/lending?{query}")
        page.screenshot(path=tmp_path / f"{query or 'day'}.png", full_page=True)
        assert barriers(page) == []
        assert not overflows(page)
        assert page.locator("section.report").is_visible(), query
    page.goto(f"{address}/reports/lending")
    assert page.locator("svg.drawn rect").count() >= len(LENT) - LENT.count(0)
    page.get_by_text("以表格显示" if language == "zh-CN" else "Show as a table").click()
    assert page.locator("table.lines tbody tr").count() == 30
    page.locator("#by").select_option("month")
    page.get_by_role("button", name="显示" if language == "zh-CN" else "Show", exact=True).click()
    page.wait_for_url("**by=month")
    context.close()
    assert complaints == []
