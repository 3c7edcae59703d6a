"""One ISO 15693 tag (ICODE SLIX, 28 blocks of 4 bytes): memory, states and answers to frames on air.

ISO/IEC 15693-3 for commands 01..2C; NXP ICODE SLIX data sheet for A2..A5.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

BLOCK_SIZE: Final = 4
BLOCK_COUNT: Final = 28
NXP: Final = 0x04

INVENTORY_FLAG: Final = 0x04
SELECT_FLAG: Final = 0x10
ADDRESS_FLAG: Final = 0x20
OPTION_FLAG: Final = 0x40
AFI_FLAG: Final = 0x10
ONE_SLOT_FLAG: Final = 0x20

NOT_SUPPORTED: Final = 0x01
NOT_RECOGNISED: Final = 0x02
BLOCK_ABSENT: Final = 0x10
ALREADY_LOCKED: Final = 0x11
LOCKED: Final = 0x12
NOT_PROGRAMMED: Final = 0x13

WRITES: Final = frozenset((0x21, 0x22, 0x27, 0x28, 0x29, 0x2A, 0xA2, 0xA3, 0xA4))

_IC_REFERENCE: Final = 0x01
# The EAS sequence of ICODE chips, from memory: readers only look whether it comes.
_EAS_SEQUENCE: Final = bytes.fromhex("2FB36270D5A7907FE8B18038D281497682DA9A866FAF8BB0F19CD112A57237EF")


class _RefusedError(Exception):
    """The tag answers with this ISO error code."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Reply:
    """Bytes a tag sends, and the slot it sends them in (0 outside a 16-slot inventory)."""

    data: bytes
    slot: int = 0


def crc(data: bytes) -> bytes:
    """Checksum of ISO 15693 frames as sent (ISO/IEC 13239), low byte first."""
    value = 0xFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = (value >> 1) ^ 0x8408 if value & 1 else value >> 1
    return (value ^ 0xFFFF).to_bytes(2, "little")


def _nothing() -> None:
    """A tag that nobody keeps."""


@dataclass(slots=True, eq=False)
class Tag:
    """A tag and where it lies. `uid` has E0 first; `pad` is the pad whose field it is in, if any.

    `fail_writes` write commands to come answer "not programmed"; with `vanish_after` the tag leaves its pad after as
    many commands.
    """

    name: str
    uid: bytes
    memory: bytearray = field(default_factory=lambda: bytearray(BLOCK_SIZE * BLOCK_COUNT))
    afi: int = 0
    dsfid: int = 0
    eas: bool = False
    locked: set[int] = field(default_factory=set)
    afi_locked: bool = False
    dsfid_locked: bool = False
    eas_locked: bool = False
    pad: str | None = None
    on_change: Callable[[], None] = _nothing
    quiet: bool = field(default=False, init=False)
    selected: bool = field(default=False, init=False)
    fail_writes: int = field(default=0, init=False)
    vanish_after: int | None = field(default=None, init=False)

    def power_down(self) -> None:
        """The field is gone: quiet and selected are forgotten."""
        self.quiet = self.selected = False

    def move(self, pad: str | None) -> None:
        """Lie on `pad`, or nowhere."""
        self.pad = pad
        self.power_down()
        self.on_change()

    def blocks(self) -> list[bytes]:
        """Memory, block by block."""
        return [bytes(self.memory[at : at + BLOCK_SIZE]) for at in range(0, len(self.memory), BLOCK_SIZE)]

    def receive(self, frame: bytes) -> Reply | None:
        """Hear a frame; the answer, or None for silence (not meant, wrong checksum, quiet)."""
        if len(frame) < 4 or crc(frame[:-2]) != frame[-2:]:
            return None
        flags, command, rest = frame[0], frame[1], frame[2:-2]
        if flags & INVENTORY_FLAG:
            return self._inventory(flags, rest) if command == 0x01 else None
        if 0xA0 <= command <= 0xDF:
            if rest[:1] != bytes((NXP,)):
                return None
            rest = rest[1:]
        if flags & ADDRESS_FLAG:
            uid, rest = rest[:8], rest[8:]
            if uid[::-1] != self.uid:
                self.selected = self.selected and command != 0x25
                return None
        elif not (self.selected if flags & SELECT_FLAG else not self.quiet):
            return None
        return self._obey(command, rest, flags)

    def _inventory(self, flags: int, rest: bytes) -> Reply | None:
        if flags & AFI_FLAG:
            if not rest or not self._in_family(rest[0]):
                return None
            rest = rest[1:]
        if self.quiet or not rest or rest[0] > 64:
            return None
        length = rest[0]
        number = int.from_bytes(self.uid, "big")
        if (int.from_bytes(rest[1:], "little") ^ number) & ((1 << length) - 1):
            return None
        slot = 0 if flags & ONE_SLOT_FLAG else (number >> length) & 0xF
        return Reply(_sealed(bytes((0, self.dsfid)) + self.uid[::-1]), slot)

    def _in_family(self, afi: int) -> bool:
        """AFI selection of ISO 15693-3 table 1: 00 all, X0 all of family X, else exactly this one."""
        if afi & 0x0F:
            return afi == self.afi
        return afi == 0 or afi >> 4 == self.afi >> 4

    def _obey(self, command: int, params: bytes, flags: int) -> Reply | None:
        if self.vanish_after == 0:
            self._vanish()
            return None
        reply = self._answer(command, params, flags)
        if self.vanish_after is not None:
            self.vanish_after -= 1
            if self.vanish_after == 0:
                self._vanish()
        return reply

    def _vanish(self) -> None:
        self.vanish_after = None
        self.move(None)

    def _answer(self, command: int, params: bytes, flags: int) -> Reply | None:
        handler = _HANDLERS.get(command)
        try:
            if handler is None:
                raise _RefusedError(NOT_SUPPORTED)
            size, act = handler
            if len(params) != size:
                raise _RefusedError(NOT_RECOGNISED)
            if command in WRITES and self.fail_writes > 0:
                self.fail_writes -= 1
                raise _RefusedError(NOT_PROGRAMMED)
            data = act(self, params, bool(flags & OPTION_FLAG))
        except _RefusedError as refused:
            # Errors are told only to him who named the tag: ISO 15693-3, 7.4.
            return Reply(_sealed(bytes((1, refused.code)))) if flags & (ADDRESS_FLAG | SELECT_FLAG) else None
        if command in WRITES:
            self.on_change()
        return None if data is None else Reply(_sealed(b"\0" + data))

    def _stay_quiet(self, _params: bytes, _option: bool) -> bytes | None:
        self.quiet = True
        self.selected = False
        return None

    def _read_single(self, params: bytes, option: bool) -> bytes | None:
        return self._read(params[0], 1, option)

    def _read_multiple(self, params: bytes, option: bool) -> bytes | None:
        return self._read(params[0], params[1] + 1, option)

    def _read(self, first: int, count: int, option: bool) -> bytes:
        self._check(first, count)
        out = bytearray()
        for block in range(first, first + count):
            if option:
                out.append(block in self.locked)
            out += self.memory[block * BLOCK_SIZE : (block + 1) * BLOCK_SIZE]
        return bytes(out)

    def _write_single(self, params: bytes, _option: bool) -> bytes | None:
        self._check(params[0], 1)
        if params[0] in self.locked:
            raise _RefusedError(LOCKED)
        self.memory[params[0] * BLOCK_SIZE : (params[0] + 1) * BLOCK_SIZE] = params[1:]
        return b""

    def _lock_block(self, params: bytes, _option: bool) -> bytes | None:
        self._check(params[0], 1)
        if params[0] in self.locked:
            raise _RefusedError(ALREADY_LOCKED)
        self.locked.add(params[0])
        return b""

    def _check(self, first: int, count: int) -> None:
        if first + count > len(self.memory) // BLOCK_SIZE:
            raise _RefusedError(BLOCK_ABSENT)

    def _select(self, _params: bytes, _option: bool) -> bytes | None:
        self.selected, self.quiet = True, False
        return b""

    def _reset_to_ready(self, _params: bytes, _option: bool) -> bytes | None:
        self.power_down()
        return b""

    def _write_afi(self, params: bytes, _option: bool) -> bytes | None:
        if self.afi_locked:
            raise _RefusedError(LOCKED)
        self.afi = params[0]
        return b""

    def _lock_afi(self, _params: bytes, _option: bool) -> bytes | None:
        if self.afi_locked:
            raise _RefusedError(ALREADY_LOCKED)
        self.afi_locked = True
        return b""

    def _write_dsfid(self, params: bytes, _option: bool) -> bytes | None:
        if self.dsfid_locked:
            raise _RefusedError(LOCKED)
        self.dsfid = params[0]
        return b""

    def _lock_dsfid(self, _params: bytes, _option: bool) -> bytes | None:
        if self.dsfid_locked:
            raise _RefusedError(ALREADY_LOCKED)
        self.dsfid_locked = True
        return b""

    def _system_information(self, _params: bytes, _option: bool) -> bytes | None:
        count = len(self.memory) // BLOCK_SIZE
        return b"\x0f" + self.uid[::-1] + bytes((self.dsfid, self.afi, count - 1, BLOCK_SIZE - 1, _IC_REFERENCE))

    def _block_security(self, params: bytes, _option: bool) -> bytes | None:
        first, count = params[0], params[1] + 1
        self._check(first, count)
        return bytes(block in self.locked for block in range(first, first + count))

    def _set_eas(self, _params: bytes, _option: bool) -> bytes | None:
        return self._put_eas(True)

    def _reset_eas(self, _params: bytes, _option: bool) -> bytes | None:
        return self._put_eas(False)

    def _put_eas(self, on: bool) -> bytes:
        if self.eas_locked:
            raise _RefusedError(LOCKED)
        self.eas = on
        return b""

    def _lock_eas(self, _params: bytes, _option: bool) -> bytes | None:
        if self.eas_locked:
            raise _RefusedError(ALREADY_LOCKED)
        self.eas_locked = True
        return b""

    def _eas_alarm(self, _params: bytes, _option: bool) -> bytes | None:
        return _EAS_SEQUENCE if self.eas else None


def _sealed(frame: bytes) -> bytes:
    return frame + crc(frame)


# Command -> bytes of parameters, what the tag does.
_HANDLERS: Final[dict[int, tuple[int, Callable[[Tag, bytes, bool], bytes | None]]]] = {
    0x02: (0, Tag._stay_quiet),
    0x20: (1, Tag._read_single),
    0x21: (1 + BLOCK_SIZE, Tag._write_single),
    0x22: (1, Tag._lock_block),
    0x23: (2, Tag._read_multiple),
    0x25: (0, Tag._select),
    0x26: (0, Tag._reset_to_ready),
    0x27: (1, Tag._write_afi),
    0x28: (0, Tag._lock_afi),
    0x29: (1, Tag._write_dsfid),
    0x2A: (0, Tag._lock_dsfid),
    0x2B: (0, Tag._system_information),
    0x2C: (2, Tag._block_security),
    0xA2: (0, Tag._set_eas),
    0xA3: (0, Tag._reset_eas),
    0xA4: (0, Tag._lock_eas),
    0xA5: (0, Tag._eas_alarm),
}
