"""The fire panel's hands, on a real store: outputs, durable alarms, restarts, lost modules, full disks, odd clocks."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from carrel.contracts.actuation import CommandStatus, PanelCommand, Priority, SetLevel, SetOutput, SetSwitch
from devices.events import ContactChanged, Health, ModuleHealth
from gateway.control.safety import MEMORY, Deeds
from gateway.store import StoreError
from security.config import SecurityConfig
from tests.support.clock import ManualClock
from tests.support.edge import FIRE, INPUTS, Edge


@pytest.fixture
def edge(tmp_path: Path, clock: ManualClock) -> Iterator[Edge]:
    made = Edge(tmp_path / "gateway.db", clock)
    yield made
    made.store.close()


@pytest.fixture
def safe(edge: Edge) -> Edge:
    """All detectors told, all closed."""
    for name in INPUTS:
        assert not edge.safety.contact(edge.contact(name, closed=True)).alarms
    return edge


def trip(edge: Edge, name: str = "smoke") -> Deeds:
    return edge.safety.contact(edge.contact(name, closed=False))


def told(deeds: Deeds) -> list[tuple[str, str, int]]:
    return [(alarm.kind, alarm.state, alarm.version) for alarm in deeds.alarms]


def panel(action: str, alarm: str, edge: Edge, id_: str = "c1") -> PanelCommand:
    expires = edge.clock.now() + timedelta(minutes=1)
    return PanelCommand.model_validate(
        {"id": id_, "action": action, "alarm": alarm, "by": "user:7", "expires": expires}
    )


def test_smoke_raises_lamp_siren_doors_and_an_alarm_and_stops_the_air(safe: Edge) -> None:
    deeds = trip(safe)
    assert {(o.output, o.on) for o in deeds.orders if isinstance(o, SetOutput)} == {
        ("io-1.lamp", True),
        ("io-1.siren", True),
        ("io-1.door", True),
    }
    assert told(deeds) == [("fire", "alarm", 1)]
    assert safe.arbiter.winner("vent-1") == SetLevel(device="vent-1", level_pct=0)
    assert safe.arbiter.winner("ac-1") == SetSwitch(device="ac-1", on=False)
    assert safe.arbiter.holder("vent-1") is Priority.LIFE_SAFETY
    assert safe.events() == deeds.alarms


def test_the_alarm_stays_when_the_smoke_clears_and_repeats_nothing(safe: Edge) -> None:
    trip(safe)
    after = safe.safety.contact(safe.contact("smoke", closed=True))
    assert (after.orders, safe.output("siren")) == ([], True)


def test_a_detector_that_clears_or_acts_again_is_told_so_that_a_page_knows_when_a_reset_is_possible(safe: Edge) -> None:
    deeds = [trip(safe), safe.safety.contact(safe.contact("smoke", closed=True)), trip(safe)]
    assert [told(deed) for deed in deeds] == [[("fire", "alarm", version)] for version in (1, 2, 3)]
    assert [deed.alarms[0].causes[0].active for deed in deeds] == [True, False, True]
    assert [alarm.version for alarm in safe.events()] == [1, 2, 3]


def test_silence_ends_the_siren_only_and_reset_gives_the_air_back(safe: Edge) -> None:
    (alarm,) = trip(safe).alarms
    safe.safety.contact(safe.contact("smoke", closed=True))
    result, _ = safe.safety.command(panel("silence", alarm.id, safe), safe.clock.now())
    assert result.status is CommandStatus.DONE
    assert (safe.output("siren"), safe.output("lamp"), safe.output("door")) == (False, True, True)
    _, deeds = safe.safety.command(panel("reset", alarm.id, safe), safe.clock.now())
    assert told(deeds) == [("fire", "reset", 4)]
    assert deeds.alarms[0].reset_by == "user:7"
    assert (safe.output("siren"), safe.output("lamp"), safe.output("door")) == (False, False, False)
    assert safe.arbiter.holder("vent-1") is Priority.COMFORT
    assert [alarm.version for alarm in safe.events()] == [1, 2, 3, 4]


def test_a_reset_with_smoke_still_there_is_refused_and_names_the_zone(safe: Edge) -> None:
    (alarm,) = trip(safe).alarms
    result, deeds = safe.safety.command(panel("reset", alarm.id, safe), safe.clock.now())
    assert (result.status, result.code, result.detail) == (CommandStatus.REJECTED, "detector_active", "smoke")
    assert deeds.alarms == []
    assert safe.output("siren")


def test_a_start_does_not_raise_faults_for_inputs_that_are_not_told_yet(edge: Edge) -> None:
    for name in INPUTS:
        assert edge.safety.contact(edge.contact(name, closed=True)).alarms == []
    assert edge.events() == []


def test_a_restart_does_not_turn_a_verification_into_an_alarm(safe: Edge) -> None:
    """Before its partner is told again after a restart, a detector must not count as working alone."""
    assert told(trip(safe, "s1")) == [("fire", "verify", 1)]
    again = safe.again()
    again.safety.restart(again.clock.now())
    again.safety.contact(again.contact("s1", closed=False))
    assert again.output("siren") is False
    again.safety.contact(again.contact("s2", closed=True))
    assert again.output("siren") is False
    assert told(again.safety.contact(again.contact("s2", closed=False))) == [("fire", "alarm", 2)]
    again.store.close()


def test_a_lost_module_is_a_fault_not_an_alarm_and_what_did_not_change_is_well_again_when_it_is_back(
    safe: Edge,
) -> None:
    lost = safe.safety.module(safe.module(Health.LOST))
    assert {(alarm.kind, alarm.state) for alarm in lost.alarms} == {("fault", "fault")}
    assert len(lost.alarms) == len(INPUTS)
    assert safe.output("siren") is not True
    back = safe.safety.module(safe.module(Health.OK))
    assert {alarm.state for alarm in back.alarms} == {"reset"}
    assert {alarm.id for alarm in back.alarms} == {alarm.id for alarm in lost.alarms}


def test_smoke_that_came_while_the_module_was_lost_alarms_when_it_is_back(safe: Edge) -> None:
    safe.safety.module(safe.module(Health.LOST))
    safe.safety.module(safe.module(Health.OK))
    assert ("fire", "alarm", 1) in told(trip(safe))


def test_a_module_that_answers_badly_for_a_moment_changes_nothing(safe: Edge) -> None:
    assert safe.safety.module(safe.module(Health.DEGRADED)) == Deeds()
    assert safe.safety.module(safe.module(Health.OK)) == Deeds()


def test_after_a_kill_the_outputs_of_the_alarm_are_taken_up_and_it_is_told_again(safe: Edge) -> None:
    (alarm,) = trip(safe).alarms
    again = safe.again()
    deeds = again.safety.restart(again.clock.now())
    assert SetOutput(output="io-1.siren", on=True) in deeds.orders
    assert SetOutput(output="io-1.door", on=True) in deeds.orders
    assert deeds.alarms == [alarm]
    assert again.events() == [alarm]
    again.store.close()


def test_timers_that_fell_due_while_it_was_off_are_settled_once_at_the_restart(safe: Edge) -> None:
    trip(safe, "s1")
    again = safe.again()
    again.clock.advance(3600)
    deeds = again.safety.restart(again.clock.now())
    assert {alarm.state for alarm in deeds.alarms} == {"alarm"}
    assert len({(alarm.id, alarm.version) for alarm in deeds.alarms}) == len(deeds.alarms)
    assert again.output("siren")
    assert again.safety.tick(again.clock.now()) == Deeds()
    again.store.close()


def test_versions_go_on_rising_after_a_restart(safe: Edge) -> None:
    (alarm,) = trip(safe).alarms
    again = safe.again()
    again.safety.restart(again.clock.now())
    _, deeds = again.safety.command(panel("acknowledge", alarm.id, again), again.clock.now())
    assert told(deeds) == [("fire", "alarm", 2)]
    again.store.close()


def test_a_full_disk_does_not_keep_the_siren_quiet_and_nothing_is_lost_when_it_has_room(
    safe: Edge, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with monkeypatch.context() as disk:
        disk.setattr(safe.store, "save_with_events", refuse)
        deeds = trip(safe)
        assert safe.output("siren")
        assert told(deeds) == [("fire", "alarm", 1)]
        for _ in range(5):
            safe.safety.tick(safe.clock.advance(1))
        assert safe.events() == []
    safe.safety.tick(safe.clock.advance(1))
    assert safe.events() == deeds.alarms
    lines = [record.getMessage() for record in caplog.records if "disk" in record.getMessage()]
    assert len(lines) == 2, "told once when it begins and once when it ends"
    again = safe.again()
    assert again.safety.restart(again.clock.now()).alarms == deeds.alarms
    again.store.close()


def test_an_alarm_that_cannot_be_told_still_sounds(safe: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(safe.safety, "_shown", refuse)
    trip(safe)
    assert safe.output("siren")


def test_a_clock_set_back_does_not_delay_an_alarm(safe: Edge) -> None:
    trip(safe, "s1")
    safe.clock.advance(-7200)
    safe.safety.tick(safe.clock.now())
    deeds = safe.safety.tick(safe.clock.advance(FIRE.verify_window_s))
    assert ("fire", "alarm", 2) in told(deeds)
    assert safe.output("siren")


def test_a_clock_set_back_does_not_delay_the_escalation(safe: Edge) -> None:
    trip(safe)
    safe.clock.advance(-7200)
    safe.safety.tick(safe.clock.now())
    assert told(safe.safety.tick(safe.clock.advance(FIRE.escalation_level_2_s))) == [("fire", "alarm", 2)]


def test_a_detector_taken_out_of_the_configuration_does_not_hinder_a_restart(safe: Edge) -> None:
    trip(safe)
    fewer = FIRE.model_copy(update={"fire_zone": tuple(z for z in FIRE.fire_zone if z.id != "smoke")})
    again = safe.again(fire=SecurityConfig.model_validate(fewer.model_dump()))
    (alarm,) = again.safety.restart(again.clock.now()).alarms
    assert (alarm.state, alarm.causes) == ("alarm", ())
    assert again.output("siren")
    again.store.close()


@pytest.mark.parametrize("kept", [{"panel": {"version": 99}, "versions": {}}, {"versions": {}}, ["no", "panel"]])
def test_a_memory_that_cannot_be_read_is_one_sentence_not_a_quiet_fresh_start(
    tmp_path: Path, clock: ManualClock, kept: object
) -> None:
    edge = Edge(tmp_path / "gateway.db", clock)
    edge.store.save(MEMORY, kept)
    edge.store.close()
    with pytest.raises(StoreError, match="what the fire panel left there cannot be read"):
        Edge(tmp_path / "gateway.db", clock)


def refuse(*_: object) -> None:
    raise sqlite3.OperationalError("database or disk is full")


ZIGBEE = SecurityConfig.model_validate(
    {
        "area": [{"id": "stacks"}],
        "fire_zone": [{"id": "stacks-smoke", "area": "stacks", "detector": "smoke-1"}],
        "outputs": {"siren": ["siren-1.siren"]},
    }
)


def detector(edge: Edge, **inputs: bool) -> list[Deeds]:
    """Inputs of the Zigbee detector, told one after the other."""
    at = edge.clock.now()
    return [edge.safety.contact(ContactChanged("smoke-1", name, closed, at)) for name, closed in inputs.items()]


def test_a_zigbee_detector_alarms_a_zigbee_siren_and_its_troubles_are_faults(
    tmp_path: Path, clock: ManualClock
) -> None:
    edge = Edge(tmp_path / "gateway.db", clock, fire=ZIGBEE)
    at_rest = detector(edge, alarm=True, tamper=True, trouble=True)
    assert [told(deeds) for deeds in at_rest] == [[], [], []]
    assert told(detector(edge, trouble=False)[0]) == [("fault", "fault", 1)]
    burning = detector(edge, alarm=False)[0]
    assert ("fire", "alarm", 1) in told(burning)
    assert SetOutput(output="siren-1.siren", on=True) in burning.orders
    edge.store.close()


def test_a_zigbee_detector_that_is_not_heard_is_a_fault_until_it_is(tmp_path: Path, clock: ManualClock) -> None:
    edge = Edge(tmp_path / "gateway.db", clock, fire=ZIGBEE)
    lost = edge.safety.module(ModuleHealth("smoke-1", Health.LOST, clock.now()))
    assert told(lost) == [("fault", "fault", 1)]
    detector(edge, alarm=True, tamper=True, trouble=True)
    found = edge.safety.module(ModuleHealth("smoke-1", Health.OK, clock.now()))
    assert told(found) == [("fault", "reset", 2)]
    edge.store.close()
