"""What a guardian may do for a child, and what not."""

from datetime import date

import pytest
from fastapi.testclient import TestClient

from server.db import Database
from server.patrons import service
from tests.support.library import ALICE, BO, BOOKS, ManualClock, add_patron, items, machine, reader

CHILD = "90000077"


@pytest.fixture(autouse=True)
def child_with_a_book(database: Database, client: TestClient) -> None:
    with database.writing() as session:
        alice = service.find(session, ALICE)
        assert alice
        add_patron(session, CHILD, "Wu Xiao", born_on=date(2008, 3, 5), guardian_id=alice.id)
    body = {"request_id": "lend", "card": CHILD, "items": items(BOOKS[0])}
    answer = client.post("/api/v1/circulation/checkouts", json=body, headers=machine())
    assert answer.json()["results"][0]["status"] == "ok", answer.text


def loans(client: TestClient, who: dict[str, str], card: str = CHILD) -> tuple[int, object]:
    answer = client.get("/api/v1/patrons/me/loans", params={"card": card}, headers=who)
    told = answer.json()
    return answer.status_code, told.get("code") or [loan["barcode"] for loan in told["loans"]]


def renewal(client: TestClient, who: dict[str, str], request_id: str = "renew") -> tuple[int, object]:
    body = {"request_id": request_id, "card": CHILD, "items": items(BOOKS[0])}
    answer = client.post("/api/v1/circulation/renewals", json=body, headers=who)
    told = answer.json()
    return answer.status_code, told.get("code") or told["results"][0]["status"]


def test_a_guardian_sees_and_renews_a_childs_loans(client: TestClient) -> None:
    who = reader(client)
    assert loans(client, who) == (200, [BOOKS[0]])
    assert renewal(client, who) == (200, "ok")
    body = {"request_id": "all", "card": CHILD}
    assert client.post("/api/v1/circulation/renewals/all", json=body, headers=who).status_code == 200


def test_the_childs_loans_are_not_among_the_guardians_own(client: TestClient) -> None:
    assert loans(client, reader(client), ALICE) == (200, [])


def test_nobody_else_sees_or_renews_them(client: TestClient) -> None:
    who = reader(client, BO)
    assert loans(client, who)[0] == 403
    assert renewal(client, who)[0] == 403


def test_the_child_does_not_see_the_guardians(client: TestClient) -> None:
    assert loans(client, reader(client, CHILD), ALICE)[0] == 403


def test_a_guardian_borrows_nothing_on_the_childs_card(client: TestClient) -> None:
    body = {"request_id": "more", "card": CHILD, "items": items(BOOKS[1])}
    assert client.post("/api/v1/circulation/checkouts", json=body, headers=reader(client)).status_code == 403


def test_on_the_eighteenth_birthday_it_is_over(client: TestClient, clock: ManualClock) -> None:
    clock.advance(days=3)
    who = reader(client)
    assert loans(client, who)[0] == 403
    assert renewal(client, who, "later")[0] == 403
