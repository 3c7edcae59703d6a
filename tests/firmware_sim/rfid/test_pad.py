"""The pad in time: a clock that the test moves shows when each answer leaves."""

import asyncio
import heapq
from collections.abc import Callable
from typing import Any

import pytest

from firmware_sim.rfid.pad import PSST_S, FeigPad
from firmware_sim.rfid.tags import TagStore
from tests.support.feig_host import DEMO, Got, frame, parse


class ManualLoop:
    """The two loop calls a pad makes, on a clock that jumps from timer to timer."""

    def __init__(self) -> None:
        self.now_s = 100.0
        self._timers: list[tuple[float, int, Any, Callable[[], None]]] = []
        self._count = 0

    def time(self) -> float:
        return self.now_s

    def call_at(self, when_s: float, callback: Callable[[], None]) -> Any:
        class Handle:
            cancelled = False

            def cancel(self) -> None:
                self.cancelled = True

        handle = Handle()
        self._count += 1
        heapq.heappush(self._timers, (when_s, self._count, handle, callback))
        return handle

    def run(self, until_s: float = float("inf")) -> None:
        while self._timers and self._timers[0][0] <= until_s:
            when_s, _, handle, callback = heapq.heappop(self._timers)
            self.now_s = max(self.now_s, when_s)
            if not handle.cancelled:
                callback()


class Bench:
    """One pad with its tags and what it sent, each answer with its time."""

    def __init__(self, loop: ManualLoop) -> None:
        self.loop = loop
        self.tags = TagStore(DEMO, state_path=None)
        self.pad = FeigPad("kiosk-1", self.tags)
        self.sent: list[tuple[float, bytes]] = []
        self.pad.attach(lambda data: self.sent.append((loop.now_s, data)))

    def ask(self, command: int, data: bytes = b"") -> tuple[Got, float]:
        """Send one request when the reader is ready; its answer and the seconds from first byte to last."""
        self.loop.now_s += PSST_S
        began_s, had = self.loop.now_s, len(self.sent)
        self.pad.receive(frame(command, data))
        self.loop.run()
        ((ended_s, raw),) = self.sent[had:]
        return parse(raw), ended_s - began_s

    def addressed(self, name: str) -> bytes:
        return b"\x01" + self.tags.tag(name).uid


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Bench:
    loop = ManualLoop()
    monkeypatch.setattr(asyncio, "get_running_loop", lambda: loop)
    return Bench(loop)


def test_without_modelled_times_the_answer_comes_at_once(bench: Bench) -> None:
    bench.pad.timing.air = bench.pad.timing.serial = False
    bench.tags.place("kiosk-1", ["30000001"])
    got, seconds = bench.ask(0xB0, b"\x01\x00")
    assert (got.status, got.data[0], seconds) == (0, 1, 0.0)


@pytest.mark.parametrize(
    ("baud", "count", "read_ms", "with_afi_ms"),
    [(9600, 1, 227, 257), (38400, 1, 64, 75), (38400, 10, 560, 673), (38400, 20, 1112, 1338), (115200, 5, 115, 150)],
)
def test_serial_time_is_that_of_the_bytes(bench: Bench, baud: int, count: int, read_ms: int, with_afi_ms: int) -> None:
    bench.pad.timing.air = False
    bench.pad.timing.baud = baud
    names = [str(30000001 + index) for index in range(count)]
    bench.tags.place("kiosk-1", names)
    total_s = bench.ask(0xB0, b"\x01\x00")[1] + PSST_S
    for name in names:
        total_s += bench.ask(0xB0, b"\x23" + bench.addressed(name) + b"\x00\x1c")[1] + PSST_S
    assert total_s * 1000 == pytest.approx(read_ms, abs=1.0)
    for name in names:
        total_s += bench.ask(0xB0, b"\x27" + bench.addressed(name) + b"\xc2")[1] + PSST_S
    assert total_s * 1000 == pytest.approx(with_afi_ms, abs=1.0)


def test_air_time_alone_is_that_of_the_commands(bench: Bench) -> None:
    bench.pad.timing.serial = False
    bench.tags.place("kiosk-1", ["30000001"])
    target = bench.addressed("30000001")
    assert bench.ask(0xB0, b"\x01\x00")[1] * 1000 == pytest.approx(13.9, abs=0.06)
    assert bench.ask(0xB0, b"\x23" + target + b"\x00\x1c")[1] * 1000 == pytest.approx(40.0, abs=0.06)
    assert bench.ask(0xB0, b"\x27" + target + b"\xc2")[1] * 1000 == pytest.approx(10.9, abs=0.06)
    assert bench.ask(0x69)[1] * 1000 == pytest.approx(10.0)
    assert bench.ask(0x65)[1] == 0.0


def test_both_times_add_up(bench: Bench) -> None:
    bench.tags.place("kiosk-1", ["30000001"])
    _, seconds = bench.ask(0xB0, b"\x01\x00")
    assert seconds * 1000 == pytest.approx(13.864 + 24 * 11 / 38.4, abs=0.01)


def test_a_request_within_5_ms_of_an_answer_waits_and_is_counted(bench: Bench) -> None:
    bench.pad.timing.air = False
    bench.ask(0x65)
    answered_s = bench.loop.now_s
    bench.loop.now_s += 0.001
    bench.pad.receive(frame(0x65))
    bench.loop.run()
    assert bench.pad.early_requests == 1
    assert bench.sent[-1][0] - answered_s == pytest.approx(PSST_S + 18 * 11 / 38400)
    bench.ask(0x65)
    assert bench.pad.early_requests == 1


def test_requests_in_a_row_are_answered_in_order_and_a_flood_is_cut(bench: Bench) -> None:
    bench.pad.receive(b"".join(frame(0x52, bytes((0,))) for _ in range(3)) + frame(0x65) * 4)
    bench.loop.run()
    assert [parse(raw).command for _, raw in bench.sent] == [0x52, 0x52, 0x52, 0x65]
    assert bench.pad.overruns == 3
    assert bench.ask(0x65)[0].status == 0


def test_a_request_to_another_reader_is_not_answered(bench: Bench) -> None:
    bench.pad.receive(frame(0x65, com_adr=0x12))
    bench.pad.receive(frame(0x65, com_adr=0x00))
    bench.loop.run()
    assert len(bench.sent) == 1


def test_a_new_bus_address_is_answered_from_the_next_request_on(bench: Bench) -> None:
    bench.ask(0x81, b"\x81\x12" + bytes(13))
    assert bench.ask(0x63)[0].com_adr == 0x00
    assert bench.ask(0x65)[0].com_adr == 0x12


def test_a_tag_taken_away_in_mid_write_keeps_the_blocks_written_so_far(bench: Bench) -> None:
    bench.pad.timing.serial = False
    bench.tags.place("kiosk-1", ["30000001"])
    bench.pad.receive(frame(0xB0, b"\x24" + bench.addressed("30000001") + b"\x0a\x04\x04" + b"\xaa" * 16))
    bench.loop.run(until_s=bench.loop.now_s + 0.030)
    bench.tags.remove("kiosk-1", ["30000001"])
    bench.loop.run()
    got = parse(bench.sent[-1][1])
    assert (got.status, got.data) == (0x03, b"\x0c")
    blocks = bench.tags.observe()["30000001"]["blocks"]
    assert blocks[10:14] == ["AAAAAAAA", "AAAAAAAA", "00000000", "00000000"]


def test_a_tag_laid_down_during_a_notified_inventory_is_told_at_once(bench: Bench) -> None:
    bench.pad.timing.air = bench.pad.timing.serial = False
    began_s = bench.loop.now_s
    bench.pad.receive(frame(0xB0, b"\x01\x40\x64"))
    bench.loop.run(until_s=began_s + 1.0)
    assert bench.sent == []
    bench.tags.place("kiosk-1", ["90000001"])
    bench.loop.run()
    ((answered_s, raw),) = bench.sent
    assert parse(raw).data[3:] == bench.tags.tag("90000001").uid
    assert answered_s - began_s == pytest.approx(1.05)


def test_after_an_unplug_nothing_old_is_sent(bench: Bench) -> None:
    bench.tags.place("kiosk-1", ["30000001"])
    bench.pad.receive(frame(0xB0, b"\x01\x00") + frame(0x65) + b"\x07\xff")
    bench.pad.detach()
    bench.loop.run()
    assert bench.sent == []
    bench.pad.attach(lambda data: bench.sent.append((bench.loop.now_s, data)))
    assert bench.ask(0x65)[0].command == 0x65


def test_a_card_is_a_tag_with_usage_patron(bench: Bench) -> None:
    bench.tags.place("kiosk-1", ["90000001", "30000001"])
    got, _ = bench.ask(0xB0, b"\x01\x00")
    assert got.data[0] == 2
    got, _ = bench.ask(0xB0, b"\x23" + bench.addressed("90000001") + b"\x00\x08")
    memory = b"".join(got.data[at + 1 : at + 5] for at in range(2, len(got.data), 5))
    assert memory[:7] == bytes.fromhex("91 01 04 05 5D 4A 81")
    assert b"\x05\x01\x80" in memory
