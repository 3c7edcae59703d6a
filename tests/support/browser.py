"""A real browser for tests of pages. A folder's conftest.py takes the fixtures with

    from tests.support.browser import browser, page

    __all__ = ["browser", "page"]

Without Chromium these tests are skipped by name; with CI=true that is a failure.
"""

from __future__ import annotations

import os
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, Locator, Page, ViewportSize, expect, sync_playwright
from starlette.types import ASGIApp

AXE = Path(__file__).parents[2] / "carrel/web/vendor/test/axe.min.js"
PACKAGES = "chromium fonts-noto-cjk fonts-noto-core"
LAUNCH = (
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-gpu-rasterization",
    "--disable-gpu-compositing",
    "--disable-software-rasterizer",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--force-color-profile=srgb",
    "--font-render-hinting=none",
)
AXE_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]

PHONE: ViewportSize = {"width": 390, "height": 844}
DESKTOP: ViewportSize = {"width": 1440, "height": 900}
KIOSK_PORTRAIT: ViewportSize = {"width": 1080, "height": 1920}
KIOSK_LANDSCAPE: ViewportSize = {"width": 1280, "height": 800}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium for one module.

    Playwright's own loop runs as long as this does, and no async test can run beside it: so it ends with the module,
    which the session-wide fixtures of pytest-playwright do not.
    """
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        told = f"no Chromium on this machine: apt-get install -y --no-install-recommends {PACKAGES}"
        if os.environ.get("CI") == "true":
            pytest.fail(told)
        pytest.skip(told)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=path, args=list(LAUNCH))
        yield launched
        launched.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page of a Chinese visitor on a desktop, in a context of its own."""
    context = browser.new_context(
        locale="zh-CN", timezone_id="Asia/Shanghai", reduced_motion="reduce", viewport=DESKTOP
    )
    yield context.new_page()
    context.close()


Visit = Callable[..., Page]
Look = Callable[[Page, str], None]


@contextmanager
def visiting(browser: Browser) -> Iterator[Visit]:
    """`visit(language, theme, size, may_complain=, **options)` opens an empty page in a look; at the end an error in a
    page's console fails the test, unless it may complain."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def visit(
        language: str = "en", theme: str = "light", size: Any = DESKTOP, *, may_complain: bool = False, **options: Any
    ) -> Page:
        looks = {"color_scheme": theme, "viewport": size, "timezone_id": "Asia/Shanghai", "reduced_motion": "reduce"}
        looks["service_workers"] = "block"  # what it keeps would hide what a page asks for
        contexts.append(browser.new_context(locale=language, **{**looks, **options}))
        page = contexts[-1].new_page()
        if not may_complain:
            page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
            page.on("pageerror", lambda error: complaints.append(str(error)))
        return page

    yield visit
    for context in contexts:
        context.close()
    assert complaints == []


@contextmanager
def serving(app: ASGIApp) -> Iterator[str]:
    """An application on a free port of 127.0.0.1, in a thread; gives its address."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()  # who comes before the server has started waits instead of being refused
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off", timeout_graceful_shutdown=1))
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(10)


def sign_in(page: Page, address: str, who: tuple[str, str]) -> None:
    """Sign in by the form, as a person does."""
    page.goto(f"{address}/sign-in")
    page.fill("#user", who[0])
    page.fill("#password", who[1])
    page.click("main button[type=submit]")
    page.wait_for_url(lambda url: "/sign-in" not in url)


def sign_in_by_keyboard(page: Page, who: tuple[str, str]) -> None:
    """Sign in with nothing but the keyboard, from the field that has the focus."""
    page.keyboard.type(who[0])
    page.keyboard.press("Tab")
    page.keyboard.type(who[1])
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "/sign-in" not in url)


def press_by_keyboard(target: Locator) -> None:
    """Tab until it has the focus, then Enter."""
    for _ in range(80):
        target.page.keyboard.press("Tab")
        if target.evaluate("element => element === document.activeElement"):
            target.page.keyboard.press("Enter")
            return
    raise AssertionError(f"the keyboard does not reach {target}")


def barriers(page: Page) -> list[str]:
    """What axe finds wrong with the page as it is now: rule and element, empty when all is well."""
    page.evaluate(AXE.read_text(encoding="utf-8"))  # not as a script tag, which our own policy forbids
    expect(page.locator(".htmx-request")).to_have_count(0)  # what waits for an answer is paler meanwhile
    found = page.evaluate("rules => axe.run({runOnly: rules})", AXE_RULES)
    return [f"{v['id']}: {node['target']} {node['failureSummary']}" for v in found["violations"] for node in v["nodes"]]


def overflows(page: Page) -> bool:
    """Whether the page can be scrolled sideways."""
    return bool(page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))
