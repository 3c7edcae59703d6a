"""What the pages of accounts and tokens have in common."""

from fastapi.testclient import TestClient

from server.deps import Role
from tests.support.library import colleague, reader

PAGE = {"Accept": "text/html", "Accept-Language": "en"}
POSTS = (
    "/accounts", "/accounts/librarian/change", "/accounts/librarian/password", "/accounts/librarian/end",
    "/accounts/librarian/reopen", "/tokens", "/tokens/1/revoke",
)  # fmt: skip


def test_only_administrators_see_and_change_anything(client: TestClient) -> None:
    assert client.get("/accounts", follow_redirects=False).headers["location"] == "/sign-in?next=/accounts"
    for path in POSTS:
        assert client.post(path, follow_redirects=False).headers["location"].startswith("/sign-in")
    for who in (reader(client), colleague(client, Role.LIBRARIAN), colleague(client, Role.DUTY_STAFF)):
        for path in ("/accounts", "/accounts/librarian"):
            assert client.get(path, headers=who | PAGE).status_code == 403
        for path in POSTS:
            assert client.post(path, headers=who | PAGE).status_code == 403
        assert 'href="/accounts"' not in client.get("/", headers=who | PAGE).text
    boss = colleague(client, Role.ADMINISTRATOR)
    assert 'href="/accounts"' in client.get("/", headers=boss | PAGE).text


def test_it_is_in_chinese_too_and_says_nothing_that_nobody_did(client: TestClient) -> None:
    boss = colleague(client, Role.ADMINISTRATOR) | PAGE | {"Accept-Language": "zh-CN"}
    for path, sign, english in (
        ("/accounts", "添加同事", "Add a colleague"), ("/accounts/librarian", "停用此账户", "End this account"),
    ):  # fmt: skip
        answer = client.get(path, headers=boss)
        assert sign in answer.text
        assert english not in answer.text
    assert "notice ok" not in client.get("/accounts", params={"done": "nonsense"}, headers=boss).text
