"""Events to effects: the fixed order, what goes out, and commands that are carried out once."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from carrel.contracts.actuation import CommandStatus, OverrideSet, PanelCommand, SetOutput, SetPosition, SetSwitch
from carrel.contracts.telemetry import DeviceInfo, Quantity
from devices.events import DeviceLeft, DeviceSeen, Health, OutputsRead, ReadingSeen
from devices.orders import DONE, failed
from environment.config import EnvironmentConfig
from security.config import SecurityConfig
from tests.support.clock import ManualClock
from tests.support.edge import ROOM, Edge, plant_of, reading

AC_ON = SetSwitch(device="ac-1", on=True, setpoint_c=24.0)
THERMOMETER = DeviceInfo(id="room-th", zone="room", kind="sensor")


@pytest.fixture
def edge(tmp_path: Path, clock: ManualClock) -> Iterator[Edge]:
    made = Edge(tmp_path / "gateway.db", clock)
    made.reactor.start([THERMOMETER])
    made.all_is_well()
    made.sent.orders.clear()
    yield made
    made.store.close()


def seen(edge: Edge, value: float, quantity: Quantity = Quantity.TEMP) -> ReadingSeen:
    return ReadingSeen(reading("room-th", quantity, value, edge.clock))


def override(edge: Edge, id_: str = "o1", value: float = 80, expires_s: float = 60) -> OverrideSet:
    expires = edge.clock.now() + timedelta(seconds=expires_s)
    return OverrideSet(id=id_, actuator="curtain", value=value, duration_s=600, by="user:7", expires=expires)


def panel(edge: Edge, action: str, alarm: str, id_: str) -> PanelCommand:
    expires = edge.clock.now() + timedelta(minutes=1)
    return PanelCommand.model_validate(
        {"id": id_, "action": action, "alarm": alarm, "by": "user:7", "expires": expires}
    )


def smoke(edge: Edge) -> str:
    """Smoke; the id of the alarm."""
    edge.reactor.handle(edge.contact("smoke", closed=False))
    return edge.events()[-1].id


def test_the_start_publishes_devices_and_table(edge: Edge) -> None:
    assert edge.published("$devices")[""] == {"devices": [{"id": "room-th", "zone": "room", "kind": "sensor",
                                                          "model": "", "simulated": False}]}  # fmt: skip
    assert "" in edge.published("rules/state")


def test_a_reading_becomes_an_order_a_state_and_telemetry(edge: Edge) -> None:
    edge.reactor.handle(seen(edge, 27.0))
    edge.reactor.handle(seen(edge, 50.0, Quantity.RH))
    assert edge.sent.orders == [AC_ON]
    state = edge.published("dev/{id}/state")["room-th"]
    assert state is not None
    assert (state["values"], state["seq"]) == ({"temp": 27.0, "rh": 50.0}, 2)
    assert len(edge.telemetry._waiting) == 2


def test_a_device_that_tells_its_model_is_published_once(edge: Edge) -> None:
    edge.outbox._pending.clear()
    for _ in range(2):
        edge.reactor.handle(DeviceSeen("room-th", "Carrel TH", edge.clock.now()))
        edge.reactor.handle(DeviceSeen("stranger", "X", edge.clock.now()))
    devices = edge.published("$devices")[""]
    assert devices is not None
    assert devices["devices"][0]["model"] == "Carrel TH"  # type: ignore[index]
    edge.outbox._pending.clear()
    edge.reactor.handle(DeviceSeen("room-th", "Carrel TH", edge.clock.now()))
    edge.reactor.handle(DeviceLeft("room-th", "02:ca", edge.clock.now()))
    assert edge.published("$devices") == {}


def test_smoke_goes_out_as_orders_a_retained_alarm_and_a_durable_event(edge: Edge) -> None:
    alarm = smoke(edge)
    assert SetOutput(output="io-1.siren", on=True) in edge.sent.orders
    assert edge.published("alarm/{id}")[alarm]["state"] == "alarm"  # type: ignore[index]
    assert edge.sent.wakes == 1


def test_the_retained_alarm_is_cleared_after_the_reset_and_its_end_is_durable(edge: Edge) -> None:
    alarm = smoke(edge)
    edge.reactor.handle(edge.contact("smoke", closed=True))
    edge.reactor.command(panel(edge, "reset", alarm, "r1"))
    assert edge.answer("r1").status is CommandStatus.DONE
    assert edge.published("alarm/{id}") == {alarm: None}
    assert edge.events()[-1].state == "reset"


def test_rules_that_fail_do_not_stop_the_siren_nor_the_measured_values(
    edge: Edge, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(edge.comfort, "reading", broken)
    monkeypatch.setattr(edge.comfort, "tick", broken)
    edge.reactor.handle(seen(edge, 27.0))
    edge.reactor.tick_comfort()
    smoke(edge)
    assert edge.output("siren")
    assert "room-th" in edge.published("dev/{id}/state")
    assert len(edge.telemetry._waiting) == 1
    assert "comfort rules failed" in caplog.text


def test_a_fire_panel_that_fails_does_not_stop_the_rules(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("contact", "tick", "module", "restart"):
        monkeypatch.setattr(edge.safety, name, broken)
    edge.reactor.start([THERMOMETER])
    edge.reactor.handle(edge.contact("smoke", closed=False))
    edge.reactor.tick_safety()
    edge.reactor.handle(seen(edge, 27.0))
    assert edge.sent.orders == [AC_ON]


def test_outputs_as_read_are_handed_on(edge: Edge) -> None:
    read = OutputsRead("io-1", {"siren": True}, edge.clock.now())
    edge.reactor.handle(read)
    assert edge.sent.outputs == [read]


def test_ticks_drive_both_cores(edge: Edge) -> None:
    edge.reactor.handle(edge.contact("s1", closed=False))
    edge.clock.advance(60)
    edge.reactor.tick_safety()
    assert edge.output("siren")
    edge.reactor.command(override(edge))
    edge.clock.advance(600)
    edge.reactor.tick_comfort()
    assert edge.sent.orders[-1] == SetPosition(device="curtain-1", closed_pct=0)


def test_the_table_is_published_only_when_it_says_something_new(edge: Edge) -> None:
    edge.reactor.handle(seen(edge, 20.0))
    edge.reactor.show()
    edge.outbox._pending.clear()
    edge.clock.advance(5)
    edge.reactor.handle(seen(edge, 20.0))
    edge.reactor.show()
    assert edge.published("rules/state") == {}
    edge.reactor.handle(seen(edge, 27.0))
    edge.reactor.show()
    assert "" in edge.published("rules/state")
    edge.outbox._pending.clear()
    edge.reactor.show()
    assert edge.published("rules/state") == {}


def test_a_repeated_command_is_answered_again_and_not_done_again(edge: Edge) -> None:
    wish = override(edge)
    edge.reactor.command(wish)
    first = edge.answer("o1")
    edge.sent.orders.clear()
    edge.outbox._pending.clear()
    edge.clock.advance(5)
    edge.reactor.command(wish)
    assert edge.answer("o1") == first
    assert edge.sent.orders == []


def test_a_repeat_after_a_kill_gets_the_first_answer_too(edge: Edge) -> None:
    alarm = smoke(edge)
    edge.reactor.handle(edge.contact("smoke", closed=True))
    reset = panel(edge, "reset", alarm, "r1")
    edge.reactor.command(reset)
    first = edge.answer("r1")
    again = edge.again()
    again.reactor.start([])
    again.reactor.command(reset)
    assert again.answer("r1") == first
    again.store.close()


def test_a_command_that_came_too_late_is_answered_expired_and_not_done(edge: Edge) -> None:
    edge.reactor.command(override(edge, expires_s=-1))
    assert edge.answer("o1").status is CommandStatus.EXPIRED
    assert edge.sent.orders == []


def test_a_command_that_fails_is_answered_and_raises_nothing(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edge.comfort, "override", broken)
    edge.reactor.command(override(edge))
    assert (edge.answer("o1").status, edge.answer("o1").code) == (CommandStatus.FAILED, "internal_error")


def test_a_full_disk_does_not_keep_people_from_silencing_the_siren(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    alarm = smoke(edge)
    for name in ("save", "save_with_events", "remember_answer", "answer"):
        monkeypatch.setattr(edge.store, name, full)
    edge.reactor.command(panel(edge, "silence", alarm, "s1"))
    assert edge.answer("s1").status is CommandStatus.DONE
    assert edge.output("siren") is False


def test_events_are_told_as_soon_as_a_full_disk_has_room_again(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as disk:
        disk.setattr(edge.store, "save_with_events", full)
        edge.reactor.handle(edge.contact("smoke", closed=False))
        edge.reactor.tick_safety()
        before = edge.sent.wakes
    edge.reactor.tick_safety()
    assert edge.sent.wakes == before + 1, "or the server would hear of them with the next alarm only"
    assert edge.events()[-1].state == "alarm"
    edge.reactor.tick_safety()
    assert edge.sent.wakes == before + 1


def test_saving_never_raises(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    edge.reactor.handle(seen(edge, 27.0))
    with monkeypatch.context() as disk:
        disk.setattr(edge.store, "save", full)
        edge.reactor.save_comfort()
    edge.reactor.save_comfort()
    assert not edge.comfort.dirty


def test_a_lost_module_is_told_as_faults(edge: Edge) -> None:
    edge.reactor.handle(edge.module(Health.LOST))
    assert {alarm.state for alarm in edge.events()} == {"fault"}


def broken(*_: object) -> None:
    raise RuntimeError("a fault of ours")


def full(*_: object, **__: object) -> None:
    raise sqlite3.OperationalError("database or disk is full")


def test_an_actuator_that_does_not_follow_is_an_alarm_until_it_does(edge: Edge) -> None:
    edge.reactor.follow("curtain-1", failed("no_answer"))
    edge.reactor.follow("curtain-1", failed("no_answer"))
    (alarm,) = [event for event in edge.events() if event.place == "curtain"]
    assert edge.published("alarm/{id}")[alarm.id] is not None
    again = edge.again()
    again.reactor.start([THERMOMETER])
    assert again.published("alarm/{id}")[alarm.id] is not None, "it stands after a restart"
    again.reactor.follow("curtain-1", DONE)
    assert again.published("alarm/{id}")[alarm.id] is None
    assert again.events()[-1].state == "reset"
    again.store.close()


def test_a_fault_that_cannot_be_told_ends_nothing(edge: Edge, caplog: pytest.LogCaptureFixture) -> None:
    edge.clock.now = lambda: None  # type: ignore[assignment, method-assign, return-value]  # a fault of ours
    edge.reactor.follow("curtain-1", failed("no_answer"))
    assert "cannot be told" in caplog.text


def test_a_reading_that_was_overtaken_goes_to_the_log_alone(edge: Edge) -> None:
    edge.reactor.handle(seen(edge, 20.0))
    edge.reactor.handle(ReadingSeen(reading("room-th", Quantity.TEMP, 27.0, edge.clock), late=True))
    assert edge.sent.orders == []
    state = edge.published("dev/{id}/state")["room-th"]
    assert state is not None
    assert state["values"] == {"temp": 20.0}
    assert len(edge.telemetry._waiting) == 2


def test_devices_that_are_gone_take_their_state_with_them_and_the_others_keep_their_model(edge: Edge) -> None:
    edge.reactor.handle(seen(edge, 20.0))
    edge.reactor.handle(DeviceSeen("room-th", "Carrel TH", edge.clock.now()))
    moved = THERMOMETER.model_copy(update={"zone": "stacks"})
    edge.reactor.devices_changed([moved])
    listed = edge.published("$devices")[""]
    assert listed is not None
    assert listed["devices"][0]["model"] == "Carrel TH"  # type: ignore[index]
    edge.reactor.devices_changed([])
    assert edge.published("dev/{id}/state")["room-th"] is None
    edge.reactor.devices_changed([moved])
    assert len(edge.published("$devices")) == 1


def test_the_rules_go_on_with_a_sensor_that_was_named_meanwhile(edge: Edge) -> None:
    edge.reactor.handle(seen(edge, 27.0))
    assert edge.sent.orders == [AC_ON]
    sensor = {"id": "desk-temp", "zone": "room", "metric": "temp", "device": "desk-th"}
    more = ROOM.model_dump(by_alias=True)
    more["sensor"] = [*more["sensor"], sensor]
    edge.reactor.plant_changed(plant_of(EnvironmentConfig.model_validate(more)))
    edge.sent.orders.clear()
    edge.clock.advance(3600)
    edge.reactor.handle(ReadingSeen(reading("desk-th", Quantity.TEMP, 10.0, edge.clock)))
    edge.reactor.handle(seen(edge, 10.0))
    assert AC_ON not in edge.sent.orders
    assert edge.arbiter.winner("ac-1") == SetSwitch(device="ac-1", on=False)


def test_a_detector_that_nobody_has_met_is_a_fault_from_the_start(tmp_path: Path, clock: ManualClock) -> None:
    fire = SecurityConfig.model_validate(
        {"area": [{"id": "stacks"}], "fire_zone": [{"id": "s", "area": "stacks", "detector": "smoke-1"}]}
    )
    made = Edge(tmp_path / "missing.db", clock, fire=fire)
    made.reactor.start([], missing=["smoke-1"])
    assert [(alarm.kind, alarm.state) for alarm in made.events()] == [("fault", "fault")]
    made.store.close()
