"""UTIL commands (device information, association table, LED) and APP_CNF commands (commissioning, install codes)."""

from collections.abc import Callable, Mapping
from typing import Final

from firmware_sim.zigbee.mt.ncp import Ncp
from firmware_sim.zigbee.node.device import VirtualDevice
from firmware_sim.zigbee.octets import Octets, u16, u32

SUCCESS: Final = b"\x00"
FAILURE: Final = b"\x01"
INVALID_PARAMETER: Final = b"\x02"
FORMATION: Final = 0x04
_COORDINATOR_CAPABLE: Final = 0x07
_CHILDREN_MAX: Final = 100  # as many as one frame holds, and more than the association table of a real stick
_CHILD_END_DEVICE: Final = 2
_CHILD_ROUTER: Final = 4
_NO_CHILD: Final = u16(0xFFFE) + u16(0xFFFF) + b"\xff" + bytes(31)


def _get_device_info(ncp: Ncp, args: Octets) -> bytes:  # noqa: ARG001  one face for all
    children = [device.nwk for device in ncp.children() if device.nwk is not None][:_CHILDREN_MAX]
    head = SUCCESS + ncp.ieee + u16(0) + bytes((_COORDINATOR_CAPABLE, ncp.state, len(children)))
    return head + b"".join(map(u16, children))


def _led_control(ncp: Ncp, args: Octets) -> bytes:  # noqa: ARG001  one face for all
    args.take(2)
    return SUCCESS


def _association(ncp: Ncp, device: VirtualDevice | None) -> bytes:
    """Structure associated_devices_t, aligned to four octets; its size of 36 tells hosts how all others are aligned."""
    if device is None or device.nwk is None:
        return _NO_CHILD
    relation = _CHILD_ROUTER if device.model.router else _CHILD_END_DEVICE
    head = u16(device.nwk) + u16(ncp.mesh.devices.index(device)) + bytes((relation, 1, 0, 0))
    link = bytes((0, 1, ncp.mesh.link_quality(device), 0)) + u32(0) + u16(0) + bytes(2)
    return head + link + bytes(4) + u32(60) + u32(0) + bytes(4)


def _assoc_find_device(ncp: Ncp, args: Octets) -> bytes:
    index, children = args.u8(), ncp.children()
    return _association(ncp, children[index] if index < len(children) else None)


def _assoc_get_with_address(ncp: Ncp, args: Octets) -> bytes:
    ieee, nwk = args.take(8), args.u16()
    match = [device for device in ncp.children() if (device.ieee == ieee if any(ieee) else device.nwk == nwk)]
    return _association(ncp, match[0] if match else None)


def _assoc_remove(ncp: Ncp, args: Octets) -> bytes:
    ieee = args.take(8)
    if all(device.ieee != ieee for device in ncp.children()):
        return FAILURE
    ncp.strangers.add(ieee)
    return SUCCESS


def _assoc_add(ncp: Ncp, args: Octets) -> bytes:
    data = args.take(11)
    for ieee in (data[:8], data[2:10]):  # hosts disagree about the order of the fields
        if ncp.mesh.by_ieee(ieee) is not None:
            ncp.strangers.discard(ieee)
            return SUCCESS
    return FAILURE


def _start_commissioning(ncp: Ncp, args: Octets) -> bytes:
    if args.u8() != FORMATION:
        return INVALID_PARAMETER
    ncp.start(notify=True)
    return SUCCESS


def _set_channel(ncp: Ncp, args: Octets) -> bytes:
    primary, mask = args.u8(), args.u32()
    ncp.channel_masks[0 if primary else 1] = mask
    return SUCCESS


def _add_install_code(ncp: Ncp, args: Octets) -> bytes:
    """Format 1: code and CRC, 18 octets; 2: the key made from it, 16 octets."""
    kind, ieee = args.u8(), args.take(8)
    if kind not in (1, 2):
        return INVALID_PARAMETER
    args.take(18 if kind == 1 else 16)
    ncp.install_codes.add(ieee)
    return SUCCESS


def _join_uses_install_code(ncp: Ncp, args: Octets) -> bytes:
    ncp.codes_only = bool(args.u8())
    return SUCCESS


HANDLERS: Final[Mapping[int, Callable[[Ncp, Octets], bytes]]] = {
    0x00: _get_device_info,
    0x0A: _led_control,
    0x49: _assoc_find_device,
    0x4A: _assoc_get_with_address,
    0x63: _assoc_remove,
    0x64: _assoc_add,
}
APP_CNF_HANDLERS: Final[Mapping[int, Callable[[Ncp, Octets], bytes]]] = {
    0x04: _add_install_code,
    0x05: _start_commissioning,
    0x06: _join_uses_install_code,
    0x08: _set_channel,
}
