"""The desk's calls about patrons."""

from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx import Response

from server.deps import Role
from tests.support.library import colleague

URL = "/api/v1/patrons"
NEW = {
    "card": "80000001",
    "name": "Wang Hai",
    "born_on": "1990-05-06",
    "phone": "138 0000 1111",
    "email": "Hai@x.example",
}


class Desk:
    """The desk's calls, as a librarian."""

    def __init__(self, client: TestClient) -> None:
        self.client = client
        self.sign_in()

    def sign_in(self) -> None:
        self.headers = colleague(self.client, Role.LIBRARIAN)

    def __call__(self, method: str, path: str = "", body: Any = None, **params: Any) -> Response:
        return self.client.request(method, URL + path, json=body, params=params, headers=self.headers)

    def register(self, **fields: Any) -> int:
        answer = self("POST", "", NEW | fields)
        assert answer.status_code == 201, answer.text
        return int(answer.json()["id"])

    def found(self, q: str, **params: Any) -> list[str]:
        return [one["name"] for one in self("GET", q=q, **params).json()["patrons"]]


@pytest.fixture
def desk(client: TestClient) -> Desk:
    return Desk(client)
