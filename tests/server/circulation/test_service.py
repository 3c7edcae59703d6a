"""What the database decides when requests come at the same moment."""

import random
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError

from server.catalogue.models import ItemRow
from server.circulation.models import LoanRow
from server.db import Database
from tests.support.library import ALICE, BO, BOOKS, NOW, items, machine

AT_ONCE = 20


def all_at_once(client: TestClient, bodies: list[tuple[str, dict]]) -> list[dict]:
    """Send all requests in the same moment."""
    gate = threading.Barrier(len(bodies))

    def send(what: str, body: dict) -> dict:
        gate.wait()
        answer = client.post(f"/api/v1/circulation/{what}", json=body, headers=machine())
        assert answer.status_code == 200, answer.text
        return answer.json()

    with ThreadPoolExecutor(len(bodies)) as pool:
        return list(pool.map(lambda pair: send(*pair), bodies))


def checkout(request_id: str, *barcodes: str, card: str = ALICE) -> tuple[str, dict]:
    return "checkouts", {"request_id": request_id, "card": card, "items": items(*barcodes)}


def open_loans(database: Database) -> int:
    with database.reading() as session:
        return session.scalar(select(func.count()).where(LoanRow.checked_in_at.is_(None))) or 0


def outcomes(answers: list[dict]) -> Counter[str]:
    return Counter(result["code"] or "ok" for answer in answers for result in answer["results"])


def test_twenty_checkouts_of_one_item_make_one_loan(client: TestClient, database: Database) -> None:
    answers = all_at_once(client, [checkout(f"r{n}", BOOKS[0], card=(ALICE, BO)[n % 2]) for n in range(AT_ONCE)])
    told = outcomes(answers)
    assert told["ok"] == 1
    assert told["on_loan"] == AT_ONCE // 2
    assert told["on_loan_to_you"] == AT_ONCE // 2 - 1
    assert open_loans(database) == 1


def test_twenty_repeats_of_one_request_make_one_loan_and_one_answer(client: TestClient, database: Database) -> None:
    answers = all_at_once(client, [checkout("the-same", BOOKS[0])] * AT_ONCE)
    assert outcomes(answers)["ok"] == AT_ONCE
    assert all(answer == answers[0] for answer in answers)
    assert open_loans(database) == 1


def test_two_kiosks_do_not_lend_one_patron_past_the_limit(client: TestClient, database: Database) -> None:
    answers = all_at_once(client, [checkout(f"r{n}", barcode) for n, barcode in enumerate(BOOKS)])
    assert outcomes(answers) == {"ok": 6, "loan_limit": 4}
    assert open_loans(database) == 6


def test_batches_that_cross_each_other_do_not_deadlock(client: TestClient, database: Database) -> None:
    there, back = BOOKS[:6], tuple(reversed(BOOKS[:6]))
    answers = all_at_once(
        client,
        [checkout(f"r{n}", *(there, back)[n % 2], card=(ALICE, BO)[n % 2]) for n in range(8)]
        + [("checkins", {"request_id": f"in{n}", "items": items(*(back, there)[n % 2])}) for n in range(8)],
    )
    told = outcomes(answers)
    returned = sum(r["status"] == "ok" and r["security"] == "in_stock" for a in answers for r in a["results"])
    assert told["ok"] - 2 * returned == open_loans(database)


def test_more_writers_than_worker_threads_all_get_their_turn(client: TestClient, database: Database) -> None:
    answers = all_at_once(client, [checkout(f"r{n}", BOOKS[n % 5]) for n in range(60)])
    assert outcomes(answers)["ok"] == 5
    assert open_loans(database) == 5


def test_the_database_itself_refuses_a_second_open_loan(database: Database) -> None:
    def lend() -> None:
        with database.writing() as session:
            session.add(LoanRow(item_id=1, patron_id=1, checked_out_at=NOW, due_at=NOW))

    lend()
    with pytest.raises(IntegrityError):
        lend()
    with database.writing() as session:
        session.execute(update(LoanRow).values(checked_in_at=NOW))
    lend()


def test_a_loan_that_only_the_database_sees_is_refused_without_harm(
    client: TestClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def blind(*_: object, **__: object) -> list[object]:
        return []

    all_at_once(client, [checkout("first", BOOKS[1], card=BO)])
    monkeypatch.setattr("server.circulation.repository.open_loans", blind)
    (answer,) = all_at_once(client, [checkout("second", BOOKS[0], BOOKS[1], BOOKS[2])])
    assert [result["code"] or "ok" for result in answer["results"]] == ["ok", "on_loan", "ok"]
    assert open_loans(database) == 3


def test_an_unforeseen_fault_undoes_the_whole_request_and_a_retry_does_it(
    client: TestClient, database: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from server.catalogue import service as catalogue  # noqa: PLC0415  # the one that is replaced below

    real: Callable[..., None] = catalogue.set_status

    def fail_at_the_second(session, item_id, status, **where):  # type: ignore[no-untyped-def]
        if item_id == 2:
            raise RuntimeError("the disk is full of secrets")
        real(session, item_id, status, **where)

    what, body = checkout("r", *BOOKS[:3])
    with monkeypatch.context() as patched:
        patched.setattr(catalogue, "set_status", fail_at_the_second)
        answer = client.post(f"/api/v1/circulation/{what}", json=body, headers=machine())
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert "secrets" not in answer.text
    assert answer.json()["params"]["id"] in caplog.text
    assert open_loans(database) == 0
    assert outcomes(all_at_once(client, [(what, body)])) == {"ok": 3}


def test_an_items_status_says_what_its_loans_say(client: TestClient, database: Database) -> None:
    all_at_once(client, [checkout("r", *BOOKS[:3])])
    all_at_once(client, [("checkins", {"request_id": "r2", "items": items(BOOKS[0])})])
    with database.reading() as session:
        lent = set(session.scalars(select(LoanRow.item_id).where(LoanRow.checked_in_at.is_(None))))
        marked = set(session.scalars(select(ItemRow.id).where(ItemRow.status == "on_loan")))
    assert lent == marked == {2, 3}


def test_old_answers_are_forgotten(client: TestClient, clock, database: Database) -> None:  # type: ignore[no-untyped-def]
    all_at_once(client, [checkout("r", BOOKS[0])])
    clock.advance(days=31)
    (answer,) = all_at_once(client, [checkout("r", BOOKS[0])])
    assert answer["results"][0]["code"] == "on_loan_to_you"


@pytest.mark.parametrize("seed", [1, 2])
def test_a_long_day_at_the_counter_agrees_with_a_plain_ledger(
    client: TestClient, database: Database, seed: int
) -> None:
    """Random checkouts, checkins and renewals, judged by a dictionary of who has what."""
    chance, ledger = random.Random(seed), {}  # item -> [card, renewals]
    for step in range(120):
        what = chance.choice(("checkouts", "checkouts", "checkins", "renewals"))
        card, barcodes = chance.choice((ALICE, BO)), chance.sample(BOOKS, chance.randint(1, 4))
        body = {"request_id": f"s{step}", "items": items(*barcodes)} | ({} if what == "checkins" else {"card": card})
        (answer,) = all_at_once(client, [(what, body)])
        for barcode, result in zip(barcodes, answer["results"], strict=True):
            loan = ledger.get(barcode)
            if what == "checkouts":
                has = sum(holder == card for holder, _ in ledger.values())
                allowed = loan is None and has < 6
                if allowed:
                    ledger[barcode] = [card, 0]
            elif what == "renewals":
                allowed = loan is not None and loan[0] == card and loan[1] < 2
                if allowed:
                    loan[1] += 1
            else:
                allowed = ledger.pop(barcode, None) is not None
            assert (result["status"] == "ok") == allowed, (step, what, result)
    assert open_loans(database) == len(ledger)
