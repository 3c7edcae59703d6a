"""People read what branches and types of items are called; forms, addresses and files carry their codes."""

import html
import re

import pytest
from fastapi.testclient import TestClient

from server.deps import Role
from tests.support.library import BO, BOOKS, colleague, reader

POLICY = {
    "branches": ["main", "north"],
    "branch_names": {"main": {"en": "Main house", "zh": "主馆"}, "north": {"en": "North branch", "zh": "北馆"}},
    "item_type_names": {"dvd": {"en": "Film on disc", "zh": "电影"}},
}
RULE = {"item_type": "dvd", "branch": "north", "days": 7}
TITLE = "/titles/1"


@pytest.fixture
def roles(client: TestClient) -> dict[str, dict[str, str]]:
    """Whoever looks at pages of a library with two branches; one copy is on its way, another belongs elsewhere."""
    boss, desk = colleague(client, Role.ADMINISTRATOR), colleague(client, Role.LIBRARIAN)
    client.put("/api/v1/lending/policy", json=POLICY, headers=boss)
    client.put("/api/v1/lending/rules", json={"rules": [RULE, {"days": 30}]}, headers=boss)
    client.patch(f"/api/v1/items/{BOOKS[0]}", json={"type": "dvd"}, headers=desk)
    client.patch(f"/api/v1/items/{BOOKS[1]}", json={"branch": "north"}, headers=desk)
    client.post(f"/api/v1/items/{BOOKS[2]}/actions", json={"action": "send", "branch": "north"}, headers=desk)
    client.post("/desk/lend", data={"card": BO, "item": BOOKS[0]}, headers=desk)
    return {"boss": boss, "desk": desk, "reader": reader(client)}


def test_pages_tell_names(client: TestClient, roles: dict[str, dict[str, str]]) -> None:
    for who, address, signs in (
        ("boss", "/settings/lending", ("all readers Film on disc North branch 7 days", "Also closed at Main house")),
        ("boss", "/audit?action=lending.rules", ("all readers, Film on disc, North branch: 7 days",)),
        (
            "desk",
            "/catalogue/records/1?copy=" + BOOKS[0],
            ("Main house · stacks Film on disc", "Branch Main house North branch Place"),
        ),
        ("desk", "/catalogue?branch=north", ("Branch Take off: North branch",)),
        ("desk", "/catalogue/import", ("Branch of the copies Main house North branch",)),
        ("desk", "/worklists?list=transit", ("from Main house to North branch",)),
        ("desk", "/patrons/1", ("Branch Main house",)),
        ("desk", "/reports/lending?report=dead-stock", ("Main house",)),
        ("desk", "/reports/lending?by=type", ("Film on disc",)),
        ("reader", TITLE, ("Main house · stacks",)),
        ("reader", "/search?branch=north", ("Branch Take off: North branch",)),
    ):
        answer = client.get(address, headers=roles[who] | {"Accept": "text/html", "Accept-Language": "en"})
        for sign in signs:
            assert sign in text(answer.text), address
    page = client.get(TITLE, headers=roles["reader"] | {"Accept-Language": "zh-CN"}).text
    assert '<option value="north">北馆</option>' in page
    said = client.post("/desk/scan", data={"code": BOOKS[1]}, headers=roles["desk"] | {"Accept-Language": "en"}).text
    assert "Send it to North branch." in said


def text(page: str) -> str:
    """What a person reads, in one line."""
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", page.rpartition("<main")[2])))
