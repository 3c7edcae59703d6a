"""One running library for the journeys that leave it as they found it; the others start their own. And a browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.support.browser import Look, Visit, barriers, browser, overflows, visiting
from tests.support.programs import Library, library, settled

__all__ = ["browser", "running"]


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    """All programs, every device joined."""
    with library(tmp_path_factory.mktemp("library")) as found:
        settled(found)
        yield found


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visit]:
    """Opens an address."""
    with visiting(browser) as opened:

        def visit(address: str, language: str = "en", **options: Any) -> Page:
            page = opened(language, **{"timezone_id": "America/New_York", **options})
            page.goto(address)
            return page

        yield visit


@pytest.fixture(scope="module")
def look(tmp_path_factory: pytest.TempPathFactory) -> Look:
    """Looks at the page as it is now, in both themes: no barrier, nothing to scroll sideways, and a picture of each in
    pytest's folder for people to look at."""
    album = tmp_path_factory.mktemp("pictures")

    def looked(page: Page, name: str) -> None:
        language = page.locator("html").get_attribute("lang")
        for theme in ("dark", "light"):
            page.evaluate("theme => { document.documentElement.dataset.theme = theme }", theme)
            page.screenshot(path=Path(album, f"{name}-{language}-{theme}.png"), full_page=True)
            assert barriers(page) == [], f"{name}, {language}, {theme}"
        assert not overflows(page), name

    return looked
