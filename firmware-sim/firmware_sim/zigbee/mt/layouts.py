"""What stands in the coordinator's NV memory and how: structures of Z-Stack 3.30, members aligned as on a CC2652."""

import random
from dataclasses import dataclass, replace
from typing import Final

from firmware_sim.zigbee.mt.nv import Nv, entry, osal
from firmware_sim.zigbee.octets import u16, u32

EXTADDR: Final = osal(0x0001)
STARTUP_OPTION: Final = osal(0x0003)
NIB: Final = osal(0x0021)
EXTENDED_PAN_ID: Final = osal(0x002D)
ACTIVE_KEY: Final = osal(0x003A)
ALTERNATE_KEY: Final = osal(0x003B)
APS_USE_EXT_PANID: Final = osal(0x0047)
APS_LINK_KEYS: Final = osal(0x004C)
ON_A_NETWORK: Final = osal(0x0055)
PRECFGKEY: Final = osal(0x0062)
NWKKEY: Final = osal(0x0082)
PANID: Final = osal(0x0083)
CHANLIST: Final = osal(0x0084)
LOGICAL_TYPE: Final = osal(0x0087)
TCLK_SEED: Final = osal(0x0101)

ADDRESSES: Final = 1
LINK_KEYS: Final = 4
APS_KEYS: Final = 6
FRAME_COUNTERS: Final = 7
# Builds for the CC2652 have room for 300 devices; hosts read and write every entry, so a small library takes fewer.
_FEW: Final = 80
_MANY: Final = 300
_SPARE: Final = 20
COUNTER_STRIDE: Final = 1250

_ANY: Final = b"\xff" * 8
_NO_ADDRESS: Final = b"\xff\x00\xff\xff" + _ANY
_NO_LINK_KEY: Final = bytes(16) + b"\xff" + bytes(3)
_CHILD: Final = 1
_SECURITY: Final = 2
_VERIFIED_KEY: Final = 2
_DEFAULT_CHANNELS: Final = 1 << 11

_NIB_COUNTERS: Final = bytes((0, 5, 2, 0, 20, 0, 0, 30, 0, 0, 0, 1, 5, 1, 143, 0)) + u16(7) + bytes((2, 5, 30, 0))
_NIB_TAIL: Final = bytes((60, 3, 0, 1, 120, 10, 1, 0)) + bytes(4)


_SETTINGS: Final = {0x30: 30, 0x32: 0, 0x33: 60, 0x36: 0, 0x38: 255, 0x3E: 0, 0x63: 0, 0x8F: 0}
_TABLES: Final = {ADDRESSES: _NO_ADDRESS, LINK_KEYS: _NO_LINK_KEY, APS_KEYS: bytes(24), FRAME_COUNTERS: bytes(12)}
_SIZES: Final = {APS_KEYS: 10, FRAME_COUNTERS: 4}
_CONFIG: Final = (EXTENDED_PAN_ID, APS_USE_EXT_PANID, PRECFGKEY, PANID, CHANLIST, LOGICAL_TYPE)
_STATE: Final = (NIB, ON_A_NETWORK, ACTIVE_KEY, ALTERNATE_KEY, NWKKEY, APS_LINK_KEYS, TCLK_SEED)


@dataclass(frozen=True, slots=True)
class Network:
    """The network that stands in NV memory. Addresses and key in wire order."""

    channel: int
    channel_mask: int
    pan: int
    ext_pan: bytes
    key: bytes
    key_sequence: int = 0
    nwk: int = 0
    update_id: int = 0

    @property
    def membership(self) -> str:
        """What a device must share to be heard: network and key."""
        return f"{self.ext_pan.hex()}/{self.key.hex()}"


def places(devices: int) -> int:
    """Entries of the device tables that so many devices need."""
    return _FEW if devices + _SPARE <= _FEW else _MANY


def ensure_defaults(nv: Nv, rng: random.Random, ieee: bytes, *, places: int) -> None:
    """Make the items that a booting stack makes when they are missing."""
    items = {
        EXTADDR: ieee,
        STARTUP_OPTION: b"\x00",
        ON_A_NETWORK: b"\x00",
        EXTENDED_PAN_ID: bytes(8),
        APS_USE_EXT_PANID: bytes(8),
        ACTIVE_KEY: bytes(17),
        ALTERNATE_KEY: bytes(17),
        NWKKEY: bytes(24),
        APS_LINK_KEYS: bytes(62),
        TCLK_SEED: rng.randbytes(16),
        PRECFGKEY: rng.randbytes(16),
        PANID: b"\xff\xff",
        CHANLIST: u32(_DEFAULT_CHANNELS),
        LOGICAL_TYPE: b"\x00",
    }
    items |= {osal(item): bytes((value,)) for item, value in _SETTINGS.items()}
    for table, empty in _TABLES.items():
        items |= {entry(table, index): empty for index in range(_SIZES.get(table, places))}
    for key, data in items.items():
        if not nv.get(key):
            nv.put(key, data)


def apply_startup_option(nv: Nv) -> None:
    """Clear configuration (bit 0) and network state (bit 1) as asked before the reset, then forget the wish."""
    option = (nv.get(STARTUP_OPTION) or b"\x00")[0]
    doomed = [osal(item) for item in _SETTINGS] + list(_CONFIG) if option & 1 else []
    if option & 2:
        doomed += _STATE
        doomed += [entry(table, index) for table in _TABLES for index in range(_SIZES.get(table, _MANY))]
    for key in doomed:
        nv.delete(key)
    if option:
        nv.put(STARTUP_OPTION, b"\x00")


def read_network(nv: Nv) -> Network | None:
    """The network to resume; None when there is none."""
    nib, key = nv.get(NIB), nv.get(ACTIVE_KEY)
    if len(nib) != 116 or nv.get(ON_A_NETWORK) != b"\x01" or not (nib[24] and nib[65]) or len(key) != 17:
        return None
    return Network(
        channel=nib[24],
        channel_mask=int.from_bytes(nib[40:44], "little"),
        pan=int.from_bytes(nib[36:38], "little"),
        ext_pan=nib[57:65],
        key=key[1:],
        key_sequence=key[0],
        nwk=int.from_bytes(nib[22:24], "little"),
        update_id=nib[114],
    )


def write_network(nv: Nv, network: Network) -> None:
    """Put a freshly formed network into NV: NIB, keys and the two frame counters."""
    ieee = nv.get(EXTADDR)
    key = bytes((network.key_sequence,)) + network.key
    nib = _NIB_COUNTERS + u16(network.nwk) + bytes((network.channel, 0)) + u16(0) + ieee
    nib += u16(network.pan) + u16(8) + u32(network.channel_mask) + bytes((15, 15, 0, 0)) + u32(1) + u32(1)
    nib += b"\x00" + network.ext_pan + b"\x01" + bytes(34) + bytes(2) + _NIB_TAIL + bytes((network.update_id, 0))
    nv.put(NIB, nib)
    nv.put(ACTIVE_KEY, key)
    nv.put(ALTERNATE_KEY, key)
    nv.put(NWKKEY, key + bytes(7))
    nv.put(ON_A_NETWORK, b"\x01")
    nv.put(EXTENDED_PAN_ID, network.ext_pan)
    nv.put(entry(FRAME_COUNTERS, 0), u32(0) + network.ext_pan)
    nv.put(entry(FRAME_COUNTERS, 3), u32(0) + _ANY)


def move_channel(nv: Nv, network: Network, channel: int) -> Network:
    """Note a change of channel; the network as it is afterwards."""
    moved = replace(network, channel=channel, channel_mask=1 << channel, update_id=(network.update_id + 1) % 256)
    nv.patch(NIB, 24, bytes((channel,)))
    nv.patch(NIB, 40, u32(moved.channel_mask))
    nv.patch(NIB, 114, bytes((moved.update_id,)))
    return moved


def advance_frame_counters(nv: Nv, ext_pan: bytes) -> None:
    """Move the stored counters ahead of any that was used, as the stack does at start and every 1250 frames."""
    for index, data in enumerate(nv.table(FRAME_COUNTERS)):
        if data[4:] in (ext_pan, _ANY):
            count = int.from_bytes(data[:4], "little") + COUNTER_STRIDE
            nv.put(entry(FRAME_COUNTERS, index), u32(count % 2**32) + data[4:])


def remember_device(nv: Nv, ieee: bytes, nwk: int, *, child: bool, shift: int) -> None:
    """Note a joined device in the address manager and give it a link key (seed rotated by `shift` XOR its address)."""
    kind = _SECURITY | (_CHILD if child else 0)
    _put_entry(nv, ADDRESSES, slice(4, 12), ieee=ieee, data=bytes((kind, 0)) + u16(nwk) + ieee)
    if not any(data[8:16] == ieee for data in nv.table(LINK_KEYS)):
        key = bytes(8) + ieee + bytes((_VERIFIED_KEY, 0, shift, 0))
        _put_entry(nv, LINK_KEYS, slice(8, 16), ieee=ieee, data=key)


def forget_device(nv: Nv, ieee: bytes) -> None:
    """Take a device that left out of both tables."""
    for table, where, empty in ((ADDRESSES, slice(4, 12), _NO_ADDRESS), (LINK_KEYS, slice(8, 16), _NO_LINK_KEY)):
        for index, data in enumerate(nv.table(table)):
            if data[where] == ieee:
                nv.put(entry(table, index), empty)


def _put_entry(nv: Nv, table: int, where: slice, *, ieee: bytes, data: bytes) -> None:
    free = (_ANY, bytes(8))
    entries = nv.table(table)
    for wanted in ((ieee,), free):
        for index, old in enumerate(entries):
            if old[where] in wanted:
                nv.put(entry(table, index), data)
                return
