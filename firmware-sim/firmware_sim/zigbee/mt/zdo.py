"""ZDO commands: requests that the coordinator sends over the air for its host, and questions about itself."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from firmware_sim.zigbee.mesh import BROADCASTS, COORDINATOR
from firmware_sim.zigbee.mt.ncp import Ncp
from firmware_sim.zigbee.node import zdo
from firmware_sim.zigbee.node.device import VirtualDevice
from firmware_sim.zigbee.octets import Octets, u16, u32

SUCCESS: Final = b"\x00"
NO_ROUTE: Final = b"\x04"
ALL_CALLBACKS: Final = 0xFFFF
_CHANNEL_CHANGE: Final = 0xFE
_SCAN_MAX: Final = 5
_REJOIN_FLAGS: Final = 0x81  # bit 0 in the MT command, bit 7 on the air


def request(ncp: Ncp, destination: int, cluster: int, *, tsn: int, body: bytes) -> None:
    """Send one ZDO request to the node or nodes at `destination` and pass on what they answer."""
    ncp.count_frame()
    if cluster == zdo.MGMT_PERMIT_JOIN and len(body) >= 2:
        ncp.mesh.permit(body[0], COORDINATOR if destination >= BROADCASTS else destination)
    if destination == COORDINATOR:
        _ask(ncp, ncp, cluster, tsn=tsn, body=body)
    elif destination >= BROADCASTS:
        _broadcast(ncp, cluster, tsn, body)
    else:
        _ask_device(ncp, destination, cluster, tsn=tsn, body=body)


def _broadcast(ncp: Ncp, cluster: int, tsn: int, body: bytes) -> None:
    """Of what is broadcast only a search for an address is answered, by the one who has it."""
    if cluster == zdo.NWK_ADDR:
        for device in ncp.mesh.members():
            if device.nwk is not None:
                _ask_device(ncp, device.nwk, cluster, tsn=tsn, body=body)
        _ask(ncp, ncp, cluster, tsn=tsn, body=body)


def _ask_device(ncp: Ncp, nwk: int, cluster: int, *, tsn: int, body: bytes) -> None:
    device = ncp.mesh.by_nwk(nwk)
    if device is None or ncp.storm.status:
        return

    def arrive() -> None:
        if not ncp.mesh.acts(device):
            return
        _ask(ncp, device, cluster, tsn=tsn, body=body)
        if cluster == zdo.MGMT_LEAVE and body[:8] in (device.ieee, bytes(8)) and len(body) > 8:
            ncp.mesh.leave(device, rejoin=bool(body[8] & _REJOIN_FLAGS))

    ncp.mesh.hand_over(device, arrive)


def _ask(ncp: Ncp, node: zdo.Node, cluster: int, *, tsn: int, body: bytes) -> None:
    answer = _network_update(ncp, body) if cluster == zdo.MGMT_NWK_UPDATE else zdo.answer(node, cluster, body)
    heard = not isinstance(node, VirtualDevice) or ncp.mesh.answers(node)
    if answer is not None and node.nwk is not None and heard:
        ncp.zdo_response(node.nwk, cluster, tsn, body=answer)


def _network_update(ncp: Ncp, body: bytes) -> bytes | None:
    """Energy scan, or the move to another channel, which is not answered."""
    args = Octets(body)
    mask, duration = args.u32(), args.u8()
    channels = [channel for channel in range(11, 27) if mask >> channel & 1]
    if duration == _CHANNEL_CHANGE and len(channels) == 1:
        ncp.change_channel(channels[0])
        return None
    if duration > _SCAN_MAX:
        return bytes((zdo.INVALID_REQUEST,)) + u32(mask) + u16(0) + u16(0) + b"\x00"
    energies = bytes(ncp.rng.randrange(40, 160) for _ in channels)
    return bytes((zdo.SUCCESS,)) + u32(mask) + u16(0) + u16(0) + bytes((len(channels),)) + energies


# ------------------------------------------------------------ requests by type, 25 xx
def _typed(cluster: int, ncp: Ncp, args: Octets) -> bytes:
    """Destination, then the body of the air frame."""
    destination = args.u16()
    request(ncp, destination, cluster, tsn=ncp.next_zdo_tsn(), body=args.rest())
    return SUCCESS


def _nwk_addr(ncp: Ncp, args: Octets) -> bytes:
    request(ncp, 0xFFFD, zdo.NWK_ADDR, tsn=ncp.next_zdo_tsn(), body=args.take(10))
    return SUCCESS


def _ieee_addr(ncp: Ncp, args: Octets) -> bytes:
    body = args.take(4)
    request(ncp, int.from_bytes(body[:2], "little"), zdo.IEEE_ADDR, tsn=ncp.next_zdo_tsn(), body=body)
    return SUCCESS


def _permit_join(ncp: Ncp, args: Octets) -> bytes:
    """Address mode 0x0F with FFFC, or mode 2 with one node; FFFC in mode 2 means this coordinator alone."""
    args.u8()
    destination, body = args.u16(), args.take(2)
    refused = ncp.storm.broadcast() if destination >= BROADCASTS else 0
    if refused:
        return bytes((refused,))
    tsn = ncp.next_zdo_tsn()
    request(ncp, destination, zdo.MGMT_PERMIT_JOIN, tsn=tsn, body=body)
    if destination >= BROADCASTS:  # the coordinator answers for itself
        ncp.zdo_response(COORDINATOR, zdo.MGMT_PERMIT_JOIN, tsn, body=SUCCESS)
    return SUCCESS


def _nwk_update(ncp: Ncp, args: Octets) -> bytes:
    """Destination, address mode, channels, duration, count, manager."""
    destination = args.u16()
    args.u8()
    body = args.take(5) + args.rest()
    scope = COORDINATOR if destination >= BROADCASTS else destination
    request(ncp, scope, zdo.MGMT_NWK_UPDATE, tsn=ncp.next_zdo_tsn(), body=body)
    return SUCCESS


# ------------------------------------------------------------ the coordinator itself
def _register_callback(ncp: Ncp, args: Octets) -> bytes:
    if args.u16() == ALL_CALLBACKS:
        ncp.zdo_callbacks = True
    return SUCCESS


def _startup_from_app(ncp: Ncp, args: Octets) -> bytes:
    args.u16()
    return b"\x00" if ncp.start(notify=False) else b"\x01"


def _route_discovery(ncp: Ncp, args: Octets) -> bytes:  # noqa: ARG001  one face for all
    args.take(4)
    return SUCCESS


def _route_check(ncp: Ncp, args: Octets) -> bytes:
    nwk = args.u16()
    args.take(2)
    return SUCCESS if nwk == COORDINATOR or ncp.mesh.by_nwk(nwk) is not None else NO_ROUTE


def _find_group(ncp: Ncp, args: Octets) -> bytes:
    endpoint, group = args.u8(), args.u16()
    status = 0 if (endpoint, group) in ncp.groups else 1
    return bytes((status,)) + u16(group) + b"\x00"


def _add_group(ncp: Ncp, args: Octets) -> bytes:
    ncp.groups.add((args.u8(), args.u16()))
    return SUCCESS


def _network_info(ncp: Ncp, args: Octets) -> bytes:  # noqa: ARG001  one face for all
    network = ncp.network
    pan, channel = (0xFFFF, 0) if network is None else (network.pan, network.channel)
    head = u16(COORDINATOR) + bytes((ncp.state,)) + u16(pan) + u16(COORDINATOR)
    return head + ncp.ext_pan + bytes(8) + bytes((channel,))


HANDLERS: Final[Mapping[int, Callable[[Ncp, Octets], bytes]]] = {
    0x00: _nwk_addr,
    0x01: _ieee_addr,
    0x36: _permit_join,
    0x37: _nwk_update,
    0x3E: _register_callback,
    0x40: _startup_from_app,
    0x45: _route_discovery,
    0x46: _route_check,
    0x4A: _find_group,
    0x4B: _add_group,
    0x50: _network_info,
} | {
    cluster: partial(_typed, cluster)
    for cluster in (
        zdo.NODE_DESC,
        zdo.SIMPLE_DESC,
        zdo.ACTIVE_EP,
        zdo.BIND,
        zdo.UNBIND,
        zdo.MGMT_LQI,
        zdo.MGMT_RTG,
        zdo.MGMT_BIND,
        zdo.MGMT_LEAVE,
    )
}
