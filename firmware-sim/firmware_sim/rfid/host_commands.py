"""Commands B0 and B1 of the reader: what it does with ISO 15693 tags for the host.

OBID i-scan system manuals, "Host commands for ISO 15693": mandatory, optional and NXP custom commands.
"""

from collections.abc import Callable, Generator
from typing import Final, Literal

from firmware_sim.rfid.air import Field, Heard, Target, exchange, inventory
from firmware_sim.rfid.chip import BLOCK_SIZE, NXP
from firmware_sim.rfid.feig import Answer, room_for_data

OK: Final = 0x00
NO_TAG: Final = 0x01
DATA_FALSE: Final = 0x02
WRITE_ERROR: Final = 0x03
WRONG_TYPE: Final = 0x05
PARAMETER_RANGE: Final = 0x11
UNKNOWN_COMMAND: Final = 0x80
LENGTH: Final = 0x81
RF_COMMUNICATION: Final = 0x83
MORE_DATA: Final = 0x94
ISO_ERROR: Final = 0x95

BlockBytes = Literal["direct", "reversed"]
Steps = Generator[float, None, Answer]

_MORE: Final = 0x80
_NOTIFY: Final = 0x40
_ANTENNA: Final = 0x10
_TR_TYPE_15693: Final = 0x03
_MOST_BYTES: Final = 128
_RECORD_SIZE: Final = 10
_NOTIFY_POLL_S: Final = 0.05
# Command -> bytes of parameters; the answer carries no data.
_PLAIN: Final = {0x26: 0, 0x27: 1, 0x28: 0, 0x29: 1, 0x2A: 0}
_EAS: Final = frozenset((0xA2, 0xA3, 0xA4, 0xA5))


class Pause(float):
    """Seconds that the reader waits by itself: they pass whether air time is modelled or not."""


class StatusError(Exception):
    """The reader answers with this status and no data."""

    def __init__(self, status: int) -> None:
        super().__init__(f"status {status:02X}")
        self.status = status


class HostCommands:
    """The reader's ISO 15693 part. `only_new` is its ONT setting: report only tags that came since the last inventory.

    `block_bytes` says in which order a block's bytes go to the host: readers of this family differ.
    """

    def __init__(self, tags: Field, block_bytes: BlockBytes) -> None:
        self._tags = tags
        self._block_bytes = block_bytes
        self._pending: list[bytes] = []
        self._more_to_find = False
        self.only_new = False
        self._commands: dict[int, Callable[[bytes], Steps]] = {
            0x02: self._stay_quiet,
            0x22: self._lock,
            0x23: self._read,
            0x24: self._write,
            0x25: self._select,
            0x2B: self._system_information,
            0x2C: self._block_security,
        }

    def iso(self, data: bytes, *, advanced: bool) -> Steps:
        """Command B0; `data` starts with the ISO command. StatusError when it is malformed."""
        if not data:
            raise StatusError(LENGTH)
        command, rest = data[0], data[1:]
        if command == 0x01:
            return (yield from self._inventory(rest, advanced))
        if command in _PLAIN:
            target, params = _target(rest, _PLAIN[command])
            return _status((yield from exchange(self._tags, command, params, target)))
        if command not in self._commands:
            raise StatusError(UNKNOWN_COMMAND)
        return (yield from self._commands[command](rest))

    def custom(self, data: bytes) -> Steps:
        """Command B1; `data` starts with the manufacturer. StatusError when it is malformed or not NXP's."""
        if len(data) < 3:
            raise StatusError(LENGTH)
        if data[0] != NXP:
            raise StatusError(WRONG_TYPE)
        if data[1] not in _EAS:
            raise StatusError(UNKNOWN_COMMAND)
        target, params = _target(data[2:], 0)
        return _status((yield from exchange(self._tags, data[1], params, target)))

    def forget(self) -> None:
        """After a reset: no data sets are left to fetch."""
        self._pending = []
        self._more_to_find = False

    def _inventory(self, data: bytes, advanced: bool) -> Steps:
        """New inventory, or with MORE the next data sets of the last one. The presence bit changes nothing here."""
        mode, options = (data[0], data[1:]) if data else (0, b"")
        if not data or len(options) != bool(mode & _ANTENNA) + bool(mode & _NOTIFY):
            raise StatusError(LENGTH)
        if mode & _MORE:
            return self._page(advanced)
        if mode & _ANTENNA and not options[0] & 1:
            return Answer(NO_TAG)
        yield from self._census()
        if mode & _NOTIFY:
            for _ in range(round(options[-1] * 0.1 / _NOTIFY_POLL_S)):
                if self._pending:
                    break
                yield Pause(_NOTIFY_POLL_S)
                yield from self._census()
        return self._page(advanced)

    def _census(self) -> Generator[float, None, None]:
        if not self.only_new:
            for tag in self._tags():
                tag.power_down()
        census = yield from inventory(self._tags)
        if self.only_new:
            for _, uid in census.found:
                yield from exchange(self._tags, 0x02, b"", Target(uid))
        self._pending = [bytes((_TR_TYPE_15693, dsfid)) + uid for dsfid, uid in census.found]
        self._more_to_find = census.duplicates > 0

    def _page(self, advanced: bool) -> Answer:
        most = (room_for_data(advanced=advanced) - 1) // _RECORD_SIZE
        page, self._pending = self._pending[:most], self._pending[most:]
        if self._pending:
            status = MORE_DATA
        elif self._more_to_find:
            status = RF_COMMUNICATION
        elif page:
            status = OK
        else:
            return Answer(NO_TAG)
        return Answer(status, bytes((len(page),)) + b"".join(page))

    def _stay_quiet(self, data: bytes) -> Steps:
        target, _ = _target(data, 0, addressed_only=True)
        yield from exchange(self._tags, 0x02, b"", target)
        # The tag does not answer this one, so the reader cannot know better.
        return Answer(OK)

    def _select(self, data: bytes) -> Steps:
        target, _ = _target(data, 0, addressed_only=True)
        return _status((yield from exchange(self._tags, 0x25, b"", target)))

    def _read(self, data: bytes) -> Steps:
        with_security = bool(data[:1] and data[0] & 0x08)
        target, params = _target(data, 2, flags=0x08)
        first, count = params
        if not 1 <= count <= _MOST_BYTES // BLOCK_SIZE:
            raise StatusError(PARAMETER_RANGE)
        command, air = (0x20, params[:1]) if count == 1 else (0x23, bytes((first, count - 1)))
        heard = yield from exchange(self._tags, command, air, target, option=with_security)
        if heard.data is None:
            return _status(heard)
        out = bytearray((count, BLOCK_SIZE))
        width = BLOCK_SIZE + with_security
        for at in range(0, len(heard.data), width):
            record = heard.data[at : at + width]
            out.append(record[0] if with_security else 0)
            out += self._ordered(record[with_security:])
        return Answer(OK, bytes(out))

    def _write(self, data: bytes) -> Steps:
        target, params = _target(data, 3, open_end=True)
        first, count, size = params[:3]
        if not (count and size and count * size <= _MOST_BYTES):
            raise StatusError(PARAMETER_RANGE)
        if len(params) != 3 + count * size:
            raise StatusError(LENGTH)
        blocks = [self._ordered(params[at : at + size]) for at in range(3, len(params), size)]
        return (yield from self._one_by_one(0x21, first, blocks, target))

    def _lock(self, data: bytes) -> Steps:
        target, params = _target(data, 2)
        if not 1 <= params[1] <= _MOST_BYTES // BLOCK_SIZE:
            raise StatusError(PARAMETER_RANGE)
        return (yield from self._one_by_one(0x22, params[0], [b""] * params[1], target))

    def _one_by_one(self, command: int, first: int, blocks: list[bytes], target: Target) -> Steps:
        """A command for each block in turn, to the first that fails."""
        for block, content in enumerate(blocks, first):
            if block > 0xFF:
                raise StatusError(PARAMETER_RANGE)
            heard = yield from exchange(self._tags, command, bytes((block,)) + content, target)
            if heard.iso_error is not None:
                return Answer(ISO_ERROR, bytes((heard.iso_error, block)))
            if heard.data is None:
                return Answer(WRITE_ERROR, bytes((block,))) if block > first else _status(heard)
        return Answer(OK)

    def _system_information(self, data: bytes) -> Steps:
        target, params = _target(data, 0)
        heard = yield from exchange(self._tags, 0x2B, params, target)
        if heard.data is None:
            return _status(heard)
        uid, (dsfid, afi, count, size, reference) = heard.data[8:0:-1], heard.data[9:]
        return Answer(OK, bytes((dsfid,)) + uid + bytes((afi, size + 1, count + 1, reference)))

    def _block_security(self, data: bytes) -> Steps:
        target, params = _target(data, 2)
        first, count = params
        if not 1 <= count <= _MOST_BYTES // BLOCK_SIZE:
            raise StatusError(PARAMETER_RANGE)
        heard = yield from exchange(self._tags, 0x2C, bytes((first, count - 1)), target)
        return _status(heard) if heard.data is None else Answer(OK, bytes((count,)) + heard.data)

    def _ordered(self, block: bytes) -> bytes:
        return block[::-1] if self._block_bytes == "reversed" else block


def _status(heard: Heard) -> Answer:
    """The answer to a command that brings no data."""
    if heard.collision:
        return Answer(DATA_FALSE)
    if heard.iso_error is not None:
        return Answer(ISO_ERROR, bytes((heard.iso_error,)))
    return Answer(NO_TAG if heard.data is None else OK)


def _target(
    data: bytes, size: int, *, flags: int = 0, addressed_only: bool = False, open_end: bool = False
) -> tuple[Target, bytes]:
    """Split MODE, UID and `size` bytes of parameters, or more with `open_end`; mode bits not in `flags` are refused."""
    if not data:
        raise StatusError(LENGTH)
    address = data[0] & 0x07
    if data[0] & ~(flags | 0x07) or address > 2 or (addressed_only and address != 1):
        raise StatusError(PARAMETER_RANGE)
    uid, params = (data[1:9], data[9:]) if address == 1 else (None, data[1:])
    if (uid is not None and len(uid) != 8) or len(params) < size or (len(params) > size and not open_end):
        raise StatusError(LENGTH)
    return Target(uid, selected=address == 2), params
