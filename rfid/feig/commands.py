"""Requests and answers of FEIG ISO host mode as values (FEIG OBID i-scan manual, commands 65 and B0).

Parsers take the bytes behind the status and raise ProtocolError when those cannot be right.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Literal

from rfid.errors import ProtocolError
from rfid.reader import ReaderInfo, SystemInfo, TagSeen

MAX_DATA_BYTES = 128  # per read or write request

_HOST = 0xB0
_VERSION = 0x65
_MODE_ADDRESSED = 0x01
_MODE_MORE = 0x80
_TR_ISO15693 = 0x03
_ISO15693_RECORD = 10  # TR-TYPE, DSFID, UID


class Status(IntEnum):
    """Status byte of an answer, as far as the driver acts on it."""

    OK = 0x00
    NO_TAG = 0x01
    DATA_FALSE = 0x02
    WRITE_ERROR = 0x03
    HARDWARE = 0xF1
    RF_COMMUNICATION = 0x83
    RF_WARNING = 0x84
    NO_VALID_DATA = 0x92
    BUFFER_OVERFLOW = 0x93
    MORE_DATA = 0x94
    ISO_ERROR = 0x95


@dataclass(frozen=True, slots=True)
class Request:
    """A command byte and the data behind it; `name` is for messages."""

    name: str
    command: int
    data: bytes = b""


@dataclass(frozen=True, slots=True)
class Blocks:
    """Blocks as they came over the wire, each `size` bytes long."""

    size: int
    blocks: tuple[bytes, ...]


def software_version() -> Request:
    """Ask what the reader is; safe at any time."""
    return Request("software version", _VERSION)


def inventory(*, more: bool = False) -> Request:
    """Ask for the tags in the field, or for those that did not fit into the last answer."""
    return Request("inventory", _HOST, bytes((0x01, _MODE_MORE if more else 0x00)))


def read_blocks(uid: str, first: int, count: int) -> Request:
    """Ask the addressed tag for blocks."""
    return _addressed("read blocks", 0x23, uid, bytes((first, count)))


def write_blocks(uid: str, first: int, blocks: Blocks) -> Request:
    """Write blocks, in wire byte order, to the addressed tag."""
    head = bytes((first, len(blocks.blocks), blocks.size))
    return _addressed("write blocks", 0x24, uid, head + b"".join(blocks.blocks))


def write_afi(uid: str, afi: int) -> Request:
    """Write the AFI of the addressed tag."""
    return _addressed("write AFI", 0x27, uid, bytes((afi,)))


def system_info(uid: str) -> Request:
    """Ask the addressed tag for its system information."""
    return _addressed("system information", 0x2B, uid)


def parse_version(data: bytes) -> ReaderInfo:
    """Return the identity from: revision (3), hardware type, reader type, tag types (2)[, buffer sizes]."""
    if len(data) < 7:
        raise ProtocolError(f"software version of {len(data)} bytes")
    return ReaderInfo(family="feig", firmware=".".join(map(str, data[:3])), hardware=data[3], model=data[4])


def parse_inventory(data: bytes) -> list[TagSeen]:
    """Return the ISO 15693 tags of one inventory answer: count, then per tag TR-TYPE, DSFID, UID."""
    if not data:
        return []
    count, records = data[0], data[1:]
    tags: list[TagSeen] = []
    for number in range(count):
        record = records[number * _ISO15693_RECORD : (number + 1) * _ISO15693_RECORD]
        if len(record) < _ISO15693_RECORD:
            raise ProtocolError(f"inventory of {count} tags ends in tag {number + 1}")
        if record[0] != _TR_ISO15693:
            raise ProtocolError(f"inventory holds a tag of type {record[0]:02X}; set the reader to ISO 15693 only")
        tags.append(TagSeen(uid=_uid_text(record[2:]), dsfid=record[1]))
    if len(records) != count * _ISO15693_RECORD:
        raise ProtocolError(f"inventory of {count} tags holds {len(records)} bytes")
    return tags


def parse_blocks(data: bytes, count: int) -> Blocks:
    """Return the blocks of a read answer: count, size, then per block [security byte,] data."""
    if len(data) < 2 or data[0] != count or data[1] == 0:
        raise ProtocolError(f"asked for {count} blocks, got {data[:2].hex()}")
    size, body = data[1], data[2:]
    step, security = divmod(len(body), count)
    if security or step not in {size, size + 1}:
        raise ProtocolError(f"{count} blocks of {size} bytes in {len(body)} bytes")
    return Blocks(size, tuple(body[end - size : end] for end in range(step, len(body) + 1, step)))


def parse_system_info(data: bytes, uid: str) -> SystemInfo:
    """Return the layout from: DSFID, UID, AFI, block size, block count, IC reference."""
    if len(data) < 13 or _uid_text(data[1:9]) != uid:
        raise ProtocolError(f"system information of another tag or shape: {data.hex()}")
    size, count = data[10] & 0x0F, data[11]
    if size in {3, 7}:  # passed on as the chip sends it on air: minus one
        size, count = size + 1, count + 1
    return SystemInfo(uid=uid, dsfid=data[0], afi=data[9], block_size=size, block_count=count, ic_reference=data[12])


def parse_done(data: bytes) -> None:
    """Accept the answer of a write: it holds nothing."""
    if data:
        raise ProtocolError(f"{len(data)} bytes behind a write's status")


def to_wire(memory: bytes, size: int, order: Literal["direct", "reversed"]) -> Blocks:
    """Cut memory into wire blocks; its length must be a multiple of the block size."""
    if size <= 0 or len(memory) % size:
        raise ValueError(f"{len(memory)} bytes are not whole blocks of {size}")
    step = -1 if order == "reversed" else 1
    return Blocks(size, tuple(memory[i : i + size][::step] for i in range(0, len(memory), size)))


def to_memory(blocks: Blocks, order: Literal["direct", "reversed"]) -> bytes:
    """Join wire blocks into memory."""
    step = -1 if order == "reversed" else 1
    return b"".join(block[::step] for block in blocks.blocks)


def _addressed(name: str, sub_command: int, uid: str, parameters: bytes = b"") -> Request:
    return Request(name, _HOST, bytes((sub_command, _MODE_ADDRESSED)) + bytes.fromhex(uid) + parameters)


def _uid_text(raw: bytes) -> str:
    return raw.hex().upper()
