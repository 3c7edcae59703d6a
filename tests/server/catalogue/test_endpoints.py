"""Searching the catalogue."""

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from server.catalogue import service
from server.catalogue.service import NewRecord
from server.db import Database
from server.deps import Role
from tests.support.library import BOOKS, MISSING, NOW, REFERENCE, colleague, machine, reader


def find(client: TestClient, query: str, **more: int | str) -> dict:
    answer = client.get("/api/v1/records", params={"q": query} | more)
    assert answer.status_code == 200, answer.text
    return answer.json()


def titles(client: TestClient, query: str) -> list[str]:
    return [record["title"] for record in find(client, query)["records"]]


@pytest.fixture
def shelf(database: Database) -> None:
    with database.writing() as session:
        for new in (
            NewRecord("红楼梦", "曹雪芹", language="zh", call_number="I242.47/1"),
            NewRecord("呐喊", "鲁迅", language="zh", call_number="I210.6/1"),
            NewRecord("朝花夕拾", "鲁迅", language="zh"),
            NewRecord("Les Misérables", "Victor Hugo", isbn="978-0-14-044430-8"),
            NewRecord("100% Wool_Work", "Ann O'Neil"),
            NewRecord("Emma", "Jane Austen"),
            NewRecord("Dilemma", "Nobody"),
            NewRecord("Emmaus Road", "Somebody"),
        ):
            service.add_record(session, new, at=NOW)


class TestSearch:
    def test_anyone_may_search(self, client: TestClient) -> None:
        assert find(client, "")["total"] == 12

    @pytest.mark.usefixtures("shelf")
    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ("红楼", ["红楼梦"]),
            ("楼梦", ["红楼梦"]),
            ("鲁迅", ["呐喊", "朝花夕拾"]),
            ("鲁迅 喊", ["呐喊"]),
            ("MISÉR hugo", ["Les Misérables"]),
            ("miserables", ["Les Misérables"]),
            ("9780140444308", ["Les Misérables"]),
            ("978-0-14-044430-8", ["Les Misérables"]),
            ("i242.47", ["红楼梦"]),
            ("emma", ["Emma", "Emmaus Road"]),
            ("100%", ["100% Wool_Work"]),
            ("wool_wo", ["100% Wool_Work"]),
            ("%", []),
            ("_", []),
            ("\\", []),
            ("o'neil", ["100% Wool_Work"]),
            ("' OR 1=1 --", []),
            ("\x00", None),
        ],
    )
    def test_words_are_found_in_title_author_isbn_and_call_number(
        self, client: TestClient, query: str, found: list[str] | None
    ) -> None:
        told = titles(client, query)
        if found is None:
            assert len(told) == 20, "a query of nothing finds everything"
        else:
            assert sorted(told) == sorted(found)

    @pytest.mark.usefixtures("shelf")
    def test_the_exact_title_comes_first_then_what_begins_so(self, client: TestClient) -> None:
        assert titles(client, "emma") == ["Emma", "Emmaus Road"]

    def test_pages_follow_each_other_without_gap_or_double(self, client: TestClient) -> None:
        pages = [find(client, "book", limit=5, offset=offset) for offset in (0, 5, 10, 15)]
        assert [len(page["records"]) for page in pages] == [5, 5, 2, 0]
        assert {page["total"] for page in pages} == {12}
        ids = [record["id"] for page in pages for record in page["records"]]
        assert len(set(ids)) == 12

    @pytest.mark.parametrize(
        "params", [{"limit": 0}, {"limit": 101}, {"limit": "x"}, {"offset": -1}, {"offset": 2**40}, {"q": "x" * 401}]
    )
    def test_senseless_paging_is_refused(self, client: TestClient, params: dict) -> None:
        answer = client.get("/api/v1/records", params=params)
        assert (answer.status_code, answer.json()["code"]) == (422, "malformed_request")

    def test_availability_counts_what_can_be_borrowed_now(self, client: TestClient) -> None:
        told = {r["title"]: (r["items_total"], r["items_available"]) for r in find(client, "book")["records"]}
        assert told["Book 1"] == (1, 1)
        assert told["Book 11"] == (1, 0), "reference only"
        assert told["Book 12"] == (0, 0), "missing"

    @pytest.mark.usefixtures("shelf")
    def test_a_title_typed_nearly_right_is_told_to_be_near(self, client: TestClient) -> None:
        told = find(client, "朝花夕捨")
        assert (told["near"], told["exact"], told["total"], told["more"]) == (True, 0, 1, False)
        assert titles(client, "朝花夕捨") == ["朝花夕拾"]

    @pytest.mark.usefixtures("shelf")
    def test_results_can_be_limited_and_counted(self, client: TestClient) -> None:
        told = find(client, "", language="zh", facets="true", **{"class": "I"})
        assert [record["title"] for record in told["records"]] == ["呐喊", "红楼梦"]
        assert told["facets"]["class"] == [["I", 2]]
        assert (told["facets"]["language"], told["facets"]["of"]) == ([["zh", 2]], 2)
        assert find(client, "", available="true")["total"] == 10
        assert find(client, "")["facets"] is None

    def test_copies_are_told_by_branch(self, client: TestClient) -> None:
        record = find(client, "book 3")["records"][0]
        assert record["branches"] == [{"branch": "main", "total": 1, "available": 1}]

    @hypothesis_settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(query=st.text(max_size=60))
    def test_no_query_breaks_it(self, client: TestClient, query: str) -> None:
        answer = client.get("/api/v1/records", params={"q": query})
        assert answer.status_code == 200


class TestRecord:
    def test_anyone_may_look(self, client: TestClient) -> None:
        record = find(client, "book 11")["records"][0]
        told = client.get(f"/api/v1/records/{record['id']}").json()
        assert told["title"] == "Book 11"
        assert told["items"] == [
            {
                "barcode": REFERENCE, "title": "Book 11", "author": "Author 11", "branch": "main",
                "at_branch": "main", "location": "stacks", "call_number": "I0/11", "type": "book",
                "status": "on_shelf", "for_loan": False,
            }
        ]  # fmt: skip

    @pytest.mark.parametrize(("key", "status"), [("999999", 404), ("0", 422), (str(2**31), 422), ("x", 422)])
    def test_what_is_not_there_is_a_problem(self, client: TestClient, key: str, status: int) -> None:
        answer = client.get(f"/api/v1/records/{key}")
        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")


class TestItem:
    def test_anonymous_may_not(self, client: TestClient) -> None:
        assert client.get(f"/api/v1/items/{BOOKS[0]}").status_code == 401

    def test_readers_may_not(self, client: TestClient) -> None:
        assert client.get(f"/api/v1/items/{BOOKS[0]}", headers=reader(client)).status_code == 403

    def test_kiosk_and_librarian_look_up_a_barcode(self, client: TestClient) -> None:
        for who in (machine(), colleague(client, Role.LIBRARIAN)):
            told = client.get(f"/api/v1/items/{MISSING}", headers=who).json()
            assert (told["title"], told["status"]) == ("Book 12", "missing")

    def test_an_unknown_barcode_is_a_problem(self, client: TestClient) -> None:
        answer = client.get("/api/v1/items/12345678", headers=machine())
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown_item")
