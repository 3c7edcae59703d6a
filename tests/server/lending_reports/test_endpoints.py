"""The reports over HTTP: what each is, who may see it, and the file."""

import csv
import io
from typing import Any

import pytest
from fastapi.testclient import TestClient

from server.deps import Role
from server.lending_reports.policy import NAMES
from tests.support.counter import Counter
from tests.support.library import ALICE, BOOKS, ManualClock, colleague

ADDRESS = "/api/v1/reports/lending"


@pytest.fixture
def desk(client: TestClient) -> dict[str, str]:
    return colleague(client, Role.LIBRARIAN)


def table(client: TestClient, path: str, headers: dict[str, str], **asked: Any) -> list[dict[str, str]]:
    answer = client.get(f"{ADDRESS}/{path}", headers=headers, params=asked)
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(io.StringIO(answer.text, newline="")))


def test_an_empty_library_has_every_report(client: TestClient, desk: dict[str, str]) -> None:
    for name in NAMES:
        told = client.get(f"{ADDRESS}/{name}", headers=desk).json()
        assert (told["name"], told["timezone"], told["group_least"]) == (name, "Asia/Shanghai", 5)
        assert all(list(row) == list(told["columns"]) for row in told["rows"])
        head = client.get(f"{ADDRESS}/{name}.csv", headers=desk).text.splitlines()[0]
        assert head == ",".join(told["columns"])


def test_a_loan_is_told_with_its_days_and_last_years(
    client: TestClient, counter: Counter, desk: dict[str, str]
) -> None:
    counter.checkout(ALICE, BOOKS[0])
    told = client.get(f"{ADDRESS}/circulation", headers=desk, params={"from": "2026-03-01", "to": "2026-03-02"}).json()
    assert told["period"] == {"first": "2026-03-01", "last": "2026-03-02"}
    assert told["last_year"] == {"first": "2025-03-01", "last": "2025-03-02"}
    assert [(row["day"], row["loans"]) for row in told["rows"]] == [("2026-03-01", 0), ("2026-03-02", 1)]


def test_cards_are_in_the_list_of_the_desk_and_not_in_that_of_duty_staff(
    client: TestClient, counter: Counter, clock: ManualClock
) -> None:
    counter.checkout(ALICE, BOOKS[0])
    clock.advance(days=60)
    duty, desk = colleague(client, Role.DUTY_STAFF), colleague(client, Role.LIBRARIAN)
    assert table(client, "overdue.csv", desk)[0]["card"] == ALICE
    assert "card" not in table(client, "overdue.csv", duty)[0]
    assert ALICE not in client.get(f"{ADDRESS}/overdue", headers=duty).text
    assert client.get(f"{ADDRESS}/overdue", headers=desk).json()["total"] == 1


def test_a_spreadsheet_neither_reckons_with_titles_nor_breaks_their_letters(
    client: TestClient, counter: Counter, clock: ManualClock
) -> None:
    record = counter.item(BOOKS[0]).record_id
    desk = colleague(client, Role.LIBRARIAN)
    title = '=HYPERLINK("http://x","红楼梦")'
    assert client.patch(f"/api/v1/records/{record}", headers=desk, json={"title": title}).status_code == 200
    clock.advance(days=800)
    desk = colleague(client, Role.LIBRARIAN)
    assert table(client, "dead-stock.csv", desk, limit=1)[0]["title"] == f"'{title}"
    answer = client.get(f"{ADDRESS}/dead-stock.csv", headers=desk, params={"excel": True, "limit": 1})
    assert answer.content.startswith(b"\xef\xbb\xbfbranch,")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="lending-dead-stock.csv"'
    assert answer.headers["x-total-count"] == "10"


REFUSED = (
    ("circulation?from=2026-03-02&to=2026-03-01", 422, "report_period"),
    ("fees?from=2020-01-01&to=2026-03-01", 422, "report_period"),
    ("circulation?from=never", 422, "malformed_request"),
    ("circulation?by=patron", 422, "malformed_request"),
    ("dead-stock?branch=%00", 422, "malformed_request"),
    ("weather", 422, "malformed_request"),
    ("circulation?to=1850-01-01", 200, None),
    ("circulation?to=9000-01-01&by=class", 200, None),
)


def test_what_there_is_not_is_refused(client: TestClient, desk: dict[str, str]) -> None:
    for path, status, code in REFUSED:
        answer = client.get(f"{ADDRESS}/{path}", headers=desk)
        assert (answer.status_code, answer.json().get("code")) == (status, code), path
