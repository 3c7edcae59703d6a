"""Fees over REST: who may see, charge, take and forgive money."""

import pytest
from fastapi.testclient import TestClient

from server.deps import Role
from tests.support.library import ALICE, BO, ManualClock, colleague, machine, reader

FEES = f"/api/v1/patrons/by-card/{ALICE}/fees"
PAYMENTS = "/api/v1/fees/payments"


@pytest.fixture
def desk(client: TestClient) -> dict[str, str]:
    return colleague(client, Role.LIBRARIAN)


def charge(client: TestClient, desk: dict[str, str], amount: str = "5.00", kind: str = "damage") -> dict:
    answer = client.post(FEES, json={"kind": kind, "amount": amount, "reason": "torn"}, headers=desk)
    assert answer.status_code == 201, answer.text
    return answer.json()


def pay(client: TestClient, who: dict[str, str], **body: object):  # type: ignore[no-untyped-def]
    return client.post(PAYMENTS, json={"payment_id": "p1", "amount": "5.00", "card": ALICE} | body, headers=who)


def undo(client: TestClient, who: dict[str, str], payment: str = "p1", **body: object):  # type: ignore[no-untyped-def]
    return client.post(f"{PAYMENTS}/{payment}/undo", json={"request_id": "u1", "card": ALICE} | body, headers=who)


def test_a_payment_is_undone_once_and_soon(client: TestClient, desk: dict[str, str], clock: ManualClock) -> None:
    charge(client, desk)
    pay(client, desk, amount="2.00")
    assert undo(client, desk, "p2").json()["code"] == "unknown_payment"
    assert undo(client, desk, card=BO).json()["code"] == "unknown_payment"
    assert undo(client, desk, card=None).json()["code"] == "unknown_patron"
    first = undo(client, desk)
    assert first.json() == {"payment_id": "p1", "amount": "2.00", "balance": "5.00"}
    assert undo(client, desk).json() == first.json(), "the same request gets the same answer"
    again = undo(client, desk, request_id="u2")
    assert (again.status_code, again.json()["code"]) == (409, "payment_undone")
    pay(client, desk, payment_id="p3")
    clock.advance(seconds=31)
    late = undo(client, desk, "p3", request_id="u3")
    assert (late.status_code, late.json()["code"]) == (409, "undo_too_late")
    ledger = client.get(FEES, headers=desk).json()["ledger"]
    assert [(line["entry"], line["amount"]) for line in ledger] == [
        ("charge", "5.00"), ("payment", "-2.00"), ("reversal", "2.00"), ("payment", "-5.00"),
    ]  # fmt: skip


def test_a_card_and_another_patron_are_not_one_payer(client: TestClient, desk: dict[str, str]) -> None:
    charge(client, desk)
    keys = {card: client.get("/api/v1/patrons", params={"q": card}, headers=desk).json()["patrons"][0]["id"]
            for card in (ALICE, BO)}  # fmt: skip
    for refused in (pay(client, desk, patron_id=keys[BO]), undo(client, desk, patron_id=keys[BO])):
        assert (refused.status_code, refused.json()["code"]) == (409, "two_patrons")
    assert pay(client, desk, patron_id=keys[ALICE]).json()["balance"] == "0.00"


def test_who_was_forgotten_since_owes_nothing_again(client: TestClient, desk: dict[str, str]) -> None:
    charge(client, desk)
    pay(client, desk)
    (key,) = [n for n in range(1, 9) if client.get(f"/api/v1/patrons/{n}/fees", headers=desk).json().get("ledger")]
    gone = client.post(f"/api/v1/patrons/{key}/anonymise", headers=desk)
    assert gone.status_code < 300, gone.text
    assert undo(client, desk, card=None, patron_id=key).json()["code"] == "unknown_patron"


def test_who_was_forgotten_is_charged_nothing(client: TestClient, desk: dict[str, str]) -> None:
    charge(client, desk, amount="1")
    key = next(
        n for n in range(1, 9) if client.get(f"/api/v1/patrons/{n}/fees", headers=desk).json()["balance"] != "0.00"
    )
    pay(client, desk, amount="1.00")
    assert client.post(f"/api/v1/patrons/{key}/anonymise", headers=desk).status_code < 300
    body = {"kind": "damage", "amount": "1"}
    for path in (f"/api/v1/patrons/{key}/fees", FEES, "/api/v1/patrons/4711/fees"):
        refused = client.post(path, json=body, headers=desk)
        assert (refused.status_code, refused.json()["code"]) == (404, "unknown_patron")
    assert client.get(f"/api/v1/patrons/{key}/fees", headers=desk).json()["balance"] == "0.00"


def test_a_fee_is_charged_paid_in_part_and_forgiven(client: TestClient, desk: dict[str, str]) -> None:
    fee = charge(client, desk)
    assert (fee["kind"], fee["amount"], fee["owed"], fee["reason"]) == ("damage", "5.00", "5.00", "torn")
    paid = pay(client, desk, amount="2")
    assert paid.json() == {
        "payment_id": "p1", "amount": "2.00", "balance": "3.00", "parts": [{"fee_id": fee["id"], "amount": "2.00"}],
    }  # fmt: skip
    assert pay(client, desk, amount="2").json() == paid.json()
    assert pay(client, desk, amount="2", fee_id=fee["id"] + 1).json()["code"] == "payment_id_reused"
    waived = client.post(f"/api/v1/fees/{fee['id']}/waive", json={"reason": "ill", "amount": "1.00"}, headers=desk)
    assert waived.json() == {"waived": "1.00", "balance": "2.00"}
    told = client.get(FEES, headers=desk).json()
    assert told["balance"] == "2.00"
    assert [(line["entry"], line["amount"]) for line in told["ledger"]] == [
        ("charge", "5.00"), ("payment", "-2.00"), ("waiver", "-1.00"),
    ]  # fmt: skip


def test_a_reader_sees_their_own_fees_and_nobody_elses(client: TestClient, desk: dict[str, str]) -> None:
    charge(client, desk)
    mine, theirs = reader(client), reader(client, BO)
    assert client.get("/api/v1/patrons/me/fees", headers=mine).json()["balance"] == "5.00"
    assert client.get("/api/v1/patrons/me/fees", headers=theirs).json()["balance"] == "0.00"
    assert client.get(FEES, headers=theirs).status_code == 403
    assert "actor" not in client.get("/api/v1/patrons/me/fees", headers=mine).text


@pytest.mark.parametrize("role", [None, Role.READER, Role.DUTY_STAFF, Role.KIOSK])
def test_money_is_the_desks_business(client: TestClient, desk: dict[str, str], role: Role | None) -> None:
    fee = charge(client, desk)
    who = {
        None: dict,
        Role.READER: lambda: reader(client),
        Role.DUTY_STAFF: lambda: colleague(client, Role.DUTY_STAFF),
        Role.KIOSK: machine,
    }[role]()
    wanted = 401 if role is None else 403
    body = {"kind": "damage", "amount": "1.00"}
    for answer in (
        client.get(FEES, headers=who),
        client.get("/api/v1/patrons/1/fees", headers=who),
        client.post(FEES, json=body, headers=who),
        client.post("/api/v1/patrons/1/fees", json=body, headers=who),
        pay(client, who),
        client.post(f"/api/v1/fees/{fee['id']}/waive", json={"reason": "x"}, headers=who),
        undo(client, who),
    ):
        assert answer.status_code == wanted, answer.text
    assert client.get(FEES, headers=desk).json()["balance"] == "5.00"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"amount": "5.01"}, 409, "overpaid"),
        ({"amount": "0"}, 409, "payment_amount"),
        ({"amount": "1.005"}, 409, "payment_amount"),
        ({"amount": "-5"}, 409, "payment_amount"),
        ({"amount": "五"}, 409, "payment_amount"),
        ({"fee_id": 4711}, 404, "unknown_fee"),
        ({"card": "nobody"}, 404, "unknown_patron"),
        ({"card": None}, 404, "unknown_patron"),
        ({"payment_id": ""}, 422, "malformed_request"),
        ({"means": "Cash!"}, 422, "malformed_request"),
        ({"amount": 5}, 422, "malformed_request"),
        ({"tip": "1"}, 422, "malformed_request"),
    ],
)
def test_a_payment_that_cannot_be_booked_says_why(
    client: TestClient, desk: dict[str, str], body: dict, status: int, code: str
) -> None:
    charge(client, desk)
    answer = pay(client, desk, **body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert client.get(FEES, headers=desk).json()["balance"] == "5.00"


def test_a_patron_is_also_known_by_key(client: TestClient, desk: dict[str, str]) -> None:
    charge(client, desk)
    key = next(
        n for n in range(1, 9) if client.get(f"/api/v1/patrons/{n}/fees", headers=desk).json()["balance"] != "0.00"
    )
    posted = client.post(f"/api/v1/patrons/{key}/fees", json={"kind": "admin", "amount": "1"}, headers=desk)
    assert posted.status_code == 201
    assert pay(client, desk, card=None, patron_id=key, amount="6.00").json()["balance"] == "0.00"
    assert client.get("/api/v1/patrons/4711/fees", headers=desk).json()["code"] == "unknown_patron"


def test_a_charge_and_a_waiver_that_come_again_are_booked_once(client: TestClient, desk: dict[str, str]) -> None:
    body = {"kind": "damage", "amount": "5", "request_id": "c1"}
    first = client.post(FEES, json=body, headers=desk)
    assert (first.status_code, first.json()["balance"]) == (201, "5.00")
    path = f"/api/v1/fees/{first.json()['id']}/waive"
    waiver = {"reason": "ill", "request_id": "w1"}
    waived = client.post(path, json=waiver, headers=desk)
    assert waived.json() == {"waived": "5.00", "balance": "0.00"}
    assert client.post(FEES, json=body | {"amount": "5.00"}, headers=desk).json() == first.json()
    assert client.post(path, json=waiver, headers=desk).json() == waived.json()
    for again in (
        client.post(FEES, json=body | {"amount": "6"}, headers=desk),
        client.post(FEES.replace(ALICE, BO), json=body, headers=desk),
        client.post(path, json=waiver | {"reason": "well"}, headers=desk),
        client.post(path, json=waiver | {"request_id": "c1"}, headers=desk),
    ):
        assert (again.status_code, again.json()["code"]) == (409, "request_id_reused")
    ledger = client.get(FEES, headers=desk).json()["ledger"]
    assert [line["entry"] for line in ledger] == ["charge", "waiver"]


@pytest.mark.parametrize("body", [{"kind": "fun", "amount": "1"}, {"kind": "damage", "amount": ""}, {"kind": "damage"}])
def test_a_charge_needs_a_kind_and_an_amount(client: TestClient, desk: dict[str, str], body: dict) -> None:
    assert client.post(FEES, json=body, headers=desk).status_code in (409, 422)


def test_a_waiver_needs_a_reason_and_an_open_fee(client: TestClient, desk: dict[str, str]) -> None:
    fee = charge(client, desk)
    path = f"/api/v1/fees/{fee['id']}/waive"
    assert client.post(path, json={"reason": " "}, headers=desk).json()["code"] == "reason_required"
    assert client.post(path, json={"reason": "\0"}, headers=desk).json()["code"] == "malformed_request"
    assert client.post(path, json={"reason": "ill", "amount": "9"}, headers=desk).json()["code"] == "overpaid"
    assert client.post("/api/v1/fees/4711/waive", json={"reason": "ill"}, headers=desk).status_code == 404
    assert client.post(path, json={"reason": "ill"}, headers=desk).json() == {"waived": "5.00", "balance": "0.00"}
    assert client.post(path, json={"reason": "ill"}, headers=desk).json()["code"] == "unknown_fee"
