"""Registering, finding and editing patrons, on both databases."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from server.deps import Role
from tests.server.patrons.conftest import NEW, URL, Desk
from tests.support.library import ALICE, BOOKS, colleague


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
