"""The circulation endpoints, one class each; the first test of a class is the anonymous one."""

import itertools
from datetime import UTC, datetime

import pytest
from fastapi.testclient import TestClient

from server.deps import Role
from tests.support.library import (
    ALICE,
    BLOCKED,
    BO,
    BOOKS,
    EXPIRED,
    MISSING,
    REFERENCE,
    ManualClock,
    colleague,
    items,
    machine,
    reader,
)

DUE = "2026-04-01T15:59:59Z"  # the end of 1 April in Shanghai
RENEWED = "2026-05-01T15:59:59Z"
numbers = itertools.count()


def post(client: TestClient, what: str, who: dict[str, str], /, **body: object) -> dict:
    answer = client.post(f"/api/v1/circulation/{what}", json=body, headers=who)
    assert answer.status_code == 200, answer.text
    return answer.json()


def lend(client: TestClient, *barcodes: str, card: str = ALICE, request_id: str | None = None) -> list[dict]:
    body = {"request_id": request_id or f"lend-{next(numbers)}", "card": card, "items": items(*barcodes)}
    return post(client, "checkouts", machine(), **body)["results"]


def codes(results: list[dict]) -> list[str]:
    return [result["code"] or result["status"] for result in results]


def available(client: TestClient, title: str) -> int:
    found = client.get("/api/v1/records", params={"q": title}).json()["records"]
    return next(record["items_available"] for record in found if record["title"] == title)


class TestCheckouts:
    def test_anonymous_may_not(self, client: TestClient) -> None:
        answer = client.post("/api/v1/circulation/checkouts", json={"request_id": "r", "items": items(BOOKS[0])})
        assert (answer.status_code, answer.json()["code"]) == (401, "sign_in_required")
        assert answer.headers["content-type"] == "application/problem+json"

    def test_duty_staff_may_not(self, client: TestClient) -> None:
        body = {"request_id": "r", "card": ALICE, "items": items(BOOKS[0])}
        who = colleague(client, Role.DUTY_STAFF)
        answer = client.post("/api/v1/circulation/checkouts", json=body, headers=who)
        assert (answer.status_code, answer.json()["code"]) == (403, "not_permitted")

    def test_five_books_become_five_loans_due_at_the_end_of_the_librarys_day(self, client: TestClient) -> None:
        results = lend(client, *BOOKS[:5])
        assert [result["barcode"] for result in results] == list(BOOKS[:5])
        assert results[0] == {
            "barcode": BOOKS[0], "status": "ok", "code": None, "params": {}, "title": "Book 1", "due": DUE,
            "security": "on_loan", "route": None, "route_to": None, "fee": None, "loan": 1, "overridden": [],
        }  # fmt: skip
        loans = client.get("/api/v1/patrons/me/loans", headers=reader(client)).json()
        assert sorted(loan["barcode"] for loan in loans["loans"]) == sorted(BOOKS[:5])
        assert available(client, "Book 1") == 0

    def test_one_refusal_does_not_lose_the_rest(self, client: TestClient) -> None:
        lend(client, BOOKS[1], card=BO)
        results = lend(client, BOOKS[0], BOOKS[1], "nothing-like-it", REFERENCE, MISSING, BOOKS[2])
        assert codes(results) == ["ok", "on_loan", "unknown_item", "not_for_loan", "item_missing", "ok"]
        assert results[1]["due"] is None, "another patron's due date is nobody's business"

    def test_the_limit_is_counted_within_the_batch(self, client: TestClient) -> None:
        results = lend(client, *BOOKS[:8])
        assert codes(results) == ["ok"] * 6 + ["loan_limit"] * 2
        assert results[-1]["params"] == {"limit": 6}

    def test_a_book_twice_in_one_batch_is_lent_once(self, client: TestClient) -> None:
        assert codes(lend(client, BOOKS[0], BOOKS[0])) == ["ok", "on_loan_to_you"]

    def test_ones_own_loan_says_so_and_lets_the_pad_mend_the_tag(self, client: TestClient) -> None:
        lend(client, BOOKS[0])
        (result,) = lend(client, BOOKS[0], request_id="again")
        assert (result["code"], result["due"], result["security"]) == ("on_loan_to_you", DUE, "on_loan")

    @pytest.mark.parametrize(
        ("card", "code"), [("12345678", "unknown_card"), (BLOCKED, "patron_blocked"), (EXPIRED, "card_expired")]
    )
    def test_a_card_that_may_not_borrow_says_why(self, client: TestClient, card: str, code: str) -> None:
        (result,) = lend(client, BOOKS[0], card=card)
        assert (result["status"], result["code"], result["title"]) == ("refused", code, "Book 1")

    def test_the_same_request_gets_the_same_answer_and_lends_once(self, client: TestClient, clock: ManualClock) -> None:
        first = lend(client, BOOKS[0], request_id="r-1")
        clock.advance(days=3)
        assert lend(client, BOOKS[0], request_id="r-1") == first
        assert len(client.get("/api/v1/patrons/me/loans", headers=reader(client)).json()["loans"]) == 1

    def test_an_old_answer_is_repeated_even_after_the_book_came_back(self, client: TestClient) -> None:
        first = lend(client, BOOKS[0], request_id="r-1")
        post(client, "checkins", machine(), request_id="r-2", items=items(BOOKS[0]))
        assert lend(client, BOOKS[0], request_id="r-1") == first
        assert client.get("/api/v1/patrons/me/loans", headers=reader(client)).json()["loans"] == []

    def test_the_same_id_for_something_else_is_refused(self, client: TestClient) -> None:
        lend(client, BOOKS[0], request_id="r-1")
        for what, body in (
            ("checkouts", {"card": ALICE, "items": items(BOOKS[1])}),
            ("checkouts", {"card": BO, "items": items(BOOKS[0])}),
            ("checkins", {"items": items(BOOKS[0])}),
        ):
            answer = client.post(f"/api/v1/circulation/{what}", json=body | {"request_id": "r-1"}, headers=machine())
            assert (answer.status_code, answer.json()["code"]) == (409, "request_id_reused")

    def test_ids_of_different_callers_do_not_meet(self, client: TestClient) -> None:
        lend(client, BOOKS[0], request_id="r-1")
        who = colleague(client, Role.LIBRARIAN)
        body = post(client, "checkouts", who, request_id="r-1", card=BO, items=items(BOOKS[1]))
        assert codes(body["results"]) == ["ok"]

    def test_machines_and_librarians_must_name_the_card(self, client: TestClient) -> None:
        body = {"request_id": "r", "items": items(BOOKS[0])}
        answer = client.post("/api/v1/circulation/checkouts", json=body, headers=machine())
        assert (answer.status_code, answer.json()["code"]) == (422, "card_required")

    def test_a_reader_lends_to_nobody_else(self, client: TestClient) -> None:
        who = reader(client)
        assert codes(post(client, "checkouts", who, request_id="r", items=items(BOOKS[0]))["results"]) == ["ok"]
        body = {"request_id": "r2", "card": BO, "items": items(BOOKS[1])}
        answer = client.post("/api/v1/circulation/checkouts", json=body, headers=who)
        assert (answer.status_code, answer.json()["code"]) == (403, "not_your_card")

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"request_id": "r", "card": ALICE, "items": []},
            {"request_id": "r", "card": ALICE, "items": ["30000001"]},
            {"request_id": "", "card": ALICE, "items": items(BOOKS[0])},
            {"request_id": "r", "card": "9'; --", "items": items(BOOKS[0])},
            {"request_id": "r", "card": ALICE, "items": items(BOOKS[0]), "surprise": 1},
            {"request_id": "r", "card": ALICE, "items": items(*["1"] * 51)},
            {"request_id": "r\u0000", "card": ALICE, "items": items(BOOKS[0])},
            [1, 2],
            None,
        ],
    )
    def test_a_malformed_body_is_a_problem_document(self, client: TestClient, body: object) -> None:
        answer = client.post("/api/v1/circulation/checkouts", json=body, headers=machine())
        assert (answer.status_code, answer.json()["code"]) == (422, "malformed_request")
        assert answer.headers["content-type"] == "application/problem+json"


class TestCheckins:
    def test_anonymous_may_not(self, client: TestClient) -> None:
        answer = client.post("/api/v1/circulation/checkins", json={"request_id": "r", "items": items(BOOKS[0])})
        assert answer.status_code == 401

    def test_readers_may_not(self, client: TestClient) -> None:
        body = {"request_id": "r", "items": items(BOOKS[0])}
        assert client.post("/api/v1/circulation/checkins", json=body, headers=reader(client)).status_code == 403

    def test_a_book_comes_back_without_a_card(self, client: TestClient) -> None:
        lend(client, BOOKS[0])
        (result,) = post(client, "checkins", machine(), request_id="r", items=items(BOOKS[0]))["results"]
        assert (result["status"], result["title"], result["security"]) == ("ok", "Book 1", "in_stock")
        assert available(client, "Book 1") == 1
        assert codes(lend(client, BOOKS[0], card=BO)) == ["ok"], "it can be lent again"

    def test_what_is_not_on_loan_is_refused_and_its_tag_may_be_mended(self, client: TestClient) -> None:
        asked = items(BOOKS[0], "nothing-like-it")
        first, second = post(client, "checkins", machine(), request_id="r", items=asked)["results"]
        assert (first["code"], first["security"]) == ("not_on_loan", "in_stock")
        assert (second["code"], second["security"]) == ("unknown_item", None)

    def test_a_blocked_patrons_book_comes_back_too(self, client: TestClient) -> None:
        lend(client, BOOKS[0])
        results = post(client, "checkins", colleague(client, Role.LIBRARIAN), request_id="r", items=items(BOOKS[0]))
        assert codes(results["results"]) == ["ok"]


class TestRenewals:
    def test_anonymous_may_not(self, client: TestClient) -> None:
        answer = client.post("/api/v1/circulation/renewals", json={"request_id": "r", "items": items(BOOKS[0])})
        assert answer.status_code == 401

    def test_a_phone_renews_its_readers_loan(self, client: TestClient) -> None:
        lend(client, BOOKS[0])
        who = reader(client)
        (result,) = post(client, "renewals", who, request_id="r", items=items(BOOKS[0]))["results"]
        assert (result["status"], result["due"]) == ("ok", RENEWED)
        (loan,) = client.get("/api/v1/patrons/me/loans", headers=who).json()["loans"]
        assert (loan["due"], loan["renewals"], loan["renewals_left"], loan["renewable"]) == (RENEWED, 1, 1, True)

    def test_a_repeat_renews_once(self, client: TestClient) -> None:
        lend(client, BOOKS[0])
        who = reader(client)
        first = post(client, "renewals", who, request_id="r", items=items(BOOKS[0]))
        assert post(client, "renewals", who, request_id="r", items=items(BOOKS[0])) == first
        assert client.get("/api/v1/patrons/me/loans", headers=who).json()["loans"][0]["renewals"] == 1

    def test_the_limit_says_so(self, client: TestClient) -> None:
        lend(client, BOOKS[0])
        who = reader(client)
        for number in range(2):
            post(client, "renewals", who, request_id=f"r{number}", items=items(BOOKS[0]))
        (result,) = post(client, "renewals", who, request_id="r3", items=items(BOOKS[0]))["results"]
        assert (result["code"], result["params"]) == ("renewal_limit", {"limit": 2})
        (loan,) = client.get("/api/v1/patrons/me/loans", headers=who).json()["loans"]
        assert (loan["renewable"], loan["code"], loan["renewals_left"]) == (False, "renewal_limit", 0)

    def test_refusals_are_told_one_by_one(self, client: TestClient) -> None:
        lend(client, BOOKS[0])
        lend(client, BOOKS[1], card=BO)
        asked = items(BOOKS[1], BOOKS[2], "nothing-like-it", BOOKS[0])
        results = post(client, "renewals", reader(client), request_id="r", items=asked)["results"]
        assert codes(results) == ["not_your_loan", "not_on_loan", "unknown_item", "ok"]

    def test_an_overdue_loan_comes_back_first(self, client: TestClient, clock: ManualClock) -> None:
        lend(client, BOOKS[0])
        clock.advance(days=31)
        (result,) = post(client, "renewals", machine(), request_id="r", card=ALICE, items=items(BOOKS[0]))["results"]
        assert result["code"] == "overdue"

    def test_a_reader_renews_nobody_elses(self, client: TestClient) -> None:
        body = {"request_id": "r", "card": BO, "items": items(BOOKS[0])}
        answer = client.post("/api/v1/circulation/renewals", json=body, headers=reader(client))
        assert answer.json()["code"] == "not_your_card"


class TestPreview:
    def test_anonymous_may_not(self, client: TestClient) -> None:
        answer = client.post("/api/v1/circulation/preview", json={"items": items(BOOKS[0])})
        assert answer.status_code == 401

    def test_it_answers_as_a_checkout_would_and_changes_nothing(self, client: TestClient) -> None:
        lend(client, BOOKS[8], card=BO)
        asked = [*BOOKS[:7], BOOKS[8]]
        told = post(client, "preview", machine(), card=ALICE, items=items(*asked))["results"]
        assert codes(told) == ["ok"] * 6 + ["loan_limit", "on_loan"]
        assert (told[0]["title"], told[0]["due"]) == ("Book 1", DUE)
        assert codes(lend(client, *asked)) == codes(told)

    def test_without_a_card_it_answers_as_a_checkin_would(self, client: TestClient) -> None:
        lend(client, BOOKS[0])
        told = post(client, "preview", machine(), items=items(BOOKS[0], BOOKS[1]))["results"]
        assert codes(told) == ["ok", "not_on_loan"]
        assert available(client, "Book 1") == 0


class TestStanding:
    def test_anonymous_may_not(self, client: TestClient) -> None:
        assert client.get(f"/api/v1/patrons/by-card/{ALICE}/standing").status_code == 401

    def test_readers_may_not(self, client: TestClient) -> None:
        url = f"/api/v1/patrons/by-card/{ALICE}/standing"
        assert client.get(url, headers=reader(client)).status_code == 403

    def test_a_kiosk_sees_no_more_than_it_shows(self, client: TestClient) -> None:
        lend(client, BOOKS[0])
        assert client.get(f"/api/v1/patrons/by-card/{ALICE}/standing", headers=machine()).json() == {
            "card": ALICE, "shown_name": "A. W.", "language": "en", "loans": 1, "quota_left": 5,
            "pin_required": False, "code": None,
        }  # fmt: skip

    @pytest.mark.parametrize(
        ("card", "name", "code"),
        [(BO, "张*", None), (BLOCKED, "C. M.", "patron_blocked"), (EXPIRED, "D. L.", "card_expired")],
    )
    def test_it_says_why_nothing_may_be_borrowed(
        self, client: TestClient, card: str, name: str, code: str | None
    ) -> None:
        told = client.get(f"/api/v1/patrons/by-card/{card}/standing", headers=machine()).json()
        assert (told["shown_name"], told["code"]) == (name, code)

    def test_the_loan_limit_shows(self, client: TestClient) -> None:
        lend(client, *BOOKS[:6])
        told = client.get(f"/api/v1/patrons/by-card/{ALICE}/standing", headers=machine()).json()
        assert (told["quota_left"], told["code"]) == (0, "loan_limit")

    def test_an_unknown_card_is_a_problem(self, client: TestClient) -> None:
        answer = client.get("/api/v1/patrons/by-card/1234/standing", headers=machine())
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown_card")


class TestMyLoans:
    def test_anonymous_may_not(self, client: TestClient) -> None:
        assert client.get("/api/v1/patrons/me/loans").status_code == 401

    def test_librarians_have_none(self, client: TestClient) -> None:
        assert client.get("/api/v1/patrons/me/loans", headers=colleague(client, Role.LIBRARIAN)).status_code == 403

    def test_due_soonest_comes_first(self, client: TestClient, clock: ManualClock) -> None:
        lend(client, BOOKS[3])
        clock.at = datetime(2026, 3, 20, 15, 59, tzinfo=UTC)
        lend(client, BOOKS[1])
        clock.at = datetime(2026, 3, 20, 16, 0, tzinfo=UTC)  # midnight in Shanghai
        lend(client, BOOKS[2])
        told = client.get("/api/v1/patrons/me/loans", headers=reader(client)).json()
        assert [loan["barcode"] for loan in told["loans"]] == [BOOKS[3], BOOKS[1], BOOKS[2]]
        assert [loan["due"][:10] for loan in told["loans"]] == ["2026-04-01", "2026-04-19", "2026-04-20"]
        assert told["quota_left"] == 3
        assert told["loans"][0]["title"] == "Book 4"
