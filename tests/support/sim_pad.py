"""The simulator's pad reader on a real pseudo-terminal, in the test's own loop."""

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Literal

import serial_asyncio_fast

from firmware_sim.faults import LinkFaults
from firmware_sim.ports import PtyPort
from firmware_sim.rfid.pad import FeigPad, Timing
from firmware_sim.rfid.tags import TagStore
from tests.support.feig_peer import SerialBytes

OWNER = "CN-000001-DEMO"
PAD = "kiosk-1"


class SimPad:
    """A virtual pad, its tags, its wire and that wire's faults. Times on air and wire are off unless asked for."""

    def __init__(self, folder: Path, *, block_bytes: Literal["direct", "reversed"], timed: bool) -> None:
        spec = {
            "items": {"first": 30000001, "count": 120, "on_loan": []},
            "cards": {"first": 90000001, "count": 3},
            "owner": OWNER,
        }
        self.tags = TagStore(spec, state_path=None)
        self.tags.add_pad(PAD)
        self.device = FeigPad(PAD, self.tags, block_bytes=block_bytes)
        self.device.timing = Timing(air=timed, serial=timed)
        self.faults = LinkFaults(random.Random(1))
        self.link = folder / "pad"
        self.port = PtyPort(self.device, self.faults, self.link)

    def place(self, *names: str) -> None:
        """Lay tags on the pad."""
        self.tags.place(PAD, names)

    def remove(self, *names: str) -> None:
        """Take tags off the pad."""
        self.tags.remove(PAD, names)

    def afi(self, name: str) -> str:
        """The AFI that the tag carries, as two hexadecimal digits."""
        afi = self.tags.observe()[name]["afi"]
        assert isinstance(afi, str)
        return afi

    @asynccontextmanager
    async def line(self) -> AsyncIterator[SerialBytes]:
        """The driver's end of the wire, opened by pyserial."""
        reader, writer = await serial_asyncio_fast.open_serial_connection(url=str(self.link), baudrate=38400)
        try:
            yield SerialBytes(reader, writer)
        finally:
            writer.close()
            with suppress(OSError):  # a pulled plug made the line fail
                await writer.wait_closed()


@asynccontextmanager
async def sim_pad(
    folder: Path, *, block_bytes: Literal["direct", "reversed"] = "direct", timed: bool = False
) -> AsyncIterator[SimPad]:
    """A virtual pad with its port open."""
    pad = SimPad(folder, block_bytes=block_bytes, timed=timed)
    await pad.port.open()
    try:
        yield pad
    finally:
        await pad.port.close()
