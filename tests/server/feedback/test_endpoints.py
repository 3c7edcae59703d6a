"""Feedback over REST, from the first word to the rating."""

import pytest
from fastapi.testclient import TestClient

from server.deps import Role
from tests.support.library import ALICE, BO, ManualClock, colleague, reader

URL = "/api/v1/feedback"
MINE = "/api/v1/patrons/me/feedback"
WORDS = {"kind": "fault", "text": "The lamp flickers.\r\n\r\nSince Monday.", "place": "reading room, table 4"}


@pytest.fixture
def staff(client: TestClient) -> dict[str, str]:
    return colleague(client, Role.LIBRARIAN)


@pytest.fixture
def alice(client: TestClient) -> dict[str, str]:
    return reader(client, ALICE)


def tell(client: TestClient, headers: dict[str, str] | None = None, **more: str) -> str:
    told = client.post(URL, json=WORDS | more, headers=headers)
    assert told.status_code == 201, told.text
    return str(told.json()["number"])


def test_a_case_from_the_first_word_to_the_rating(client, staff, alice):
    assert tell(client) == "2026-0001"
    number = tell(client, alice, contact="not kept: the account is known")
    assert number == "2026-0002"

    given = client.put(f"{URL}/{number}/owner", json={"owner": "duty_staff"}, headers=staff).json()
    assert (given["owner"], given["contact"]) == ("duty_staff", "")
    assert given["text"] == "The lamp flickers.\n\nSince Monday."
    client.post(f"{URL}/{number}/notes", json={"text": "An old ballast."}, headers=staff)
    client.post(f"{URL}/{number}/notes", json={"text": "A lamp is ordered.", "public": True}, headers=staff)
    early = client.post(f"{MINE}/{number}/rating", json={"rating": 5}, headers=alice)
    assert (early.status_code, early.json()["code"]) == (409, "case_state")
    answered = client.post(f"{URL}/{number}/answer", json={"text": "It is replaced."}, headers=staff).json()
    assert answered["state"] == "answered"

    (own,) = client.get(MINE, headers=alice).json()["cases"]
    assert [(note["kind"], note["text"]) for note in own["notes"]] == [
        ("public", "A lamp is ordered."), ("answer", "It is replaced."),
    ]  # fmt: skip
    assert {note["author"] for note in own["notes"]} | {own["owner"]} == {""}
    assert client.post(f"{MINE}/{number}/reopen", json={"text": "It still does."}, headers=alice).status_code == 204
    assert client.get(f"{URL}/{number}", headers=staff).json()["state"] == "reopened"
    client.post(f"{URL}/{number}/answer", json={"text": "The wire was loose."}, headers=staff)
    assert client.post(f"{MINE}/{number}/rating", json={"rating": 4}, headers=alice).status_code == 204
    closed = client.post(f"{URL}/{number}/close", json={}, headers=staff).json()
    assert (closed["state"], closed["rating"]) == ("closed", 4)
    assert [note["kind"] for note in closed["notes"]] == ["internal", "public", "answer", "reader", "answer"]


def test_everybody_sees_and_judges_own_cases_only(client, staff, alice):
    number = tell(client, alice)
    client.post(f"{URL}/{number}/answer", json={"text": "Thank you."}, headers=staff)
    bo = reader(client, BO)
    assert client.get(MINE, headers=bo).json()["cases"] == []
    for path, body in (("rating", {"rating": 1}), ("reopen", {"text": "Me too"})):
        assert client.post(f"{MINE}/{number}/{path}", json=body, headers=bo).json()["code"] == "unknown_case"


def test_what_waits_longest_stands_first(client, staff, clock: ManualClock):
    late = tell(client)
    clock.advance(days=4)
    answered, fresh = tell(client), tell(client)
    staff = colleague(client, Role.LIBRARIAN)
    client.post(f"{URL}/{answered}/answer", json={"text": "Yes."}, headers=staff)
    clock.advance(days=2)
    staff = colleague(client, Role.LIBRARIAN)
    told = client.get(URL, headers=staff).json()
    assert [case["number"] for case in told["cases"]] == [late, fresh, answered]
    assert (told["waiting"], told["overdue"]) == (2, 1)
    assert [c["number"] for c in client.get(URL, params={"overdue": True}, headers=staff).json()["cases"]] == [late]
    only = client.get(URL, params={"state": ["answered", "closed"]}, headers=staff).json()["cases"]
    assert [case["number"] for case in only] == [answered]


def test_a_case_is_not_closed_without_a_word(client, staff):
    number = tell(client)
    refused = client.post(f"{URL}/{number}/close", json={"reason": "  "}, headers=staff)
    assert (refused.status_code, refused.json()["code"]) == (422, "reason_required")
    closed = client.post(f"{URL}/{number}/close", json={"reason": "An advertisement."}, headers=staff).json()
    assert (closed["state"], closed["notes"][0]["kind"]) == ("closed", "public")
    again = client.post(f"{URL}/{number}/answer", json={"text": "x"}, headers=staff)
    assert (again.status_code, again.json()["code"]) == (409, "case_state")


@pytest.mark.parametrize("owner", ["nobody", "90000001"])
def test_only_colleagues_own_cases(client, staff, owner):
    number = tell(client)
    refused = client.put(f"{URL}/{number}/owner", json={"owner": owner}, headers=staff)
    assert (refused.status_code, refused.json()["code"]) == (404, "unknown_account")
    assert client.put(f"{URL}/{number}/owner", json={"owner": ""}, headers=staff).status_code == 200


@pytest.mark.parametrize("wrong", [{"text": " "}, {"text": "a\x00b"}, {"kind": "rant"}, {"place": "x" * 301}])
def test_what_cannot_be_kept_is_refused(client, wrong):
    assert client.post(URL, json=WORDS | wrong).status_code == 422


def test_a_flood_is_stopped_and_leaves_no_gap_in_the_numbers(client, staff, alice, clock: ManualClock):
    for _ in range(10):
        tell(client, alice)
    refused = client.post(URL, json=WORDS, headers=alice)
    assert (refused.status_code, refused.json()["code"]) == (429, "feedback_limit")
    for _ in range(30):
        tell(client)
    assert client.post(URL, json=WORDS).status_code == 429
    clock.advance(minutes=61)
    assert tell(client) == "2026-0041"
