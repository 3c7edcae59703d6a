"""One FEIG reader on an open line: one request in flight, time limits, repeats, recovery from noise.

FEIG frames carry no sequence number and most commands share one command byte, so an answer that comes late could be
taken for the next one's. After anything lost the session therefore asks for the software version, whose command byte
is its own, and drops all input until that answer: what was under way before it can no longer arrive.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Literal, TypeVar

from rfid.errors import ProtocolError, ReaderGone, ReaderRefused, ReaderTimeout
from rfid.feig import commands
from rfid.feig.commands import Blocks, Request, Status
from rfid.feig.framing import Frame, FrameReader, build
from rfid.reader import ByteStream, ReaderInfo, SystemInfo, TagError, TagFault, TagSeen

T = TypeVar("T")

_PSST_S = 0.005  # the reader is deaf this long after its answer
_GAP_S = 0.1  # longer silence inside a frame: its rest will not come (USB adapters pause up to 20 ms)
_FLOOD_S = 1.0  # how much longer than the answer time limit an unbroken stream of bytes is listened to
_SYNC_S = 0.5  # time limit of the answer that ends a recovery
_SYNC_TRIES = 2
_TRIES = 3  # of requests that may be repeated without harm
_ROUNDS = 3  # of an inventory that the reader could not finish
_MAX_LEGS = 64  # answers to one inventory; a reader that never stops saying "more" must not hold us

_TAG_FAULTS: dict[int, TagFault] = {
    Status.NO_TAG: TagFault.GONE,
    Status.NO_VALID_DATA: TagFault.GONE,
    Status.RF_COMMUNICATION: TagFault.GONE,
    Status.DATA_FALSE: TagFault.WRITE_FAILED,
    Status.WRITE_ERROR: TagFault.WRITE_FAILED,
    Status.ISO_ERROR: TagFault.REFUSED,
}
_MORE = {Status.MORE_DATA, Status.BUFFER_OVERFLOW}
_UNFINISHED = {Status.RF_COMMUNICATION, Status.RF_WARNING}


class FeigReader:
    """A reader behind an open line; satisfies `rfid.reader.Reader`."""

    def __init__(
        self,
        stream: ByteStream,
        *,
        address: int = 0xFF,
        block_bytes: Literal["direct", "reversed"] = "direct",
        answer_timeout_s: float = 1.0,
    ) -> None:
        self.retries = 0
        self._stream = stream
        self._address = address
        self._block_bytes = block_bytes
        self._answer_timeout_s = answer_timeout_s
        self._frames = FrameReader()
        self._bad_answers = 0
        self._lock = asyncio.Lock()
        self._in_sync = False
        self._heard_at = 0.0

    @property
    def protocol_errors(self) -> int:
        """Number of broken frames and answers so far."""
        return self._frames.errors + self._bad_answers

    async def info(self) -> ReaderInfo:
        """Return the reader's identity."""
        return await self._ask_surely(commands.software_version(), _version)

    async def inventory(self) -> list[TagSeen]:
        """Return every ISO 15693 tag in the field, each once, in the reader's order."""
        seen: dict[str, TagSeen] = {}
        for _ in range(_ROUNDS):
            if await self._inventory_round(seen):
                break
        return list(seen.values())

    async def system_info(self, uid: str) -> SystemInfo | TagError:
        """Return the tag's memory layout, DSFID and AFI."""

        def parse(status: int, data: bytes) -> SystemInfo | TagError:
            error = _tag_error(status, data)
            return commands.parse_system_info(data, uid) if error is None else error

        return await self._ask_surely(commands.system_info(uid), parse)

    async def read_blocks(self, uid: str, first: int, count: int, *, block_size: int = 4) -> bytes | TagError:
        """Return `count` blocks from `first` on, in memory order, with as few requests as the reader allows."""
        memory = b""
        end = first + count
        while first < end:
            wanted = min(end - first, commands.MAX_DATA_BYTES // block_size)
            blocks = await self._read_some(uid, first, wanted)
            if isinstance(blocks, TagError):
                return blocks
            memory += commands.to_memory(blocks, self._block_bytes)
            first, block_size = first + wanted, blocks.size
        return memory

    async def write_blocks(self, uid: str, first: int, data: bytes, *, block_size: int = 4) -> TagError | None:
        """Write whole blocks from `first` on; stops at the first failure."""
        blocks = commands.to_wire(data, block_size, self._block_bytes).blocks
        step = commands.MAX_DATA_BYTES // block_size
        for start in range(0, len(blocks), step):
            part = Blocks(block_size, blocks[start : start + step])
            error = await self._write(commands.write_blocks(uid, first + start, part))
            if error is not None:
                return error
        return None

    async def write_afi(self, uid: str, afi: int) -> TagError | None:
        """Write the AFI of the addressed tag; a lost answer is NO_ANSWER: read back to know."""
        return await self._write(commands.write_afi(uid, afi))

    async def _read_some(self, uid: str, first: int, count: int) -> Blocks | TagError:
        def parse(status: int, data: bytes) -> Blocks | TagError:
            error = _tag_error(status, data)
            return commands.parse_blocks(data, count) if error is None else error

        return await self._ask_surely(commands.read_blocks(uid, first, count), parse)

    async def _write(self, request: Request) -> TagError | None:
        def parse(status: int, data: bytes) -> TagError | Literal[True]:
            error = _tag_error(status, data)
            if error is None:
                commands.parse_done(data)
            return error or True

        answer = await self._ask(request, parse, tries=1)
        if answer is None:
            return TagError(TagFault.NO_ANSWER)
        return None if answer is True else answer

    async def _inventory_round(self, seen: dict[str, TagSeen]) -> bool:
        """Add the tags of one inventory to `seen`; False when the reader could not bring it to its end."""
        status, tags = await self._ask_surely(commands.inventory(), _inventory)
        for _ in range(_MAX_LEGS):
            seen.update((tag.uid, tag) for tag in tags)
            if status not in _MORE:
                return status not in _UNFINISHED
            # Repeating "more" would skip what the lost answer held, so this leg has one try.
            leg = await self._ask(commands.inventory(more=True), _inventory, tries=1)
            if leg is None:
                return False
            status, tags = leg
        self._bad_answers += 1
        return False

    async def _ask(self, request: Request, parse: Callable[[int, bytes], T], *, tries: int = _TRIES) -> T | None:
        """Return the parsed answer, or None when every try was lost though the reader is there."""
        async with self._lock:
            for number in range(tries):
                self.retries += number > 0
                if not self._in_sync:
                    await self._recover()
                frame = await self._attempt(request, self._answer_timeout_s)
                if frame is None:
                    continue
                try:
                    return parse(frame.payload[0], frame.payload[1:])
                except ProtocolError:
                    self._bad_answers += 1
                    self._in_sync = False
        return None

    async def _ask_surely(self, request: Request, parse: Callable[[int, bytes], T]) -> T:
        answer = await self._ask(request, parse)
        if answer is None:
            raise ReaderTimeout(f"no valid answer to {request.name}")
        return answer

    async def _recover(self) -> None:
        """Bring requests and answers into step again; ReaderTimeout when the reader stays silent."""
        for _ in range(_SYNC_TRIES):
            if await self._attempt(commands.software_version(), _SYNC_S) is not None:
                return
        raise ReaderTimeout("the reader does not answer")

    async def _attempt(self, request: Request, wait_s: float) -> Frame | None:
        await self._drop_stale_input()
        self._in_sync = False  # stays so when we are cancelled while the answer is under way
        await self._send(build(self._address, request.command, request.data))
        frame = await self._receive(request.command, wait_s)
        self._in_sync = frame is not None
        return frame

    async def _drop_stale_input(self) -> None:
        """Wait until the reader listens again; what comes in meanwhile answers nothing."""
        until = max(self._heard_at + _PSST_S, time.monotonic())
        while (chunk := await self._read(until)) is not None:
            self._frames.feed(chunk)
        self._frames.clear()

    async def _receive(self, command: int, wait_s: float) -> Frame | None:
        """Return the answer to `command`; None when it is lost or late."""
        deadline = time.monotonic() + wait_s
        flood_end = deadline + _FLOOD_S
        errors = self._frames.errors
        until = deadline
        while (chunk := await self._read(until)) is not None and self._heard_at < flood_end:
            frame = self._pick(self._frames.feed(chunk), command)
            if frame is not None:
                return frame
            broken = self._frames.pending or self._frames.errors > errors
            until = self._heard_at + _GAP_S if broken else deadline
        return self._pick(self._frames.salvage(), command)

    def _pick(self, frames: list[Frame], command: int) -> Frame | None:
        for frame in frames:
            if frame.command == command and self._address in {0xFF, frame.address}:
                return frame
            self._bad_answers += 1
        return None

    async def _read(self, until: float) -> bytes | None:
        """Return what comes in before `until` (monotonic seconds), None when nothing does."""
        try:
            async with asyncio.timeout(max(0.0, until - time.monotonic())):
                chunk = await self._stream.read(4096)
        except TimeoutError:
            return None
        except OSError as error:
            raise ReaderGone(f"the line to the reader failed: {error}") from error
        if not chunk:
            raise ReaderGone("the line to the reader was closed")
        self._heard_at = time.monotonic()
        return chunk

    async def _send(self, frame: bytes) -> None:
        try:
            self._stream.write(frame)
            await self._stream.drain()
        except OSError as error:
            raise ReaderGone(f"the line to the reader failed: {error}") from error


def _version(status: int, data: bytes) -> ReaderInfo:
    if status != Status.OK:
        raise ReaderRefused(f"the reader refuses to name its version: status {status:02X}")
    return commands.parse_version(data)


def _inventory(status: int, data: bytes) -> tuple[int, list[TagSeen]]:
    if status in {Status.NO_TAG, Status.NO_VALID_DATA}:
        return Status.OK, []
    if status != Status.OK and status not in _MORE | _UNFINISHED:
        raise ReaderRefused(f"the reader refuses an inventory: status {status:02X}")
    return status, commands.parse_inventory(data)


def _tag_error(status: int, data: bytes) -> TagError | None:
    """Return what a status says about the tag, None for a good one; a broken reader is raised."""
    if status == Status.OK:
        return None
    if status == Status.HARDWARE:
        raise ReaderRefused("the reader reports a hardware fault (status F1)")
    fault = _TAG_FAULTS.get(status, TagFault.NOT_POSSIBLE)
    if status == Status.ISO_ERROR:
        return TagError(fault, *data[:2])  # ISO error code, then the failing block of a write
    return TagError(fault, block=data[-1] if status == Status.WRITE_ERROR and data else None)
