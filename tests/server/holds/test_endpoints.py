"""Holds over REST: readers for themselves, the desk for everybody."""

from datetime import timedelta

import pytest
from fastapi.testclient import TestClient

from server.deps import Role
from server.holds import service as holds
from tests.support.counter import Counter
from tests.support.library import ALICE, BLOCKED, BO, BOOKS, NOW, colleague, machine, reader

URL = "/api/v1/holds"
A, B = BOOKS[:2]


def place(client: TestClient, who: dict[str, str], request_id: str = "h-1", **body: object) -> dict:
    answer = client.post(URL, json={"request_id": request_id, "barcode": A} | body, headers=who)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_anonymous_and_duty_staff_place_nothing(client: TestClient) -> None:
    body = {"request_id": "h", "card": ALICE, "barcode": A}
    assert client.post(URL, json=body).status_code == 401
    assert client.post(URL, json=body, headers=colleague(client, Role.DUTY_STAFF)).status_code == 403
    assert client.delete(f"{URL}/1").status_code == 401
    for what in ("pause", "resume"):
        assert client.post(f"{URL}/1/{what}", json={}).status_code == 401
    for path in ("/api/v1/patrons/me/holds", f"/api/v1/patrons/by-card/{ALICE}/holds", "/api/v1/records/1/holds"):
        assert client.get(path).status_code == 401


def test_a_phone_reserves_pauses_resumes_and_cancels(client: TestClient) -> None:
    who = reader(client)
    told = place(client, who)
    assert (told["status"], told["title"], told["position"], told["pickup"], told["available"]) == (
        "ok", "Book 1", 1, "main", True,
    )  # fmt: skip
    assert place(client, who) == told, "asked twice, placed once"
    assert place(client, who, "h-2")["code"] == "hold_exists"
    (mine,) = client.get("/api/v1/patrons/me/holds", headers=who).json()["holds"]
    assert (mine["title"], mine["state"], mine["position"], mine["barcode"]) == ("Book 1", "waiting", 1, None)
    paused = client.post(f"{URL}/{told['hold']}/pause", json={"until": "2026-04-01"}, headers=who).json()
    assert (paused["paused"], paused["paused_until"], paused["position"]) == (True, "2026-04-01", 1)
    today = client.post(f"{URL}/{told['hold']}/pause", json={"until": "2026-03-02"}, headers=who).json()
    assert (today["paused"], today["paused_until"]) == (False, None), "a pause is over on its day"
    over = client.post(f"{URL}/{told['hold']}/pause", json={"until": "2026-01-01"}, headers=who)
    assert (over.status_code, over.json()["code"]) == (409, "hold_over")
    assert client.post(f"{URL}/{told['hold']}/resume", headers=who).json()["paused"] is False
    assert client.delete(f"{URL}/{told['hold']}", headers=who).status_code == 204
    (ended,) = client.get("/api/v1/patrons/me/holds", headers=who).json()["holds"]
    assert (ended["state"], ended["position"]) == ("cancelled", None)
    gone = client.delete(f"{URL}/{told['hold']}", headers=who)
    assert (gone.status_code, gone.json()["code"]) == (404, "unknown_hold")


def test_a_hold_whose_last_day_is_over_is_told_as_ended_before_the_night(client: TestClient, counter: Counter) -> None:
    early = counter.at(days=-5)
    over = early.hold(ALICE, A, expires_on=(NOW - timedelta(days=1)).date())
    early.hold(BO, A)
    who, desk = reader(client), colleague(client, Role.LIBRARIAN)
    (mine,) = client.get("/api/v1/patrons/me/holds", headers=who).json()["holds"]
    assert (mine["state"], mine["position"], mine["ended_at"]) == ("expired", None, "2026-03-01T15:59:59Z")
    assert client.get(f"/api/v1/patrons/by-card/{ALICE}/holds", headers=desk).json()["holds"] == []
    (left,) = client.get(f"/api/v1/records/{counter.item(A).record_id}/holds", headers=desk).json()["holds"]
    assert left["position"] == 1
    assert client.post(f"{URL}/{over.hold}/pause", json={}, headers=who).json()["code"] == "unknown_hold"
    assert counter.ask(lambda session: holds.waiting_counts(session, NOW.date())) == {counter.item(A).record_id: 1}


def test_a_reader_touches_nobody_elses(client: TestClient) -> None:
    told = place(client, colleague(client, Role.LIBRARIAN), card=BO)
    who = reader(client)
    assert client.delete(f"{URL}/{told['hold']}", headers=who).status_code == 404
    assert client.post(f"{URL}/{told['hold']}/pause", json={}, headers=who).status_code == 404
    answer = client.post(URL, json={"request_id": "x", "barcode": A, "card": BO}, headers=who)
    assert (answer.status_code, answer.json()["code"]) == (403, "not_your_card")
    assert client.get(f"/api/v1/patrons/by-card/{BO}/holds", headers=who).status_code == 403
    assert client.get("/api/v1/patrons/me/holds", headers=who).json() == {"holds": []}


def test_the_desk_sees_queues_and_patrons(client: TestClient, counter: Counter) -> None:
    desk = colleague(client, Role.LIBRARIAN)
    counter.checkout(ALICE, A)
    place(client, desk, card=BO, pickup="main")
    counter.checkin(A)
    (hold,) = client.get(f"/api/v1/patrons/by-card/{BO}/holds", headers=desk).json()["holds"]
    assert (hold["state"], hold["position"], hold["barcode"]) == ("ready", 0, A)
    assert hold["ready_until"] is not None
    (queued,) = client.get(f"/api/v1/records/{hold['record']}/holds", headers=desk).json()["holds"]
    assert queued == hold
    missing = client.get("/api/v1/patrons/by-card/123/holds", headers=desk)
    assert (missing.status_code, missing.json()["code"]) == (404, "unknown_card")
    paused = client.post(f"{URL}/{hold['id']}/pause", json={}, headers=desk)
    assert (paused.status_code, paused.json()["code"]) == (409, "hold_ready")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"barcode": A}, 200),
        ({"barcode": A, "only_this": True}, 200),
        ({"record": 1}, 200),
        ({}, 422),
        ({"barcode": A, "record": 1}, 422),
        ({"record": 1, "only_this": True}, 422),
        ({"record": 0}, 422),
        ({"barcode": A, "surprise": 1}, 422),
    ],
)
def test_a_wish_names_one_title(client: TestClient, body: dict[str, object], status: int) -> None:
    answer = client.post(URL, json={"request_id": "x", "card": ALICE} | body, headers=machine())
    assert answer.status_code == status


def test_the_desk_alone_decides_against_a_refusal_and_gives_a_reason(client: TestClient) -> None:
    desk, insisting = colleague(client, Role.LIBRARIAN), {"overrides": ["patron_blocked"], "reason": "agreed"}
    assert place(client, machine(), card=BLOCKED, **insisting)["code"] == "patron_blocked"
    without = {"request_id": "h-2", "card": BLOCKED, "barcode": A, "overrides": ["patron_blocked"]}
    assert client.post(URL, json=without, headers=desk).status_code == 422
    told = place(client, desk, card=BLOCKED, **insisting)
    assert (told["status"], told["overridden"]) == ("ok", ["patron_blocked"])
    (held,) = client.get(f"/api/v1/patrons/by-card/{BLOCKED}/holds", headers=desk).json()["holds"]
    assert held["expected_on"] == "2026-03-02", "a copy stands on the shelf"


def test_an_unknown_title_is_told(client: TestClient) -> None:
    body = {"request_id": "x", "record": 99999, "card": ALICE}
    assert client.post(URL, json=body, headers=machine()).json()["code"] == "unknown_record"
    answer = client.post(URL, json={"request_id": "y", "record": 1}, headers=machine())
    assert answer.json()["code"] == "card_required"
