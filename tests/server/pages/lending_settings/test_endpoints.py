"""The lending settings over HTTP, with the real rules, policy and calendar behind them."""

import json
import re
from typing import Any

import pytest
from fastapi.testclient import TestClient

from server.audit import service as audit
from server.audit.values import Wanted
from server.db import Database
from server.deps import Role
from server.lending.policy import LibraryPolicy
from server.pages.lending_settings import forms
from tests.support.library import colleague, reader

URL = "/settings/lending"
PAGE = {"Accept": "text/html", "Accept-Language": "en"}
RULE = {
    "original": "", "patron_class": "child", "item_type": "dvd", "branch": "*", "days": "7", "hours": "",
    "renewals": "0", "max": "2", "fee_per_open_day": "1.00", "grace_open_days": "0", "cap": "", "allowed": "on",
}  # fmt: skip


@pytest.fixture
def boss(client: TestClient) -> dict[str, str]:
    return colleague(client, Role.ADMINISTRATOR) | PAGE


def rules(client: TestClient, who: dict[str, str]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get("/api/v1/lending", headers=who).json()["rules"]
    return found


def text(answer: Any) -> str:
    """What a person reads, in one line."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text.split("<main")[-1])).replace("&#39;", "'")


def test_only_administrators_see_and_change_it(client: TestClient) -> None:
    assert client.get(URL, follow_redirects=False).headers["location"] == f"/sign-in?next={URL}"
    for who in (reader(client), colleague(client, Role.LIBRARIAN), colleague(client, Role.DUTY_STAFF)):
        assert client.get(URL, headers=who | PAGE).status_code == 403
        assert client.post(f"{URL}/rules", data=RULE, headers=who | PAGE).status_code == 403
        assert URL not in client.get("/", headers=who | PAGE).text


def test_a_row_is_added_changed_and_removed(client: TestClient, boss: dict[str, str]) -> None:
    before = rules(client, boss)
    answer = client.post(f"{URL}/rules", data=RULE, headers=boss)
    assert "The rule is saved." in text(answer)
    assert next(rule for rule in rules(client, boss) if rule not in before)["max"] == 2
    shown = client.get(URL, params={"edit": "child/dvd/*"}, headers=boss).text
    assert 'value="1.00"' in shown
    (kept,) = re.findall(r'<form data-keep action="(/settings/lending/rules[^"]*)"', shown)
    assert kept in client.post(kept, data=RULE | {"original": "child/dvd/*", "days": "x"}, headers=boss).text
    assert kept not in client.get(URL, params={"edit": "new"}, headers=boss).text, "what is typed is of this rule only"
    assert 'value="1.00"' in client.get(kept, headers=boss).text, "to where a browser comes back after signing in"
    client.post(f"{URL}/rules", data=RULE | {"original": "child/dvd/*", "days": "", "hours": "48"}, headers=boss)
    (changed,) = [rule for rule in rules(client, boss) if rule not in before]
    assert (changed["days"], changed["hours"]) == (None, 48)
    assert "48 hours" in text(client.get(URL, headers=boss))
    answer = client.post(f"{URL}/rules/remove", data={"original": "child/dvd/*"}, headers=boss)
    assert "The rule is removed." in text(answer)
    assert rules(client, boss) == before


@pytest.mark.parametrize(
    ("changes", "sign"),
    [
        ({"days": ""}, "A rule that lends says for how long"),
        ({"days": "0"}, "This number is too small."),
        ({"patron_class": "*", "item_type": "*"}, "Another rule is for the same readers, items and branch."),
        ({"branch": "nroth"}, "There is no such branch."),
        ({"branch": "no / such"}, "Write letters, digits, hyphens and underscores only."),
    ],
)
def test_a_row_that_cannot_be_is_refused_at_its_field(
    client: TestClient, boss: dict[str, str], changes: dict[str, str], sign: str
) -> None:
    before = rules(client, boss)
    client.put("/api/v1/lending/policy", json={"branches": ["north"]}, headers=boss)
    answer = client.post(f"{URL}/rules", data=RULE | changes, headers=boss)
    assert answer.status_code == 422
    assert sign in text(answer)
    assert 'aria-invalid="true"' in answer.text
    assert 'value="dvd"' in answer.text or "item_type" in changes
    assert rules(client, boss) == before


def test_a_row_that_somebody_else_took_out_is_told(client: TestClient, boss: dict[str, str]) -> None:
    for path in ("rules", "rules/remove"):
        answer = client.post(f"{URL}/{path}", data=RULE | {"original": "nobody/nothing/*"}, headers=boss)
        assert answer.status_code == 409
        assert "Somebody else has changed or removed this rule" in text(answer)


def test_the_policy_is_saved_and_an_empty_limit_is_none(client: TestClient, boss: dict[str, str]) -> None:
    page = client.get(URL, headers=boss).text
    told = dict(re.findall(r'id="policy-\w+" name="(\w+)" value="([^"]*)"', page))
    assert told["max_loans"] == "6"
    answer = client.post(
        f"{URL}/policy", data=told | {"max_loans": "", "fee_limit": "30.00", "kiosk_pin": "on"}, headers=boss
    )
    assert "The policy is saved" in text(answer)
    policy = client.get("/api/v1/lending", headers=boss).json()["policy"]
    assert (policy["max_loans"], policy["fee_limit"], policy["kiosk_pin"]) == (None, "30.00", True)
    answer = client.post(f"{URL}/policy", data=told | {"loan_days": ""}, headers=boss)
    assert answer.status_code == 422
    assert "This value is needed." in text(answer)


def test_branches_and_types_get_names(client: TestClient, boss: dict[str, str], database: Database) -> None:
    policy = forms.policy_texts(LibraryPolicy()) | {"branch_names": "north | North branch｜北馆\nmain | Main house"}
    answer = client.post(f"{URL}/policy", data=policy, headers=boss)
    assert "The policy is saved" in text(answer)
    assert "Also closed at Main house" in text(answer)
    names = client.get("/api/v1/lending", headers=boss).json()["policy"]["branch_names"]
    assert names == {"north": {"en": "North branch", "zh": "北馆"}, "main": {"en": "Main house", "zh": ""}}
    with database.reading() as session:
        entry = next(one.entry for one in audit.page(session, Wanted()) if one.entry.action == "lending.policy")
    assert json.loads(entry.detail)["branch_names"] == [{"main": {"en": "Main library", "zh": "总馆"}}, names]
    for wrong in ("north, North branch", "north", "north | A\nnorth | B", "n / n | North"):
        answer = client.post(f"{URL}/policy", data=policy | {"branch_names": wrong}, headers=boss)
        assert (answer.status_code, "cannot be read. Write each code once" in text(answer)) == (422, True), wrong
    bad = {"branch_names": {"main": {"en": "a | b"}}}
    assert client.put("/api/v1/lending/policy", json=bad, headers=boss).status_code == 422


def test_the_calendar_is_saved_and_shown_as_spans(client: TestClient, boss: dict[str, str]) -> None:
    sent = {"days": ["mon"], "dates": "2026-10-01 .. 2026-10-07\n2026-12-31", "dates:main": "2026-05-04"}
    answer = client.post(f"{URL}/calendar", data=sent, headers=boss)
    assert "The calendar is saved." in text(answer)
    assert "2026-10-01 .. 2026-10-07\n2026-12-31" in answer.text
    calendar = client.get("/api/v1/lending", headers=boss).json()["calendar"]
    assert (calendar["closed_weekdays"], len(calendar["closed_dates"])) == (["mon"], 8)
    assert calendar["closed_dates_by_branch"] == {"main": ["2026-05-04"]}
    answer = client.post(f"{URL}/calendar", data={"dates": "tomorrow"}, headers=boss)
    assert answer.status_code == 422
    assert "“tomorrow” cannot be read." in text(answer)


def test_a_year_without_an_open_day_is_warned_of(client: TestClient, boss: dict[str, str]) -> None:
    week = {"days": ["mon", "tue", "wed"], "days:main": ["thu", "fri", "sat", "sun"]}
    answer = client.post(f"{URL}/calendar", data=week, headers=boss)
    assert "The calendar is saved." in text(answer)
    assert "Main library does not open for a year from" in text(answer)
    assert "does not open" not in text(client.post(f"{URL}/calendar", data={"days": ["mon"]}, headers=boss))


def test_it_is_in_chinese_too(client: TestClient, boss: dict[str, str]) -> None:
    answer = client.get(URL, headers=boss | {"Accept-Language": "zh-CN"})
    assert "谁可以借什么" in answer.text
    assert "Who may borrow" not in answer.text


class TestTwoAdministratorsAtOnce:
    """Each sends all fields of the form as it was shown, with a change of their own."""

    def form(self, client: TestClient, boss: dict[str, str], name: str) -> dict[str, Any]:
        part = client.get(URL, headers=boss).text.split(f'action="{URL}/{name}"')[1].split("</form>")[0]
        told: dict[str, Any] = dict(re.findall(r'name="([\w:]+)" value="([^"]*)"', part.replace('type="hidden" ', "")))
        told |= dict(re.findall(r'<textarea[^>]*name="([\w:]+)"[^>]*>([^<]*)<', part))
        told |= dict.fromkeys(re.findall(r'type="checkbox" name="(\w+)" checked', part), "on")
        ticks = re.findall(r'name="(days[\w:]*)" value="(\w+)" checked', part)
        return told | {name: [day for other, day in ticks if other == name] for name in told if name.startswith("days")}

    def policy(self, client: TestClient, boss: dict[str, str]) -> dict[str, Any]:
        found: dict[str, Any] = client.get("/api/v1/lending", headers=boss).json()["policy"]
        return found

    def test_values_of_the_policy_that_a_form_did_not_touch_stay(
        self, client: TestClient, boss: dict[str, str]
    ) -> None:
        first, second = (self.form(client, boss, "policy") for _ in range(2))
        before = self.policy(client, boss)
        client.post(f"{URL}/policy", data=first | {"max_loans": "9", "kiosk_pin": "on"}, headers=boss)
        answer = client.post(f"{URL}/policy", data=second | {"fee_limit": "30.00"}, headers=boss)
        assert "The policy is saved" in text(answer)
        wanted = {"max_loans": 9, "kiosk_pin": True, "fee_limit": "30.00", "lost_processing_fee": "0.00"}
        assert self.policy(client, boss) == before | wanted

    def test_the_same_value_is_not_replaced_unseen(self, client: TestClient, boss: dict[str, str]) -> None:
        first, second = (self.form(client, boss, "policy") for _ in range(2))
        client.post(f"{URL}/policy", data=first | {"max_loans": "9", "undo_s": "77"}, headers=boss)
        answer = client.post(f"{URL}/policy", data=second | {"max_loans": "12", "loan_days": "x"}, headers=boss)
        assert answer.status_code == 409
        assert "Somebody else has set this to “9” meanwhile." in text(answer)
        assert self.policy(client, boss)["max_loans"] == 9
        again = dict(re.findall(r'id="policy-\w+" name="(\w+)" value="([^"]*)"', answer.text))
        assert (again["max_loans"], again["loan_days"], again["undo_s"]) == ("12", "x", "77"), "what was typed is kept"
        seen = re.findall(r'name="seen" value="([^"]*)"', answer.text)[0]
        client.post(f"{URL}/policy", data=again | {"seen": seen, "loan_days": "30"}, headers=boss)
        assert (self.policy(client, boss)["max_loans"], self.policy(client, boss)["undo_s"]) == (12, 77)

    def test_closed_days_that_a_form_did_not_touch_stay(self, client: TestClient, boss: dict[str, str]) -> None:
        first, second, third = (self.form(client, boss, "calendar") for _ in range(3))
        client.post(f"{URL}/calendar", data=first | {"days": ["mon"], "dates:main": "2026-05-04"}, headers=boss)
        answer = client.post(f"{URL}/calendar", data=second | {"dates": "2026-10-01"}, headers=boss)
        assert "The calendar is saved." in text(answer)
        calendar = client.get("/api/v1/lending", headers=boss).json()["calendar"]
        assert (calendar["closed_weekdays"], calendar["closed_dates"]) == (["mon"], ["2026-10-01"])
        assert calendar["closed_dates_by_branch"] == {"main": ["2026-05-04"]}
        answer = client.post(f"{URL}/calendar", data=third | {"dates": "2026-12-31"}, headers=boss)
        assert answer.status_code == 409
        assert "set this to “2026-10-01” meanwhile" in text(answer)
        assert client.get("/api/v1/lending", headers=boss).json()["calendar"] == calendar
