"""Signing in, being known, signing out; and what a guesser meets."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select, update

from server.auth.models import Account, SignIn, WrongSecret
from server.db import Database
from server.deps import COOKIE, Role
from tests.support.library import ALICE, PASSWORD, PIN, ManualClock, colleague, machine, reader, signed_in

URL = "/api/v1/session"


def try_in(client: TestClient, user: str, secret: str) -> tuple[int, str | None]:
    answer = client.post(URL, json={"user": user, "password": secret})
    client.cookies.clear()
    return answer.status_code, answer.json().get("code")


class TestSignIn:
    @pytest.mark.parametrize("role", [Role.LIBRARIAN, Role.DUTY_STAFF, Role.ADMINISTRATOR])
    def test_a_colleague_signs_in_with_a_password(self, client: TestClient, role: Role) -> None:
        answer = client.post(URL, json={"user": role.value, "password": PASSWORD})
        told = answer.json()
        assert answer.status_code == 200
        assert (told["user"], told["role"], told["name"]) == (role.value, role.value, f"The {role.value}")
        assert told["expires"] == "2026-03-02T16:30:00Z"

    def test_a_patron_signs_in_with_card_and_pin(self, client: TestClient) -> None:
        told = client.post(URL, json={"user": ALICE, "password": PIN}).json()
        assert (told["user"], told["role"], told["name"]) == (ALICE, "reader", "Alice Wu")

    def test_the_name_may_be_typed_carelessly(self, client: TestClient) -> None:
        assert try_in(client, " Librarian ", PASSWORD) == (200, None)

    def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(self, client: TestClient) -> None:
        cookie = client.post(URL, json={"user": ALICE, "password": PIN}).headers["set-cookie"]
        assert cookie.startswith(f"{COOKIE}=")
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
        assert "Secure" not in cookie
        secure = TestClient(client.app, base_url="https://testserver")
        assert "Secure" in secure.post(URL, json={"user": ALICE, "password": PIN}).headers["set-cookie"]

    def test_the_database_does_not_hold_the_token(self, client: TestClient, database: Database) -> None:
        token = client.post(URL, json={"user": ALICE, "password": PIN}).json()["token"]
        with database.reading() as session:
            (row,) = session.scalars(select(SignIn))
        assert token not in repr(vars(row))
        assert len(token) >= 40

    def test_wrong_and_unknown_look_alike(self, client: TestClient) -> None:
        wrong = client.post(URL, json={"user": "librarian", "password": "no"})
        unknown = client.post(URL, json={"user": "nobody", "password": "no"})
        assert wrong.status_code == unknown.status_code == 401
        assert wrong.json() == unknown.json()
        assert wrong.json()["code"] == "wrong_sign_in"
        assert "set-cookie" not in wrong.headers

    @pytest.mark.parametrize("user", ["librarian", ALICE, "nobody"])
    def test_five_wrong_answers_lock_even_the_right_one(
        self, client: TestClient, clock: ManualClock, user: str
    ) -> None:
        right = {"librarian": PASSWORD, ALICE: PIN}.get(user, "anything")
        for _ in range(5):
            assert try_in(client, user, "wrong") == (401, "wrong_sign_in")
            clock.advance(seconds=10)
        answer = client.post(URL, json={"user": user, "password": right})
        assert (answer.status_code, answer.json()["code"]) == (429, "sign_in_locked")
        assert answer.headers["retry-after"] == str(answer.json()["params"]["seconds"]) == "890"
        clock.advance(minutes=15)
        assert try_in(client, user, right)[0] == (401 if user == "nobody" else 200)

    def test_the_right_answer_clears_the_count(self, client: TestClient) -> None:
        for _ in range(3):
            for _ in range(4):
                assert try_in(client, ALICE, "wrong")[0] == 401
            assert try_in(client, ALICE, PIN) == (200, None)

    def test_others_are_not_locked_out_with_one(self, client: TestClient) -> None:
        for _ in range(6):
            try_in(client, "librarian", "wrong")
        assert try_in(client, ALICE, PIN) == (200, None)

    def test_guesses_made_at_once_are_all_counted(self, client: TestClient, database: Database) -> None:
        gate = threading.Barrier(12)

        def guess(_: int) -> int:
            gate.wait()
            return client.post(URL, json={"user": ALICE, "password": "0000"}).status_code

        with ThreadPoolExecutor(12) as pool:
            told = sorted(pool.map(guess, range(12)))
        assert told == [401] * 5 + [429] * 7
        with database.reading() as session:
            assert session.scalar(select(func.count()).select_from(WrongSecret)) == 5

    def test_right_ones_at_once_all_come_in_and_end_the_count(self, client: TestClient) -> None:
        gate = threading.Barrier(8)

        def come(_: int) -> tuple[int, str | None]:
            gate.wait()
            return try_in(client, ALICE, PIN)

        for _ in range(4):
            try_in(client, ALICE, "wrong")
        with ThreadPoolExecutor(8) as pool:
            assert set(pool.map(come, range(8))) == {(200, None)}

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"user": "librarian"},
            {"user": "", "password": "x"},
            {"user": "a\u0000b", "password": "x"},
            {"user": "x" * 65, "password": "x"},
            {"user": "x", "password": "x" * 257},
            {"user": ["librarian"], "password": "x"},
            {"user": "librarian", "password": "x", "role": "administrator"},
        ],
    )
    def test_a_malformed_body_is_refused_without_repeating_it(self, client: TestClient, body: dict) -> None:
        answer = client.post(URL, json=body)
        assert (answer.status_code, answer.json()["code"]) == (422, "malformed_request")
        assert "xxxx" not in answer.text

    @pytest.mark.parametrize(
        "raw", [b"{", b"\xff\xfe", b'"\\ud800"', b'{"user": "\\ud800", "password": "x"}', b"[" * 9999]
    )
    def test_broken_json_is_refused(self, client: TestClient, raw: bytes) -> None:
        answer = client.post(URL, content=raw, headers={"content-type": "application/json"})
        assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")

    def test_names_of_every_script_are_only_wrong(self, client: TestClient) -> None:
        for user in ("张伟", "ΐ" * 64, "ß" * 64, "😀" * 64, "%_\\'\"--"):
            assert try_in(client, user, "x") == (401, "wrong_sign_in")


class TestWho:
    def test_anonymous_is_nobody(self, client: TestClient) -> None:
        answer = client.get(URL)
        assert (answer.status_code, answer.json()["code"]) == (401, "sign_in_required")
        assert answer.headers["www-authenticate"] == "Bearer"

    def test_the_cookie_is_enough(self, client: TestClient) -> None:
        client.post(URL, json={"user": ALICE, "password": PIN})
        assert client.get(URL).json() == {
            "user": ALICE, "role": "reader", "name": "Alice Wu", "expires": "2026-03-02T16:30:00Z",
        }  # fmt: skip

    def test_the_machines_are_known_by_their_token(self, client: TestClient) -> None:
        assert client.get(URL, headers=machine()).json()["role"] == "kiosk"

    @pytest.mark.parametrize(
        "header", ["Bearer", "Bearer ", "Bearer x", "Basic bGlicmFyaWFuOng=", "Bearer " + "é" * 9, "nonsense"]
    )
    def test_other_credentials_are_nobody(self, client: TestClient, header: str) -> None:
        assert client.get(URL, headers=[(b"authorization", header.encode())]).status_code == 401

    def test_a_session_ends_by_itself(self, client: TestClient, clock: ManualClock) -> None:
        who = reader(client)
        clock.advance(hours=11, minutes=59)
        assert client.get(URL, headers=who).status_code == 200
        clock.advance(minutes=1)
        assert client.get(URL, headers=who).status_code == 401

    def test_ended_sessions_leave_the_database(
        self, client: TestClient, clock: ManualClock, database: Database
    ) -> None:
        reader(client)
        clock.advance(hours=13)
        reader(client)
        with database.reading() as session:
            assert session.scalar(select(func.count()).select_from(SignIn)) == 1

    def test_a_changed_role_counts_at_once(self, client: TestClient, database: Database) -> None:
        who = colleague(client, Role.LIBRARIAN)
        with database.writing() as session:
            session.execute(update(Account).where(Account.user == "librarian").values(role="duty_staff"))
        assert client.get(URL, headers=who).json()["role"] == "duty_staff"


class TestSignOut:
    def test_anonymous_loses_nothing(self, client: TestClient) -> None:
        assert client.delete(URL).status_code == 204

    def test_the_token_is_worth_nothing_afterwards(self, client: TestClient) -> None:
        who, other = reader(client), reader(client)
        answer = client.delete(URL, headers=who)
        assert answer.status_code == 204
        assert f'{COOKIE}=""' in answer.headers["set-cookie"]
        assert client.get(URL, headers=who).status_code == 401
        assert client.get(URL, headers=other).status_code == 200

    def test_the_machines_token_cannot_be_ended(self, client: TestClient) -> None:
        client.delete(URL, headers=machine())
        assert client.get(URL, headers=machine()).status_code == 200


class TestOtherSitesPages:
    """A foreign page can make a browser send our cookie with a write; the browser says whose page it was."""

    @pytest.fixture
    def with_cookie(self, client: TestClient) -> TestClient:
        signed_in(client, ALICE, PIN)
        client.post(URL, json={"user": ALICE, "password": PIN})
        return client

    @pytest.mark.parametrize(
        ("headers", "status"),
        [
            ({}, 204),
            ({"origin": "http://testserver"}, 204),
            ({"origin": "http://testserver", "sec-fetch-site": "same-origin"}, 204),
            ({"sec-fetch-site": "none"}, 204),
            ({"origin": "http://evil.example"}, 403),
            ({"origin": "http://testserver:8081"}, 403),
            ({"origin": "null"}, 403),
            ({"sec-fetch-site": "cross-site"}, 403),
            ({"origin": "http://testserver", "sec-fetch-site": "same-site"}, 403),
        ],
    )
    def test_a_write_is_accepted_from_our_own_pages_only(
        self, with_cookie: TestClient, headers: dict[str, str], status: int
    ) -> None:
        assert with_cookie.delete(URL, headers=headers).status_code == status

    def test_a_token_in_a_header_needs_no_origin(self, client: TestClient) -> None:
        who = reader(client) | {"origin": "http://evil.example"}
        assert client.delete(URL, headers=who).status_code == 204

    def test_nobody_is_signed_in_from_a_foreign_page(self, client: TestClient) -> None:
        headers = {"origin": "http://evil.example"}
        answer = client.post(URL, json={"user": ALICE, "password": PIN}, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "cross_origin")

    def test_looking_is_not_writing(self, with_cookie: TestClient) -> None:
        assert with_cookie.get(URL, headers={"origin": "http://evil.example"}).status_code == 200
