"""What a value means to each kind of device."""

from __future__ import annotations

import pytest

from carrel.contracts.actuation import DeviceOrder, SetLevel, SetOutput, SetPosition, SetSwitch
from gateway.control.orders import ControlledDevice, Kind, order_for, target_of


@pytest.mark.parametrize(
    ("kind", "value", "order"),
    [
        ("curtain", 100, SetPosition(device="d", closed_pct=100)),
        ("vent", 60, SetLevel(device="d", level_pct=60)),
        ("ac", 1, SetSwitch(device="d", on=True, setpoint_c=24.0)),
        ("ac", 0, SetSwitch(device="d", on=False)),
        ("other", 1, SetSwitch(device="d", on=True)),
        ("other", 0.4, SetSwitch(device="d", on=False)),
    ],
)
def test_a_value_becomes_the_order_of_the_kind(kind: Kind, value: float, order: DeviceOrder) -> None:
    assert order_for(ControlledDevice("d", kind, 24.0), value) == order


def test_the_target_of_an_order_is_its_output() -> None:
    assert target_of(SetOutput(output="io-1.siren", on=True)) == "io-1.siren"
    assert target_of(SetPosition(device="curtain", closed_pct=1)) == "curtain"
