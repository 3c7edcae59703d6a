"""Alarms over the whole way: from the panel's message to the API, and from a person's answer to the panel."""

from datetime import timedelta
from typing import Any

import pytest

from carrel.contracts import topics
from carrel.contracts.actuation import CommandResult, PanelCommand
from server.deps import Role
from tests.support.acting_gateway import eventually, fire
from tests.support.library import reader
from tests.support.spine import House


@pytest.fixture
def burning(house: House) -> House:
    """A fire alarm stands."""
    house.edge.event(fire(house.clock.now()), 1)
    eventually(house.alarms, "the alarm")
    return house


def test_an_alarm_of_the_edge_is_listed(burning: House) -> None:
    (alarm,) = burning.alarms()
    assert (alarm["id"], alarm["severity"], alarm["state"]) == ("fire-building-1", "critical", "alarm")
    assert alarm["causes"] == [{"zone": "smoke", "kind": "smoke", "active": True}]


def test_an_alarm_that_is_over_is_listed_among_all_only(burning: House) -> None:
    now = burning.clock.now()
    burning.edge.event(fire(now, version=2, state="reset", reset_at=now, reset_by="duty"), 2)
    eventually(lambda: not burning.alarms(), "the end of the alarm")
    assert [alarm["reset_by"] for alarm in burning.alarms("all")] == ["duty"]


def test_open_alarms_come_most_urgent_first_and_all_newest_first(house: House) -> None:
    now = house.clock.now()
    house.edge.event(fire(now - timedelta(hours=1)), 1)
    fault = {"id": "fault-smoke-1", "kind": "fault", "severity": "warn", "state": "fault"}
    house.edge.event(fire(now, **fault), 2)
    eventually(lambda: len(house.alarms()) == 2, "both alarms")
    assert [alarm["id"] for alarm in house.alarms()] == ["fire-building-1", "fault-smoke-1"]
    assert [alarm["id"] for alarm in house.alarms("all")] == ["fault-smoke-1", "fire-building-1"]


@pytest.mark.parametrize("role", [Role.DUTY_STAFF, Role.LIBRARIAN, Role.ADMINISTRATOR])
def test_staff_acknowledge_and_get_the_alarm_as_it_is_now(burning: House, role: Role) -> None:
    def panel(command: PanelCommand) -> CommandResult:
        now = burning.clock.now()
        burning.edge.event(fire(now, version=2, acknowledged_at=now, acknowledged_by=command.by), 2)
        return burning.edge.result(command)

    burning.edge.on_command = panel
    answer = burning.client.post("/api/v1/alarms/fire-building-1/acknowledge", headers=burning.staff(role))
    assert answer.status_code == 200, answer.text
    assert answer.json()["acknowledged_by"] == role.value
    ((name, command),) = burning.edge.commands
    assert name == burning.edge.name(topics.COMMAND, "panel")
    assert isinstance(command, PanelCommand)
    assert (command.action, command.alarm) == ("acknowledge", "fire-building-1")


def test_the_answer_shows_the_reset_although_its_event_comes_after_the_panels_answer(burning: House) -> None:
    def panel(command: PanelCommand) -> None:
        now = burning.clock.now()
        burning.edge.answer(burning.edge.result(command))
        burning.edge.event(fire(now, version=2, state="reset", reset_at=now, reset_by=command.by), 2)

    burning.edge.on_command = panel
    answer = burning.client.post("/api/v1/alarms/fire-building-1/reset", headers=burning.staff())
    assert (answer.status_code, answer.json()["state"]) == (200, "reset")


def test_the_panels_refusal_is_a_conflict_with_its_code(burning: House) -> None:
    burning.edge.on_command = lambda command: burning.edge.result(command, "rejected", "detector_active")
    answer = burning.client.post("/api/v1/alarms/fire-building-1/reset", headers=burning.staff())
    assert (answer.status_code, answer.json()["code"]) == (409, "detector_active")


def test_a_panel_that_does_not_answer_is_asked_again_and_the_caller_told_so(burning: House) -> None:
    answer = burning.client.post("/api/v1/alarms/fire-building-1/silence", headers=burning.staff())
    assert (answer.status_code, answer.json()["id"]) == (202, "fire-building-1")
    eventually(lambda: len(burning.edge.commands) >= 2, "the second sending")
    assert len({command.id for _, command in burning.edge.commands}) == 1


def test_an_unknown_alarm_is_not_found(house: House) -> None:
    answer = house.client.post("/api/v1/alarms/none/reset", headers=house.staff())
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_alarm")
    assert house.edge.commands == []


def test_readers_and_strangers_may_look_but_not_act(burning: House) -> None:
    address = "/api/v1/alarms/fire-building-1/reset"
    assert burning.client.post(address).status_code == 401
    assert burning.client.post(address, headers=reader(burning.client)).status_code == 403
    assert len(burning.alarms()) == 1


@pytest.mark.parametrize("query", [{"state": "some"}, {"limit": 0}, {"limit": 501}, {"limit": "x"}])
def test_a_wrong_query_is_refused(house: House, query: dict[str, Any]) -> None:
    assert house.client.get("/api/v1/alarms", params=query).status_code == 422


def test_an_unknown_action_is_refused(burning: House) -> None:
    answer = burning.client.post("/api/v1/alarms/fire-building-1/explode", headers=burning.staff())
    assert answer.status_code == 422
