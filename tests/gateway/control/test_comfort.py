"""The rules' hands, on a real store: readings to orders, overrides, restarts, odd clocks, full disks."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from carrel.contracts.actuation import (
    ActuatorState,
    CommandStatus,
    DeviceOrder,
    OverrideCancel,
    OverrideSet,
    Priority,
    SetPosition,
    SetSwitch,
)
from carrel.contracts.telemetry import Quantity
from gateway.control.comfort import MEMORY, build_plant
from gateway.control.orders import ControlledDevice
from tests.support.clock import ManualClock
from tests.support.edge import ROOM, Edge, plant_of, reading

AC_ON, AC_OFF = SetSwitch(device="ac-1", on=True, setpoint_c=24.0), SetSwitch(device="ac-1", on=False)


@pytest.fixture
def edge(tmp_path: Path, clock: ManualClock) -> Iterator[Edge]:
    made = Edge(tmp_path / "gateway.db", clock)
    yield made
    made.store.close()


def warm(edge: Edge, celsius: float) -> list[DeviceOrder]:
    return edge.comfort.reading(reading("room-th", Quantity.TEMP, celsius, edge.clock), edge.clock.now())


def row(edge: Edge, actuator: str) -> ActuatorState:
    return next(r for r in edge.comfort.table(edge.clock.now()).actuators if r.actuator == actuator)


def wish(edge: Edge, value: float, duration_s: int = 3600, actuator: str = "curtain") -> OverrideSet:
    expires = edge.clock.now() + timedelta(minutes=1)
    return OverrideSet(id="o1", actuator=actuator, value=value, duration_s=duration_s, by="user:7", expires=expires)


def cancel(edge: Edge, override: str = "o1") -> OverrideCancel:
    expires = edge.clock.now() + timedelta(minutes=1)
    return OverrideCancel(id="o2", actuator="curtain", override=override, by="user:7", expires=expires)


def test_a_warm_room_switches_the_air_conditioner_on_and_a_cool_one_off(edge: Edge) -> None:
    assert warm(edge, 27.0) == [AC_ON]
    edge.clock.advance(60)
    assert warm(edge, 25.5) == [], "inside the deadband"
    edge.clock.advance(60)
    assert warm(edge, 24.9) == [AC_OFF]


def test_a_reading_nobody_asked_for_moves_nothing(edge: Edge) -> None:
    assert edge.comfort.reading(reading("room-th", Quantity.RH, 99.0, edge.clock), edge.clock.now()) == []
    assert edge.comfort.reading(reading("other", Quantity.TEMP, 99.0, edge.clock), edge.clock.now()) == []


def test_every_device_has_an_order_in_force_from_the_start(edge: Edge) -> None:
    assert set(edge.arbiter.winners()) == {"ac-1", "vent-1", "curtain-1"}


def test_the_table_says_what_is_wanted_reported_and_why(edge: Edge) -> None:
    warm(edge, 27.0)
    edge.comfort.reading(reading("ac-1", Quantity.ON, 1.0, edge.clock), edge.clock.now())
    found = row(edge, "ac")
    assert (found.wanted, found.commanded, found.reported, found.cause, found.rule) == (1, 1, 1.0, "rule", "cool")
    assert found.params["value"] == 27.0
    assert row(edge, "curtain").reported is None


def test_an_override_stands_above_rules_ends_by_itself_and_says_so(edge: Edge) -> None:
    result, orders = edge.comfort.override(wish(edge, 80, duration_s=600), edge.clock.now())
    assert (result.status, orders) == (CommandStatus.DONE, [SetPosition(device="curtain-1", closed_pct=80)])
    found = row(edge, "curtain").override
    assert found is not None
    assert (found.by, found.value, found.until) == ("user:7", 80, edge.clock.now() + timedelta(seconds=600))
    edge.clock.advance(599)
    assert edge.comfort.tick(edge.clock.now()) == []
    assert edge.comfort.tick(edge.clock.advance(1)) == [SetPosition(device="curtain-1", closed_pct=0)]
    assert row(edge, "curtain").override is None


def test_an_override_can_be_ended_early_and_not_twice(edge: Edge) -> None:
    edge.comfort.override(wish(edge, 80), edge.clock.now())
    result, orders = edge.comfort.override(cancel(edge), edge.clock.now())
    assert (result.status, orders) == (CommandStatus.DONE, [SetPosition(device="curtain-1", closed_pct=0)])
    result, _ = edge.comfort.override(cancel(edge), edge.clock.now())
    assert (result.status, result.code) == (CommandStatus.REJECTED, "unknown_override")


@pytest.mark.parametrize(
    ("actuator", "value", "code"), [("lift", 1, "unknown_actuator"), ("ac", 2, "value_out_of_range")]
)
def test_what_cannot_be_is_refused_with_a_code(edge: Edge, actuator: str, value: float, code: str) -> None:
    result, orders = edge.comfort.override(wish(edge, value, actuator=actuator), edge.clock.now())
    assert (result.status, result.code, orders) == (CommandStatus.REJECTED, code, [])


def test_an_override_is_on_the_disk_before_it_is_answered(edge: Edge) -> None:
    edge.comfort.override(wish(edge, 80), edge.clock.now())
    again = edge.again()
    found = row(again, "curtain").override
    assert found is not None
    assert found.value == 80
    assert again.arbiter.winner("curtain-1") == SetPosition(device="curtain-1", closed_pct=80)
    again.store.close()


def test_an_override_the_disk_does_not_take_is_not_begun(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edge.store, "save", refuse)
    result, orders = edge.comfort.override(wish(edge, 80), edge.clock.now())
    assert (result.status, result.code, orders) == (CommandStatus.FAILED, "not_stored", [])
    assert row(edge, "curtain").override is None


def test_memory_is_written_only_when_it_changed_and_again_after_a_refusal(
    edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    warm(edge, 27.0)
    assert edge.comfort.dirty
    with monkeypatch.context() as disk:
        disk.setattr(edge.store, "save", refuse)
        with pytest.raises(sqlite3.Error):
            edge.comfort.save()
    assert edge.comfort.dirty
    edge.comfort.save()
    assert not edge.comfort.dirty
    again = edge.again()
    assert again.arbiter.winner("ac-1") == AC_ON
    again.store.close()


def test_a_memory_that_cannot_be_read_is_a_fresh_start(
    tmp_path: Path, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    edge = Edge(tmp_path / "gateway.db", clock)
    edge.store.save(MEMORY, {"version": 99})
    again = edge.again()
    assert "begin afresh" in caplog.text
    assert warm(again, 27.0) == [AC_ON]
    again.store.close()


def test_a_clock_set_back_does_not_blind_the_rules(edge: Edge) -> None:
    warm(edge, 22.0)
    edge.clock.advance(-7200)
    assert warm(edge, 27.0) == [AC_ON]


def test_a_clock_set_back_does_not_prolong_an_override(edge: Edge) -> None:
    edge.comfort.override(wish(edge, 80, duration_s=600), edge.clock.now())
    edge.comfort.tick(edge.clock.advance(100))
    edge.comfort.tick(edge.clock.advance(-7200))
    assert edge.comfort.tick(edge.clock.advance(499)) == []
    assert edge.comfort.tick(edge.clock.advance(1)) == [SetPosition(device="curtain-1", closed_pct=0)]


def test_a_machine_without_a_battery_clock_starts_in_the_past_and_goes_on(edge: Edge) -> None:
    warm(edge, 27.0)
    edge.comfort.save()
    edge.clock.advance(-86_400)
    again = edge.again()
    assert again.arbiter.winner("ac-1") == AC_ON, "as it was left"
    assert warm(again, 20.0) == [AC_OFF], "and this reading counts"
    again.store.close()


def test_a_small_correction_of_the_clock_is_none_of_the_rules_business(edge: Edge) -> None:
    warm(edge, 27.0)
    edge.clock.advance(-1)
    assert edge.comfort.tick(edge.clock.now()) == []
    assert row(edge, "ac").rule == "cool"


def test_a_broken_sensor_is_told_once(edge: Edge, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(5):
        edge.clock.advance(10)
        warm(edge, 400.0)
    assert [record.getMessage() for record in caplog.records] == ["samples of temp are not used: out_of_range"]


def test_while_a_fire_holds_a_device_the_table_says_so(edge: Edge) -> None:
    warm(edge, 27.0)
    edge.arbiter.place("ac-1", Priority.LIFE_SAFETY, AC_OFF)
    found = row(edge, "ac")
    assert (found.cause, found.reason) == ("safety", "fire")


def test_a_device_that_is_moved_by_another_hand_is_told_again(edge: Edge) -> None:
    warm(edge, 27.0)
    edge.comfort.reading(reading("ac-1", Quantity.ON, 0.0, edge.clock), edge.clock.now())
    assert edge.comfort.tick(edge.clock.advance(10)) == []
    assert edge.comfort.tick(edge.clock.advance(59)) == []
    assert edge.comfort.tick(edge.clock.advance(1)) == [AC_ON]
    edge.comfort.reading(reading("ac-1", Quantity.ON, 1.0, edge.clock), edge.clock.now())
    assert edge.comfort.tick(edge.clock.advance(200)) == []


def test_what_the_fire_panel_wants_is_what_is_told_again(edge: Edge) -> None:
    warm(edge, 27.0)
    edge.comfort.reading(reading("ac-1", Quantity.ON, 1.0, edge.clock), edge.clock.now())
    edge.arbiter.place("ac-1", Priority.LIFE_SAFETY, AC_OFF)
    edge.comfort.tick(edge.clock.advance(10))
    assert edge.comfort.tick(edge.clock.advance(60)) == [AC_OFF]


GUARDED = {"min_on_s": 1200, "min_off_s": 60}


@pytest.mark.parametrize(("away_s", "kept"), [(14 * 60, True), (16 * 60, False)])
def test_s15_after_a_restart_old_latches_are_dropped_and_protection_times_kept(
    tmp_path: Path, clock: ManualClock, away_s: int, kept: bool
) -> None:
    ac = ROOM.actuator[0].model_copy(update=GUARDED)
    room = ROOM.model_copy(update={"actuator": (ac, *ROOM.actuator[1:]), "stale_after_s": 3600.0})
    edge = Edge(tmp_path / "gateway.db", clock, room=room)
    warm(edge, 27.0)
    clock.advance(10)
    warm(edge, 25.5)
    edge.comfort.save()
    clock.advance(away_s)
    again = edge.again()
    assert again.arbiter.winner("ac-1") == AC_ON
    assert row(again, "ac").params.get("hold") == (None if kept else "min_on"), "its protection outlives its latch"
    assert (row(again, "ac").rule == "cool") is kept, "inside the dead band only the latch keeps it on"
    clock.advance(1190 - away_s)
    orders = warm(again, 25.4)
    assert orders == ([] if kept else [AC_OFF])
    again.store.close()


def test_an_actuator_without_a_device_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"actuator 'ac': no device 'ac-1' to move \(there are: lamp\)"):
        build_plant(ROOM, [ControlledDevice("lamp", "other")], lambda config: plant_of(config).engine)


def refuse(*_: object) -> None:
    raise sqlite3.OperationalError("database or disk is full")
