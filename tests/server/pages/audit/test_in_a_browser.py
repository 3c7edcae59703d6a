"""The audit log and the accounts in a real browser, in two looks."""

import pytest
from playwright.sync_api import expect

from tests.support.browser import DESKTOP, PHONE, barriers, overflows, press_by_keyboard, sign_in, visiting

pytestmark = pytest.mark.browser

ADMINISTRATOR = ("admin", "admin-demo")
LOOKS = [("en", "light", DESKTOP), ("zh-CN", "dark", PHONE)]


def test_there_are_no_barriers_and_nothing_scrolls_sideways(browser, address, tmp_path):
    with visiting(browser) as visit:
        for language, theme, size in LOOKS:
            page = visit(language, theme, size, may_complain=True)
            sign_in(page, address, ADMINISTRATOR)
            name = f"{language}-{theme}"

            def look(what, page=page, name=name):
                page.screenshot(path=tmp_path / f"{what}-{name}.png", full_page=True)
                assert barriers(page) == []
                assert not overflows(page)

            page.goto(f"{address}/audit")
            page.locator("main details > summary").first.click()
            page.locator("form[action='/audit/verify'] button").click()
            expect(page.get_by_role("status")).to_be_visible()
            look("audit")
            page.goto(f"{address}/accounts")
            page.locator("#tokens ~ details > summary").click()
            page.locator("#token-name").fill(f"mirror-{theme}")
            page.locator("form[action='/tokens'] button").click()
            expect(page.locator(".once")).to_contain_text("carrel_")
            page.screenshot(path=tmp_path / f"token-{name}.png", full_page=True)
            page.locator("#people ~ details > summary").click()
            page.locator("#account-name").fill("Mei Lin")
            page.locator("#account-user").fill("admin")
            page.locator("#account-password").fill("a good password")
            page.locator("form[action='/accounts'] button").click()
            expect(page.locator("#account-user[aria-invalid=true]")).to_be_focused()
            look("accounts")
            page.goto(f"{address}/accounts/admin")
            look("account")


def test_everything_works_without_scripts_and_by_keyboard(browser, address):
    with visiting(browser) as visit:
        page = visit("en", java_script_enabled=False)
        sign_in(page, address, ADMINISTRATOR)
        page.get_by_role("link", name="Audit log").click()
        page.get_by_label("What was done").select_option("session.start")
        page.get_by_role("button", name="Show", exact=True).click()
        expect(page.locator("tbody tr").first).to_contain_text("Signed in")
        page.get_by_role("link", name="Accounts").click()
        page.get_by_role("link", name="Demo Librarian").click()
        page.get_by_label("Full name").fill("Another name")
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_role("status")).to_contain_text("The changes are saved")
        page = visit("en")
        sign_in(page, address, ADMINISTRATOR)
        page.goto(f"{address}/audit")
        press_by_keyboard(page.locator("main details > summary").first)
        press_by_keyboard(page.get_by_role("button", name="Verify the chain"))
        expect(page.get_by_role("status")).to_contain_text("The chain is in order")
