"""Work lists over REST."""

from datetime import timedelta

import pytest
from fastapi.testclient import TestClient

from server.deps import Role
from server.patrons import desk
from tests.support.counter import Counter
from tests.support.library import ALICE, BLOCKED, BO, BOOKS, NOW, colleague, items, machine, reader

URL = "/api/v1/tasks"
A, B, C = BOOKS[:3]


@pytest.fixture
def staff(client: TestClient) -> dict[str, str]:
    return colleague(client, Role.DUTY_STAFF)


@pytest.mark.parametrize("path", ["", "/counts", "/1/resolve"])
def test_lists_are_for_staff(client: TestClient, path: str) -> None:
    def ask(headers: dict[str, str] | None = None):  # type: ignore[no-untyped-def]
        if path.endswith("resolve"):
            return client.post(URL + path, json={}, headers=headers)
        return client.get(URL + path, headers=headers)

    assert ask().status_code == 401
    assert [ask(who).status_code for who in (reader(client), machine())] == [403, 403]


def test_a_kiosks_conflict_is_listed_and_resolved(client: TestClient, staff: dict[str, str]) -> None:
    row = {
        "kiosk": "kiosk-1", "counter": 1, "at": (NOW - timedelta(hours=1)).isoformat(), "kind": "checkout",
        "card": BLOCKED, "items": items(A),
    }  # fmt: skip
    told = client.post("/api/v1/circulation/replay", json={"rows": [row]}, headers=machine())
    assert told.status_code == 200, told.text
    assert told.json()["rows"][0]["conflicts"] == ["patron_blocked"]
    (task,) = client.get(URL, headers=staff).json()["tasks"]
    assert (task["kind"], task["code"], task["barcode"], task["title"]) == ("conflict", "patron_blocked", A, "Book 1")
    assert client.get(URL + "/counts", headers=staff).json()["counts"]["conflict"] == 1
    done = client.post(f"{URL}/{task['id']}/resolve", json={"resolution": "talked", "note": "paid"}, headers=staff)
    assert (done.status_code, done.json()["resolved_by"]) == (200, "user:duty_staff")
    again = client.post(f"{URL}/{task['id']}/resolve", json={}, headers=staff)
    assert (again.status_code, again.json()["code"]) == (404, "unknown_task")
    assert client.get(URL, headers=staff).json()["tasks"] == []
    assert [t["note"] for t in client.get(URL, params={"state": "resolved"}, headers=staff).json()["tasks"]] == ["paid"]


def test_lists_that_show_how_things_stand(client: TestClient, staff: dict[str, str], counter: Counter) -> None:
    counter.hold(BO, A)
    counter.checkout(ALICE, B)
    counter.hold(BO, B, pickup="north")

    def listed(kind: str, **more: str) -> list[tuple[str, str]]:
        told = client.get(URL, params={"kind": kind} | more, headers=staff)
        assert told.status_code == 200, told.text
        return [(task["barcode"], task["branch"]) for task in told.json()["tasks"]]

    assert listed("pull_list") == [(A, "main")]
    assert listed("pull_list", branch="north") == []
    counter.checkin(A, B)
    assert listed("pull_list") == []
    assert listed("hold_shelf") == [(A, "main")]
    assert listed("transit") == [(B, "north")]
    counts = client.get(URL + "/counts", headers=staff).json()["counts"]
    assert (counts["pull_list"], counts["hold_shelf"], counts["transit"]) == (0, 1, 1)
    (shelved,) = client.get(URL, params={"kind": "hold_shelf"}, headers=staff).json()["tasks"]
    assert "barred" not in shelved["detail"]
    bo = counter.patron_id(BO)
    counter.do(lambda session: desk.block(session, bo, desk.NewBlock("manual"), actor="tests", at=NOW))
    (shelved,) = client.get(URL, params={"kind": "hold_shelf"}, headers=staff).json()["tasks"]
    assert shelved["detail"]["barred"] == {"code": "patron_blocked", "params": {}}
    counter.hold(ALICE, C, only_this=True)
    counter.change_item(C, status="missing")
    (lost,) = client.get(URL, params={"kind": "no_copy"}, headers=staff).json()["tasks"]
    assert (lost["barcode"], lost["title"], lost["patron"]) == (C, "Book 3", counter.patron_id(ALICE))
    assert client.get(URL + "/counts", headers=staff).json()["counts"]["no_copy"] == 1
    assert client.get(URL, params={"kind": "no_copy", "branch": "north"}, headers=staff).json()["tasks"] == []
    assert client.get(URL, params={"kind": "nonsense"}, headers=staff).status_code == 422
