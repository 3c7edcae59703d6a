"""`/api/v1/audit`."""

from fastapi.testclient import TestClient

from server.deps import Role
from tests.support.library import colleague

URL = "/api/v1/audit"


def test_administrators_read_the_log_page_by_page(client: TestClient) -> None:
    who = colleague(client, Role.ADMINISTRATOR)
    for number in range(3):
        body = {"card": f"7000{number}", "name": f"Person {number}", "born_on": f"200{number}-01-01"}
        assert client.post("/api/v1/patrons", json=body, headers=who).status_code == 201
    page = client.get(URL, params={"limit": 2, "target": "patron:"}, headers=who).json()
    assert [entry["action"] for entry in page["entries"]] == ["patron.register"] * 2
    assert page["entries"][0]["actor"] == "user:administrator"
    assert page["entries"][0]["detail"] == {"branch": "main", "class": "adult"}
    assert "Person" not in str(page)
    assert "7000" not in str(page["entries"][0]["detail"])
    following = client.get(URL, params={"limit": 2, "target": "patron:", "before": page["next"]}, headers=who).json()
    assert following["entries"][0]["seq"] < page["entries"][-1]["seq"]


def test_filters_that_make_no_sense_are_refused(client: TestClient) -> None:
    who = colleague(client, Role.ADMINISTRATOR)
    for params in ({"limit": 0}, {"before": 0}, {"since": "yesterday"}, {"since": "0001-01-01T00:00:00+14:00"}):
        assert client.get(URL, params=params, headers=who).status_code == 422


def test_a_name_nobody_has_finds_nothing(client: TestClient) -> None:
    who = colleague(client, Role.ADMINISTRATOR)
    assert client.get(URL, params={"actor": "%"}, headers=who).json() == {"entries": [], "next": None}
