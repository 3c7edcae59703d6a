"""SYS commands: ping, version and NV memory."""

from collections.abc import Callable, Mapping
from typing import Final

from firmware_sim.zigbee.mt.ncp import VERSION, Ncp
from firmware_sim.zigbee.mt.nv import Key, osal
from firmware_sim.zigbee.octets import Octets, u16, u32

CAPABILITIES: Final = 0x0659  # SYS, AF, ZDO, UTIL, SAPI, APP_CNF; hosts tell Z-Stack 3 by the last one
REVISION: Final = 20230507
SUCCESS: Final = b"\x00"
CREATED: Final = b"\x09"
MISSING: Final = b"\x02"
BAD_LENGTH: Final = b"\x0c"
_READ_MAX: Final = 244


def _ping(ncp: Ncp, args: Octets) -> bytes:  # noqa: ARG001  one face for all
    return u16(CAPABILITIES)


def _version(ncp: Ncp, args: Octets) -> bytes:  # noqa: ARG001  one face for all
    return VERSION + u32(REVISION)


def _get_extaddr(ncp: Ncp, args: Octets) -> bytes:  # noqa: ARG001  one face for all
    return ncp.ieee


def _item_init(ncp: Ncp, args: Octets) -> bytes:
    key, length = osal(args.u16()), args.u16()
    data = args.take(args.u8())
    if ncp.nv.get(key):
        return SUCCESS
    ncp.nv.put(key, data[:length].ljust(length, b"\xff"))
    return CREATED


def _read(ncp: Ncp, key: Key, offset: int, count: int) -> bytes:
    data = ncp.nv.get(key)
    if offset >= len(data):
        return MISSING + b"\x00"
    part = data[offset : offset + min(count, _READ_MAX)]
    return SUCCESS + bytes((len(part),)) + part


def _osal_read(ncp: Ncp, args: Octets) -> bytes:
    return _read(ncp, osal(args.u16()), args.u8(), _READ_MAX)


def _osal_read_ext(ncp: Ncp, args: Octets) -> bytes:
    return _read(ncp, osal(args.u16()), args.u16(), _READ_MAX)


def _write(ncp: Ncp, key: Key, offset: int, data: bytes) -> bytes:
    return SUCCESS if ncp.nv.patch(key, offset, data) else MISSING


def _osal_write(ncp: Ncp, args: Octets) -> bytes:
    key, offset = osal(args.u16()), args.u8()
    return _write(ncp, key, offset, args.take(args.u8()))


def _osal_write_ext(ncp: Ncp, args: Octets) -> bytes:
    key, offset = osal(args.u16()), args.u16()
    return _write(ncp, key, offset, args.take(args.u16()))


def _osal_delete(ncp: Ncp, args: Octets) -> bytes:
    key, length = osal(args.u16()), args.u16()
    data = ncp.nv.get(key)
    if data and len(data) != length:
        return BAD_LENGTH
    return SUCCESS if ncp.nv.delete(key) else CREATED


def _osal_length(ncp: Ncp, args: Octets) -> bytes:
    return u16(len(ncp.nv.get(osal(args.u16()))))


def _key(args: Octets) -> Key:
    return args.u8(), args.u16(), args.u16()


def _nv_create(ncp: Ncp, args: Octets) -> bytes:
    key, length = _key(args), args.u32()
    if ncp.nv.get(key):
        return SUCCESS
    if not 0 < length <= 0xFFFF:
        return BAD_LENGTH
    ncp.nv.put(key, bytes(length))
    return CREATED


def _nv_delete(ncp: Ncp, args: Octets) -> bytes:
    return SUCCESS if ncp.nv.delete(_key(args)) else CREATED


def _nv_length(ncp: Ncp, args: Octets) -> bytes:
    return u32(len(ncp.nv.get(_key(args))))


def _nv_read(ncp: Ncp, args: Octets) -> bytes:
    return _read(ncp, _key(args), args.u16(), args.u8())


def _nv_write(ncp: Ncp, args: Octets) -> bytes:
    key, offset = _key(args), args.u16()
    return _write(ncp, key, offset, args.take(args.u8()))


def _set_tx_power(ncp: Ncp, args: Octets) -> bytes:  # noqa: ARG001  one face for all
    dbm = int.from_bytes(args.take(1), "little", signed=True)
    return SUCCESS if -20 <= dbm <= 20 else b"\x02"


def _stack_tune(ncp: Ncp, args: Octets) -> bytes:  # noqa: ARG001  one face for all
    args.u8()
    return args.take(1)


HANDLERS: Final[Mapping[int, Callable[[Ncp, Octets], bytes]]] = {
    0x01: _ping,
    0x02: _version,
    0x04: _get_extaddr,
    0x07: _item_init,
    0x08: _osal_read,
    0x09: _osal_write,
    0x0F: _stack_tune,
    0x12: _osal_delete,
    0x13: _osal_length,
    0x14: _set_tx_power,
    0x1C: _osal_read_ext,
    0x1D: _osal_write_ext,
    0x30: _nv_create,
    0x31: _nv_delete,
    0x32: _nv_length,
    0x33: _nv_read,
    0x34: _nv_write,
}
