"""A day at the desk: registering, lending, renewing, reserving, taking back, paying, undoing, by a browser's forms."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy.engine import make_url

from server.db import Database
from server.migrations.apply import upgrade
from tests.support.library import ALICE, BOOKS, PASSWORD, make_settings, stock
from tests.support.ports import free_port
from tests.support.server_process import ServerProcess

pytestmark = [pytest.mark.process, pytest.mark.timeout(120)]

NEW = "90000099"
BOOK, SECOND = BOOKS[0], BOOKS[1]


class Browser:
    """A librarian's, without scripts: it reads pages and sends forms."""

    def __init__(self, url: str) -> None:
        self._http = httpx.Client(base_url=url, headers={"Accept": "text/html", "Accept-Language": "en"}, timeout=30)
        self.page = ""

    def get(self, path: str) -> str:
        """What a person reads on a page."""
        return self._read(self._http.get(path, follow_redirects=True))

    def send(self, path: str, **data: Any) -> str:
        """What a person reads after sending a form."""
        return self._read(self._http.post(path, data=data, follow_redirects=True))

    def _read(self, answer: httpx.Response) -> str:
        assert answer.status_code == 200, answer.text[:500]
        self.page = answer.text
        return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", answer.text.split("<main")[-1])))


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Browser]:
    """The desk of a small library that is running."""
    port, url = free_port(), f"sqlite:///{tmp_path}/library.db"
    make_settings(tmp_path, url, port=port)
    database = Database(make_url(url))
    upgrade(database)
    stock(database)
    database.close()
    server = ServerProcess(tmp_path / "config.toml", port)
    try:
        browser = Browser(server.url)
        browser.send("/sign-in", user="librarian", password=PASSWORD)
        yield browser
    finally:
        server.end()


def test_a_day_at_the_desk(desk: Browser) -> None:
    # A newcomer gets a card and a PIN.
    person = {"card": NEW, "name": "Eva Stone", "patron_class": "adult", "phone": "13800000000"}
    assert "Eva Stone" in desk.send("/patrons/new", **person)
    home = re.findall(r'action="(/patrons/\d+)/pin"', desk.page)[0]
    desk.send(f"{home}/pin")
    assert re.search(r'class="pin">\d{6}<', desk.page)

    # She borrows two books; one was a mistake and is undone.
    assert "Eva Stone" in desk.send("/desk/scan", code=NEW)
    assert "Lent until" in desk.send("/desk/scan", code=BOOK, card=NEW)
    assert "2 on loan" in desk.send("/desk/scan", code=SECOND, card=NEW)
    assert "Undone: it was never lent." in desk.send("/desk/undo", item=SECOND, card=NEW)
    assert "1 on loan" in desk.get(f"/desk?card={NEW}")
    assert "Renewed until" in desk.send("/desk/renew", card=NEW, item=BOOK)

    # Another reader waits for it; then nobody renews, and it comes back for her.
    assert "Book 1 is reserved." in desk.send("/desk/hold", card=ALICE, item=BOOK)
    assert "Another reader is waiting" in desk.send("/desk/renew", card=NEW, item=BOOK)
    assert "To the hold shelf" in desk.send("/desk/scan", code=BOOK)
    assert "On the hold shelf 1" in desk.get("/worklists")
    assert "Undone: on loan until" in desk.send("/desk/undo", item=BOOK)
    assert "To the hold shelf" in desk.send("/desk/scan", code=BOOK)
    assert "1 to be fetched" in desk.send("/desk/scan", code=ALICE)
    assert "Lent until" in desk.send("/desk/scan", code=BOOK, card=ALICE)
    assert "Nothing to do" in desk.get("/worklists")

    # A page was torn: she pays half, and the rest is forgiven.
    assert "CN¥5.00" in desk.send(f"{home}/fees", kind="damage", amount="5", reason="a torn page")
    assert "Still owed: CN¥2.50." in desk.send("/desk/pay", card=NEW, amount="2.50", means="cash", request_id="p1")
    waive = re.findall(r'action="([^"]+/waive)"', desk.get(home) and desk.page)[0]
    assert "The fee is waived." in desk.send(waive, reason="the book was old")
    assert "CN¥0.00 owed" in desk.get(f"/desk?card={NEW}")
