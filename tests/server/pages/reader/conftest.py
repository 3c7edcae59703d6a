import pytest
from fastapi.testclient import TestClient

from tests.support.library import ALICE, PIN


@pytest.fixture
def web(client: TestClient) -> TestClient:
    """A browser in English, on either database; nobody has signed in."""
    client.headers["Accept-Language"] = "en"
    return client


@pytest.fixture
def alice(web: TestClient) -> TestClient:
    """Alice's browser."""
    web.post("/sign-in", data={"user": ALICE, "password": PIN})
    return web
