"""The desk's work with patrons, on both databases."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx import Response

from server.deps import Role
from tests.support.library import ALICE, BLOCKED, BOOKS, PIN, ManualClock, colleague, machine, reader

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


class TestRegister:
    def test_a_new_patron_is_found_by_card_name_telephone_and_address(self, desk: Desk) -> None:
        desk.register()
        for typed in ("80000001", "8000", "wang hai", "WANGHAI", "ng ha", "13800001111", "+86 138-0000-1111", "hai@x"):
            assert desk.found(typed) == ["Wang Hai"], typed
        for typed in ("90000009", "Wang Hao", "%", "_", "hai@y"):
            assert desk.found(typed) == [], typed

    def test_a_birthday_in_the_future_is_refused(self, desk: Desk) -> None:
        patron, tomorrow = desk.register(), {"born_on": "2026-03-03"}
        new = desk("POST", "", NEW | tomorrow | {"card": "80000009", "confirmed_new": True})
        assert (new.status_code, new.json()["code"]) == (409, "birthday_in_future")
        assert desk("PATCH", f"/{patron}", tomorrow).json()["code"] == "birthday_in_future"
        assert desk("PATCH", f"/{patron}", {"born_on": "2026-03-02"}).status_code == 200, "born today"

    def test_everything_given_is_kept(self, desk: Desk) -> None:
        more = {
            "language": "zh-CN", "patron_class": "student", "expires_on": "2027-01-01", "branch": "north",
            "external": "S-2026-7", "address": "1 Lake Road\nRoom 5", "channels": ["email"], "note": "Front row",
        }  # fmt: skip
        told = desk("GET", f"/{desk.register(**more)}").json()
        assert {name: told[name] for name in more} == more
        assert told["cards"] == [
            {"number": "80000001", "state": "active", "issued_at": "2026-03-02T04:30:00Z", "ended_at": None}
        ]

    def test_a_branch_is_one_of_the_librarys(self, desk: Desk) -> None:
        key = desk.register(branch="old")
        boss = colleague(desk.client, Role.ADMINISTRATOR)
        policy = desk.client.get("/api/v1/lending", headers=boss).json()["policy"] | {"branches": ["main", "north"]}
        assert desk.client.put("/api/v1/lending/policy", json=policy, headers=boss).status_code == 200
        for answer in (
            desk("POST", "", NEW | {"card": "80000002", "branch": "nroth"}),
            desk("PATCH", f"/{key}", {"branch": "nroth"}),
        ):
            assert (answer.status_code, answer.json()["code"]) == (422, "unknown_branch")
        assert desk("PATCH", f"/{key}", {"branch": "old"}).status_code == 200, "what is stored may stay"
        assert desk("PATCH", f"/{key}", {"branch": "north"}).json()["branch"] == "north"

    def test_without_a_branch_it_is_the_librarys_own(self, desk: Desk) -> None:
        assert desk("GET", f"/{desk.register()}").json()["branch"] == "main"

    def test_of_eight_who_register_one_person_at_once_one_does(self, desk: Desk) -> None:
        gate = threading.Barrier(8)

        def register(number: int) -> int:
            gate.wait()
            return desk("POST", "", NEW | {"card": f"8100000{number}", "external": "S-1"}).status_code

        with ThreadPoolExecutor(8) as pool:
            assert sorted(pool.map(register, range(8))) == [201] + [409] * 7

    def test_an_external_number_given_twice_at_once_is_refused(self, desk: Desk) -> None:
        gate = threading.Barrier(4)

        def register(number: int) -> str | None:
            gate.wait()
            body = NEW | {"card": f"8100000{number}", "external": "S-1", "confirmed_new": True}
            return desk("POST", "", body).json().get("code")

        with ThreadPoolExecutor(4) as pool:
            assert Counter(pool.map(register, range(4))) == {None: 1, "external_taken": 3}

    @pytest.mark.parametrize(
        "same",
        [
            {"name": "ＷＡＮＧ　hai", "phone": "", "email": ""},
            {"name": "Other Name", "born_on": "1970-01-01", "email": ""},
            {"name": "Other Name", "born_on": "1970-01-01", "phone": "+86 13800001111", "email": ""},
            {"name": "Other Name", "born_on": "1970-01-01", "phone": "", "email": "hai@X.example"},
        ],
    )
    def test_somebody_alike_is_refused_until_confirmed(self, desk: Desk, same: dict) -> None:
        first = desk.register()
        body = NEW | {"card": "80000002"} | same
        answer = desk("POST", "", body)
        assert (answer.status_code, answer.json()["code"], answer.json()["params"]) == (
            409, "duplicate_patron", {"patrons": 1},
        )  # fmt: skip
        second = desk("POST", "", body | {"confirmed_new": True})
        assert second.status_code == 201
        assert [one["id"] for one in desk("GET", f"/{first}/alike").json()["patrons"]] == [second.json()["id"]]

    def test_the_same_name_with_another_birthday_is_another_person(self, desk: Desk) -> None:
        desk.register()
        desk.register(card="80000002", born_on="1991-05-06", phone="", email="")

    def test_refusals_change_nothing(self, desk: Desk) -> None:
        for fields, code in [
            ({"card": ALICE}, "card_taken"),
            ({"card": BOOKS[0]}, "card_is_barcode"),
            ({"patron_class": "wizard"}, "unknown_class"),
            ({"channels": ["email"], "email": ""}, "channel_without_address"),
            ({"guardian_id": 99999}, "unfit_guardian"),
        ]:
            answer = desk("POST", "", NEW | fields)
            assert (answer.status_code, answer.json()["code"]) == (409, code)
        assert desk.found("wang hai") == []

    def test_an_external_number_is_one_persons(self, desk: Desk) -> None:
        desk.register(external="S-1")
        answer = desk("POST", "", {"card": "80000002", "name": "Li Na", "external": "S-1"})
        assert answer.json()["code"] == "external_taken"
        other = desk.register(card="80000003", name="Li Na", phone="", email="", born_on="2000-01-01")
        assert desk("PATCH", f"/{other}", {"external": "S-1"}).json()["code"] == "external_taken"

    def test_malformed_fields_are_refused(self, desk: Desk) -> None:
        for fields in [
            {"name": " "}, {"name": "a\u0000b"}, {"card": "no spaces"}, {"email": "nobody"}, {"phone": "call me"},
            {"born_on": "0001-01-01"}, {"language": "fr"}, {"channels": ["pigeon"]}, {"age": 7},
        ]:  # fmt: skip
            assert desk("POST", "", NEW | fields).status_code == 422, fields

    def test_pages_follow_each_other(self, desk: Desk) -> None:
        for number in range(5):
            desk.register(card=f"8100000{number}", name=f"Zhao {number}", phone="", email="", born_on=None)
        first = desk("GET", q="zhao", limit=3).json()
        second = desk("GET", q="zhao", limit=3, after=first["next"]).json()
        assert [one["name"] for one in first["patrons"] + second["patrons"]] == [f"Zhao {n}" for n in range(5)]
        assert second["next"] is None


class TestEdit:
    def test_what_is_left_out_stays(self, desk: Desk) -> None:
        patron = desk.register(note="stays")
        told = desk("PATCH", f"/{patron}", {"phone": "139 1111 2222", "patron_class": "senior"}).json()
        assert (told["phone"], told["patron_class"], told["note"], told["name"]) == (
            "139 1111 2222", "senior", "stays", "Wang Hai",
        )  # fmt: skip
        assert desk.found("13911112222") == ["Wang Hai"]
        assert desk.found("13800001111") == []

    def test_renewal_adds_what_the_class_gives_to_the_old_end(self, desk: Desk) -> None:
        running = desk.register(expires_on="2026-06-01", patron_class="student")
        over = desk.register(
            card="80000002", name="B", phone="", email="", expires_on="2020-01-01", patron_class="student"
        )
        forever = desk.register(card="80000003", name="C", phone="", email="", patron_class="staff")
        assert desk("POST", f"/{running}/renewal").json()["expires_on"] == "2027-06-01"
        assert desk("POST", f"/{over}/renewal").json()["expires_on"] == "2027-03-02"
        assert desk("POST", f"/{forever}/renewal").json()["expires_on"] is None

    def test_nobody_is_their_own_guardian_nor_a_childs_child(self, desk: Desk) -> None:
        child = desk.register(born_on="2016-01-01", patron_class="child")
        other = desk.register(card="80000002", name="Xiao", phone="", email="", born_on="2018-01-01")
        assert desk("PATCH", f"/{child}", {"guardian_id": child}).json()["code"] == "unfit_guardian"
        assert desk("PATCH", f"/{other}", {"guardian_id": child}).json()["code"] == "unfit_guardian"

    def test_a_child_shares_the_guardians_telephone(self, desk: Desk) -> None:
        parent = desk.register()
        desk.register(card="80000002", name="Wang Xiao", born_on="2018-01-01", guardian_id=parent)

    def test_an_unknown_patron_is_told(self, desk: Desk) -> None:
        for method, path in [("GET", ""), ("PATCH", ""), ("POST", "/renewal"), ("POST", "/export")]:
            answer = desk(method, f"/99999{path}", {} if method == "PATCH" else None)
            assert (answer.status_code, answer.json()["code"]) == (404, "unknown_patron")

    def test_classes_are_listed_and_an_administrator_changes_them(self, desk: Desk) -> None:
        who = colleague(desk.client, Role.ADMINISTRATOR)
        body = {"name_zh": "访客", "name_en": "Guest", "membership_days": 30}
        assert desk.client.put(f"{URL}/classes/guest", json=body, headers=who).status_code == 204
        assert (
            desk.client.put(f"{URL}/classes/guest", json=body | {"membership_days": 7}, headers=who).status_code == 204
        )
        listed = desk("GET", "/classes").json()["classes"]
        assert body | {"membership_days": 7, "code": "guest"} in listed
        assert {"adult", "child", "student"} <= {one["code"] for one in listed}


class TestCards:
    def test_a_lost_card_is_dead_and_a_new_one_takes_over(self, desk: Desk) -> None:
        patron = desk.register()
        assert desk("POST", f"/{patron}/cards/end", {"reason": "lost"}).status_code == 204
        assert desk("POST", f"/{patron}/cards/end", {"reason": "lost"}).json()["code"] == "no_active_card"
        told = desk("POST", f"/{patron}/cards", {"number": "80000099"}).json()
        assert (told["card"], told["card_state"]) == ("80000099", "active")
        assert [(card["number"], card["state"]) for card in told["cards"]] == [
            ("80000099", "active"), ("80000001", "lost"),
        ]  # fmt: skip
        assert desk.found("80000001") == ["Wang Hai"]

    def test_a_worn_card_ends_as_replaced(self, desk: Desk, clock: ManualClock) -> None:
        patron = desk.register()
        clock.advance(days=1)
        desk.sign_in()
        told = desk("POST", f"/{patron}/cards", {"number": "80000099"}).json()
        assert told["cards"][1] == {
            "number": "80000001", "state": "replaced",
            "issued_at": "2026-03-02T04:30:00Z", "ended_at": "2026-03-03T04:30:00Z",
        }  # fmt: skip

    def test_a_number_is_given_once_for_ever(self, desk: Desk) -> None:
        patron = desk.register()
        desk("POST", f"/{patron}/cards", {"number": "80000099"})
        for taken in ("80000001", "80000099", ALICE):
            assert desk("POST", f"/{patron}/cards", {"number": taken}).json()["code"] == "card_taken"
        assert desk("POST", f"/{patron}/cards", {"number": BOOKS[0]}).json()["code"] == "card_is_barcode"
        assert desk("GET", f"/{patron}").json()["card_state"] == "active"

    def test_nobody_signs_in_with_a_lost_card(self, desk: Desk) -> None:
        patron = desk.register()
        desk("POST", f"/{patron}/pin", {"pin": "739146"})
        sign_in = {"user": "80000001", "password": "739146"}
        assert desk.client.post("/api/v1/session", json=sign_in).status_code == 200
        desk("POST", f"/{patron}/cards/end", {"reason": "lost"})
        assert desk.client.post("/api/v1/session", json=sign_in).status_code == 401
        desk("POST", f"/{patron}/cards", {"number": "80000099"})
        assert desk.client.post("/api/v1/session", json=sign_in | {"user": "80000099"}).status_code == 200


class TestBlocks:
    def test_a_block_stops_until_it_is_lifted(self, desk: Desk) -> None:
        patron = desk.register()
        block = desk("POST", f"/{patron}/blocks", {"reason": "damage", "note": "Water on I247/3"}).json()["id"]
        told = desk("GET", f"/{patron}").json()
        assert told["blocked"]
        assert (told["blocks"][0]["reason"], told["blocks"][0]["created_by"]) == ("damage", "user:librarian")
        assert desk("DELETE", f"/{patron}/blocks/{block}").status_code == 204
        assert desk("DELETE", f"/{patron}/blocks/{block}").json()["code"] == "unknown_block"
        told = desk("GET", f"/{patron}").json()
        assert (told["blocked"], told["blocks"][0]["lifted_by"]) == (False, "user:librarian")

    def test_a_block_with_an_end_ends_by_itself(self, desk: Desk, clock: ManualClock) -> None:
        patron = desk.register()
        desk("POST", f"/{patron}/blocks", {"until": "2026-03-04T16:00:00Z"})
        assert desk("GET", f"/{patron}").json()["blocked"]
        clock.at = clock.at.replace(day=4, hour=15, minute=59)
        desk.sign_in()
        assert desk("GET", f"/{patron}").json()["blocked"]
        clock.advance(minutes=1)
        assert not desk("GET", f"/{patron}").json()["blocked"]

    def test_a_block_that_is_over_already_is_refused(self, desk: Desk, clock: ManualClock) -> None:
        patron = desk.register()
        answer = desk("POST", f"/{patron}/blocks", {"until": clock.now().isoformat(), "request_id": "b1"})
        assert (answer.status_code, answer.json()["code"]) == (409, "block_over")
        assert desk("GET", f"/{patron}").json()["blocks"] == []

    def test_a_block_that_comes_again_is_placed_once(self, desk: Desk) -> None:
        patron = desk.register()
        body = {"reason": "damage", "request_id": "b1"}
        first = desk("POST", f"/{patron}/blocks", body)
        again = desk("POST", f"/{patron}/blocks", body)
        other = desk("POST", f"/{patron}/blocks", body | {"reason": "debt"})
        assert (again.status_code, again.json()) == (201, first.json())
        assert (other.status_code, other.json()["code"]) == (409, "request_id_reused")
        assert len(desk("GET", f"/{patron}").json()["blocks"]) == 1

    def test_one_of_two_blocks_is_enough(self, desk: Desk) -> None:
        patron = desk.register()
        first = desk("POST", f"/{patron}/blocks", {}).json()["id"]
        desk("POST", f"/{patron}/blocks", {"reason": "debt"})
        desk("DELETE", f"/{patron}/blocks/{first}")
        assert desk("GET", f"/{patron}").json()["blocked"]

    def test_another_patrons_block_is_not_lifted(self, desk: Desk) -> None:
        (other,) = desk("GET", q=BLOCKED).json()["patrons"]
        block = desk("GET", f"/{other['id']}").json()["blocks"][0]["id"]
        assert desk("DELETE", f"/{desk.register()}/blocks/{block}").json()["code"] == "unknown_block"


class TestAudit:
    def test_every_change_leaves_an_entry_without_a_name(self, desk: Desk) -> None:
        patron = desk.register()
        desk("PATCH", f"/{patron}", {"phone": "139 1111 2222", "note": "secret"})
        desk("PATCH", f"/{patron}", {"note": "secret"})
        desk("POST", f"/{patron}/renewal")
        desk("POST", f"/{patron}/pin", {})
        block = desk("POST", f"/{patron}/blocks", {}).json()["id"]
        desk("DELETE", f"/{patron}/blocks/{block}")
        desk("POST", f"/{patron}/cards/end", {"reason": "lost"})
        desk("POST", f"/{patron}/cards", {"number": "80000099"})
        desk("POST", f"/{patron}/export")
        desk("POST", f"/{patron}/anonymise")
        who = colleague(desk.client, Role.ADMINISTRATOR)
        page = desk.client.get("/api/v1/audit", params={"target": f"patron:{patron}"}, headers=who)
        assert [entry["action"] for entry in reversed(page.json()["entries"])] == [
            "patron.register", "patron.edit", "patron.renew", "patron.pin", "patron.block", "patron.unblock",
            "card.end", "card.issue", "patron.export", "patron.anonymise",
        ]  # fmt: skip
        told = str([entry | {"hash": ""} for entry in page.json()["entries"]])
        for secret in ("Wang", "80000", "secret", "139"):
            assert secret not in told


class TestMe:
    def test_anonymous_may_not(self, client: TestClient) -> None:
        assert client.get(f"{URL}/me").status_code == 401

    def test_colleagues_and_machines_are_no_patrons(self, client: TestClient) -> None:
        for who in (machine(), colleague(client, Role.ADMINISTRATOR)):
            assert client.get(f"{URL}/me", headers=who).status_code == 403

    def test_a_reader_sees_their_own_data_and_no_secret(self, client: TestClient) -> None:
        answer = client.get(f"{URL}/me", headers=reader(client))
        assert answer.json() == {
            "card": ALICE, "name": "Alice Wu", "language": "en", "expires_on": "2030-01-01", "blocked": False,
            "card_state": "active", "patron_class": "adult", "branch": "main", "email": "", "phone": "",
            "channels": [], "keeps_history": False,
        }  # fmt: skip
        assert answer.headers["cache-control"] == "no-store"

    def test_readers_change_language_contact_and_history(self, client: TestClient) -> None:
        who = reader(client)
        wanted = {"language": "zh-CN", "email": "a@b.example", "channels": ["email"], "keeps_history": True}
        told = client.patch(f"{URL}/me", json=wanted, headers=who).json()
        assert {name: told[name] for name in wanted} == wanted
        assert client.patch(f"{URL}/me", json={"email": ""}, headers=who).json()["code"] == "channel_without_address"
        assert client.get(f"{URL}/me", headers=who).json()["email"] == "a@b.example"

    def test_the_rest_is_the_desks(self, client: TestClient) -> None:
        who = reader(client)
        for field in ["name", "patron_class", "expires_on", "branch", "note", "guardian_id"]:
            assert client.patch(f"{URL}/me", json={field: None}, headers=who).status_code == 422

    def test_a_guardian_sees_children_until_they_are_of_age(
        self, client: TestClient, desk: Desk, clock: ManualClock
    ) -> None:
        (alice,) = desk("GET", q=ALICE).json()["patrons"]
        fields = {"name": "Wu Xiao", "phone": "", "email": "", "patron_class": "child", "guardian_id": alice["id"]}
        desk.register(**fields, born_on="2008-03-04")
        told = client.get(f"{URL}/me/children", headers=reader(client)).json()
        assert told == {"children": [{"card": "80000001", "name": "Wu Xiao", "born_on": "2008-03-04"}]}
        clock.advance(days=2)
        assert client.get(f"{URL}/me/children", headers=reader(client)).json() == {"children": []}


class TestPins:
    def test_a_reader_chooses_a_new_pin_and_signs_in_anew(self, client: TestClient) -> None:
        who = reader(client)
        answer = client.put(f"{URL}/me/pin", json={"present": PIN, "new": "591347"}, headers=who)
        assert answer.status_code == 204
        assert client.get(f"{URL}/me", headers=who).status_code == 401
        assert client.post("/api/v1/session", json={"user": ALICE, "password": PIN}).status_code == 401
        assert client.post("/api/v1/session", json={"user": ALICE, "password": "591347"}).status_code == 200

    def test_a_poor_pin_is_refused(self, client: TestClient) -> None:
        who = reader(client)
        for pin, code in (("12345a", "pin_form"), ("1111", "pin_too_simple")):
            answer = client.put(f"{URL}/me/pin", json={"present": PIN, "new": pin}, headers=who)
            assert (answer.status_code, answer.json()["code"]) == (409, code)

    def test_wrong_pins_are_counted_with_those_of_other_channels_and_the_desk_ends_the_lock(
        self, client: TestClient, desk: Desk
    ) -> None:
        who = reader(client)
        for _ in range(3):
            answer = client.put(f"{URL}/me/pin", json={"present": "0000", "new": "591347"}, headers=who)
            assert (answer.status_code, answer.json()["code"]) == (403, "wrong_pin")
        for _ in range(2):
            assert client.post("/api/v1/session", json={"user": ALICE, "password": "no"}).status_code == 401
        locked = client.put(f"{URL}/me/pin", json={"present": PIN, "new": "591347"}, headers=who)
        assert (locked.status_code, locked.json()["code"]) == (429, "pin_locked")
        (alice,) = desk("GET", q=ALICE).json()["patrons"]
        pin = desk("POST", f"/{alice['id']}/pin", {}).json()["pin"]
        assert len(pin) == 6
        assert client.post("/api/v1/session", json={"user": ALICE, "password": pin}).status_code == 200
