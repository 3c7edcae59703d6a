"""Tokens over HTTP, with the real ones behind the pages."""

import html
import re
from typing import Any

import pytest
from fastapi.testclient import TestClient

from server.deps import Role
from tests.support.library import ManualClock, colleague

URL = "/tokens"
PAGE = {"Accept": "text/html", "Accept-Language": "en"}
NEW = {"name": "mirror", "role": "integration", "until": ""}


@pytest.fixture
def boss(client: TestClient) -> dict[str, str]:
    return colleague(client, Role.ADMINISTRATOR) | PAGE


def text(answer: Any) -> str:
    """What a person reads, in one line."""
    main = answer.text.split("<main")[-1]
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", main)))


def test_a_token_is_shown_once_works_and_is_revoked(client: TestClient, boss: dict[str, str]) -> None:
    assert "No tokens" in text(client.get("/accounts", headers=boss))
    answer = client.post(URL, data=NEW | {"request_id": "t1"}, headers=boss)
    (secret,) = re.findall(r"carrel_[\w-]{40,}", answer.text)
    again = client.post(URL, data=NEW | {"request_id": "t1"}, headers=boss)
    assert "its token was made then and is shown no more" in text(again)
    assert 'name="request_id"' in again.text
    assert answer.headers["cache-control"] == "no-store"
    listed = client.get(URL, headers=boss)  # as reloading does
    assert listed.url.path == "/accounts"
    assert secret not in listed.text
    assert "mirror Another program 2 Mar 2026 · The administrator no end never" in text(listed)
    who = {"Authorization": f"Bearer {secret}"}
    assert client.get("/api/v1/session", headers=who).json()["role"] == "integration"
    listed = client.get("/accounts", headers=boss)
    assert "no end 2 Mar 2026, 12:30" in text(listed)
    (revoke,) = re.findall(r'action="(/tokens/\d+/revoke)"', listed.text)
    assert "The token is revoked" in text(client.post(revoke, headers=boss))
    assert client.get("/api/v1/session", headers=who).status_code == 401
    again = client.post(revoke, headers=boss)
    assert again.status_code == 409
    assert "There is no such token, or it was revoked before." in text(again)


def test_a_token_is_good_to_the_end_of_its_last_day(
    client: TestClient, boss: dict[str, str], clock: ManualClock
) -> None:
    answer = client.post(URL, data=NEW | {"until": "2026-03-02"}, headers=boss)
    (secret,) = re.findall(r"carrel_[\w-]{40,}", answer.text)
    who = {"Authorization": f"Bearer {secret}"}
    clock.advance(hours=11)
    assert client.get("/api/v1/session", headers=who).status_code == 200
    clock.advance(hours=1)
    assert client.get("/api/v1/session", headers=who).status_code == 401
    boss = colleague(client, Role.ADMINISTRATOR) | PAGE  # the first session lasts twelve hours too
    assert "expired 2 Mar 2026" in text(client.get("/accounts", headers=boss))


def test_what_cannot_be_is_refused_at_its_field(client: TestClient, boss: dict[str, str]) -> None:
    client.post(URL, data=NEW | {"name": "taken"}, headers=boss)
    for field, wrong, sign in (
        ("name", "", "Write a name"),
        ("name", "taken", "There is a token of this name."),
        ("role", "administrator", "Choose one of these."),
        ("until", "tomorrow", "Write a day as 2026-10-01."),
        ("until", "2026-03-01", "This day is over."),
    ):
        answer = client.post(URL, data=NEW | {field: wrong}, headers=boss)
        assert answer.status_code == 422
        assert sign in text(answer)
        assert f'aria-describedby="token-{field}-error' in answer.text
    assert len(client.get("/api/v1/tokens", headers=boss).json()["tokens"]) == 1
