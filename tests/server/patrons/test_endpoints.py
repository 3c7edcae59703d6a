"""The reader's own data."""

from fastapi.testclient import TestClient

from server.deps import Role
from tests.support.library import ALICE, colleague, machine, reader


class TestMe:
    def test_anonymous_may_not(self, client: TestClient) -> None:
        assert client.get("/api/v1/patrons/me").status_code == 401

    def test_colleagues_and_machines_are_no_patrons(self, client: TestClient) -> None:
        for who in (machine(), colleague(client, Role.ADMINISTRATOR)):
            assert client.get("/api/v1/patrons/me", headers=who).status_code == 403

    def test_a_reader_sees_their_own_data_and_no_secret(self, client: TestClient) -> None:
        answer = client.get("/api/v1/patrons/me", headers=reader(client))
        assert answer.json() == {
            "card": ALICE, "name": "Alice Wu", "language": "en", "expires_on": "2030-01-01", "blocked": False,
        }  # fmt: skip
        assert answer.headers["cache-control"] == "no-store"
