"""Framing of the simulator's Modbus RTU: splits, joins, garbage, other units."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.modbus.module import IoModule
from firmware_sim.modbus.registers import RegisterMap
from firmware_sim.modbus.rtu import MAX_FRAME, STALE_S, RequestFramer, RtuLine, with_crc

READ_ALL = with_crc(bytes.fromhex("010100000018"))
SIREN_ON = with_crc(bytes.fromhex("01050011FF00"))
EIGHT = with_crc(bytes.fromhex("010F0010000801B2"))
FILTERS = with_crc(bytes.fromhex("0110005D0002040001 0002"))
REQUESTS = [READ_ALL, SIREN_ON, EIGHT, FILTERS]


@dataclass
class Bus:
    """One module on one line with a clock moved by hand."""

    now_s: float = 0.0
    sent: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.module = IoModule(lambda: self.now_s)
        self.line = RtuLine(RegisterMap(self.module), 1, lambda: self.now_s)
        self.line.attach(self.sent.append)


@given(st.lists(st.sampled_from(REQUESTS), min_size=1, max_size=6), st.lists(st.integers(1, 9), max_size=40))
def test_frames_survive_any_split_and_any_join_of_the_stream(requests: list[bytes], cuts: list[int]) -> None:
    framer, stream, frames = RequestFramer(1, lambda: 0.0), b"".join(requests), []
    for cut in cuts:
        frames += framer.feed(stream[:cut])
        stream = stream[cut:]
    frames += framer.feed(stream)
    assert frames == [request[:-2] for request in requests]
    assert framer.dropped == 0


@given(st.binary(max_size=300), st.sampled_from(REQUESTS))
def test_after_garbage_and_a_pause_the_next_request_is_answered(garbage: bytes, request_: bytes) -> None:
    bus = Bus()
    bus.line.receive(garbage)
    bus.sent.clear()
    bus.now_s += 2 * STALE_S
    bus.line.receive(request_)
    assert len(bus.sent) == 1


@given(st.binary(max_size=2000))
def test_garbage_of_any_shape_is_survived_and_not_kept(garbage: bytes) -> None:
    framer = RequestFramer(1, lambda: 0.0)
    framer.feed(garbage)
    assert len(framer._buffer) <= MAX_FRAME


def test_request_right_behind_line_noise_is_answered_at_once() -> None:
    bus = Bus()
    bus.line.receive(b"\xff\x00\xfe" + READ_ALL)
    assert len(bus.sent) == 1


def test_wrong_checksum_is_met_with_silence_and_changes_nothing() -> None:
    bus = Bus()
    bus.line.receive(SIREN_ON[:-1] + bytes([SIREN_ON[-1] ^ 1]))
    assert bus.sent == []
    assert bus.module.output_word == 0


@pytest.mark.parametrize("unit", [0, 2, 247])
def test_broadcast_and_other_units_are_met_with_silence(unit: int) -> None:
    bus = Bus()
    bus.line.receive(with_crc(bytes([unit]) + SIREN_ON[1:-2]) + READ_ALL)
    assert len(bus.sent) == 1
    assert bus.module.output_word == 0


@pytest.mark.parametrize("body", ["07", "2B0E0100", "11", "41AABBCC", "160000FFFF0000"])
def test_function_that_the_module_lacks_gets_exception_1(body: str) -> None:
    bus = Bus()
    request = with_crc(b"\x01" + bytes.fromhex(body))
    for byte in request:
        bus.line.receive(bytes([byte]))
    assert bus.sent == [with_crc(bytes([1, request[1] | 0x80, 1]))]


def test_half_a_frame_is_forgotten_when_the_line_is_connected_anew() -> None:
    bus = Bus()
    bus.line.receive(EIGHT[:5])
    bus.line.detach()
    bus.line.attach(bus.sent.append)
    bus.line.receive(READ_ALL)
    assert len(bus.sent) == 1
