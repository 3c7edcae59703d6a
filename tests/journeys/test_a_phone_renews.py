"""Journey (d): a reader renews on her phone; it never leaves the server."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.postgres import running_cluster
from tests.support.programs import Library

pytestmark = [pytest.mark.process, pytest.mark.timeout(180)]


def loans(phone: httpx.Client) -> dict[str, dict[str, Any]]:
    answer = phone.get("/patrons/me/loans")
    assert answer.status_code == 200, answer.text
    return {loan["barcode"]: loan for loan in answer.json()["loans"]}


def renew(phone: httpx.Client, request_id: str, *barcodes: str) -> list[dict[str, Any]]:
    body = {"request_id": request_id, "items": [{"barcode": code} for code in barcodes]}
    answer = phone.post("/circulation/renewals", json=body)
    assert answer.status_code == 200, answer.text
    results: list[dict[str, Any]] = answer.json()["results"]
    return results


def renewed_once(running: Library) -> None:
    """Renew the first loan that can be, twice with one request id: it moves once, and both answers are the same."""
    facts = running.facts()
    assert sum(item["on_loan"] for item in facts["items"]) >= 12
    for patron in facts["patrons"]:
        phone = running.client(patron["card"], patron["pin"])
        before = loans(phone)
        for code in before:
            (first,) = renew(phone, f"phone-{code}", code)
            if first["status"] == "ok":
                after = loans(phone)[code]["due"]
                assert datetime.fromisoformat(after) > datetime.fromisoformat(before[code]["due"])
                assert renew(phone, f"phone-{code}", code) == [first]
                assert loans(phone)[code]["due"] == after
                return
    raise AssertionError("no loan of the demo library could be renewed")


def test_a_loan_is_renewed_once_however_often_the_phone_asks(running: Library) -> None:
    renewed_once(running)


@pytest.mark.postgres
def test_it_is_the_same_on_postgresql(tmp_path: Path) -> None:
    with running_cluster() as cluster:
        cluster.run("CREATE DATABASE journey")
        on_postgres = Library(tmp_path, database=cluster.url("journey"))
        try:
            on_postgres.start("server")
            renewed_once(on_postgres)
        finally:
            on_postgres.stop()


def test_a_reader_cannot_renew_anothers_loan(running: Library) -> None:
    facts = running.facts()
    other = next(item["barcode"] for item in facts["items"] if item["on_loan"])
    phone = next(
        client
        for patron in facts["patrons"]
        if other not in loans(client := running.client(patron["card"], patron["pin"]))
    )
    (result,) = renew(phone, "phone-thief", other)
    assert result["status"] == "refused"
    assert result["code"]
