"""The pad on a real pseudo-terminal, with pyserial as a plain client of bytes."""

import asyncio
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import serial

from firmware_sim.faults import LinkFaults
from firmware_sim.ports import PtyPort
from firmware_sim.rfid.pad import FeigPad
from firmware_sim.rfid.tags import TagStore
from tests.support.feig_host import DEMO, Got, frame, parse


@dataclass
class Wire:
    tags: TagStore
    pad: FeigPad
    port: PtyPort
    line: serial.Serial

    async def ask(self, command: int, data: bytes = b"", *, before: bytes = b"", advanced: bool = False) -> Got:
        request = frame(command, data, advanced=advanced)
        return await asyncio.to_thread(self._exchange, before, request)

    def _exchange(self, before: bytes, request: bytes) -> Got:
        if before:
            self.line.write(before)
            # A host that meets silence waits and asks again; so does this one, once.
            self.line.timeout = 0.05
            assert self.line.read(1) == b""
            self.line.timeout = 5
        self.line.write(request)
        head = self.line.read(1)
        assert head, "no answer"
        if head == b"\x02":
            head += self.line.read(2)
            length = int.from_bytes(head[1:], "big")
        else:
            length = head[0]
        return parse(head + self.line.read(length - len(head)))


def open_line(port: PtyPort) -> serial.Serial:
    # A real line has even parity; Linux refuses that setting on a pseudo-terminal at the second attempt.
    return serial.Serial(str(port.path), 38400, timeout=5)


@pytest.fixture
async def wire(tmp_path: Path) -> AsyncIterator[Wire]:
    tags = TagStore(DEMO, state_path=tmp_path / "tags.json")
    pad = FeigPad("kiosk-1", tags)
    port = PtyPort(pad, LinkFaults(random.Random(1)), tmp_path / "kiosk-1")
    await port.open()
    line = open_line(port)
    yield Wire(tags, pad, port, line)
    line.close()
    await port.close()


async def test_a_checkout_as_bytes_finds_reads_flips_and_reads_back(wire: Wire) -> None:
    names = ["90000001", *(str(30000001 + index) for index in range(5))]
    wire.tags.place("kiosk-1", names)
    assert (await wire.ask(0x65)).status == 0
    got = await wire.ask(0xB0, b"\x01\x00")
    found = {got.data[at + 2 : at + 10] for at in range(1, len(got.data), 10)}
    assert found == {wire.tags.tag(name).uid for name in names}
    for name in names[1:]:
        target = b"\x01" + wire.tags.tag(name).uid
        got = await wire.ask(0xB0, b"\x23" + target + b"\x00\x08")
        assert got.data[:2] == b"\x08\x04"
        assert int.from_bytes(got.data[6:7] + got.data[8:11], "big") == int(name)
        assert (await wire.ask(0xB0, b"\x27" + target + b"\xc2")).status == 0
        assert (await wire.ask(0xB0, b"\x2b" + target)).data[9] == 0xC2
    seen = wire.tags.observe()
    assert {seen[name]["afi"] for name in names[1:]} == {"C2"}
    assert seen["30000006"]["afi"] == "07"


async def test_writing_over_the_wire_lasts_over_a_restart(wire: Wire, tmp_path: Path) -> None:
    wire.tags.place("kiosk-1", ["30000001"])
    target = b"\x01" + wire.tags.tag("30000001").uid
    assert (await wire.ask(0xB0, b"\x24" + target + b"\x14\x02\x04" + b"carrel!!")).status == 0
    wire.tags.save()
    again = TagStore(DEMO, state_path=tmp_path / "tags.json")
    assert again.tag("30000001").blocks()[20:22] == [b"carr", b"el!!"]
    assert again.observe() == wire.tags.observe()


async def test_fifty_tags_come_in_pages_and_in_one_advanced_frame(wire: Wire) -> None:
    wire.pad.timing.air = wire.pad.timing.serial = False
    wire.tags.place("kiosk-1", [str(30000001 + index) for index in range(50)])
    got = await wire.ask(0xB0, b"\x01\x00")
    pages = [got]
    while got.status == 0x94:
        got = await wire.ask(0xB0, b"\x01\x80")
        pages.append(got)
    assert [page.data[0] for page in pages] == [24, 24, 2]
    assert (await wire.ask(0xB0, b"\x01\x00", advanced=True)).data[0] == 50


@pytest.mark.parametrize(
    "garbage", [b"\xff" * 200, bytes(range(256)), b"\x02\x03\xff\xff\xb0", b"\x07\xff\xb0\x01\x00\x00\x00"]
)
async def test_garbage_is_met_with_silence_and_the_next_request_answered(wire: Wire, garbage: bytes) -> None:
    got = await wire.ask(0x65, before=garbage)
    assert (got.command, got.status) == (0x65, 0)
    assert wire.pad.framer.skipped_bytes > 0


async def test_after_unplug_and_restore_the_tags_still_lie_there(wire: Wire) -> None:
    wire.tags.place("kiosk-1", ["30000001"])
    wire.line.close()
    wire.port.unplug()
    await wire.port.restore()
    wire.line = open_line(wire.port)
    assert (await wire.ask(0xB0, b"\x01\x00")).data[0] == 1
