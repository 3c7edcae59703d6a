"""An actuator that does not follow is an alarm, over restarts, until it follows."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from carrel.contracts.alarms import AlarmState, Severity
from gateway.control.faults import MEMORY, ActuatorFaults
from gateway.store import Store

NOW = datetime(2026, 3, 2, 4, 30, tzinfo=UTC)
LATER = NOW + timedelta(minutes=5)
ACTUATORS = {"curtain-1": "reading-curtain", "ac-1": "reading-ac"}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(tmp_path / "gateway.db")
    yield made
    made.close()


def events(store: Store) -> list[AlarmState]:
    return [AlarmState.model_validate_json(row.body) for row in store.events_after(0)]


def test_a_failure_is_one_alarm_with_the_actuators_name(store: Store) -> None:
    faults = ActuatorFaults(ACTUATORS, store)
    (alarm,) = faults.failed("curtain-1", "no_answer", NOW)
    assert (alarm.kind, alarm.state, alarm.place, alarm.severity) == (
        "fault",
        "fault",
        "reading-curtain",
        Severity.WARN,
    )
    assert faults.failed("curtain-1", "no_answer", LATER) == [], "it stands already"
    assert events(store) == [alarm]


def test_it_ends_when_the_actuator_follows(store: Store) -> None:
    faults = ActuatorFaults(ACTUATORS, store)
    assert faults.followed("curtain-1", NOW) == []
    (raised,) = faults.failed("curtain-1", "no_answer", NOW)
    (ended,) = faults.followed("curtain-1", LATER)
    assert (ended.id, ended.state, ended.reset_at) == (raised.id, "reset", LATER)
    assert ended.version > raised.version
    assert events(store) == [raised, ended]
    (again,) = faults.failed("curtain-1", "no_answer", LATER)
    assert again.id != raised.id


def test_sirens_and_doors_are_the_panels_business(store: Store) -> None:
    assert ActuatorFaults(ACTUATORS, store).failed("io-1.siren", "no_answer", NOW) == []


def test_a_restart_neither_forgets_it_nor_tells_it_twice(store: Store) -> None:
    (alarm,) = ActuatorFaults(ACTUATORS, store).failed("curtain-1", "no_answer", NOW)
    again = ActuatorFaults(ACTUATORS, store)
    assert again.standing() == [alarm]
    assert again.forgotten(LATER) == []
    assert again.failed("curtain-1", "no_answer", LATER) == []
    assert again.followed("curtain-1", LATER)[0].id == alarm.id
    assert ActuatorFaults(ACTUATORS, store).standing() == []


def test_the_fault_of_an_actuator_that_is_gone_is_over(store: Store) -> None:
    (alarm,) = ActuatorFaults(ACTUATORS, store).failed("curtain-1", "no_answer", NOW)
    again = ActuatorFaults({}, store)
    assert again.standing() == []
    (ended,) = again.forgotten(LATER)
    assert (ended.id, ended.state) == (alarm.id, "reset")


def test_a_disk_that_refuses_does_not_hide_it(
    store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(store, "save_with_events", refuse)
    assert ActuatorFaults(ACTUATORS, store).failed("curtain-1", "no_answer", NOW)
    assert "is not written" in caplog.text


@pytest.mark.parametrize("kept", [7, {"curtain-1": "x"}, {"curtain-1": ["f", "noon"]}])
def test_a_memory_that_cannot_be_read_is_a_fresh_start(
    store: Store, kept: object, caplog: pytest.LogCaptureFixture
) -> None:
    store.save(MEMORY, kept)
    assert ActuatorFaults(ACTUATORS, store).standing() == []
    assert "begin afresh" in caplog.text
