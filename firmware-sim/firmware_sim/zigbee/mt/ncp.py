"""State of the coordinator: NV memory, network, registered endpoints; and its side of the air."""

import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from firmware_sim.zigbee import unpi
from firmware_sim.zigbee.mesh import BROADCASTS, COORDINATOR, Mesh, is_report
from firmware_sim.zigbee.mt import layouts
from firmware_sim.zigbee.mt.layouts import Network
from firmware_sim.zigbee.mt.nv import Nv
from firmware_sim.zigbee.node import zdo
from firmware_sim.zigbee.node.device import Binding, VirtualDevice
from firmware_sim.zigbee.octets import u16, u32
from firmware_sim.zigbee.timers import Timer, Timers

AREQ_SYS: Final = unpi.AREQ | 1
AREQ_AF: Final = unpi.AREQ | 4
AREQ_ZDO: Final = unpi.AREQ | 5
AREQ_APP_CNF: Final = unpi.AREQ | 15

HELD: Final = 0
STARTING: Final = 8
RUNNING: Final = 9
POWER_UP: Final = 0
EXTERNAL: Final = 1
WATCHDOG: Final = 2
VERSION: Final = bytes((2, 1, 2, 7, 1))

DELIVERY_S: Final = 9.0
BROADCAST_TABLE: Final = 30
BUFFER_FULL: Final = 0x11

_START_S: Final = 0.02
_FORMED: Final = 0
_FORMATION_FAILURE: Final = 8
_FORMATION: Final = 4


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An application endpoint that the host registered."""

    profile: int
    device_id: int
    version: int
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


class Storm:
    """What too much on the air does to a radio.

    A broadcast stays in the broadcast transaction table for nwkNetworkBroadcastDeliveryTime, 9 s (Zigbee 3.5.1,
    3.6.5). Routers have some nine places, a coordinator for a large network more; what finds none is refused as
    ZBufferFull. While somebody else floods the channel, the MAC finds it busy at every try and gives up (IEEE 802.15.4,
    6.2.5.1: channel access failure), and the table is full of what the others sent.
    """

    def __init__(self, timers: Timers) -> None:
        self._timers = timers
        self._broadcasts: deque[float] = deque()
        self._until_s = 0.0
        self._status = 0

    def broadcast(self) -> int:
        """One more goes out, or the status by which it is refused."""
        now_s = self._timers.now()
        while self._broadcasts and now_s - self._broadcasts[0] >= DELIVERY_S:
            self._broadcasts.popleft()
        if self.status or len(self._broadcasts) >= BROADCAST_TABLE:
            return BUFFER_FULL
        self._broadcasts.append(now_s)
        return 0

    def forget(self) -> None:
        """The radio booted: its table is empty. The storm is not of its making."""
        self._broadcasts.clear()

    def rage(self, seconds: float, status: int) -> None:
        """For so long what the host sends to one device ends with a status, and to many is refused."""
        self._until_s, self._status = self._timers.now() + seconds, status

    @property
    def status(self) -> int:
        """Of a unicast now; 0 is that it went out."""
        return self._status if self._timers.now() < self._until_s else 0


class Ncp:
    """What the firmware knows. `write` puts bytes on the wire; frames that come up while a request is being answered
    follow its answer."""

    def __init__(self, nv: Nv, mesh: Mesh, *, ieee: bytes, rng: random.Random, timers: Timers) -> None:
        self.nv = nv
        self.mesh = mesh
        self.rng = rng
        self.timers = timers
        self.write: Callable[[bytes], None] | None = None
        self.nwk: int | None = COORDINATOR
        self.bindings: list[Binding] = []
        self.on_change: Callable[[], None] = lambda: None
        self._hardware_ieee = ieee
        self.hung = False
        self.spoilt = 0  # frames to the host that still get a wrong checksum
        self.storm = Storm(timers)
        self._held_back: list[bytes] | None = None
        self._starting: Timer | None = None
        self._volatile()
        mesh.uplink = self

    def _volatile(self) -> None:
        """What a reset clears."""
        self.mesh.forget_kept()
        self.storm.forget()
        layouts.apply_startup_option(self.nv)
        layouts.ensure_defaults(self.nv, self.rng, self._hardware_ieee, places=layouts.places(len(self.mesh.devices)))
        self.state = HELD
        self.network: Network | None = None
        self.app_endpoints: dict[int, Endpoint] = {}
        self.groups: set[tuple[int, int]] = set()
        self.zdo_callbacks = False
        self.channel_masks = [0, 0]
        self.install_codes: set[bytes] = set()
        self.codes_only = False
        self.strangers: set[bytes] = set()  # children that the host took out of the association table
        self.zdo_tsn = 0
        self._frames_out = 0
        if self._starting is not None:
            self._starting.cancel()
            self._starting = None

    # ------------------------------------------------------------ wire
    def hold_back(self) -> None:
        """From now on keep frames that come up."""
        self._held_back = []

    def release(self) -> None:
        """Send what was kept."""
        held, self._held_back = self._held_back or [], None
        for frame in held:
            self.put(frame)

    def areq(self, cmd0: int, cmd1: int, payload: bytes) -> None:
        """Send a frame that is no answer."""
        frame = unpi.encode(cmd0, cmd1, payload)
        if self._held_back is not None:
            self._held_back.append(frame)
        else:
            self.put(frame)

    def put(self, frame: bytes) -> None:
        """Put a whole frame on the wire, with the faults that are asked for."""
        if self.write is None or self.hung:
            return
        if self.spoilt:
            self.spoilt -= 1
            frame = frame[:-1] + bytes((frame[-1] ^ 0x5A,))
        self.write(frame)

    # ------------------------------------------------------------ life
    def power_off(self) -> None:
        """The plug is pulled: only NV memory stays."""
        self.write = None
        self.hung = False
        self._held_back = None
        self.mesh.permit(0)
        self._volatile()

    def reset(self, reason: int) -> None:
        """Boot again and say so."""
        self.hung = False
        self.mesh.permit(0)
        self._volatile()
        self.areq(AREQ_SYS, 0x80, bytes((reason,)) + VERSION)

    def start(self, *, notify: bool) -> bool:
        """Resume the network of NV memory, or form one; True when it was resumed. The rest comes a little later."""
        resumed = layouts.read_network(self.nv) is not None
        if not resumed:
            layouts.write_network(self.nv, self._new_network())
            self.state = STARTING
            self.areq(AREQ_ZDO, 0xC0, bytes((STARTING,)))
        status = _FORMATION_FAILURE if resumed else _FORMED
        if self._starting is not None:
            self._starting.cancel()
        self._starting = self.timers.after(_START_S, lambda: self._started(status if notify else None))
        return resumed

    def _started(self, status: int | None) -> None:
        self._starting = None
        self.network = layouts.read_network(self.nv)
        if self.network is not None:
            layouts.advance_frame_counters(self.nv, self.network.ext_pan)
            self.state = RUNNING
            self.areq(AREQ_ZDO, 0xC0, bytes((RUNNING,)))
        if status is not None:
            self.areq(AREQ_APP_CNF, 0x80, bytes((status, _FORMATION, 0)))

    def _new_network(self) -> Network:
        """Settings from NV memory; what they leave open is drawn."""
        mask = self.channel_masks[0] or int.from_bytes(self.nv.get(layouts.CHANLIST), "little")
        channels = [channel for channel in range(11, 27) if mask >> channel & 1] or [11]
        pan = int.from_bytes(self.nv.get(layouts.PANID), "little")
        ext_pan = self.nv.get(layouts.APS_USE_EXT_PANID)
        return Network(
            channel=self.rng.choice(channels),
            channel_mask=mask,
            pan=pan if pan < 0xFFFE else self.rng.randrange(1, 0xFFFE),
            ext_pan=ext_pan if ext_pan.strip(b"\x00") and ext_pan.strip(b"\xff") else self.ieee,
            key=self.nv.get(layouts.PRECFGKEY),
        )

    def change_channel(self, channel: int) -> None:
        """The whole network moves."""
        if self.network is not None:
            self.network = layouts.move_channel(self.nv, self.network, channel)

    def count_frame(self) -> None:
        """A frame went out: its counter must never be used again, not even after a power cut."""
        self._frames_out += 1
        if self._frames_out % layouts.COUNTER_STRIDE == 0 and self.network is not None:
            layouts.advance_frame_counters(self.nv, self.network.ext_pan)

    # ------------------------------------------------------------ as a node
    @property
    def ieee(self) -> bytes:
        """Own address in wire order."""
        return self.nv.get(layouts.EXTADDR)

    def node_descriptor(self) -> bytes:
        """Coordinator, trust centre, network manager."""
        return bytes((0, 0x40, 0x8F)) + u16(0) + bytes((82,)) + u16(82) + u16(0x2C41) + u16(82) + b"\x00"

    def endpoints(self) -> list[int]:
        """Registered endpoints."""
        return sorted(self.app_endpoints)

    def simple_descriptor(self, endpoint: int) -> bytes | None:
        """As the host registered it."""
        known = self.app_endpoints.get(endpoint)
        if known is None:
            return None
        head = bytes((endpoint,)) + u16(known.profile) + u16(known.device_id) + bytes((known.version,))
        return head + b"".join(bytes((len(ids),)) + b"".join(map(u16, ids)) for ids in (known.inputs, known.outputs))

    def neighbours(self) -> list[bytes] | None:
        """All members; every one of them is in earshot."""
        return self.mesh.neighbours()

    def routes(self) -> list[bytes] | None:
        """To the routers."""
        return self.mesh.routes()

    def children(self) -> list[VirtualDevice]:
        """Associated devices."""
        return [device for device in self.mesh.members() if device.ieee not in self.strangers]

    # ------------------------------------------------------------ as the mesh sees it
    @property
    def membership(self) -> str | None:
        """Mark of the running network."""
        return None if self.network is None else self.network.membership

    @property
    def ext_pan(self) -> bytes:
        """Extended PAN id of the running network."""
        return bytes(8) if self.network is None else self.network.ext_pan

    def admits(self, ieee: bytes) -> bool:
        """All may join, unless only install codes count."""
        return not self.codes_only or ieee in self.install_codes

    def joined(self, device: VirtualDevice, parent: int) -> None:
        """TC_DEV_IND, and the device enters the tables."""
        assert device.nwk is not None
        self._remember(device)
        self.strangers.discard(device.ieee)
        self.areq(AREQ_ZDO, 0xCA, u16(device.nwk) + device.ieee + u16(parent))

    def _remember(self, device: VirtualDevice) -> None:
        assert device.nwk is not None
        layouts.remember_device(
            self.nv, device.ieee, device.nwk, child=not device.model.router, shift=self.rng.randrange(16)
        )

    def announced(self, device: VirtualDevice) -> None:
        """END_DEVICE_ANNCE, typed and as a callback."""
        assert device.nwk is not None
        self._remember(device)
        body = u16(device.nwk) + device.ieee + bytes((device.capability,))
        self.areq(AREQ_ZDO, 0xC1, u16(device.nwk) + body)
        if self.zdo_callbacks:
            self._callback(device.nwk, zdo.DEVICE_ANNCE, self.next_zdo_tsn(), body=body, broadcast=True)

    def left(self, device: VirtualDevice, *, rejoin: bool) -> None:
        """LEAVE_IND; only a device that does not come back leaves the tables."""
        assert device.nwk is not None
        if not rejoin:
            layouts.forget_device(self.nv, device.ieee)
        self.areq(AREQ_ZDO, 0xC9, u16(device.nwk) + device.ieee + bytes((0, 0, rejoin)))

    def heard(self, device: VirtualDevice, cluster: int, endpoint: int, *, frame: bytes, quality: int) -> bool:
        """INCOMING_MSG to a registered endpoint."""
        if self.state != RUNNING or endpoint not in self.app_endpoints or device.nwk is None:
            return False
        ticks = int(self.timers.now() * 1000) % 2**32
        head = u16(0) + u16(cluster) + u16(device.nwk) + bytes((1, endpoint, 0, quality, 0))
        message = head + u32(ticks) + bytes((0, len(frame))) + frame + u16(device.nwk) + b"\x1e"
        if self.write is None or len(message) > unpi.MAX_PAYLOAD:
            return False
        self.areq(AREQ_AF, 0x81, message)
        device.reports += is_report(frame)
        return True

    # ------------------------------------------------------------ ZDO messages to the host
    def next_zdo_tsn(self) -> int:
        """Transaction number of the coordinator's own ZDO frames."""
        self.zdo_tsn = (self.zdo_tsn + 1) % 256
        return self.zdo_tsn

    def zdo_response(self, src: int, request: int, tsn: int, *, body: bytes) -> None:
        """A response came in: typed, and as a callback when the host asked for those."""
        typed = 0xB8 if request == zdo.MGMT_NWK_UPDATE else 0x80 | request
        if request in (zdo.NWK_ADDR, zdo.IEEE_ADDR):
            self.areq(AREQ_ZDO, typed, body.ljust(13, b"\x00"))
        else:
            self.areq(AREQ_ZDO, typed, u16(src) + body)
        if self.zdo_callbacks:
            self._callback(src, 0x8000 | request, tsn, body=body)

    def _callback(self, src: int, cluster: int, tsn: int, *, body: bytes, broadcast: bool = False) -> None:
        destination = BROADCASTS + 5 if broadcast else COORDINATOR
        head = u16(src) + bytes((broadcast,)) + u16(cluster) + bytes((0, tsn)) + u16(destination)
        self.areq(AREQ_ZDO, 0xFF, head + body)
