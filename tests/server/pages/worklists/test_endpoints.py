"""The work lists over HTTP."""

import html
import re
from typing import Any, get_args

import pytest
from fastapi.testclient import TestClient

from server.db import Database
from server.deps import Role
from server.pages.worklists.words import ADVICE, LISTS
from server.tasks import lists, service
from tests.support.library import ALICE, BO, BOOKS, NOW, PASSWORD, PIN

PAGE = {"Accept": "text/html", "Accept-Language": "en"}
BOOK = BOOKS[0]


def text(answer: Any) -> str:
    """What a person reads, in one line."""
    shown = re.sub(r"<[^>]+>", " ", answer.text.split("<main")[-1])
    return re.sub(r"\s+", " ", html.unescape(shown))


@pytest.fixture
def staff(client: TestClient) -> TestClient:
    """A librarian's browser."""
    client.post("/sign-in", data={"user": Role.LIBRARIAN.value, "password": PASSWORD})
    return client


def shown(client: TestClient, kind: str = "") -> str:
    answer = client.get("/worklists", params={"list": kind} if kind else {}, headers=PAGE)
    assert answer.status_code == 200
    return text(answer)


def desk(client: TestClient, path: str, **data: Any) -> None:
    assert client.post(f"/desk/{path}", data=data, headers=PAGE).status_code == 200


def test_every_list_has_a_name_and_an_advice() -> None:
    assert set(LISTS) == set(get_args(lists.AnyKind)) == set(ADVICE)


def test_nobody_and_no_reader_sees_the_lists(client: TestClient) -> None:
    for method, path in (("GET", "/worklists"), ("POST", "/worklists/1/resolve")):
        assert client.request(method, path, headers=PAGE, follow_redirects=False).status_code == 303
    client.post("/sign-in", data={"user": ALICE, "password": PIN})
    assert client.get("/worklists", headers=PAGE).status_code == 403
    assert 'href="/worklists"' not in client.get("/", headers=PAGE).text


def test_empty_lists_say_that_there_is_nothing_to_do(staff: TestClient) -> None:
    assert "Nothing to do" in shown(staff)
    assert "Nothing to do" in shown(staff, "transit")
    assert staff.get("/worklists", params={"list": "x"}, headers=PAGE).status_code == 404


def test_a_hold_is_fetched_and_then_waits_on_the_hold_shelf(staff: TestClient) -> None:
    desk(staff, "hold", card=BO, item=BOOK)
    assert "Fetch from the shelf 1" in shown(staff)
    assert "Book 1 30000001" in shown(staff)
    assert "stacks I0/1" in shown(staff)
    desk(staff, "scan", code=BOOK)
    assert "On the hold shelf 1" in shown(staff)
    assert "until 9 Mar 2026" in shown(staff, "hold_shelf")
    assert "Fetch from the shelf" not in shown(staff)


def test_who_waits_for_a_lost_copy_is_told_with_the_ways_out(staff: TestClient) -> None:
    desk(staff, "hold", card=BO, item=BOOK)
    assert "Nothing to do" in shown(staff, "no_copy")
    staff.post(f"/api/v1/items/{BOOK}/actions", json={"action": "missing"})
    assert "Book 1 Main library" in shown(staff)
    answer = staff.get("/worklists", headers=PAGE)
    ways = re.findall(r'href="(/(?:patrons|catalogue/records)/\d+)', answer.text)
    assert [staff.get(way, headers=PAGE).status_code for way in ways] == [200, 200]
    staff.post(f"/api/v1/items/{BOOK}/actions", json={"action": "found"})
    assert "Nothing to do" in shown(staff, "no_copy")


@pytest.mark.parametrize("role", [Role.LIBRARIAN, Role.DUTY_STAFF])
def test_what_was_noted_is_taken_off_its_list_once(client: TestClient, database: Database, role: Role) -> None:
    with database.writing() as session:
        codes = {"codes": ["loan_limit", "patron_blocked"]}
        number = service.add(
            session, "conflict", "loan_limit", branch="main", at=NOW, now=NOW, item_id=1, patron_id=1, detail=codes
        )
        row = {"row": {"card": "777"}, "barcode": "888"}
        service.add(session, "unknown_row", "unknown_card", branch="main", at=NOW, now=NOW, detail=row)
    client.post("/sign-in", data={"user": role.value, "password": PASSWORD})
    page = client.get("/worklists?list=conflict", headers=PAGE)
    assert "The reader had as many loans as the rules allow. This account is blocked." in text(page), "for staff"
    assert ('href="/patrons/1"' in page.text) == (role is Role.LIBRARIAN)
    assert "888" in shown(client, "unknown_row")
    assert "Card 777" in shown(client, "unknown_row")
    form = {"list": "conflict", "resolution": "no_action", "note": "agreed"}
    assert "It is off the list." in text(client.post(f"/worklists/{number}/resolve", data=form, headers=PAGE))
    again = client.post(f"/worklists/{number}/resolve", data=form, headers=PAGE)
    assert again.status_code == 409
    assert "There is no such open task." in text(again)
    with database.reading() as session:
        (done,) = service.find(session, kind="conflict", resolved=True)
    assert (done.resolution, done.note, done.resolved_by) == ("no_action", "agreed", f"user:{role.value}")
