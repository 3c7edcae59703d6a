"""Fingers and eyes before the kiosk's page in a real browser."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

SLOW_MS = 30_000
"""For what waits for the reader, the server or the building."""


def quiet_screen(page: Page) -> None:
    """Wait until the screen rests: a touch on one that is just being replaced is dropped on purpose."""
    stage = page.locator("#kiosk")
    before = None
    while before != (before := stage.get_attribute("data-seq")):
        page.wait_for_timeout(250)


def touch(page: Page, name: str, screen: str) -> None:
    """Touch a button of the kiosk and see the screen that it leads to."""
    quiet_screen(page)
    page.click(f"[data-touch={name}]")
    on_screen(page, screen)


def on_screen(page: Page, screen: str) -> None:
    expect(page.locator("#kiosk")).to_have_attribute("data-screen", screen, timeout=SLOW_MS)


def look_in_both(page: Page, look: Callable[[Page, str], None], name: str) -> None:
    """The kiosk's screen in both languages; ends in the one it was in."""
    for _ in ("one", "the other"):
        quiet_screen(page)
        look(page, name)
        before = str(page.locator("html").get_attribute("lang"))
        page.click("#language")
        expect(page.locator("html")).not_to_have_attribute("lang", before)


def quota(page: Page) -> int:
    """How many more items the reader may borrow, as the screen says."""
    number = re.search(r"\d+", page.locator(".quota").inner_text())
    assert number is not None
    return int(number[0])


def everything_kept(page: Page) -> str:
    """All that a browser keeps: the page, its storage, cookies and address."""
    kept = page.evaluate(
        "document.documentElement.outerHTML + JSON.stringify({...localStorage, ...sessionStorage})"
        " + JSON.stringify(history.state) + location + document.cookie"
    )
    return f"{kept}{page.context.cookies()}"
