"""The circulation reports' page: who sees it, what it says, what it draws."""

import pytest
from fastapi.testclient import TestClient

from server.deps import Role
from tests.support.counter import Counter
from tests.support.library import ALICE, BOOKS, PASSWORD, PIN, ManualClock


@pytest.fixture
def counter(database) -> Counter:
    return Counter(database)


def enter(client: TestClient, user: str, secret: str) -> TestClient:
    client.headers["Accept-Language"] = "en"
    answer = client.post("/sign-in", data={"user": user, "password": secret}, follow_redirects=False)
    assert answer.status_code == 303
    return client


@pytest.fixture
def librarian(client: TestClient) -> TestClient:
    return enter(client, Role.LIBRARIAN.value, PASSWORD)


def test_nobody_is_asked_to_sign_in_and_readers_are_kept_out(client: TestClient) -> None:
    answer = client.get("/reports/lending", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=/reports/lending")
    enter(client, ALICE, PIN)
    assert client.get("/reports/lending", headers={"Accept": "text/html"}).status_code == 403


def test_each_report_of_an_empty_library_says_what_is_not_there(librarian: TestClient) -> None:
    for name in ("circulation", "overdue", "top-titles", "dead-stock", "hold-ratio", "fees"):
        answer = librarian.get("/reports/lending", params={"report": name})
        assert answer.status_code == 200, name
        assert "How this is reckoned" in answer.text
        assert 'class="card empty"' in answer.text, name
        assert 'aria-current="page"' in answer.text


def test_loans_are_drawn_and_told_in_words(librarian: TestClient, counter: Counter) -> None:
    counter.checkout(ALICE, *BOOKS[:3])
    page = librarian.get("/reports/lending").text
    assert "Loans: 3 in all, at most 3 on 2 Mar 2026. In the year before: 0 in all." in page
    assert page.count("<rect x=") == 1
    assert "/api/v1/reports/lending/circulation.csv?from=2026-02-01&amp;to=2026-03-02&amp;by=day" in page
    assert "1 Feb 2026 to 2 Mar 2026, beside the same days of the year before." in page


def test_small_classes_are_told_together_and_the_page_says_so(librarian: TestClient, counter: Counter) -> None:
    counter.checkout(ALICE, *BOOKS[:3])
    page = librarian.get("/reports/lending?by=class").text
    assert "Others together" in page
    assert "Classes with fewer than 5 readers" in page
    chinese = librarian.get("/reports/lending?by=class&lang=zh-CN").text
    assert "其他合计" in chinese


def test_cards_are_shown_to_the_desk_only(client: TestClient, counter: Counter, clock: ManualClock) -> None:
    counter.checkout(ALICE, BOOKS[0])
    clock.advance(days=60)
    page = enter(client, Role.LIBRARIAN.value, PASSWORD).get("/reports/lending?report=overdue").text
    assert ALICE in page
    client.cookies.clear()
    page = enter(client, Role.DUTY_STAFF.value, PASSWORD).get("/reports/lending?report=overdue").text
    assert BOOKS[0] in page
    assert ALICE not in page


def test_a_title_leads_to_its_page(librarian: TestClient, counter: Counter) -> None:
    counter.checkout(ALICE, BOOKS[0])
    counter.hold("90000002", BOOKS[0])
    page = librarian.get("/reports/lending?report=hold-ratio").text
    assert f'<a href="/titles/{counter.item(BOOKS[0]).record_id}">Book 1</a>' in page
    assert "1.00" in page


def test_what_there_is_not_is_said_in_words(librarian: TestClient) -> None:
    for query in ("from=2026-03-02&to=2026-03-01", "from=never", "by=patron", "report=weather", "from=2020-01-01"):
        answer = librarian.get(f"/reports/lending?{query}")
        assert answer.status_code == 422, query
        assert "at most 366 days in all" in answer.text
        assert "As a table" not in answer.text


def test_empty_fields_are_as_none(librarian: TestClient) -> None:
    assert librarian.get("/reports/lending?report=dead-stock&months=24&branch=").status_code == 200
    assert librarian.get("/reports/lending?from=&to=&by=month").status_code == 200


def test_the_rooms_report_leads_here(librarian: TestClient) -> None:
    assert 'href="/reports/lending"' in librarian.get("/reports").text
