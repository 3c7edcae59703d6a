"""A stocked library with terminals at its door: real sockets, both databases."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from fastapi.testclient import TestClient

from carrel.config import load
from server.app import create_app
from server.settings import ServerSettings, read_settings
from tests.support.library import ManualClock
from tests.support.sip2 import Client

TERMINALS = """
[server.sip2]
enabled = true
port = 0
login_within_s = 5
log = "sip2.log"
[[server.sip2.terminal]]
id = "self-1"
login = "self-1"
password = "s3cret"
language = "en"
place = "Hall"
offline = true
rights = ["patron", "checkout", "checkin", "renew", "hold", "item", "item_update", "fee", "block", "enable"]
send = ["contact", "birth_date", "card_expiry", "patron_class", "sort_bin", "alert_type", "destination",
        "collection", "call_number", "hold_patron", "hold_patron_name", "last_patron"]
bins = [{ bin = "9", when = "exception" }, { bin = "8", when = "hold" }, { bin = "7", when = "transfer" },
        { bin = "1" }]
[[server.sip2.terminal]]
id = "trusted"
login = "trusted"
password = "s3cret"
language = "en"
pin = "trusted"
rights = ["patron", "checkout", "checkin", "renew", "hold", "item", "fee"]
lists = "barcode title"
[[server.sip2.terminal]]
id = "sorter"
login = "sorter"
password = "s3cret"
rights = ["checkin"]
not_loaned_ok = false
refuse_held = true
alert_type_always = true
send = ["alert_type"]
[[server.sip2.terminal]]
id = "gbk"
login = "gbk"
password = "s3cret"
encoding = "gb18030"
terminator = "crlf"
due_format = "%Y-%m-%d"
"""


@pytest.fixture
def settings(settings: ServerSettings) -> ServerSettings:
    """With terminals."""
    file = settings.document.file
    file.write_text(file.read_text(encoding="utf-8") + TERMINALS, encoding="utf-8")
    return read_settings(load(file, {}))


@pytest.fixture
def house(settings: ServerSettings, clock: ManualClock) -> Iterator[TestClient]:
    """The running server; its listener is at `app.state.sip2`."""
    with TestClient(create_app(settings, clock), raise_server_exceptions=False) as talking:
        yield talking


@pytest.fixture
def connect(house: TestClient) -> Iterator[Callable[..., Client]]:
    """A new terminal's connection; signed in unless told otherwise."""
    clients: list[Client] = []

    def connected(user: str | None = "self-1", **how: str) -> Client:
        client = Client(house.app.state.sip2.port, **how)  # type: ignore[attr-defined, arg-type]
        clients.append(client)
        return client.login(user) if user else client

    yield connected
    for client in clients:
        client.close()


@pytest.fixture
def terminal(connect: Callable[..., Client]) -> Client:
    """A self-check with every right that asks for PINs."""
    return connect()
