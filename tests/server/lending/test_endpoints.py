"""Reading and changing what the library lends by."""

from decimal import Decimal

import pytest
from fastapi.testclient import TestClient

from server.audit import service as audit
from server.audit.repository import Wanted
from server.db import Database
from server.deps import Role
from server.lending import service
from server.lending.policy import Lending, Rule
from tests.support.counter import Counter
from tests.support.library import ALICE, BOOKS, NOW, colleague, machine, reader

URL = "/api/v1/lending"
RULE = {"patron_class": "child", "item_type": "disc", "days": 7, "fee_per_open_day": "0.20"}


@pytest.fixture
def admin(client: TestClient) -> dict[str, str]:
    return colleague(client, Role.ADMINISTRATOR)


def test_a_fresh_library_lends_as_config_says(client: TestClient, admin: dict[str, str]) -> None:
    told = client.get(URL, headers=admin).json()
    assert (told["policy"]["max_loans"], told["policy"]["currency"]) == (6, "CNY")
    (rule,) = told["rules"]
    assert (rule["patron_class"], rule["item_type"], rule["branch"], rule["days"], rule["renewals"]) == (
        "*", "*", "*", 30, 2,
    )  # fmt: skip


@pytest.mark.parametrize("path", ["", "/rules", "/policy", "/calendar"])
def test_only_staff_read_and_only_administrators_change(client: TestClient, path: str) -> None:
    ask = client.put if path else client.get
    body = {"json": {"rules": []} if path == "/rules" else {}} if path else {}
    assert ask(URL + path, **body).status_code == 401
    for who in (reader(client), machine()):
        assert ask(URL + path, headers=who, **body).status_code == 403
    for role in (Role.LIBRARIAN, Role.DUTY_STAFF):
        assert ask(URL + path, headers=colleague(client, role), **body).status_code == (403 if path else 200)


def test_rules_are_replaced_at_once_and_it_is_audited(
    client: TestClient, admin: dict[str, str], database: Database
) -> None:
    answer = client.put(f"{URL}/rules", json={"rules": [RULE, {"days": 30}]}, headers=admin)
    assert answer.status_code == 200, answer.text
    assert [(r["patron_class"], r["days"], r["fee_per_open_day"]) for r in answer.json()["rules"]] == [
        ("*", 30, "0.00"), ("child", 7, "0.20"),
    ]  # fmt: skip
    with database.reading() as session:
        rule = service.current(session).rule_for("child", "disc", "main")
        assert rule == Rule("child", "disc", days=7, fee_per_open_day=Decimal("0.20"))
        (entry,) = [one for one in audit.page(session, Wanted()) if one.entry.action == "lending.rules"]
    assert "removed" in entry.entry.detail


@pytest.mark.parametrize(
    ("rules", "code", "status"),
    [
        ([{"days": 1}, {"days": 2}], "rule_twice", 409),
        ([{"days": 1, "hours": 2}], "rule_without_time", 409),
        ([{}], "rule_without_time", 409),
        ([{"days": 0}], "malformed_request", 422),
        ([{"allowed": False}], None, 200),
    ],
)
def test_rules_that_do_not_go_together_are_refused(
    client: TestClient, admin: dict[str, str], rules: list[dict[str, object]], code: str | None, status: int
) -> None:
    answer = client.put(f"{URL}/rules", json={"rules": rules}, headers=admin)
    assert (answer.status_code, answer.json().get("code")) == (status, code)


def test_policy_and_calendar_are_replaced(client: TestClient, admin: dict[str, str]) -> None:
    told = client.put(f"{URL}/policy", json={"fee_limit": "12.5", "max_loans": None}, headers=admin).json()
    assert (told["policy"]["fee_limit"], told["policy"]["max_loans"], told["policy"]["hold_limit"]) == ("12.5", None, 5)
    closed = {"closed_weekdays": ["mon"], "closed_dates_by_branch": {"north": ["2026-05-01"]}}
    told = client.put(f"{URL}/calendar", json=closed, headers=admin).json()
    assert told["calendar"]["closed_weekdays"] == ["mon"]
    assert told["calendar"]["closed_dates_by_branch"] == {"north": ["2026-05-01"]}
    assert told["closed_years"] == {}
    but_sunday = ["mon", "tue", "wed", "thu", "fri", "sat"]
    never = {"closed_weekdays": but_sunday, "closed_weekdays_by_branch": {"main": ["sun"]}}
    assert client.put(f"{URL}/calendar", json=never, headers=admin).json()["closed_years"] == {"main": "2026-03-02"}
    assert client.get(URL, headers=admin).json()["closed_years"] == {"main": "2026-03-02"}
    assert client.put(f"{URL}/calendar", json={"closed_weekdays": ["never"]}, headers=admin).status_code == 422
    assert client.put(f"{URL}/policy", json={"currency": "yuan"}, headers=admin).status_code == 422


def test_the_audit_log_tells_what_of_the_policy_has_changed_and_nothing_else(
    client: TestClient, admin: dict[str, str], database: Database
) -> None:
    for lost_fee in ("0", "0.00"):
        sent = {"max_loans": 9, "lost_processing_fee": lost_fee}
        assert client.put(f"{URL}/policy", json=sent, headers=admin).status_code == 200
    with database.reading() as session:
        again, first = [one.entry for one in audit.page(session, Wanted()) if one.entry.action == "lending.policy"]
    assert (again.detail, "max_loans" in first.detail) == ("{}", True)


def test_rules_and_closed_days_name_branches_of_the_library(client: TestClient, admin: dict[str, str]) -> None:
    old = {"days": 9, "branch": "old"}
    client.put(f"{URL}/rules", json={"rules": [old]}, headers=admin)
    client.put(f"{URL}/calendar", json={"closed_dates_by_branch": {"old": ["2026-05-01"]}}, headers=admin)
    client.put(f"{URL}/policy", json={"branches": ["north"]}, headers=admin)
    for path, body in (
        ("rules", {"rules": [old, {"days": 9, "branch": "nroth"}]}),
        ("calendar", {"closed_dates_by_branch": {"nroth": ["2026-05-01"]}}),
        ("calendar", {"closed_weekdays_by_branch": {"nroth": ["mon"]}}),
    ):
        answer = client.put(f"{URL}/{path}", json=body, headers=admin)
        told = (answer.status_code, answer.json().get("code"), answer.json().get("params"))
        assert told == (422, "unknown_branch", {"branch": "nroth"})
    for path, body in (
        ("rules", {"rules": [old, *({"days": 9, "branch": one} for one in ("north", "main", "*"))]}),
        ("calendar", {"closed_weekdays_by_branch": {"old": ["mon"], "north": ["mon"], "main": ["mon"]}}),
    ):
        assert client.put(f"{URL}/{path}", json=body, headers=admin).status_code == 200, "what is stored may stay"


def test_rules_match_a_branch_by_whatever_name_it_may_have(client: TestClient, admin: dict[str, str]) -> None:
    name = "Nord_" + "x" * 58
    client.put(f"{URL}/policy", json={"branches": ["main", name]}, headers=admin)
    client.put(f"{URL}/rules", json={"rules": [{"days": 9, "branch": name}]}, headers=admin)
    item = client.patch(f"/api/v1/items/{BOOKS[0]}", json={"branch": name}, headers=admin)
    assert (item.status_code, item.json()["branch"]) == (200, name)
    key = client.get("/api/v1/patrons", params={"q": ALICE}, headers=admin).json()["patrons"][0]["id"]
    assert client.patch(f"/api/v1/patrons/{key}", json={"branch": name}, headers=admin).json()["branch"] == name
    loan = {"request_id": "r", "card": ALICE, "items": [{"barcode": BOOKS[0]}], "branch": name}
    (result,) = client.post("/api/v1/circulation/checkouts", json=loan, headers=admin).json()["results"]
    assert result["due"][:10] == "2026-03-11"


def test_a_library_is_seeded_once(counter: Counter) -> None:
    first, second = Lending(rules=(Rule(days=3),)), Lending(rules=(Rule(days=4),))
    assert counter.do(lambda session: service.seed(session, first, now=NOW))
    assert not counter.do(lambda session: service.seed(session, second, now=NOW))
    assert counter.ask(service.current).rules == first.rules


def test_a_library_without_a_row_keeps_its_usual_rules_when_only_the_policy_changes(counter: Counter) -> None:
    counter.rule_by(policy=Lending().policy)
    assert counter.ask(service.current) == Lending()


def test_a_change_that_was_undone_is_not_remembered(counter: Counter) -> None:
    counter.rule_by(Rule(days=3))

    def change(session) -> None:  # type: ignore[no-untyped-def]
        service.set_rules(session, [Rule(days=9)], actor="user:admin", at=NOW)
        assert service.current(session).rules == (Rule(days=9),)
        raise KeyError

    with pytest.raises(KeyError):
        counter.do(change)
    assert counter.ask(service.current).rules == (Rule(days=3),)
