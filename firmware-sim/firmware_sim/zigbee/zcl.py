"""Zigbee cluster library frames: header (ZCL 8, 2.4.1), attribute types (2.6.2) and statuses (2.6.3)."""

import struct
from dataclasses import dataclass
from typing import Final

from firmware_sim.zigbee.octets import Octets, u16

Number = int | float
Value = Number | str | bytes

READ: Final = 0x00
READ_RESPONSE: Final = 0x01
WRITE: Final = 0x02
WRITE_UNDIVIDED: Final = 0x03
WRITE_RESPONSE: Final = 0x04
WRITE_NO_RESPONSE: Final = 0x05
CONFIGURE_REPORTING: Final = 0x06
CONFIGURE_REPORTING_RESPONSE: Final = 0x07
READ_REPORTING: Final = 0x08
READ_REPORTING_RESPONSE: Final = 0x09
REPORT: Final = 0x0A
DEFAULT_RESPONSE: Final = 0x0B
DISCOVER: Final = 0x0C
DISCOVER_RESPONSE: Final = 0x0D

SUCCESS: Final = 0x00
MALFORMED_COMMAND: Final = 0x80
UNSUP_COMMAND: Final = 0x81
UNSUP_MANUF_COMMAND: Final = 0x84
UNSUPPORTED_ATTRIBUTE: Final = 0x86
INVALID_VALUE: Final = 0x87
READ_ONLY: Final = 0x88
NOT_FOUND: Final = 0x8B
UNREPORTABLE_ATTRIBUTE: Final = 0x8C
INVALID_DATA_TYPE: Final = 0x8D
UNSUPPORTED_CLUSTER: Final = 0xC3

BOOL: Final = 0x10
BITMAP8: Final = 0x18
BITMAP16: Final = 0x19
BITMAP32: Final = 0x1B
UINT8: Final = 0x20
UINT16: Final = 0x21
UINT24: Final = 0x22
UINT32: Final = 0x23
UINT48: Final = 0x25
INT8: Final = 0x28
INT16: Final = 0x29
ENUM8: Final = 0x30
ENUM16: Final = 0x31
SINGLE: Final = 0x39
OCTET_STRING: Final = 0x41
STRING: Final = 0x42
IEEE: Final = 0xF0

_SIZES: Final = (
    {0x08 + n: n + 1 for n in range(8)}
    | {BOOL: 1}
    | {0x18 + n: n + 1 for n in range(8)}
    | {0x20 + n: n + 1 for n in range(8)}
    | {0x28 + n: n + 1 for n in range(8)}
    | {0x30: 1, 0x31: 2, 0xE0: 4, 0xE1: 4, 0xE2: 4, 0xE8: 2, 0xE9: 2, 0xEA: 4, 0xF0: 8}
)
_FLOATS: Final = {0x38: "<e", SINGLE: "<f", 0x3A: "<d"}
_SIGNED: Final = range(0x28, 0x30)
_ANALOG: Final = frozenset((*range(0x20, 0x30), *_FLOATS, 0xE0, 0xE1, 0xE2))


@dataclass(frozen=True, slots=True)
class Header:
    """Frame control and what follows it; `from_server` is the direction bit."""

    tsn: int
    command: int
    cluster_specific: bool = False
    from_server: bool = False
    no_default_response: bool = False
    manufacturer: int | None = None

    def octets(self) -> bytes:
        """Wire form."""
        control = self.cluster_specific | self.from_server << 3 | self.no_default_response << 4
        if self.manufacturer is None:
            return bytes((control, self.tsn, self.command))
        return bytes((control | 4,)) + u16(self.manufacturer) + bytes((self.tsn, self.command))


def read_header(octets: Octets) -> Header:
    """The header at the front; ValueError for a reserved frame type, TruncatedError when it is cut."""
    control = octets.u8()
    if control & 3 > 1:
        raise ValueError("reserved frame type")
    manufacturer = octets.u16() if control & 4 else None
    tsn, command = octets.u8(), octets.u8()
    return Header(
        tsn,
        command,
        cluster_specific=bool(control & 1),
        from_server=bool(control & 8),
        no_default_response=bool(control & 16),
        manufacturer=manufacturer,
    )


def is_analog(data_type: int) -> bool:
    """Whether reports of this type carry a reportable change."""
    return data_type in _ANALOG


def encode_value(data_type: int, value: Value) -> bytes:
    """Wire form of a value; ValueError when type and value do not fit."""
    if isinstance(value, str | bytes):
        if data_type not in (OCTET_STRING, STRING):
            raise ValueError(f"type 0x{data_type:02X} holds no string")
        raw = value.encode() if isinstance(value, str) else value
        return bytes((len(raw),)) + raw
    try:
        if data_type in _FLOATS:
            return struct.pack(_FLOATS[data_type], value)
        size = _SIZES.get(data_type)
        if size is None:
            raise ValueError(f"type 0x{data_type:02X} holds no number")
        return int(value).to_bytes(size, "little", signed=data_type in _SIGNED)
    except OverflowError as error:
        raise ValueError(f"{value} does not fit type 0x{data_type:02X}") from error


def read_value(data_type: int, octets: Octets) -> Value:
    """The value at the front; ValueError for a type that is not known here."""
    if data_type in (OCTET_STRING, STRING):
        raw = octets.take(octets.u8())
        return raw.decode("utf-8", "replace") if data_type == STRING else raw
    if data_type in _FLOATS:
        form = _FLOATS[data_type]
        return float(struct.unpack(form, octets.take(struct.calcsize(form)))[0])
    size = _SIZES.get(data_type)
    if size is None:
        raise ValueError(f"unknown type 0x{data_type:02X}")
    return int.from_bytes(octets.take(size), "little", signed=data_type in _SIGNED)
