"""Journey (d): a reader renews on her phone; it never leaves the server."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import httpx
import pytest

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


def test_a_loan_is_renewed_once_however_often_the_phone_asks(running: Library) -> None:
    facts = running.facts()
    on_loan = {item["barcode"] for item in facts["items"] if item["on_loan"]}
    assert len(on_loan) >= 12
    for patron in facts["patrons"]:
        phone = running.client(patron["card"], patron["pin"])
        mine = loans(phone)
        fresh = [code for code, loan in mine.items() if loan.get("renewals", 0) == 0]
        if not fresh:
            continue
        (first,) = renew(phone, f"phone-{patron['card']}", fresh[0])
        if first["status"] == "ok":
            break
    before, after = mine[fresh[0]]["due"], loans(phone)[fresh[0]]["due"]
    assert datetime.fromisoformat(after) > datetime.fromisoformat(before)

    (again,) = renew(phone, f"phone-{patron['card']}", fresh[0])
    assert again == first
    assert loans(phone)[fresh[0]]["due"] == after


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
