"""AF commands: endpoints of the host and data to the devices."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

from firmware_sim.zigbee.mesh import BROADCASTS, COORDINATOR
from firmware_sim.zigbee.mt import zdo
from firmware_sim.zigbee.mt.ncp import AREQ_AF, RUNNING, Endpoint, Ncp
from firmware_sim.zigbee.node.device import VirtualDevice
from firmware_sim.zigbee.node.models import ENDPOINT
from firmware_sim.zigbee.octets import Octets

SUCCESS: Final = b"\x00"
INVALID_PARAMETER: Final = b"\x02"
ALREADY_THERE: Final = b"\xb8"
NO_NETWORK: Final = b"\xc2"
NO_ROUTE: Final = 0xCD
_GROUP: Final = 1
_IEEE: Final = 3
_BROADCAST: Final = 0x0F
_ALL_ENDPOINTS: Final = 0xFF
_NOWHERE: Final = -1


@dataclass(frozen=True, slots=True)
class Message:
    """Data that the host sends; `destination` None is a group."""

    destination: int | None
    endpoint: int
    source_endpoint: int
    cluster: int
    tid: int
    data: bytes

    @property
    def is_for_many(self) -> bool:
        """Whether routers pass it on to all."""
        return self.destination is None or self.destination >= BROADCASTS


def _register(ncp: Ncp, args: Octets) -> bytes:
    endpoint, profile, device_id, version = args.u8(), args.u16(), args.u16(), args.u8()
    args.u8()
    inputs = tuple(args.u16() for _ in range(args.u8()))
    outputs = tuple(args.u16() for _ in range(args.u8()))
    if not 0 < endpoint < 0xFF:
        return INVALID_PARAMETER
    if endpoint in ncp.app_endpoints:
        return ALREADY_THERE
    ncp.app_endpoints[endpoint] = Endpoint(profile, device_id, version, inputs, outputs)
    return SUCCESS


def _data_request(ncp: Ncp, args: Octets) -> bytes:
    destination, endpoint, source, cluster, tid = args.u16(), args.u8(), args.u8(), args.u16(), args.u8()
    args.take(2)
    return _send(ncp, Message(destination, endpoint, source, cluster, tid, args.take(args.u8())))


def _data_request_ext(ncp: Ncp, args: Octets) -> bytes:
    mode, address, endpoint = args.u8(), args.take(8), args.u8()
    args.take(2)
    source, cluster, tid = args.u8(), args.u16(), args.u8()
    args.take(2)
    destination: int | None = int.from_bytes(address[:2], "little")
    if mode == _IEEE:
        destination = _nwk_of(ncp, address)
    elif mode == _GROUP:
        destination = None
    return _send(ncp, Message(destination, endpoint, source, cluster, tid, args.take(args.u16())))


def _nwk_of(ncp: Ncp, ieee: bytes) -> int | None:
    if ieee == ncp.ieee:
        return COORDINATOR
    device = ncp.mesh.by_ieee(ieee)
    return _NOWHERE if device is None else device.nwk


def _data_request_routed(ncp: Ncp, args: Octets) -> bytes:
    destination, endpoint, source, cluster, tid = args.u16(), args.u8(), args.u8(), args.u16(), args.u8()
    args.take(2)
    args.take(2 * args.u8())
    return _send(ncp, Message(destination, endpoint, source, cluster, tid, args.take(args.u8())))


def _send(ncp: Ncp, message: Message) -> bytes:
    if ncp.state != RUNNING:
        return NO_NETWORK
    refused = ncp.storm.broadcast() if message.is_for_many else 0
    if refused:
        return bytes((refused,))
    if message.endpoint == 0:
        return _zdo(ncp, message)
    if message.source_endpoint not in ncp.app_endpoints:
        return INVALID_PARAMETER
    ncp.count_frame()
    if message.destination is None:
        _confirm(ncp, message, 0)  # no device here is a member of a group
    elif message.destination >= BROADCASTS:
        for device in ncp.mesh.members():
            ncp.mesh.hand_over(device, partial(_deliver, ncp, device, message, broadcast=True))
    else:
        _unicast(ncp, message.destination, message)
    return SUCCESS


def _zdo(ncp: Ncp, message: Message) -> bytes:
    if not message.data or message.destination is None:
        return INVALID_PARAMETER
    zdo.request(ncp, message.destination, message.cluster, tsn=message.data[0], body=message.data[1:])
    return SUCCESS


def _unicast(ncp: Ncp, nwk: int, message: Message) -> None:
    if nwk == COORDINATOR:
        _confirm(ncp, message, 0)
        return
    device = ncp.mesh.by_nwk(nwk)
    if device is None:
        _confirm(ncp, message, NO_ROUTE)
        return

    if ncp.storm.status:
        _confirm(ncp, message, ncp.storm.status)
        return

    def arrive() -> None:
        _confirm(ncp, message, 0)
        _deliver(ncp, device, message, broadcast=False)

    ncp.mesh.hand_over(device, arrive, partial(_confirm, ncp, message))


def _confirm(ncp: Ncp, message: Message, status: int) -> None:
    ncp.areq(AREQ_AF, 0x80, bytes((status, message.source_endpoint, message.tid)))


def _deliver(ncp: Ncp, device: VirtualDevice, message: Message, *, broadcast: bool) -> None:
    if message.endpoint in (ENDPOINT, _ALL_ENDPOINTS) and ncp.mesh.acts(device):
        device.receive(message.cluster, message.source_endpoint, message.data, broadcast=broadcast)


HANDLERS: Final[Mapping[int, Callable[[Ncp, Octets], bytes]]] = {
    0x00: _register,
    0x01: _data_request,
    0x02: _data_request_ext,
    0x03: _data_request_routed,
}
