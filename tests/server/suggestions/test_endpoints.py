"""Purchase suggestions over REST."""

from concurrent.futures import ThreadPoolExecutor
from zoneinfo import ZoneInfo

import pytest
from fastapi.testclient import TestClient

from server.catalogue import service as catalogue
from server.db import Database
from server.deps import Role
from server.holders import HOLDERS
from server.lending.occasion import Occasion
from server.patrons import privacy
from server.patrons import service as patrons
from server.suggestions import service
from tests.support.library import ALICE, BO, EXPIRED, NOW, ManualClock, colleague, reader

URL = "/api/v1/suggestions"
BOOK = {"title": "三體", "author": "劉慈欣", "isbn": "978-7-5366-9293-0", "reason": "My son, in class 4b, asks for it."}


@pytest.fixture
def alice(client: TestClient) -> dict[str, str]:
    return reader(client, ALICE)


@pytest.fixture
def bo(client: TestClient) -> dict[str, str]:
    return reader(client, BO)


@pytest.fixture
def staff(client: TestClient) -> dict[str, str]:
    return colleague(client, Role.LIBRARIAN)


def suggest(client, headers, **more):  # type: ignore[no-untyped-def]
    return client.post(URL, json=BOOK | more, headers=headers)


def test_a_second_suggestion_of_the_same_book_is_a_vote(client, alice, bo):
    made = suggest(client, alice).json()
    assert made["outcome"] == "made"
    same = {"id": made["id"], "outcome": "voted"}
    assert suggest(client, bo, title="三体", author="", isbn="").json() == same, "Simplified finds Traditional"
    assert suggest(client, bo, title="Another edition").json() == same | {"outcome": "voted_before"}
    assert suggest(client, alice, isbn="7-5366-9293-5").json()["outcome"] == "voted_before"
    assert suggest(client, bo, author="Somebody Else", isbn="").json()["outcome"] == "made"
    listed = client.get(URL, headers=alice).json()["suggestions"]
    assert [(one["title"], one["votes"], one["voted"]) for one in listed] == [("三體", 2, True), ("三體", 1, False)]


def test_the_public_list_tells_of_no_person(client, alice):
    suggest(client, alice)
    (shown,) = client.get(URL).json()["suggestions"]
    assert set(shown) == {
        "id", "title", "author", "isbn", "state", "votes", "answer", "record_id", "created_at", "answered_at", "voted",
    }  # fmt: skip
    assert "4b" not in client.get(URL).text


def test_votes_are_counted_once_and_can_be_taken_back(client, alice, bo, staff):
    key = suggest(client, alice).json()["id"]
    outcomes = [client.put(f"{URL}/{key}/vote", headers=bo).json()["outcome"] for _ in range(2)]
    assert outcomes == ["voted", "voted_before"]
    assert [client.delete(f"{URL}/{key}/vote", headers=bo).status_code for _ in range(2)] == [204, 204]
    assert client.get(URL).json()["suggestions"][0]["votes"] == 1
    gone = suggest(client, bo, title="Changed my mind", isbn="").json()["id"]
    client.delete(f"{URL}/{gone}/vote", headers=bo)
    assert [one["id"] for one in client.get(URL).json()["suggestions"]] == [key], "without a vote it is gone"
    client.post(f"{URL}/{key}/answer", json={"state": "ordered"}, headers=staff)
    late = client.delete(f"{URL}/{key}/vote", headers=alice)
    assert (late.status_code, late.json()["code"]) == (409, "suggestion_state")
    assert client.put(f"{URL}/999/vote", headers=bo).json()["code"] == "unknown_suggestion"


def test_what_the_library_has_is_not_suggested(client, alice):
    refused = suggest(client, alice, title="BOOK 1", author="Author 1", isbn="")
    assert (refused.status_code, refused.json()["code"]) == (409, "title_in_catalogue")
    record = refused.json()["params"]["record"]
    assert client.get(f"/api/v1/records/{record}").json()["title"] == "Book 1"
    assert suggest(client, alice, title="Book 1", author="Nobody Known", isbn="").json()["outcome"] == "made"
    assert suggest(client, alice, title="Book", author="", isbn="").json()["outcome"] == "made"


def test_what_the_library_has_is_known_by_its_isbn(client, alice, database: Database):
    with database.writing() as session:
        new = catalogue.NewRecord("The Three-Body Problem", isbn="7536692935")
        record = catalogue.add_record(session, new, at=NOW)
    assert suggest(client, alice, reason="no copy is left").json()["outcome"] == "made"
    with database.writing() as session:
        catalogue.add_item(session, record, catalogue.NewItem("30000099", branch="main"))
    refused = suggest(client, alice, title="Another title", author="")
    assert refused.json()["outcome"] == "voted_before", "it was suggested before the copy came"


def test_a_month_has_its_limit_and_votes_are_free(client, alice, bo, clock: ManualClock):
    other = suggest(client, bo).json()["id"]
    for n in range(5):
        assert suggest(client, alice, title=f"Wanted {n}", isbn="").status_code == 200
    refused = suggest(client, alice, title="One too many", isbn="")
    assert (refused.status_code, refused.json()["code"]) == (409, "suggestion_limit")
    assert suggest(client, alice).json() == {"id": other, "outcome": "voted"}
    clock.advance(days=31)
    assert suggest(client, reader(client, ALICE), title="One too many", isbn="").status_code == 200


def test_answers_tell_what_was_done(client, alice, staff):
    key = suggest(client, alice).json()["id"]

    def answer(**body):  # type: ignore[no-untyped-def]
        return client.post(f"{URL}/{key}/answer", json=body, headers=staff)

    refused = answer(state="declined")
    assert (refused.status_code, refused.json()["code"]) == (422, "reason_required")
    assert answer(state="declined", text="Out of print.").json()["state"] == "declined"
    assert answer(state="ordered", text="A reprint was announced.").json()["reason"] == BOOK["reason"]
    assert answer(state="arrived").json()["code"] == "unknown_record"
    record = client.get("/api/v1/records", params={"q": "Book 1"}).json()["records"][0]["id"]
    done = answer(state="arrived", record_id=record).json()
    assert (done["state"], done["record_id"]) == ("arrived", record)
    again = answer(state="declined", text="No")
    assert (again.status_code, again.json()["code"]) == (409, "suggestion_state")
    late = suggest(client, reader(client, BO))
    assert (late.json()["code"], late.json()["params"]["record"]) == ("title_in_catalogue", record)


@pytest.mark.parametrize("wrong", [{"title": " "}, {"isbn": "978-7-5366-9293-1"}, {"title": "a\x00"}])
def test_what_cannot_be_kept_is_refused(client, alice, wrong):
    assert suggest(client, alice, **wrong).status_code == 422


def test_two_who_suggest_one_book_at_once_make_one_suggestion(database: Database):
    with database.reading() as session:
        people = [patrons.find(session, card) for card in (ALICE, BO, EXPIRED)]

    def one(patron) -> str:  # type: ignore[no-untyped-def]
        occasion = Occasion(f"patron:{patron.id}", NOW, ZoneInfo("Asia/Shanghai"))
        with database.writing() as session:
            return service.suggest(session, service.NewSuggestion("Emma"), patron.id, occasion, a_month=5).outcome

    with ThreadPoolExecutor(6) as many:
        outcomes = list(many.map(one, people * 2))
    assert sorted(outcomes) == ["made", "voted", "voted", "voted_before", "voted_before", "voted_before"]


def test_a_person_is_told_of_suggestions_and_forgotten_without_the_vote(client, alice, database: Database):
    key = suggest(client, alice).json()["id"]
    with database.writing() as session:
        patron = patrons.find(session, ALICE)
        assert patron is not None
        told = privacy.export(session, patron.id, HOLDERS, actor="user:librarian", at=NOW)
        assert [(one["title"], one["reason"]) for one in told["suggestions"]] == [("三體", BOOK["reason"])]
        privacy.anonymise(session, patron.id, HOLDERS, actor="user:librarian", at=NOW)
    with database.reading() as session:
        kept = service.get(session, key)
        assert (kept.votes, kept.reason) == (1, "")
        assert service.about_patron(session, patron.id) == []
