import pytest
from hypothesis import given
from hypothesis import strategies as st

from carrel.contracts.actuation import CommandStatus, SetLevel, SetOutput, SetPosition, SetSwitch
from devices.orders import OrderResult
from devices.zigbee.clusters import BY_CLUSTER
from devices.zigbee.commands import AttributeWrite, ClusterCommand, plan

COVERING, THERMOSTAT, ON_OFF, LEVEL = 0x0102, 0x0201, 0x0006, 0x0008


def test_a_position_is_go_to_lift_percentage() -> None:
    steps = plan(SetPosition(device="c", closed_pct=70), {COVERING})
    assert steps == (ClusterCommand(COVERING, 5, (70,)),)


@pytest.mark.parametrize(("closed", "sent"), [(100, 0), (0, 100), (30, 70)])
def test_an_inverted_covering_is_sent_the_other_way_round(closed: int, sent: int) -> None:
    steps = plan(SetPosition(device="c", closed_pct=closed), {COVERING}, invert=True)
    assert steps == (ClusterCommand(COVERING, 5, (sent,)),)


@given(st.integers(0, 100), st.booleans())
def test_command_and_report_of_a_covering_agree(closed: int, invert: bool) -> None:
    steps = plan(SetPosition(device="c", closed_pct=closed), {COVERING}, invert=invert)
    assert isinstance(steps, tuple)
    (step,) = steps
    assert isinstance(step, ClusterCommand)
    assert BY_CLUSTER[COVERING][8].read(step.arguments[0], invert=invert) == closed


@pytest.mark.parametrize(("level", "sent"), [(0, 0), (60, 152), (100, 254)])
def test_a_level_switches_on_and_off_by_itself(level: float, sent: int) -> None:
    steps = plan(SetLevel(device="v", level_pct=level), {ON_OFF, LEVEL})
    assert steps == (ClusterCommand(LEVEL, 4, (sent, 0)),)


@pytest.mark.parametrize(("level", "command"), [(0, 0), (1, 1), (60, 1)])
def test_a_fan_without_levels_is_on_or_off(level: float, command: int) -> None:
    assert plan(SetLevel(device="v", level_pct=level), {ON_OFF}) == (ClusterCommand(ON_OFF, command),)


def test_switching_an_air_conditioner_on_writes_setpoint_then_mode_in_one_frame() -> None:
    steps = plan(SetSwitch(device="a", on=True, setpoint_c=23.5), {THERMOSTAT}, setpoint_c=20.0)
    assert steps == (AttributeWrite(THERMOSTAT, ((0x0011, 2350), (0x001C, 3))),)


def test_the_configured_setpoint_serves_when_the_order_names_none() -> None:
    steps = plan(SetSwitch(device="a", on=True), {THERMOSTAT}, setpoint_c=20.0)
    assert steps == (AttributeWrite(THERMOSTAT, ((0x0011, 2000), (0x001C, 3))),)


def test_without_any_setpoint_only_the_mode_is_written() -> None:
    assert plan(SetSwitch(device="a", on=True), {THERMOSTAT}) == (AttributeWrite(THERMOSTAT, ((0x001C, 3),)),)


def test_switching_off_leaves_the_setpoint_alone() -> None:
    steps = plan(SetSwitch(device="a", on=False, setpoint_c=23.5), {THERMOSTAT}, setpoint_c=20.0)
    assert steps == (AttributeWrite(THERMOSTAT, ((0x001C, 0),)),)


@pytest.mark.parametrize(("on", "command"), [(True, 1), (False, 0)])
def test_a_plug_is_never_toggled(on: bool, command: int) -> None:
    assert plan(SetSwitch(device="p", on=on), {ON_OFF}) == (ClusterCommand(ON_OFF, command),)


@pytest.mark.parametrize(
    "order",
    [
        SetPosition(device="x", closed_pct=1),
        SetLevel(device="x", level_pct=1),
        SetSwitch(device="x", on=True),
        SetOutput(output="x", on=True),
    ],
)
def test_a_device_without_the_cluster_refuses(order: SetPosition | SetLevel | SetSwitch | SetOutput) -> None:
    answer = plan(order, {0x0402})
    assert isinstance(answer, OrderResult)
    assert (answer.status, answer.code) == (CommandStatus.REJECTED, "not_supported")
