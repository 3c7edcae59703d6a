"""What readers see and change of their own accounts, on both databases."""

from fastapi.testclient import TestClient

from server.deps import Role
from tests.server.patrons.conftest import URL, Desk
from tests.support.library import ALICE, PIN, ManualClock, colleague, machine, reader


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
