"""The fire table row by row, then timers, isolation, faults and the properties that must never break."""

from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from security.cause_effect import outputs_for
from security.config import SecurityConfig
from security.fire import FirePanel
from security.fire_state import (
    Acknowledge,
    AlarmChanged,
    Escalated,
    FireState,
    Isolate,
    Lift,
    Refused,
    Reset,
    Silence,
    Tick,
    ZonesRead,
)
from security.persistence import from_json, to_json
from tests.support.fire_house import CONFIG, T0, ZONES, Watch, at, cleared, faulty, opened

STACKS = f"fire-stacks-{round(at(10).timestamp() * 1000)}"


# ---------------------------------------------------------------- the table
@pytest.mark.parametrize("zone", ["hall-1", "hall-2", "stacks-button"])
def test_row_1_a_single_area_or_a_call_point_alarms_at_once(zone):
    watch = Watch().at(10, opened(zone))
    assert watch.state.phase == "alarm"
    assert watch.codes() == ["zone_open", "alarm_raised"]
    alarm = watch.alarm
    assert (alarm.causes, alarm.severity, alarm.opened_at, alarm.alarmed_at) == ((zone,), "critical", at(10), at(10))
    assert watch.last[-1] == Escalated(alarm.id, 1, ("administrator", "duty_staff"))


@pytest.mark.parametrize("gone", [faulty("stacks-2"), ZonesRead({"stacks-2": "tamper"}), Isolate("stacks-2", "admin")])
def test_row_1_without_a_working_partner_one_detector_is_enough(gone):
    assert Watch().at(5, gone).at(10, opened("stacks-1")).state.phase == "alarm"


def test_row_1_a_call_point_or_the_same_detector_ends_a_verification():
    assert Watch().at(10, opened("stacks-1")).at(20, opened("stacks-button")).state.phase == "alarm"
    watch = Watch().at(10, opened("stacks-1")).at(20, cleared("stacks-1")).at(30, faulty("stacks-2"))
    assert watch.state.phase == "verify"
    assert watch.at(40, opened("stacks-1")).state.phase == "alarm"


def test_row_2_a_coincidence_area_first_verifies():
    watch = Watch().at(10, opened("stacks-1"))
    assert watch.state.phase == "verify"
    assert watch.codes() == ["zone_open", "verify_started"]
    assert watch.shown() == [(STACKS, "verify")]
    assert watch.last[-1] == Escalated(STACKS, 0, ("duty_staff",))
    assert watch.panel.next_due(watch.state) == at(70)


def test_row_3_a_second_detector_confirms_even_when_the_first_has_cleared():
    watch = Watch().at(10, opened("stacks-1")).at(20, cleared("stacks-1")).at(30, opened("stacks-2"))
    assert (watch.alarm.id, watch.alarm.causes) == (STACKS, ("stacks-1", "stacks-2"))
    assert (watch.alarm.opened_at, watch.alarm.alarmed_at) == (at(10), at(30))


def test_row_3_two_detectors_in_one_reading_confirm_each_other():
    assert Watch().at(10, opened("stacks-1", "stacks-2")).alarm.causes == ("stacks-1", "stacks-2")


def test_row_4_one_chattering_detector_is_one_detector():
    watch = Watch().at(10, opened("stacks-1")).at(20, cleared("stacks-1")).at(30, opened("stacks-1"))
    assert watch.state.phase == "verify"
    assert watch.codes() == ["zone_open", "detector_again"]
    assert watch.panel.next_due(watch.state) == at(70)


def test_row_5_a_detector_still_active_at_the_end_of_the_window_alarms():
    watch = Watch().at(10, opened("stacks-1")).at(70, Tick())
    assert (watch.alarm.id, watch.alarm.alarmed_at) == (STACKS, at(70))


def test_row_6_a_clear_area_goes_back_to_normal_when_the_window_ends():
    watch = Watch().at(10, opened("stacks-1")).at(20, cleared("stacks-1")).at(69, Tick())
    assert watch.state.phase == "verify"
    watch.at(70, Tick())
    assert watch.state.phase == "normal"
    assert watch.codes() == ["verify_cleared"]
    assert watch.shown() == [(STACKS, "normal")]


@pytest.mark.parametrize("gone", [faulty("stacks-2"), Isolate("stacks-2", "admin")])
def test_row_7_losing_the_partner_of_an_active_detector_alarms(gone):
    assert Watch().at(10, opened("stacks-1")).at(20, gone).alarm.causes == ("stacks-1",)


def test_row_7_one_of_two_partners_may_go():
    watch = Watch().at(10, opened("attic-1")).at(20, faulty("attic-2"))
    assert watch.state.phase == "verify"
    assert watch.at(30, faulty("attic-3")).state.phase == "alarm"


def test_entering_alarm_escalates_at_sixty_and_hundred_and_eighty_seconds():
    watch = Watch().at(10, opened("hall-1"))
    watch.at(69, Tick())
    assert watch.last == ()
    watch.at(70, Tick())
    assert watch.last[-1] == Escalated(watch.alarm.id, 2, ("all_staff",))
    watch.at(190, Tick())
    assert watch.last[-1] == Escalated(watch.alarm.id, 3, ("further_contacts",))
    assert watch.alarm.escalation == 3
    assert watch.panel.next_due(watch.state) is None


def test_row_8_silence_takes_the_siren_and_nothing_else():
    watch = Watch().at(10, opened("hall-1")).at(20, Silence("ann"))
    out = outputs_for(watch.state, CONFIG)
    assert (out.siren, out.lamp, out.door_release, out.ventilation_stop) == ("off", "fast", True, True)
    assert (watch.alarm.silenced, watch.alarm.silenced_by, watch.alarm.acknowledged) == (True, "ann", False)
    assert watch.at(70, Tick()).alarm.escalation == 2
    assert watch.at(80, Silence("bob")).last == ()


def test_row_9_a_further_detector_sounds_the_siren_again_and_a_known_one_does_not():
    watch = Watch().at(10, opened("hall-1")).at(20, Silence("ann")).at(30, cleared("hall-1")).at(40, opened("hall-1"))
    assert watch.codes() == ["zone_open", "detector_again"]
    assert watch.alarm.silenced
    watch.at(50, opened("stacks-1"))
    assert (watch.alarm.silenced, watch.alarm.causes) == (False, ("hall-1", "stacks-1"))
    assert watch.codes() == ["zone_open", "cause_added"]


def test_row_10_acknowledging_an_alarm_stops_escalation_and_leaves_the_siren():
    watch = Watch().at(10, opened("hall-1")).at(20, Acknowledge("ann", Watch().at(10, opened("hall-1")).alarm.id))
    assert (watch.alarm.acknowledged_by, watch.alarm.acknowledged_at) == ("ann", at(20))
    assert outputs_for(watch.state, CONFIG).siren == "fire"
    assert watch.at(500, Tick()).alarm.escalation == 1
    assert watch.at(510, Acknowledge("bob")).last == ()


def test_row_10_an_acknowledged_verification_that_becomes_an_alarm_is_not_acknowledged():
    watch = Watch().at(10, opened("stacks-1")).at(15, opened("attic-1")).at(20, Acknowledge("ann", STACKS))
    assert [stage.alarm.acknowledged for stage in watch.state.stages.values()] == [True, False]
    watch.at(25, opened("stacks-2"))
    assert not watch.alarm.acknowledged
    assert watch.at(85, Tick()).alarm.escalation == 2


def test_row_11_reset_brings_everything_back_when_all_is_clear_or_isolated():
    watch = Watch().at(10, opened("hall-1", "hall-2")).at(20, cleared("hall-1")).at(30, Isolate("hall-2", "admin"))
    alarm = watch.alarm
    watch.at(40, Reset("ann"))
    assert watch.state.phase == "normal"
    assert watch.codes() == ["reset"]
    (change,) = [effect for effect in watch.last if isinstance(effect, AlarmChanged)]
    closed = change.alarm
    assert (closed.id, closed.state, closed.closed_by, closed.closed_at, closed.open) == (
        alarm.id,
        "normal",
        "ann",
        at(40),
        False,
    )


def test_row_12_reset_is_refused_while_a_detector_is_active():
    watch = Watch().at(10, opened("hall-1")).at(20, Reset("ann"))
    assert watch.refusal() == ("detector_active", ("hall-1",))
    assert watch.state.phase == "alarm"


def test_reset_is_refused_while_a_detector_cannot_be_seen():
    watch = Watch().at(10, opened("hall-1")).at(20, faulty("hall-1")).at(30, Reset("ann"))
    assert watch.refusal() == ("detector_fault", ("hall-1",))
    assert watch.at(40, Isolate("hall-1", "admin")).at(50, Reset("ann")).state.phase == "normal"


@pytest.mark.parametrize("command", [Silence("ann"), Reset("ann"), Acknowledge("ann"), Lift("hall-1", "ann")])
def test_a_command_that_does_not_fit_the_state_is_refused(command):
    watch = Watch()
    before = watch.state
    watch.at(10, command)
    assert watch.refusal()[0] == "wrong_state"
    assert watch.state == before


@pytest.mark.parametrize("command", [Silence("ann"), Reset("ann")])
def test_a_verification_is_neither_silenced_nor_reset(command):
    watch = Watch().at(10, opened("stacks-1")).at(20, command)
    assert watch.refusal()[0] == "wrong_state"
    assert watch.state.phase == "verify"


@pytest.mark.parametrize("kind", [Silence, Acknowledge, Reset])
def test_a_command_for_another_alarm_does_not_touch_this_one(kind):
    watch = Watch().at(10, opened("hall-1"))
    before = watch.state
    assert watch.at(20, kind("ann", "fire-hall-0")).refusal()[0] == "unknown_alarm"
    assert watch.state == before


# ---------------------------------------------------------------- areas beside each other
def test_verifications_of_two_areas_run_side_by_side_and_join_one_alarm():
    watch = Watch().at(10, opened("stacks-1")).at(20, opened("attic-1"))
    assert watch.shown() == [(f"fire-attic-{round(at(20).timestamp() * 1000)}", "verify")]
    watch.at(70, Tick())
    assert (watch.alarm.id, watch.alarm.causes) == (STACKS, ("stacks-1", "attic-1"))
    assert [state for _, state in watch.shown()] == ["normal", "alarm"]
    assert watch.state.stages == {}


# ---------------------------------------------------------------- event order
def test_at_equal_times_inputs_come_before_timers():
    watch = Watch().at(10, opened("stacks-1")).at(70, cleared("stacks-1")).at(70, Tick())
    assert watch.state.phase == "normal"


def test_a_timer_that_fell_due_earlier_fires_before_the_event_at_its_own_time():
    watch = Watch().at(10, opened("stacks-1")).at(71, cleared("stacks-1"))
    assert watch.alarm.alarmed_at == at(70)
    assert watch.codes() == ["alarm_raised", "zone_clear"]


def test_a_reset_cancels_the_escalation_for_good():
    watch = Watch().at(10, opened("hall-1")).at(20, cleared("hall-1")).at(30, Reset("ann")).at(1000, Tick())
    assert watch.last == ()


# ---------------------------------------------------------------- isolation
def test_an_isolated_detector_is_logged_only():
    watch = Watch().at(5, Isolate("hall-1", "admin", 3600)).at(10, opened("hall-1"))
    assert (watch.state.phase, watch.codes()) == ("normal", ["zone_open"])


@pytest.mark.parametrize(
    ("end", "code"), [(Lift("hall-1", "admin"), "isolation_lifted"), (Tick(), "isolation_expired")]
)
def test_a_zone_active_when_its_isolation_ends_counts(end, code):
    watch = Watch().at(0, Isolate("hall-1", "admin", 100)).at(10, opened("hall-1")).at(100, end)
    assert watch.state.phase == "alarm"
    assert watch.codes()[0] == code


def test_a_clear_zone_comes_back_from_isolation_quietly():
    watch = Watch().at(0, Isolate("hall-1", "admin")).at(28_800, Tick())
    assert (watch.state.phase, watch.state.isolations) == ("normal", {})


def test_isolating_the_verifying_detector_lets_the_window_end_clear():
    watch = Watch().at(10, opened("stacks-1")).at(20, Isolate("stacks-1", "admin")).at(70, Tick())
    assert watch.state.phase == "normal"


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (Isolate("cellar", "admin"), "unknown_zone"),
        (Lift("cellar", "admin"), "unknown_zone"),
        (Isolate("hall-1", "admin", 28_801), "duration_out_of_range"),
        (Isolate("hall-1", "admin", 0), "duration_out_of_range"),
    ],
)
def test_an_impossible_isolation_is_refused(command, code):
    assert Watch().at(10, command).refusal() == (code, (command.zone,))


# ---------------------------------------------------------------- faults
def test_a_fault_is_shown_and_never_an_alarm():
    watch = Watch().at(10, faulty("hall-1", "stacks-1"))
    fault = f"fault-hall-1-{round(at(10).timestamp() * 1000)}"
    assert watch.state.phase == "normal"
    assert watch.codes() == ["zone_fault", "zone_fault"]
    assert (fault, "fault") in watch.shown()
    watch.at(20, ZonesRead({"hall-1": "closed", "stacks-1": "tamper"}))
    assert watch.codes() == ["zone_restored", "zone_restored", "zone_tamper"]
    assert (fault, "normal") in watch.shown()
    assert [(alarm.state, alarm.causes) for alarm in watch.panel.open_alarms(watch.state)] == [
        ("tamper", ("stacks-1",))
    ]


def test_an_open_detector_on_return_from_a_fault_is_an_opening():
    watch = Watch().at(10, faulty("hall-1")).at(20, opened("hall-1"))
    assert watch.codes() == ["zone_restored", "zone_open", "alarm_raised"]


def test_a_reading_of_an_unknown_zone_is_refused_and_the_others_count():
    watch = Watch().at(10, ZonesRead({"cellar": "open", "hall-1": "open"}))
    assert watch.refusal() == ("unknown_zone", ("cellar",))
    assert watch.state.phase == "alarm"


def test_everything_that_stands_can_be_told_again():
    watch = Watch().at(10, opened("stacks-1")).at(20, faulty("attic-1"))
    assert [alarm.state for alarm in watch.panel.open_alarms(watch.state)] == ["verify", "fault"]
    watch.at(30, opened("hall-1"))
    assert [alarm.state for alarm in watch.panel.open_alarms(watch.state)] == ["alarm", "fault"]


# ---------------------------------------------------------------- start and restart
def test_smoke_at_the_very_first_reading_is_an_alarm():
    watch = Watch(FireState()).at(10, ZonesRead({"hall-1": "open", "hall-2": "closed"}))
    assert watch.state.phase == "alarm"


def test_at_the_very_first_reading_partners_of_the_same_reading_count_as_working():
    everything = dict.fromkeys(ZONES, "closed")
    assert Watch(FireState()).at(10, ZonesRead({"stacks-1": "open"} | everything)).state.phase == "normal"
    assert Watch(FireState()).at(10, ZonesRead(everything | {"stacks-1": "open"})).state.phase == "verify"


def test_a_restart_settles_due_timers_with_the_stored_conditions_first():
    stored = to_json(Watch().at(10, opened("stacks-1")).state)
    watch = Watch(from_json(stored)).at(1000, Tick())
    assert (watch.alarm.alarmed_at, watch.alarm.escalation) == (at(70), 3)
    watch.at(1000, cleared(*ZONES))
    assert watch.state.phase == "alarm"


def test_a_restart_alone_changes_nothing():
    watch = Watch().at(10, opened("hall-1")).at(20, Silence("ann"))
    again = Watch(from_json(to_json(watch.state))).at(30, opened("hall-1"))
    assert again.last == ()
    assert again.state == watch.state


def test_a_detector_taken_out_of_the_configuration_does_not_alarm():
    watch = Watch().at(10, opened("stacks-1"))
    without = CONFIG.model_copy(update={"fire_zone": CONFIG.fire_zone[:2]})
    watch.panel = FirePanel(without)
    assert watch.at(70, Tick()).state.phase == "normal"


def test_a_naive_time_is_a_mistake_of_the_caller():
    with pytest.raises(ValueError, match="aware"):
        FirePanel(SecurityConfig()).step(FireState(), Tick(), datetime(2026, 1, 5))  # noqa: DTZ001 - the mistake under test


# ---------------------------------------------------------------- properties
CONDITIONS = st.sampled_from(["open", "closed", "fault", "tamper"])
EVENTS = st.one_of(
    st.builds(ZonesRead, st.dictionaries(st.sampled_from(ZONES), CONDITIONS, min_size=1, max_size=3)),
    st.builds(Isolate, st.sampled_from(ZONES), st.just("admin"), st.floats(1, 300)),
    st.builds(Lift, st.sampled_from(ZONES), st.just("admin")),
    st.sampled_from([Tick(), Silence("ann"), Acknowledge("ann"), Reset("ann"), cleared(*ZONES)]),
)
HISTORY = st.lists(st.tuples(st.integers(0, 90), EVENTS), max_size=40)


@given(HISTORY)
@settings(max_examples=150)
def test_no_fire_output_drops_before_an_accepted_reset(history):
    watch, now = Watch(), 0
    for pause, event in history:
        now += pause
        before = outputs_for(watch.state, CONFIG)
        watch.at(now, event)
        after = outputs_for(watch.state, CONFIG)
        if before.door_release and not after.door_release:
            assert isinstance(event, Reset)
            assert not any(isinstance(effect, Refused) for effect in watch.last)
        if before.siren == "fire" and after.siren == "off":
            assert isinstance(event, Silence | Reset)
        assert after.door_release == after.ventilation_stop == (after.lamp == "fast")


@given(HISTORY)
@settings(max_examples=80)
def test_replay_and_restart_give_the_same_story(history):
    straight, restarted, now = Watch(), Watch(), 0
    for pause, event in history:
        now += pause
        straight.at(now, event)
        restarted.state = from_json(to_json(restarted.state))
        restarted.at(now, event)
        assert restarted.last == straight.last
    assert restarted.state == straight.state


@given(HISTORY)
@settings(max_examples=80)
def test_timers_are_always_in_the_future_after_a_tick(history):
    watch, now = Watch(), 0
    for pause, event in history:
        now += pause
        watch.at(now, event).at(now, Tick())
        due = watch.panel.next_due(watch.state)
        assert due is None or due > at(now) >= T0
