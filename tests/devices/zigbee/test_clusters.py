from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carrel.contracts.telemetry import Quantity
from devices.zigbee.clusters import ATTRIBUTES, BY_CLUSTER
from tests.support.vectors import vectors

READINGS = [
    (0x0402, 0x0000, 2345, Quantity.TEMP, 23.45),
    (0x0402, 0x0000, -1250, Quantity.TEMP, -12.5),
    (0x0405, 0x0000, 4810, Quantity.RH, 48.1),
    (0x0400, 0x0000, 1, Quantity.LUX, 1.0),
    (0x0400, 0x0000, 20001, Quantity.LUX, 100.0),
    (0x0400, 0x0000, 30001, Quantity.LUX, 1000.0),
    (0x0102, 0x0008, 100, Quantity.POSITION, 100.0),
    (0x0201, 0x0000, 2400, Quantity.TEMP, 24.0),
    (0x0201, 0x0011, 2600, Quantity.SETPOINT, 26.0),
    (0x0201, 0x001C, 3, Quantity.ON, 1.0),
    (0x0006, 0x0000, 1, Quantity.ON, 1.0),
    (0x0008, 0x0000, 254, Quantity.LEVEL, 100.0),
    (0x0008, 0x0000, 127, Quantity.LEVEL, 50.0),
    (0x0406, 0x0000, 1, Quantity.OCCUPANCY, 1.0),
    (0x0406, 0x0000, 6, Quantity.OCCUPANCY, 0.0),
    (0x040D, 0x0000, 0.00082, Quantity.CO2, 820.0),
    (0x0001, 0x0021, 200, Quantity.BATTERY, 100.0),
    (0x0B04, 0x050B, 800, Quantity.POWER, 800.0),
    (0x0702, 0x0000, 5, Quantity.ENERGY, 5.0),
]
ZEROES = [(one.cluster, one.attribute) for one in ATTRIBUTES]
UNKNOWN = [
    (0x0402, 0x0000, -0x8000),
    (0x0402, 0x0000, 0x8000),
    (0x0405, 0x0000, 0xFFFF),
    (0x0400, 0x0000, 0xFFFF),
    (0x0102, 0x0008, 0xFF),
    (0x0201, 0x0000, -0x8000),
    (0x0008, 0x0000, 0xFF),
    (0x0001, 0x0021, 0xFF),
    (0x0B04, 0x050B, -0x8000),
    (0x0702, 0x0000, 0xFFFF_FFFF_FFFF),
]


@pytest.mark.parametrize(("cluster", "attribute", "raw", "quantity", "value"), READINGS)
def test_a_raw_value_becomes_the_quantity_in_its_unit(
    cluster: int, attribute: int, raw: int, quantity: Quantity, value: float
) -> None:
    description = BY_CLUSTER[cluster][attribute]
    assert description.quantity is quantity
    assert description.read(raw) == value


@pytest.mark.parametrize(("cluster", "attribute"), ZEROES)
def test_zero_is_a_value(cluster: int, attribute: int) -> None:
    assert BY_CLUSTER[cluster][attribute].read(0) == 0.0


@pytest.mark.parametrize(("cluster", "attribute", "raw"), UNKNOWN)
def test_an_invalid_marker_is_no_value(cluster: int, attribute: int, raw: int) -> None:
    assert BY_CLUSTER[cluster][attribute].read(raw) is None


def test_a_covering_that_counts_the_other_way_is_turned_round() -> None:
    lift = BY_CLUSTER[0x0102][0x0008]
    assert (lift.read(30), lift.read(30, invert=True), lift.read(0xFF, invert=True)) == (30.0, 70.0, None)


def test_only_coverings_are_turned_round() -> None:
    assert BY_CLUSTER[0x0008][0x0000].read(254, invert=True) == 100.0


@given(st.integers(1, 0xFFFE))
def test_brighter_is_never_reported_as_darker(raw: int) -> None:
    lux = BY_CLUSTER[0x0400][0x0000]
    before, after = lux.read(raw - 1), lux.read(raw)
    assert before is not None
    assert after is not None
    assert before <= after


def test_every_attribute_is_described_once_and_reported() -> None:
    assert len({(one.cluster, one.attribute) for one in ATTRIBUTES}) == len(ATTRIBUTES)
    assert all(0 <= one.reporting.min_s < one.reporting.max_s < 0xFFFF for one in ATTRIBUTES)


@pytest.mark.parametrize("vector", vectors("zcl", "illuminance"))
def test_illuminance_is_read_as_the_standard_writes_it(vector: dict[str, Any]) -> None:
    (lux,) = (one for one in BY_CLUSTER[0x0400].values() if one.quantity is Quantity.LUX)
    found = lux.read(vector["value"])
    assert found is not None
    assert found == pytest.approx(vector["lux"], rel=0.001, abs=1)
