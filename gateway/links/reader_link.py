"""A pad's RFID reader as a link: opens the line, hands the identified reader to the pad, ends when the line fails."""

from __future__ import annotations

import asyncio

from devices.events import BadFrame, LinkUp
from devices.orders import Command, OrderResult, rejected
from gateway.links.link import Emit
from gateway.links.transport import open_stream
from gateway.stations.pad import Pad
from rfid.config import PadReaderConfig
from rfid.feig.session import FeigReader

COUNT_EVERY_S = 1.0


class ReaderLink:
    """One FEIG reader at `config.path` under one pad."""

    kind = "feig"

    def __init__(self, name: str, config: PadReaderConfig, pad: Pad) -> None:
        self.name = name
        self._config = config
        self._pad = pad

    async def run(self, emit: Emit) -> None:
        """Watch the pad until cancelled; raises a ConnectionError when line or reader fail."""
        stream = await open_stream(self._config.path, baud=self._config.baud, parity=self._config.parity)
        reader = FeigReader(stream, address=self._config.address, block_bytes=self._config.block_bytes)
        errors = _Errors(reader, emit)
        telling = asyncio.create_task(errors.tell_now_and_then())
        try:
            await reader.info()
            self._pad.attach(reader)
            emit(LinkUp())
            await self._pad.settle()
        finally:
            self._pad.detach()
            telling.cancel()
            errors.tell()  # also those that ended the link
            await stream.close()

    async def execute(self, command: Command) -> OrderResult:
        """Tags are written through the pad, by its station."""
        return rejected("not_supported", f"{self.name} is a reader: {type(command).__name__} is not for it")


class _Errors:
    """Tells each broken frame; the session itself only counts them."""

    def __init__(self, reader: FeigReader, emit: Emit) -> None:
        self._reader = reader
        self._emit = emit
        self._told = 0

    def tell(self) -> None:
        """Those that were not told yet."""
        while self._told < self._reader.protocol_errors:
            self._told += 1
            self._emit(BadFrame("a frame or answer that breaks the reader's protocol"))

    async def tell_now_and_then(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(COUNT_EVERY_S)
            self.tell()
