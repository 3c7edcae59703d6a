"""A real browser before the real library: the kiosk and a reader's phone."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import KIOSK_PORTRAIT, PHONE, Look, Visit, sign_in
from tests.support.kiosk_page import SLOW_MS, everything_kept, look_in_both, on_screen, quota, touch
from tests.support.programs import Library

pytestmark = [pytest.mark.process, pytest.mark.browser, pytest.mark.timeout(120)]

SHANGHAI = ZoneInfo("Asia/Shanghai")
BOOKS = ("30000021", "30000022", "30000023", "30000024", "30000025")


# ---------------------------------------------------------------- the kiosk
def empty_handed(running: Library) -> dict[str, str]:
    """A patron in good standing with nothing on loan."""
    today = datetime.now(SHANGHAI).date().isoformat()
    for patron in running.facts()["patrons"]:
        client = running.client(patron["card"], patron["pin"])
        me = client.get("/patrons/me").json()
        if not me["blocked"] and me["expires_on"] > today and not client.get("/patrons/me/loans").json()["loans"]:
            found: dict[str, str] = patron
            return found
    raise AssertionError("every demo patron has something on loan")


def test_the_kiosk_lends_five_books_forgets_the_reader_and_takes_them_back(
    running: Library, visit: Visit, look: Look
) -> None:
    titles = {item["barcode"]: item["title"] for item in running.facts()["items"]}
    patron = empty_handed(running)
    page = visit(running.kiosk, viewport=KIOSK_PORTRAIT)
    on_screen(page, "idle")
    told = page.locator("[data-clock]").inner_text()
    minutes = [(datetime.now(SHANGHAI) - timedelta(seconds=s)).strftime("%H:%M") for s in (0, 10)]
    assert told in minutes, "the library's time, not the machine's"
    look_in_both(page, look, "kiosk-1-idle")

    touch(page, "borrow", "identify")
    look_in_both(page, look, "kiosk-2-identify")
    visited = page.evaluate("history.length")
    running.sim("place", "kiosk-1", patron["card"])
    on_screen(page, "items")
    who = page.locator("header .who").inner_text().strip()
    assert who
    assert patron["name"] not in who
    look_in_both(page, look, "kiosk-3-no-items-yet")

    running.sim("place", "kiosk-1", *BOOKS)
    expect(page.locator(".item.ok")).to_have_count(5, timeout=SLOW_MS)
    allowed = quota(page)
    look_in_both(page, look, "kiosk-4-items")
    touch(page, "confirm", "result")
    expect(page.locator(".item.ok")).to_have_count(5)
    assert quota(page) == allowed - 5
    lent = page.locator(".items").inner_text()
    assert all(titles[book] in lent for book in BOOKS)
    assert len(re.findall(r"20\d\d", lent)) == 5, "five due dates"
    look_in_both(page, look, "kiosk-5-result")

    touch(page, "done", "idle")
    kept = everything_kept(page)
    personal = (who, patron["card"], patron["name"], *(titles[book] for book in BOOKS), *BOOKS)
    assert [word for word in personal if word in kept] == []
    assert page.evaluate("history.length") == visited

    running.sim("remove", "kiosk-1", patron["card"], *BOOKS)
    bring_back(page, running, look)
    assert running.client(patron["card"], patron["pin"]).get("/patrons/me/loans").json()["loans"] == []


def bring_back(page: Page, running: Library, look: Look) -> None:
    """Return the books at the kiosk, without a card."""
    touch(page, "return", "return")
    look_in_both(page, look, "kiosk-6-return")
    running.sim("place", "kiosk-1", *BOOKS)
    expect(page.locator(".item.ok")).to_have_count(5, timeout=SLOW_MS)
    expect(page.locator(".counted .count")).to_have_text("5")
    look_in_both(page, look, "kiosk-7-returned")
    touch(page, "done", "idle")
    running.sim("remove", "kiosk-1", *BOOKS)


# ---------------------------------------------------------------- a reader's phone
def renewable(running: Library) -> tuple[dict[str, str], str]:
    """A patron with a loan that can be renewed, and its barcode."""
    for patron in running.facts()["patrons"]:
        client = running.client(patron["card"], patron["pin"])
        for loan in client.get("/patrons/me/loans").json()["loans"]:
            if loan["renewable"] and loan["renewals"] == 0:
                return patron, loan["barcode"]
    raise AssertionError("no demo loan can be renewed")


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_a_phone_shows_my_loans_and_renews_one(scripts: bool, running: Library, visit: Visit, look: Look) -> None:
    patron, barcode = renewable(running)
    page = visit(running.dashboard, viewport=PHONE, java_script_enabled=scripts)
    sign_in(page, running.dashboard, (patron["card"], patron["pin"]))
    page.wait_for_url("**/my/loans")
    due = page.locator(f"#loan-{barcode} .due")
    before = due.inner_text()
    if scripts:
        look(page, "my-loans")
    page.locator(f"#loan-{barcode}").get_by_role("button", name="Renew").click()
    expect(page.locator("#outcomes")).to_contain_text("renewed until")
    after = due.inner_text()
    assert datetime.strptime(after, "Due %d %b %Y") > datetime.strptime(before, "Due %d %b %Y")  # noqa: DTZ007  days
    assert after.removeprefix("Due ") in page.locator("#outcomes").inner_text()
    if scripts:
        look(page, "renewed")
        page.goto(f"{running.dashboard}/my/loans?lang=zh-CN")
        expect(page.locator("h1")).to_have_text("我的借阅")
        look(page, "my-loans")
