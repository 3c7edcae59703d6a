"""A colleague's own password and sessions, with the real accounts and sign-in behind them."""

from __future__ import annotations

import re

import pytest
from fastapi.testclient import TestClient
from httpx import Response

from server.deps import COOKIE, Role
from tests.server.pages.accounts.test_account_endpoints import PAGE, session_status, text
from tests.support.library import PASSWORD, colleague

NEW = "another good one"
FORM = {"present": PASSWORD, "new": NEW, "again": NEW}
PHONE = "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36"


@pytest.fixture
def me(client: TestClient) -> TestClient:
    """A browser in which the librarian has signed in."""
    client.headers.update(PAGE)
    sign_in(client)
    return client


def sign_in(client: TestClient, agent: str = "") -> str:
    """The session's token; the client keeps its cookie."""
    headers = {"User-Agent": agent} if agent else {}
    said = client.post("/api/v1/session", json={"user": "librarian", "password": PASSWORD}, headers=headers)
    return str(said.json()["token"])


def ends(answer: Response) -> list[str]:
    """The addresses of the buttons that end a session."""
    return re.findall(r'action="(/account/sessions/[0-9a-f]{16}/end)"', answer.text)


def test_the_frame_leads_there_and_the_page_tells_who_i_am(me: TestClient) -> None:
    assert 'href="/account"' in me.get("/").text
    page = me.get("/account")
    assert page.status_code == 200
    assert "Name to sign in with librarian Role Librarian" in text(page)
    assert "this one" in text(page)
    assert ends(page) == []


def test_a_new_password_counts_and_only_this_browser_stays_signed_in(me: TestClient) -> None:
    elsewhere = colleague(me, Role.LIBRARIAN)
    sign_in(me)
    answer = me.post("/account/password", data=FORM)
    assert answer.url.path == "/account"
    assert "The new password counts from now on." in text(answer)
    assert me.get("/account").status_code == 200
    cookie = me.cookies[COOKIE]
    me.cookies.clear()
    assert me.get("/api/v1/session", headers=elsewhere).status_code == 401
    assert session_status(me, "librarian", PASSWORD) == 401
    assert session_status(me, "librarian", NEW) == 200
    assert me.get("/api/v1/session", headers={"Authorization": f"Bearer {cookie}"}).status_code == 200


def test_the_second_of_two_equal_forms_tells_that_it_is_done(me: TestClient) -> None:
    old = me.cookies[COOKIE]
    form = FORM | {"request_id": re.findall(r'name="request_id" value="(\w+)"', me.get("/account").text)[0]}
    for _ in range(2):
        assert "The new password counts from now on." in text(me.post("/account/password", data=form))
    me.cookies.clear()
    me.cookies.set(COOKIE, old)
    told = text(me.post("/account/password", data=form))
    assert "The new password or PIN counts from now on. Sign in with it." in told, "the first answer was lost"
    assert "was not done" not in told
    wrong = me.post("/sign-in", data={"user": "librarian", "password": PASSWORD, "anew": "1"})
    assert "Sign in with it." in text(wrong)
    assert "was not done" in text(me.post("/account/password", data=FORM))


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("present", "not mine", "The present password is wrong."),
        ("again", "something else", "This is not the same password as above."),
        ("new", "short", "A password has eight characters or more."),
    ],
)
def test_what_cannot_be_is_told_at_its_field_and_nothing_changes(
    me: TestClient, field: str, value: str, told: str
) -> None:
    typed = FORM | {field: value} | ({"again": value} if field == "new" else {})
    answer = me.post("/account/password", data=typed)
    assert answer.status_code == 422
    assert told in text(answer)
    assert f'id="wrong-{field}"' in answer.text
    assert NEW not in answer.text
    assert session_status(me, "librarian", PASSWORD) == 200


def test_who_goes_on_guessing_is_told_to_wait(me: TestClient) -> None:
    for _ in range(5):
        me.post("/account/password", data=FORM | {"present": "a guess"})
    locked = me.post("/account/password", data=FORM)
    assert locked.status_code == 422
    assert "Too many wrong attempts. Please wait a while and try again." in text(locked)
    assert session_status(me, "librarian", NEW) == 429


def test_another_session_is_ended_from_here(me: TestClient) -> None:
    mine = me.cookies[COOKIE]
    phone = sign_in(me, PHONE)
    me.cookies.set(COOKIE, mine)
    page = me.get("/account")
    assert "Chrome · Android since" in text(page)
    (there,) = ends(page)
    for _ in range(2):
        answer = me.post(there)
        assert answer.status_code == 200
        assert "You are signed out there." in text(answer)
        assert ends(answer) == []
    me.cookies.clear()
    assert me.get("/api/v1/session", headers={"Authorization": f"Bearer {phone}"}).status_code == 401
    assert me.get("/api/v1/session", headers={"Authorization": f"Bearer {mine}"}).status_code == 200
