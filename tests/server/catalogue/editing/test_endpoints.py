"""Cataloguing by hand over HTTP."""

from dataclasses import replace
from typing import Any

import pytest
from fastapi.testclient import TestClient

from server.audit import service as audit
from server.catalogue import service as catalogue
from server.db import Database
from server.deps import Role
from server.lending import service as lending
from server.lending.policy import LibraryPolicy
from tests.support.library import ALICE, BOOKS, MISSING, NOW, colleague, machine, reader

NEW = {"title": "呐喊", "author": "鲁迅", "isbn": "978-7-02-008872-0", "class_number": "I210.6", "subjects": ["小说"]}


@pytest.fixture
def desk(client: TestClient) -> dict[str, str]:
    return colleague(client, Role.LIBRARIAN)


def actions(database: Database) -> list[str]:
    with database.reading() as session:
        return [row.entry.action for row in audit.page(session, audit.Wanted())]


class TestRecords:
    def test_a_title_is_catalogued_found_and_corrected(
        self, client: TestClient, desk: dict[str, str], database: Database
    ) -> None:
        made = client.post("/api/v1/records", json=NEW | {"isbn": "ISBN 978–7–02–008872–0"}, headers=desk)
        assert made.status_code == 201, made.text
        url = made.headers["Location"]
        for query in ("呐喊", "978-7-02-008872-0", "小说"):
            found = client.get("/api/v1/records", params={"q": query}).json()["records"]
            assert [record["title"] for record in found] == ["呐喊"], query
        told = client.patch(url, json={"title": "彷徨", "isbn": ""}, headers=desk).json()
        assert (told["title"], told["isbn"], told["author"]) == ("彷徨", "", "鲁迅")
        assert client.get("/api/v1/records", params={"q": "呐喊"}).json()["records"] == []
        assert client.get("/api/v1/records", params={"q": "9787020088720"}).json()["records"] == []
        assert "245 10 $a 彷徨" in client.get(f"{url}/marc", headers=desk).text
        assert {"catalogue.record_create", "catalogue.record_update"} <= set(actions(database))

    def test_a_suppressed_title_is_for_colleagues(self, client: TestClient, desk: dict[str, str]) -> None:
        url = client.post("/api/v1/records", json=NEW, headers=desk).headers["Location"]
        client.patch(url, json={"suppressed": True}, headers=desk)
        assert client.get("/api/v1/records", params={"q": "呐喊"}).json()["records"] == []
        assert client.get(url).status_code == 404
        assert client.get(url, headers=desk).json()["title"] == "呐喊"

    @pytest.mark.parametrize(
        ("change", "code"),
        [
            ({"isbn": "9787020088721"}, "bad_isbn"),
            ({"isbn": 9787020088720}, "malformed_request"),
            ({"title": ""}, "malformed_request"),
            ({"title": "a\x00b"}, "malformed_request"),
            ({"kind": "scroll"}, "malformed_request"),
            ({"shelf": "1"}, "malformed_request"),
        ],
    )
    def test_what_makes_no_sense_is_refused(
        self, client: TestClient, desk: dict[str, str], change: dict[str, str], code: str
    ) -> None:
        for answer in (
            client.post("/api/v1/records", json=NEW | change, headers=desk),
            client.patch("/api/v1/records/1", json=change, headers=desk),
        ):
            assert (answer.status_code, answer.json()["code"]) == (422, code)

    def test_what_is_not_there_is_told(self, client: TestClient, desk: dict[str, str]) -> None:
        assert client.patch("/api/v1/records/99999", json={}, headers=desk).status_code == 404
        assert client.get("/api/v1/records/99999/marc", headers=desk).status_code == 404
        assert client.post("/api/v1/records/99999/items", json={"barcode": "1"}, headers=desk).status_code == 404


class TestItems:
    def test_a_copy_is_added_and_corrected(self, client: TestClient, desk: dict[str, str], database: Database) -> None:
        body = {"barcode": "NEW-1", "location": "stacks", "price": "12.50", "ready": False, "tags": 2}
        made = client.post("/api/v1/records/1/items", json=body, headers=desk)
        assert made.status_code == 201, made.text
        told = made.json()
        assert (told["status"], told["branch"], told["price"], told["tags"]) == ("in_processing", "main", "12.50", 2)
        changed = client.patch("/api/v1/items/NEW-1", json={"barcode": "NEW-2", "price": None}, headers=desk).json()
        assert (changed["barcode"], changed["price"], changed["location"]) == ("NEW-2", None, "stacks")
        assert client.get("/api/v1/items/NEW-1", headers=desk).status_code == 404
        assert {"catalogue.item_create", "catalogue.item_update"} <= set(actions(database))

    def test_a_copy_is_given_to_the_title_that_it_is_of(
        self, client: TestClient, desk: dict[str, str], database: Database
    ) -> None:
        def give(barcode: str, record: int) -> Any:
            return client.patch(f"/api/v1/items/{barcode}", json={"record_id": record}, headers=desk)

        def copies(query: str) -> list[int]:
            found = client.get("/api/v1/records", params={"q": query}).json()["records"]
            return [record["items_total"] for record in found]

        assert (give(BOOKS[0], 2).json()["title"], give(BOOKS[0], 99).json()["code"]) == ("Book 2", "unknown_record")
        assert (copies('title:"Book 1"'), copies('"I0/1"')) == ([0], [2]), "also by its call number"
        wish = {"request_id": "h1", "card": ALICE, "barcode": BOOKS[2], "only_this": True}
        assert client.post("/api/v1/holds", json=wish, headers=desk).json()["status"] == "ok"
        lent = {"request_id": "c1", "card": ALICE, "items": [{"barcode": BOOKS[3]}]}
        client.post("/api/v1/circulation/checkouts", json=lent, headers=desk)
        assert {give(barcode, 1).json()["code"] for barcode in BOOKS[2:4]} == {"item_in_use"}

    def test_a_branch_is_one_of_the_librarys(
        self, client: TestClient, desk: dict[str, str], database: Database
    ) -> None:
        assert client.patch(f"/api/v1/items/{BOOKS[0]}", json={"branch": "old"}, headers=desk).json()["branch"] == "old"
        with database.writing() as session:
            policy = replace(lending.current(session).policy, branches=("main", "north"))
            lending.set_policy(session, policy, actor="tests", at=NOW)
        for answer in (
            client.post("/api/v1/records/1/items", json={"barcode": "NEW-1", "branch": "nroth"}, headers=desk),
            client.patch(f"/api/v1/items/{BOOKS[1]}", json={"branch": "nroth"}, headers=desk),
        ):
            assert (answer.status_code, answer.json()["code"]) == (422, "unknown_branch")
        for barcode, branch in ((BOOKS[1], "north"), (BOOKS[0], "old")):
            answer = client.patch(f"/api/v1/items/{barcode}", json={"branch": branch, "note": "x"}, headers=desk)
            assert (answer.status_code, answer.json()["branch"]) == (200, branch), "what is stored may stay"

    def test_a_readers_card_is_no_barcode(self, client: TestClient, desk: dict[str, str]) -> None:
        for answer in (
            client.post("/api/v1/records/1/items", json={"barcode": ALICE}, headers=desk),
            client.patch(f"/api/v1/items/{BOOKS[0]}", json={"barcode": ALICE}, headers=desk),
        ):
            assert (answer.status_code, answer.json()["code"]) == (409, "barcode_is_card")

    def test_a_barcode_belongs_to_one_copy(self, client: TestClient, desk: dict[str, str]) -> None:
        taken = {"barcode": BOOKS[0]}
        for answer in (
            client.post("/api/v1/records/1/items", json=taken, headers=desk),
            client.patch(f"/api/v1/items/{BOOKS[1]}", json=taken, headers=desk),
        ):
            assert (answer.status_code, answer.json()["code"]) == (409, "barcode_taken")

    def test_what_happens_to_a_copy_follows_the_life_cycle(
        self, client: TestClient, desk: dict[str, str], database: Database
    ) -> None:
        def act(barcode: str, action: str) -> Any:
            return client.post(f"/api/v1/items/{barcode}/actions", json={"action": action}, headers=desk)

        assert act(MISSING, "found").json()["status"] == "on_shelf"
        assert act(MISSING, "found").json() | {"title": ""} == {
            "type": "urn:carrel:problem:item_state", "title": "", "status": 409, "code": "item_state",
            "params": {"status": "on_shelf", "action": "found"},
        }  # fmt: skip
        for action, status in (
            ("repair", "repair"),
            ("ready", "on_shelf"),
            ("withdraw", "withdrawn"),
            ("reinstate", "in_processing"),
        ):
            assert act(BOOKS[0], action).json()["status"] == status
        assert act("no-such", "repair").status_code == 404
        assert act(BOOKS[0], "lost").status_code == 422, "the desk says so, since fees follow"
        with database.writing() as session:
            key = catalogue.get_item(session, BOOKS[1]).id
            catalogue.set_status(session, key, "on_loan")
        assert act(BOOKS[1], "withdraw").json()["code"] == "item_in_use"
        assert {"catalogue.item_found", "catalogue.item_withdraw"} <= set(actions(database))

    def test_a_copy_that_is_sent_to_another_branch_stays_there(
        self, client: TestClient, desk: dict[str, str], database: Database
    ) -> None:
        def act(**told: str) -> Any:
            return client.post(f"/api/v1/items/{BOOKS[0]}/actions", json=told, headers=desk)

        with database.writing() as session:
            lending.set_policy(session, LibraryPolicy(branches=("main", "north")), actor="tests", at=NOW)
        for told in ({"action": "send"}, {"action": "ready", "branch": "north"}):
            assert act(**told).json()["code"] == "malformed_request"
        assert act(action="send", branch="nroth").json()["code"] == "unknown_branch"
        assert act(action="send", branch="main").json()["code"] == "item_state", "it stands there"
        sent = act(action="send", branch="north").json()
        assert (sent["status"], sent["transit_to"], sent["branch"]) == ("in_transit", "north", "main")
        routes = []
        for branch in ("main", "north", "north"):  # found at the wrong place, arrived, scanned once more
            told = {"request_id": f"r{len(routes)}", "branch": branch, "items": [{"barcode": BOOKS[0]}]}
            (result,) = client.post("/api/v1/circulation/checkins", json=told, headers=desk).json()["results"]
            routes.append((result["route"], result["route_to"]))
        assert routes == [("transit", "north"), ("shelf", "north"), ("shelf", "north")]


@pytest.mark.parametrize(
    ("method", "url"),
    [
        ("POST", "/api/v1/records"),
        ("PATCH", "/api/v1/records/1"),
        ("GET", "/api/v1/records/1/marc"),
        ("POST", "/api/v1/records/1/items"),
        ("PATCH", f"/api/v1/items/{BOOKS[0]}"),
        ("POST", f"/api/v1/items/{BOOKS[0]}/actions"),
        ("PUT", "/api/v1/classes"),
        ("POST", "/api/v1/labels"),
        ("GET", "/api/v1/isbn/9787020088720"),
        ("POST", "/api/v1/isbn/9787020088720/adopt"),
    ],
)
def test_only_those_who_catalogue_may(client: TestClient, method: str, url: str) -> None:
    assert client.request(method, url).status_code == 401
    for who in (reader(client), machine(), colleague(client, Role.DUTY_STAFF)):
        assert client.request(method, url, headers=who).status_code == 403
