"""ZCL headers and attribute values."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.zigbee import zcl
from firmware_sim.zigbee.octets import Octets
from tests.support.vectors import raw, vectors


@pytest.mark.parametrize("vector", vectors("zcl", "value"))
def test_golden_values_are_read_and_written(vector):
    assert zcl.encode_value(vector["type"], vector["value"]) == raw(vector)
    assert zcl.read_value(vector["type"], Octets(raw(vector))) == vector["value"]


@pytest.mark.parametrize("vector", vectors("zcl", "frame"))
def test_golden_headers_are_read_and_written(vector):
    octets = Octets(raw(vector))
    header = zcl.read_header(octets)
    assert header == zcl.Header(
        vector["tsn"],
        vector["command"],
        cluster_specific=vector["cluster_specific"],
        from_server=vector["from_server"],
        no_default_response=vector["no_default_response"],
        manufacturer=vector.get("manufacturer"),
    )
    assert header.octets() + octets.rest() == raw(vector)


@given(st.integers(-0x8000, 0x7FFF))
def test_signed_numbers_return_as_they_went(value):
    assert zcl.read_value(zcl.INT16, Octets(zcl.encode_value(zcl.INT16, value))) == value


@given(st.text(max_size=40))
def test_strings_return_as_they_went(text):
    assert zcl.read_value(zcl.STRING, Octets(zcl.encode_value(zcl.STRING, text))) == text


@pytest.mark.parametrize(("data_type", "value"), [(zcl.UINT8, 256), (zcl.UINT8, "x"), (zcl.STRING, 1), (0x07, 1)])
def test_values_that_do_not_fit_their_type_are_refused(data_type, value):
    with pytest.raises(ValueError, match="type 0x"):
        zcl.encode_value(data_type, value)


def test_reserved_frame_types_and_unknown_value_types_are_refused():
    with pytest.raises(ValueError, match="frame type"):
        zcl.read_header(Octets(b"\x02\x01\x00"))
    with pytest.raises(ValueError, match="0x4C"):
        zcl.read_value(0x4C, Octets(b"\x00" * 9))


def test_only_analog_types_carry_a_reportable_change():
    assert all(map(zcl.is_analog, (zcl.UINT8, zcl.INT16)))
    assert not any(map(zcl.is_analog, (zcl.BOOL, zcl.ENUM8, zcl.BITMAP16, zcl.STRING)))
