"""Contracts as bytes: what comes back is what went in, and garbage is one sentence."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carrel.contracts.actuation import OverrideCancel, OverrideSet, PanelCommand
from carrel.contracts.base import Contract
from carrel.contracts.codec import MAX_PAYLOAD, ContractError, decode, decode_command, encode
from carrel.contracts.telemetry import DeviceState, Quantity, Reading, StoredAck

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
EXPIRES = {"by": "user:7", "expires": NOW}
COMMANDS = [
    OverrideSet(id="o1", actuator="vent", value=60, duration_s=600, **EXPIRES),  # type: ignore[arg-type]
    OverrideCancel(id="o2", actuator="vent", override="o1", **EXPIRES),  # type: ignore[arg-type]
    PanelCommand(id="p1", action="reset", alarm="fire-hall-1", **EXPIRES),  # type: ignore[arg-type]
]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.kind)
def test_a_command_is_told_by_its_kind(command: OverrideSet | OverrideCancel | PanelCommand) -> None:
    assert decode_command(encode(command)) == command


@given(
    st.floats(allow_nan=False, allow_infinity=False),
    st.datetimes(timezones=st.just(UTC)),
    st.sampled_from(list(Quantity)),
)
def test_a_reading_comes_back_as_it_went(value: float, at: datetime, quantity: Quantity) -> None:
    reading = Reading(device="room-th", zone="room", quantity=quantity, value=value, at=at)
    assert decode(Reading, encode(reading)) == reading


def test_what_is_none_is_left_out_and_chinese_stays_chinese() -> None:
    state = DeviceState(ts=NOW, seq=1, zone="room", values={Quantity.TEMP: 20.5}, at={Quantity.TEMP: NOW})
    assert json.loads(encode(state)) == {
        "ts": "2026-03-02T12:00:00Z",
        "seq": 1,
        "zone": "room",
        "values": {"temp": 20.5},
        "at": {"temp": "2026-03-02T12:00:00Z"},
    }
    assert "管理员".encode() in encode(COMMANDS[0].model_copy(update={"by": "管理员"}))


GARBAGE = [
    b"", b"{", b"null", b"[]", b"5", b'"text"', b"\xff\xfe\x00", b"[" * 100_000, b"9" * 100_000,
    b'{"session":1}', b'{"session":1,"seq":"x"}', b'{"session":1,"seq":-1}', b'{"session":1,"seq":9223372036854775808}',
    b'{"session":1,"seq":NaN}', b'{"session":1,"seq":1,"more":1}', b'{"session":null,"seq":1}',
]  # fmt: skip


@pytest.mark.parametrize("payload", GARBAGE, ids=lambda payload: repr(payload[:24]))
def test_garbage_is_one_short_sentence(payload: bytes) -> None:
    with pytest.raises(ContractError) as error:
        decode(StoredAck, payload)
    assert len(str(error.value)) < 300
    with pytest.raises(ContractError):
        decode_command(payload)


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_else(payload: bytes) -> None:
    for read in (decode_command, lambda raw: decode(StoredAck, raw)):
        try:
            assert isinstance(read(payload), Contract)
        except ContractError:
            pass


def test_a_payload_beyond_the_limit_is_not_even_looked_at() -> None:
    with pytest.raises(ContractError, match="over the limit"):
        decode(StoredAck, b" " * (MAX_PAYLOAD + 1))
    with pytest.raises(ContractError, match="over the limit"):
        decode_command(b" " * (MAX_PAYLOAD + 1))


@pytest.mark.parametrize(
    "change",
    [{"value": 101}, {"value": -1}, {"duration_s": 0}, {"duration_s": 43_201}, {"id": "a b"}, {"id": ""},
     {"actuator": "../x"}, {"expires": "2026-03-02T12:00:00"}, {"by": "x" * 201}, {"kind": "open_all_doors"}],
)  # fmt: skip
def test_a_command_that_cannot_be_is_refused(change: dict[str, object]) -> None:
    payload = {**COMMANDS[0].model_dump(mode="json"), **change}
    with pytest.raises(ContractError):
        decode_command(json.dumps(payload).encode())


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_value_that_is_no_number_is_no_reading(value: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        Reading(device="room-th", zone="room", quantity=Quantity.TEMP, value=value, at=NOW)
