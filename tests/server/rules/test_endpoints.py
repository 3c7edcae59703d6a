"""Rules over the API: live state as the gateway tells it, dry runs and lint."""

from __future__ import annotations

from typing import Any

import pytest

from carrel.contracts import topics
from carrel.contracts.actuation import RuleLive, RulesState
from server.deps import Role
from tests.support.acting_gateway import eventually
from tests.support.library import reader
from tests.support.spine import House

RULES, DRY_RUN, LINT = "/api/v1/rules", "/api/v1/rules/dry-run", "/api/v1/rules/lint"
CONFIG: dict[str, Any] = {
    "tick_s": 10,
    "sensor": [{"id": "t", "zone": "r", "metric": "temp"}],
    "actuator": [{"id": "ac", "type": "switch", "zone": "r"}],
    "rule": [{"id": "hot", "zone": "r", "when": {"metric": "temp", "above": 26}, "actuators": ["ac"], "set": 1}],
}
CASE = {"config": CONFIG, "samples": [[5, "t", 27], [20, "t", 20]], "end_s": 60}


def cool(house: House, **change: Any) -> RuleLive:
    fields: dict[str, Any] = {
        "id": "cool", "zone": "reading-room", "priority": 50, "metric": "temp", "side": "above", "value": 27.5,
        "threshold": 27.0, "latched": True, "active": True, "since": house.clock.now(), "set_value": 1,
        "actuators": ("reading-ac",), "acting": True,
    }  # fmt: skip
    return RuleLive(**fields | change)


def test_a_rule_is_shown_as_its_gateway_tells_it(house: House) -> None:
    assert house.client.get(RULES).json() == {"rules": []}
    state = RulesState(ts=house.clock.now(), actuators=(), rules=(cool(house),))
    house.edge.say(topics.RULES_STATE, state)
    (rule,) = eventually(lambda: house.client.get(RULES).json()["rules"], "the rule")
    assert (rule["id"], rule["value"], rule["threshold"], rule["acting"], rule["why_not"]) == (
        "cool", 27.5, 27.0, True, None
    )  # fmt: skip
    assert rule["gateway"] == "gw-1"
    assert rule["simulated"] in (True, False)


def test_a_dry_run_answers_with_the_commands(house: House) -> None:
    answer = house.client.post(DRY_RUN, json=CASE, headers=house.staff())
    assert answer.json() == {"commands": [[5, "ac", 1, "hot"], [20, "ac", 0, "default"]], "notes": []}


def test_a_dry_run_keeps_the_librarys_time(house: House) -> None:
    rule = CONFIG["rule"][0] | {"schedule": [{"from": "03:00", "to": "04:00"}]}
    case = CASE | {"config": CONFIG | {"rule": [rule]}, "start": "2026-03-29T02:59", "samples": [[0, "t", 27]]}
    assert house.client.post(DRY_RUN, json=case, headers=house.staff()).json()["commands"] == [[60, "ac", 1, "hot"]]


@pytest.mark.parametrize(
    ("case", "code", "detail"),
    [
        ({"end_s": 1}, "bad_case", "'config' is missing: add it"),
        (CASE | {"end_s": 1e8}, "too_long", None),
        (CASE | {"timezone": "Moon/Sea"}, "bad_case", "'timezone' = 'Moon/Sea': no such time zone"),
    ],
)
def test_what_cannot_be_run_is_refused_with_the_key(
    house: House, case: dict[str, Any], code: str, detail: str | None
) -> None:
    answer = house.client.post(DRY_RUN, json=case, headers=house.staff())
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (422, code)
    if detail is not None:
        assert problem["params"]["detail"].startswith(detail)


def test_lint_reads_given_rules_and_else_the_librarys(house: House) -> None:
    headers = house.staff()
    found = house.client.post(LINT, json={"config": CONFIG}, headers=headers).json()["findings"]
    assert [(finding["code"], finding["rules"]) for finding in found] == [("no_hysteresis", ["hot"])]
    assert house.client.post(LINT, json={}, headers=headers).json() == {"findings": []}
    bad = house.client.post(LINT, json={"config": {"rule": 1}}, headers=headers)
    assert (bad.status_code, bad.json()["code"]) == (422, "bad_case")


@pytest.mark.parametrize(("path", "body"), [(DRY_RUN, CASE), (LINT, {})])
def test_trying_rules_is_for_staff(house: House, path: str, body: dict[str, Any]) -> None:
    assert house.client.post(path, json=body).status_code == 401
    assert house.client.post(path, json=body, headers=reader(house.client)).status_code == 403
    assert house.client.post(path, json=body, headers=house.staff(Role.LIBRARIAN)).status_code == 200
