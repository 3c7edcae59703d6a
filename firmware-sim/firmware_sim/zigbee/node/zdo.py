"""Zigbee device object: how a node answers questions about itself (Zigbee 2.4.3 and 2.4.4).

Bodies are those of the air frames behind the transaction number; every response starts with its status.
"""

from collections.abc import Callable
from typing import Final, Protocol

from firmware_sim.zigbee.node.device import Binding
from firmware_sim.zigbee.octets import Octets, TruncatedError, u16

NWK_ADDR: Final = 0x0000
IEEE_ADDR: Final = 0x0001
NODE_DESC: Final = 0x0002
SIMPLE_DESC: Final = 0x0004
ACTIVE_EP: Final = 0x0005
DEVICE_ANNCE: Final = 0x0013
BIND: Final = 0x0021
UNBIND: Final = 0x0022
MGMT_LQI: Final = 0x0031
MGMT_RTG: Final = 0x0032
MGMT_BIND: Final = 0x0033
MGMT_LEAVE: Final = 0x0034
MGMT_PERMIT_JOIN: Final = 0x0036
MGMT_NWK_UPDATE: Final = 0x0038

SUCCESS: Final = 0x00
INVALID_REQUEST: Final = 0x80
DEVICE_NOT_FOUND: Final = 0x81
INVALID_ENDPOINT: Final = 0x82
NOT_ACTIVE: Final = 0x83
NOT_SUPPORTED: Final = 0x84
NO_ENTRY: Final = 0x88
TABLE_FULL: Final = 0x8C

_BINDINGS_MAX: Final = 32
_TO_GROUP: Final = 1
_TO_ENDPOINT: Final = 3
_PAGES: Final = {MGMT_LQI: 3, MGMT_RTG: 10, MGMT_BIND: 3}  # records that fit one frame


class Node(Protocol):
    """A node as ZDO sees it; addresses in wire order."""

    nwk: int | None
    bindings: list[Binding]
    on_change: Callable[[], None]

    @property
    def ieee(self) -> bytes:
        """Own address."""

    def node_descriptor(self) -> bytes:
        """Thirteen octets."""

    def endpoints(self) -> list[int]:
        """Active endpoints."""

    def simple_descriptor(self, endpoint: int) -> bytes | None:
        """Of an active endpoint."""

    def neighbours(self) -> list[bytes] | None:
        """Records of 22 octets; None when the node keeps no such table."""

    def routes(self) -> list[bytes] | None:
        """Records of 5 octets; None when the node keeps no such table."""


def answer(node: Node, cluster: int, body: bytes) -> bytes | None:
    """Body of the node's response; None when it gives none. A request that is too short gets INVALID_REQUEST."""
    responder = _RESPONDERS.get(cluster)
    if responder is None:
        return None
    try:
        return responder(node, Octets(body))
    except TruncatedError:
        return bytes((INVALID_REQUEST,))


def _nwk_addr(node: Node, args: Octets) -> bytes | None:
    if args.take(8) != node.ieee:
        return None
    return _addresses(node, args.u8())


def _ieee_addr(node: Node, args: Octets) -> bytes | None:
    if args.u16() != node.nwk:
        return None
    return _addresses(node, args.u8())


def _addresses(node: Node, kind: int) -> bytes:
    """Single or extended response; associated devices are only in the coordinator's own tables."""
    assert node.nwk is not None
    return bytes((SUCCESS,)) + node.ieee + u16(node.nwk) + (b"\x00\x00" if kind == 1 else b"")


def _node_desc(node: Node, args: Octets) -> bytes:
    of = args.u16()
    if of != node.nwk:
        return bytes((DEVICE_NOT_FOUND,)) + u16(of)
    return bytes((SUCCESS,)) + u16(of) + node.node_descriptor()


def _simple_desc(node: Node, args: Octets) -> bytes:
    of, endpoint = args.u16(), args.u8()
    if of != node.nwk:
        return bytes((DEVICE_NOT_FOUND,)) + u16(of) + b"\x00"
    descriptor = node.simple_descriptor(endpoint)
    if descriptor is None:
        status = NOT_ACTIVE if 0 < endpoint <= 240 else INVALID_ENDPOINT
        return bytes((status,)) + u16(of) + b"\x00"
    return bytes((SUCCESS,)) + u16(of) + bytes((len(descriptor),)) + descriptor


def _active_ep(node: Node, args: Octets) -> bytes:
    of = args.u16()
    if of != node.nwk:
        return bytes((DEVICE_NOT_FOUND,)) + u16(of) + b"\x00"
    endpoints = node.endpoints()
    return bytes((SUCCESS,)) + u16(of) + bytes((len(endpoints), *endpoints))


def _take_binding(node: Node, args: Octets) -> Binding | int:
    """The binding asked for, or the status that refuses it."""
    source, endpoint, cluster, mode = args.take(8), args.u8(), args.u16(), args.u8()
    if source != node.ieee or mode not in (_TO_GROUP, _TO_ENDPOINT):
        return INVALID_REQUEST
    if endpoint not in node.endpoints():
        return INVALID_ENDPOINT
    if mode == _TO_GROUP:
        return Binding(cluster, endpoint, args.take(2), None)
    return Binding(cluster, endpoint, args.take(8), args.u8())


def _bind(node: Node, args: Octets) -> bytes:
    binding = _take_binding(node, args)
    if isinstance(binding, int):
        return bytes((binding,))
    if binding not in node.bindings:
        if len(node.bindings) >= _BINDINGS_MAX:
            return bytes((TABLE_FULL,))
        node.bindings.append(binding)
        node.on_change()
    return bytes((SUCCESS,))


def _unbind(node: Node, args: Octets) -> bytes:
    binding = _take_binding(node, args)
    if isinstance(binding, int):
        return bytes((binding,))
    if binding not in node.bindings:
        return bytes((NO_ENTRY,))
    node.bindings.remove(binding)
    node.on_change()
    return bytes((SUCCESS,))


def _mgmt_lqi(node: Node, args: Octets) -> bytes:
    return _page(node.neighbours(), args.u8(), _PAGES[MGMT_LQI])


def _mgmt_rtg(node: Node, args: Octets) -> bytes:
    return _page(node.routes(), args.u8(), _PAGES[MGMT_RTG])


def _mgmt_bind(node: Node, args: Octets) -> bytes:
    records = []
    for binding in node.bindings:
        head = node.ieee + bytes((binding.source_endpoint,)) + u16(binding.cluster)
        if binding.endpoint is None:
            records.append(head + bytes((_TO_GROUP,)) + binding.target)
        else:
            records.append(head + bytes((_TO_ENDPOINT,)) + binding.target + bytes((binding.endpoint,)))
    return _page(records, args.u8(), _PAGES[MGMT_BIND])


def _page(records: list[bytes] | None, start: int, size: int) -> bytes:
    if records is None:
        return bytes((NOT_SUPPORTED,))
    part = records[start : start + size]
    return bytes((SUCCESS, len(records), start, len(part))) + b"".join(part)


def _mgmt_leave(node: Node, args: Octets) -> bytes:
    who = args.take(8)
    args.u8()
    return bytes((SUCCESS if who in (node.ieee, bytes(8)) else DEVICE_NOT_FOUND,))


def _permit_join(node: Node, args: Octets) -> bytes:  # noqa: ARG001  one face for all
    args.take(2)
    return bytes((SUCCESS,))


_RESPONDERS: Final[dict[int, Callable[[Node, Octets], bytes | None]]] = {
    NWK_ADDR: _nwk_addr,
    IEEE_ADDR: _ieee_addr,
    NODE_DESC: _node_desc,
    SIMPLE_DESC: _simple_desc,
    ACTIVE_EP: _active_ep,
    BIND: _bind,
    UNBIND: _unbind,
    MGMT_LQI: _mgmt_lqi,
    MGMT_RTG: _mgmt_rtg,
    MGMT_BIND: _mgmt_bind,
    MGMT_LEAVE: _mgmt_leave,
    MGMT_PERMIT_JOIN: _permit_join,
}
