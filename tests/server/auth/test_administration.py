"""Accounts and tokens, as an administrator manages them."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from server.auth import accounts
from server.auth.errors import LastAdministratorError
from server.auth.models import ApiToken
from server.db import Database
from server.deps import Role
from tests.support.library import NOW, PASSWORD, ManualClock, colleague, signed_in

NEW = {"user": "mei", "name": "Mei Lin", "role": "librarian", "password": "a good password"}


@pytest.fixture
def admin(client: TestClient) -> dict[str, str]:
    return colleague(client, Role.ADMINISTRATOR)


def session_status(client: TestClient, user: str, password: str) -> int:
    answer = client.post("/api/v1/session", json={"user": user, "password": password})
    client.cookies.clear()
    return answer.status_code


class TestAccounts:
    def test_a_new_colleague_signs_in_with_the_role_given(self, client: TestClient, admin: dict) -> None:
        answer = client.post("/api/v1/accounts", json=NEW | {"user": "Mei"}, headers=admin)
        number = answer.json()["id"]
        assert (answer.status_code, answer.json()) == (
            201, {"id": number, "user": "mei", "name": "Mei Lin", "role": "librarian", "disabled_at": None},
        )  # fmt: skip
        who = signed_in(client, "mei", NEW["password"])
        assert client.get("/api/v1/session", headers=who).json()["role"] == "librarian"
        (start,) = client.get("/api/v1/audit", params={"target": f"account:{number}"}, headers=admin).json()["entries"]
        assert (start["actor"], start["action"]) == ("user:mei", "session.start")
        assert answer.json() in client.get("/api/v1/accounts", headers=admin).json()["accounts"]
        again = client.post("/api/v1/accounts", json=NEW, headers=admin)
        assert (again.status_code, again.json()["code"]) == (409, "account_taken")

    def test_poor_passwords_and_names_are_refused(self, client: TestClient, admin: dict) -> None:
        for change, code in (
            ({"password": "1234567"}, "password_too_short"), ({"password": "aaaaaaaaaa"}, "password_too_simple"),
            ({"user": "mei-mei", "password": "mei-meimei-mei"}, "password_too_simple"),
            ({"user": "9lives"}, "malformed_request"), ({"role": "kiosk"}, "malformed_request"),
        ):  # fmt: skip
            assert client.post("/api/v1/accounts", json=NEW | change, headers=admin).json()["code"] == code

    def test_a_disabled_colleague_is_out_at_once_and_comes_back(self, client: TestClient, admin: dict) -> None:
        who = colleague(client, Role.LIBRARIAN)
        url = "/api/v1/accounts/librarian"
        told = client.patch(url, json={"disabled": True}, headers=admin).json()
        assert told["disabled_at"] == "2026-03-02T04:30:00Z"
        assert client.get("/api/v1/session", headers=who).status_code == 401
        assert session_status(client, "librarian", PASSWORD) == 401
        assert client.patch(url, json={"disabled": False}, headers=admin).json()["disabled_at"] is None
        assert session_status(client, "librarian", PASSWORD) == 200

    def test_another_role_counts_at_once(self, client: TestClient, admin: dict) -> None:
        who = colleague(client, Role.LIBRARIAN)
        client.patch("/api/v1/accounts/librarian", json={"role": "duty_staff", "name": "Renamed"}, headers=admin)
        told = client.get("/api/v1/session", headers=who).json()
        assert (told["role"], told["name"]) == ("duty_staff", "Renamed")

    def test_the_last_administrator_stays(self, client: TestClient, admin: dict) -> None:
        url = "/api/v1/accounts/administrator"
        for change in ({"disabled": True}, {"role": "librarian"}):
            answer = client.patch(url, json=change, headers=admin)
            assert (answer.status_code, answer.json()["code"]) == (409, "last_administrator")
        client.post("/api/v1/accounts", json=NEW | {"role": "administrator"}, headers=admin)
        assert client.patch(url, json={"role": "librarian"}, headers=admin).status_code == 200
        assert client.get("/api/v1/accounts", headers=admin).status_code == 403

    def test_two_administrators_who_disable_each_other_at_once_leave_one(self, database: Database) -> None:
        with database.writing() as session:
            accounts.add(session, "second", "x", name="Second", role=Role.ADMINISTRATOR, actor="tests", at=NOW)
        gate = threading.Barrier(2)

        def disable(user: str) -> bool:
            gate.wait()
            try:
                with database.writing() as session:
                    accounts.change(session, user, accounts.Changes(disabled=True), actor="tests", at=NOW)
            except LastAdministratorError:
                return False
            return True

        with ThreadPoolExecutor(2) as pool:
            assert sorted(pool.map(disable, ["administrator", "second"])) == [False, True]

    def test_a_password_that_was_reset_ends_sessions_and_the_lock(self, client: TestClient, admin: dict) -> None:
        who = colleague(client, Role.LIBRARIAN)
        for _ in range(5):
            session_status(client, "librarian", "wrong")
        assert session_status(client, "librarian", PASSWORD) == 429
        url = "/api/v1/accounts/librarian/password"
        assert client.put(url, json={"password": "another password"}, headers=admin).status_code == 204
        assert client.get("/api/v1/session", headers=who).status_code == 401
        assert session_status(client, "librarian", "another password") == 200

    def test_colleagues_change_their_own_password(self, client: TestClient) -> None:
        who, url = colleague(client, Role.DUTY_STAFF), "/api/v1/session/password"
        wrong = client.put(url, json={"present": "no", "new": "another password"}, headers=who)
        assert (wrong.status_code, wrong.json()["code"]) == (403, "wrong_password")
        assert client.put(url, json={"present": PASSWORD, "new": "short"}, headers=who).status_code == 409
        assert client.put(url, json={"present": PASSWORD, "new": "another password"}, headers=who).status_code == 204
        assert client.get("/api/v1/session", headers=who).status_code == 401
        assert session_status(client, "duty_staff", "another password") == 200

    def test_whoever_holds_a_session_cannot_go_on_guessing_the_password(
        self, client: TestClient, clock: ManualClock
    ) -> None:
        who, url = colleague(client, Role.LIBRARIAN), "/api/v1/session/password"
        for _ in range(5):
            assert (
                client.put(url, json={"present": "a guess", "new": "another password"}, headers=who).status_code == 403
            )
        right = {"present": PASSWORD, "new": "another password"}
        locked = client.put(url, json=right, headers=who)
        assert (locked.status_code, locked.json()["code"]) == (429, "sign_in_locked")
        assert int(locked.headers["Retry-After"]) == locked.json()["params"]["seconds"] == 900
        assert session_status(client, "librarian", PASSWORD) == 429, "the sign-in counts the same wrong answers"
        clock.advance(minutes=15)
        assert client.put(url, json=right, headers=who).status_code == 204
        assert session_status(client, "librarian", "another password") == 200

    def test_nobody_is_not_changed(self, client: TestClient, admin: dict) -> None:
        for method, path, body in (("PATCH", "", {"name": "X"}), ("PUT", "/password", {"password": "long enough"})):
            answer = client.request(method, f"/api/v1/accounts/nobody{path}", json=body, headers=admin)
            assert (answer.status_code, answer.json()["code"]) == (404, "unknown_account")

    def test_every_change_is_audited_and_no_secret_with_it(self, client: TestClient, admin: dict) -> None:
        client.post("/api/v1/accounts", json=NEW, headers=admin)
        for change in ({"role": "duty_staff"}, {"disabled": True}, {"name": "Other"}, {"name": "Other"}):
            client.patch("/api/v1/accounts/mei", json=change, headers=admin)
        client.put("/api/v1/accounts/mei/password", json={"password": "unsaid words"}, headers=admin)
        page = client.get("/api/v1/audit", params={"target": "user:mei"}, headers=admin)
        assert [(entry["action"], entry["detail"]) for entry in reversed(page.json()["entries"])] == [
            ("account.create", {"role": "librarian"}), ("account.change", {"role": "duty_staff"}),
            ("account.change", {"disabled": True}), ("account.change", {}), ("account.password", {}),
        ]  # fmt: skip
        assert "unsaid" not in page.text


class TestTokens:
    def make(self, client: TestClient, admin: dict, **more: object) -> dict:
        answer = client.post("/api/v1/tokens", json={"name": "bridge", "role": "integration"} | more, headers=admin)
        assert answer.status_code == 201, answer.text
        told: dict = answer.json()
        return told

    def test_a_token_is_told_once_and_opens_what_its_role_opens(
        self, client: TestClient, admin: dict, database: Database
    ) -> None:
        made = self.make(client, admin)
        who = {"Authorization": f"Bearer {made['token']}"}
        told = client.get("/api/v1/session", headers=who).json()
        assert (told["user"], told["role"]) == ("bridge", "integration")
        assert client.get("/api/v1/accounts", headers=who).status_code == 403
        assert made["token"] not in client.get("/api/v1/tokens", headers=admin).text
        with database.reading() as session:
            assert made["token"] not in repr(vars(session.scalars(select(ApiToken)).one()))

    def test_last_use_is_known_to_the_hour(self, client: TestClient, admin: dict, clock: ManualClock) -> None:
        who = {"Authorization": f"Bearer {self.make(client, admin)['token']}"}

        def last() -> str:
            return str(client.get("/api/v1/tokens", headers=admin).json()["tokens"][0]["last_used_at"])

        assert last() == "None"
        for wait, told in ((0, "04:30"), (59, "04:30"), (1, "05:30")):
            clock.advance(minutes=wait)
            assert client.get("/api/v1/session", headers=who).status_code == 200
            assert told in last()

    def test_a_revoked_or_expired_token_is_nobody(self, client: TestClient, admin: dict, clock: ManualClock) -> None:
        until = (clock.now() + timedelta(hours=1)).isoformat()
        one, two = self.make(client, admin), self.make(client, admin, name="other", expires_at=until)
        revoked = client.delete(f"/api/v1/tokens/{one['id']}", headers=admin)
        assert revoked.status_code == 204
        assert client.delete(f"/api/v1/tokens/{one['id']}", headers=admin).json()["code"] == "unknown_token"
        assert client.get("/api/v1/session", headers={"Authorization": f"Bearer {one['token']}"}).status_code == 401
        assert client.get("/api/v1/session", headers={"Authorization": f"Bearer {two['token']}"}).status_code == 200
        clock.advance(hours=1)
        assert client.get("/api/v1/session", headers={"Authorization": f"Bearer {two['token']}"}).status_code == 401

    def test_two_good_tokens_never_share_a_name(self, client: TestClient, admin: dict) -> None:
        made = self.make(client, admin)
        body = {"name": "bridge", "role": "kiosk"}
        assert client.post("/api/v1/tokens", json=body, headers=admin).json()["code"] == "token_taken"
        client.delete(f"/api/v1/tokens/{made['id']}", headers=admin)
        assert self.make(client, admin)["id"] != made["id"]

    def test_no_token_is_a_person(self, client: TestClient, admin: dict) -> None:
        body = {"name": "x", "role": "administrator"}
        assert client.post("/api/v1/tokens", json=body, headers=admin).status_code == 422


class TestSessions:
    def test_people_see_where_they_are_signed_in_and_sign_out_there(self, client: TestClient) -> None:
        here, there = colleague(client, Role.LIBRARIAN), colleague(client, Role.LIBRARIAN)
        colleague(client, Role.ADMINISTRATOR)
        listed = client.get("/api/v1/session/all", headers=here).json()["sessions"]
        assert sorted(one["current"] for one in listed) == [False, True]
        assert {one["agent"] for one in listed} == {"testclient"}
        (other,) = (one["id"] for one in listed if not one["current"])
        for _ in range(2):
            assert client.delete(f"/api/v1/session/all/{other}", headers=here).status_code == 204
        assert client.get("/api/v1/session", headers=there).status_code == 401
        assert client.get("/api/v1/session", headers=here).status_code == 200

    def test_nobody_ends_another_persons_session(self, client: TestClient) -> None:
        mine, theirs = colleague(client, Role.LIBRARIAN), colleague(client, Role.DUTY_STAFF)
        (session,) = client.get("/api/v1/session/all", headers=theirs).json()["sessions"]
        for guess in (session["id"], session["id"][:4], "%" * 16, "_" * 16):
            assert client.delete(f"/api/v1/session/all/{guess}", headers=mine).status_code in (204, 404, 422)
        assert client.get("/api/v1/session", headers=theirs).status_code == 200
