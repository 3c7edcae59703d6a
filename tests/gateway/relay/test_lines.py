"""Readings as line protocol: the form is reviewed here, as InfluxDB's reader on the server must agree with it."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.relay import lines as module
from gateway.relay.lines import Lines
from gateway.relay.spool import Row
from tests.support.influx_fake import parse_line


def test_a_reading_is_one_line_with_sorted_tags_one_float_field_and_milliseconds() -> None:
    row = Row(7, 1_772_452_800_123_999, "reading-th", "reading-room", "temp", 21.5)
    assert Lines("main", "gw-1").line(row) == (
        "temp,branch=main,device=reading-th,gateway=gw-1,zone=reading-room value=21.5 1772452800123"
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [(20.0, "20.0"), (-3.25, "-3.25"), (1e-07, "1e-07"), (1e22, "1e+22"), (0.1 + 0.2, str(0.1 + 0.2))],
)
def test_a_value_is_always_a_float_and_exact(value: float, text: str) -> None:
    assert f"value={text} " in Lines("main", "gw-1").line(Row(1, 0, "d", "z", "temp", value))


TEXT = st.text(st.characters(blacklist_categories=("Cc", "Cs"), blacklist_characters='\\"'), min_size=1)


@given(TEXT, TEXT, TEXT, TEXT, TEXT, st.floats(allow_nan=False, allow_infinity=False), st.integers(0, 1 << 50))
def test_names_with_commas_spaces_and_equals_signs_come_through(
    branch: str, gateway: str, device: str, zone: str, quantity: str, value: float, at_us: int
) -> None:
    if quantity.startswith("#"):
        return  # a comment
    line = Lines(branch, gateway).line(Row(1, at_us, device, zone, quantity, value))
    point = parse_line(line, "ms", 0)
    tags = (("branch", branch), ("device", device), ("gateway", gateway), ("zone", zone))
    assert point.series == (quantity, tags)
    assert point.fields == {"value": value}
    assert math.copysign(1, float(point.fields["value"])) == math.copysign(1, value)
    assert point.at_ns == at_us // 1000 * 1_000_000


def test_the_beginnings_of_lines_that_are_remembered_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SERIES_LIMIT", 3)
    lines = Lines("main", "gw-1")
    for n in range(20):
        assert f"device=d{n}," in lines.line(Row(n, 0, f"d{n}", "z", "temp", 1.0))
        assert len(lines._beginnings) <= 3
