"""Cards, blocks and the audit log of patrons at the desk, on both databases."""

from server.deps import Role
from tests.server.patrons.conftest import Desk
from tests.support.library import ALICE, BLOCKED, BOOKS, ManualClock, colleague


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
