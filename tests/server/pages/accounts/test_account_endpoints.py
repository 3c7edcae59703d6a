"""Colleagues' accounts over HTTP, with the real accounts and sign-in behind them."""

import html
import re
from typing import Any

import pytest
from fastapi.testclient import TestClient

from server.deps import Role
from tests.support.library import PASSWORD, colleague, signed_in

URL = "/accounts"
PAGE = {"Accept": "text/html", "Accept-Language": "en"}
NEW = {"user": "Mei", "name": "Mei Lin", "role": "librarian", "password": "a good password"}


@pytest.fixture
def boss(client: TestClient) -> dict[str, str]:
    return colleague(client, Role.ADMINISTRATOR) | PAGE


def text(answer: Any) -> str:
    """What a person reads, in one line."""
    main = answer.text.split("<main")[-1]
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", main)))


def session_status(client: TestClient, user: str, password: str) -> int:
    answer = client.post("/api/v1/session", json={"user": user, "password": password})
    client.cookies.clear()
    return answer.status_code


def test_a_colleague_is_added_and_signs_in(client: TestClient, boss: dict[str, str]) -> None:
    answer = client.post(URL, data=NEW, headers=boss)
    assert answer.url.path == "/accounts/mei"
    assert "The account is made." in text(answer)
    assert session_status(client, "mei", NEW["password"]) == 200
    assert "Mei Lin mei Librarian in use" in text(client.get(URL, headers=boss))


def test_what_cannot_be_is_refused_at_its_field_and_the_rest_is_kept(client: TestClient, boss: dict[str, str]) -> None:
    for field, wrong, sign in (
        ("user", "9lives", "beginning with a letter"),
        ("user", "librarian", "There is an account of this name."),
        ("name", " ", "Write a name"),
        ("role", "kiosk", "Choose one of these."),
        ("password", "short", "A password has eight characters or more."),
        ("password", "", "Write a password."),
    ):
        answer = client.post(URL, data=NEW | {field: wrong}, headers=boss)
        assert answer.status_code == 422
        assert sign in text(answer)
        assert f'aria-describedby="account-{field}-error' in answer.text
        assert 'value="Mei Lin"' in answer.text or field == "name"
        assert NEW["password"] not in answer.text
    assert session_status(client, "mei", NEW["password"]) == 401


def test_name_and_role_are_changed(client: TestClient, boss: dict[str, str]) -> None:
    who = colleague(client, Role.LIBRARIAN)
    answer = client.post(f"{URL}/librarian/change", data={"name": "Renamed", "role": "duty_staff"}, headers=boss)
    assert "The changes are saved" in text(answer)
    told = client.get("/api/v1/session", headers=who).json()
    assert (told["name"], told["role"]) == ("Renamed", "duty_staff")
    answer = client.post(f"{URL}/librarian/change", data={"name": "", "role": "kiosk"}, headers=boss)
    assert answer.status_code == 422
    assert answer.text.count('aria-invalid="true"') == 2


def test_a_new_password_ends_the_sessions(client: TestClient, boss: dict[str, str]) -> None:
    who = colleague(client, Role.LIBRARIAN)
    for wrong, sign in (("1234567", "eight characters"), ("", "Write a password.")):
        answer = client.post(f"{URL}/librarian/password", data={"password": wrong}, headers=boss)
        assert answer.status_code == 422
        assert sign in text(answer)
    answer = client.post(f"{URL}/librarian/password", data={"password": "another password"}, headers=boss)
    assert "The new password is set." in text(answer)
    assert client.get("/api/v1/session", headers=who).status_code == 401
    assert session_status(client, "librarian", "another password") == 200


def test_an_account_ends_and_is_opened_again(client: TestClient, boss: dict[str, str]) -> None:
    who = colleague(client, Role.LIBRARIAN)
    answer = client.post(f"{URL}/librarian/end", headers=boss)
    assert "The account has ended." in text(answer)
    assert client.get("/api/v1/session", headers=who).status_code == 401
    assert session_status(client, "librarian", PASSWORD) == 401
    assert "ended 2 Mar 2026" in text(client.get(URL, headers=boss))
    assert "The account is open again." in text(client.post(f"{URL}/librarian/reopen", headers=boss))
    assert session_status(client, "librarian", PASSWORD) == 200


def test_the_last_administrator_cannot_be_locked_out(client: TestClient, boss: dict[str, str]) -> None:
    refused = "This is the last administrator. Make somebody else administrator first."
    change = {"name": "Me", "role": "librarian"}
    for answer in (
        client.post(f"{URL}/administrator/end", headers=boss),
        client.post(f"{URL}/administrator/change", data=change, headers=boss),
    ):
        assert answer.status_code == 409
        assert refused in text(answer)
    client.post(URL, data=NEW | {"role": "administrator"}, headers=boss)
    answer = client.post(f"{URL}/administrator/change", data=change, headers=boss, follow_redirects=False)
    assert answer.headers["location"] == "/"
    assert client.get(URL, headers=boss).status_code == 403
    mei = signed_in(client, "mei", NEW["password"]) | PAGE
    assert "Librarian" in text(client.get(f"{URL}/administrator", headers=mei))


def test_nobody_has_no_page(client: TestClient, boss: dict[str, str]) -> None:
    answers = [client.get(f"{URL}/nobody", headers=boss)]
    answers += [
        client.post(f"{URL}/nobody/{what}", data={"name": "X", "role": "librarian", "password": "long enough"},
                    headers=boss)
        for what in ("change", "password", "end", "reopen")
    ]  # fmt: skip
    assert {answer.status_code for answer in answers} == {404}
    assert "This page does not exist" in answers[0].text


def test_ones_own_account_says_so_and_its_audit_log_is_a_link_away(client: TestClient, boss: dict[str, str]) -> None:
    assert "This is your own account." not in text(client.get(f"{URL}/librarian", headers=boss))
    page = client.get(f"{URL}/administrator", headers=boss).text
    assert "This is your own account." in page
    links = re.findall(r'href="(/audit\?[^"]+)"', page)
    assert len(links) == 3
    assert ["Signed in" in text(client.get(link, headers=boss)).split("Details")[1] for link in links] == [
        True, False, True,
    ]  # fmt: skip
