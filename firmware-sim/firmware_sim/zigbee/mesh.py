"""The air: which devices are on the coordinator's network, who joins when, and whether a frame arrives."""

import logging
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, Protocol

from firmware_sim.zigbee import zcl
from firmware_sim.zigbee.faults import EXPIRED, NO_ACK, DeviceFaults
from firmware_sim.zigbee.node.device import VirtualDevice
from firmware_sim.zigbee.node.polling import AFTER_JOINING_S, AWAKE_S
from firmware_sim.zigbee.octets import u16
from firmware_sim.zigbee.timers import Timer, Timers

LOGGER: Final = logging.getLogger(__name__)
COORDINATOR: Final = 0x0000
BROADCASTS: Final = 0xFFF8  # this and above are broadcast addresses
NO_TIME_LIMIT: Final = 0xFF
_HEALTHY: Final = DeviceFaults()
_QUEUE: Final = 30  # a longer one joins faster, so that it comes in within one window
_OVERTAKEN_S: Final = 2.0
_OTHER_ECHO: Final = 17  # link quality of a second copy is lower
_CLUSTER_COMMAND, _REPORT = 0x01, 0x0A


@dataclass(frozen=True, slots=True)
class Timing:
    """How long things take on the air."""

    join_gap_s: tuple[float, float] = (0.3, 1.0)
    announce_s: float = 0.3
    rejoin_s: float = 1.0
    conflict_s: float = 2.0  # until a device notices that another has its address


class Uplink(Protocol):
    """The coordinator as the devices see it."""

    @property
    def ieee(self) -> bytes:
        """Its address in wire order."""

    @property
    def membership(self) -> str | None:
        """What marks its network; None while it runs none."""

    @property
    def ext_pan(self) -> bytes:
        """Extended PAN id in wire order."""

    def admits(self, ieee: bytes) -> bool:
        """Whether the trust centre lets this device in."""

    def joined(self, device: VirtualDevice, parent: int) -> None:
        """A device has been let in."""

    def announced(self, device: VirtualDevice) -> None:
        """A device has told its address to all."""

    def left(self, device: VirtualDevice, *, rejoin: bool) -> None:
        """A device has said that it leaves."""

    def heard(self, device: VirtualDevice, cluster: int, endpoint: int, *, frame: bytes, quality: int) -> bool:
        """A ZCL frame came for an endpoint; False when nobody listens there."""


class Mesh:
    """All virtual devices around one coordinator."""

    def __init__(self, devices: Sequence[VirtualDevice], *, timers: Timers, rng: random.Random, timing: Timing) -> None:
        self.devices = tuple(devices)
        self.timing = timing
        self.faults: dict[bytes, DeviceFaults] = {}
        self.uplink: Uplink | None = None
        self._timers = timers
        self._rng = rng
        self._parent = COORDINATOR
        self._open_until_s: float | None = None
        self._closing: Timer | None = None
        self._joining: dict[bytes, Timer] = {}  # through the open window
        self._returning: dict[bytes, Timer] = {}  # by themselves
        self._overtaken: dict[bytes, list[Callable[[], None]]] = {}
        for device in self.devices:
            device.transmit = partial(self._transmit, device)
            device.distort = partial(self._distort, device)
            device.frozen = partial(self._is_frozen, device)
            device.neighbours = partial(self._neighbours_of, device)
            device.coordinator = lambda: self.uplink.ieee if self.uplink is not None else bytes(8)
            if device.polling is not None:
                device.polling.in_range = partial(self._hears, device)

    # ------------------------------------------------------------ who is there
    def is_member(self, device: VirtualDevice) -> bool:
        """Whether the device is on the network that the coordinator runs now."""
        return self.uplink is not None and device.membership is not None and device.membership == self.uplink.membership

    def members(self) -> list[VirtualDevice]:
        """Devices on the network."""
        return [device for device in self.devices if self.is_member(device)]

    def find(self, match: Callable[[VirtualDevice], bool]) -> VirtualDevice | None:
        """The first member that matches."""
        return next((device for device in self.devices if match(device) and self.is_member(device)), None)

    def by_nwk(self, nwk: int) -> VirtualDevice | None:
        """The member with this short address."""
        return self.find(lambda device: device.nwk == nwk)

    def by_ieee(self, ieee: bytes) -> VirtualDevice | None:
        """The member with this address."""
        return self.find(lambda device: device.ieee == ieee)

    def faults_of(self, device: VirtualDevice) -> DeviceFaults:
        """What is wrong with a device."""
        return self.faults.get(device.ieee, _HEALTHY)

    def reaches(self, device: VirtualDevice) -> bool:
        """Whether the device hears and is heard."""
        faults = self.faults_of(device)
        return faults.hears and faults.speaks

    def _distort(self, device: VirtualDevice, data_type: int, value: zcl.Value) -> zcl.Value:
        return self.faults_of(device).distort(data_type, value)

    def _is_frozen(self, device: VirtualDevice) -> bool:
        return self.faults_of(device).frozen

    def _hears(self, device: VirtualDevice) -> bool:
        return self.is_member(device) and not self.faults_of(device).deaf

    # ------------------------------------------------------------ joining
    @property
    def permit_left_s(self) -> float:
        """Seconds for which devices may still join."""
        if self._open_until_s is None:
            return 0.0
        return max(0.0, self._open_until_s - self._timers.now())

    def permit(self, seconds: int, parent: int = COORDINATOR) -> None:
        """Open the join window, or close it with 0; devices without a network come one after the other."""
        if self._closing is not None:
            self._closing.cancel()
            self._closing = None
        if seconds == 0:
            self._close()
            return
        router = self.by_nwk(parent)
        self._parent = parent if router is not None and router.model.router else COORDINATOR
        self._open_until_s = float("inf") if seconds == NO_TIME_LIMIT else self._timers.now() + seconds
        if seconds != NO_TIME_LIMIT:
            self._closing = self._timers.after(seconds, self._close)
        strangers = [one for one in self.devices if not self.is_member(one) and one.ieee not in self._joining]
        haste = min(1.0, _QUEUE / len(strangers)) if strangers else 1.0
        wait_s = 0.0
        for device in strangers:
            wait_s += haste * self._rng.uniform(*self.timing.join_gap_s)
            self._joining[device.ieee] = self._timers.after(wait_s, partial(self._knock, device))

    def seek(self, device: VirtualDevice) -> bool:
        """Its button is pressed: it forgets its network and looks for one now; False when no window is open."""
        if self.is_member(device):
            self.leave(device, rejoin=False)
        if self.permit_left_s <= 0:
            return False
        if device.ieee in self._joining:
            self._joining[device.ieee].cancel()
        self._joining[device.ieee] = self._timers.after(self.timing.announce_s, partial(self._knock, device))
        return True

    def leave(self, device: VirtualDevice, *, rejoin: bool) -> None:
        """The device says good-bye; with `rejoin` it comes back by itself, with another short address."""
        if self.uplink is None or device.nwk is None or not self.is_member(device):
            return
        self.uplink.left(device, rejoin=rejoin)
        if rejoin:
            device.nwk = None
            self._returning[device.ieee] = self._timers.after(self.timing.rejoin_s, partial(self._join, device))
            return
        device.forget_network()
        if self.permit_left_s > 0:
            wait_s = self._rng.uniform(*self.timing.join_gap_s)
            self._joining[device.ieee] = self._timers.after(wait_s, partial(self._knock, device))

    def rejoin(self, device: VirtualDevice, *, new_address: bool = True) -> None:
        """The device lost its parent and comes back, without a word of leaving."""
        if self.is_member(device):
            self._join(device, nwk=None if new_address else device.nwk)

    def clash(self, device: VirtualDevice, owner: VirtualDevice) -> None:
        """The device announces the address of another, which notices after a while and takes a new one."""
        if self.uplink is None or device is owner or device.nwk is None or owner.nwk is None:
            return
        device.nwk = owner.nwk
        self.uplink.announced(device)
        self._timers.after(self.timing.conflict_s, partial(self._yield_address, owner, device))

    def _yield_address(self, device: VirtualDevice, other: VirtualDevice) -> None:
        if self.is_member(device) and device.nwk == other.nwk:
            device.nwk = self._free_address()
            device.on_change()
            self._announce(device)

    def _close(self) -> None:
        self._open_until_s = self._closing = None
        for timer in self._joining.values():
            timer.cancel()
        self._joining.clear()

    def _knock(self, device: VirtualDevice) -> None:
        self._joining.pop(device.ieee, None)
        if self.uplink is not None and self.permit_left_s > 0 and self.uplink.admits(device.ieee):
            self._join(device)

    def _join(self, device: VirtualDevice, *, nwk: int | None = None) -> None:
        for waiting in (self._joining, self._returning):
            timer = waiting.pop(device.ieee, None)
            if timer is not None:
                timer.cancel()
        if self.uplink is None or self.uplink.membership is None or not self.reaches(device):
            return
        device.nwk = self._free_address() if nwk is None else nwk
        device.membership = self.uplink.membership
        device.on_change()
        if device.polling is not None:
            device.polling.stay_awake(AFTER_JOINING_S)
        LOGGER.info("%s joined as %04X", device, device.nwk)
        self.uplink.joined(device, self._parent)
        self._timers.after(self.timing.announce_s, partial(self._announce, device))

    def _announce(self, device: VirtualDevice) -> None:
        if self.uplink is not None and device.nwk is not None and self.is_member(device) and self.reaches(device):
            self.uplink.announced(device)

    def _free_address(self) -> int:
        taken = {device.nwk for device in self.devices}
        while True:
            nwk = self._rng.randrange(1, BROADCASTS)
            if nwk not in taken:
                return nwk

    # ------------------------------------------------------------ frames and neighbours
    def link_quality(self, device: VirtualDevice) -> int:
        """0..255, always the same for one device."""
        return 110 + 11 * device.ieee[0] % 120

    def neighbours(self) -> list[bytes]:
        """Neighbour records of the coordinator (Zigbee 2.4.4.3.2)."""
        records = []
        for device in self.members():
            if device.nwk is not None:
                listens = 0 if device.model.sleepy else 1
                kind = (1 if device.model.router else 2) | listens << 2 | 1 << 4
                records.append(self._neighbour(device.ieee, device.nwk, kind, self.link_quality(device)))
        return records

    def _neighbours_of(self, device: VirtualDevice) -> list[bytes] | None:
        """A router names its parent, the coordinator; end devices keep no table."""
        if self.uplink is None or not device.model.router:
            return None
        return [self._neighbour(self.uplink.ieee, COORDINATOR, 0 | 1 << 2, self.link_quality(device), depth=0)]

    def routes(self) -> list[bytes]:
        """Routing records of the coordinator: every router is one hop away."""
        routers = [device.nwk for device in self.members() if device.model.router and device.nwk is not None]
        return [u16(nwk) + b"\x00" + u16(nwk) for nwk in routers]

    def _neighbour(self, ieee: bytes, nwk: int, kind: int, quality: int, *, depth: int = 1) -> bytes:
        assert self.uplink is not None
        return self.uplink.ext_pan + ieee + u16(nwk) + bytes((kind, 2, depth, quality))

    def hand_over(
        self, device: VirtualDevice, arrive: Callable[[], None], fail: Callable[[int], None] = lambda _: None
    ) -> None:
        """Bring a frame to a device: `arrive` now or when it polls, or `fail` with a data confirm's status."""
        faults = self.faults_of(device)
        if faults.status:
            fail(faults.status)
        elif device.polling is not None:
            device.polling.hold(arrive, lambda: fail(EXPIRED))
        elif faults.deaf:
            fail(NO_ACK)
        else:
            arrive()

    def forget_kept(self) -> None:
        """The coordinator booted: what it kept for sleeping children is gone."""
        for device in self.devices:
            if device.polling is not None:
                device.polling.forget_kept()

    def acts(self, device: VirtualDevice) -> bool:
        """Whether a frame that arrived at a device has an effect."""
        return not self.faults_of(device).stunned

    def answers(self, device: VirtualDevice) -> bool:
        """Whether an answer that the device gives now will arrive."""
        faults = self.faults_of(device)
        if device.polling is not None:
            device.polling.stay_awake(AWAKE_S)
        return faults.speaks and not faults.unanswered and not self._happens(faults.lost)

    def _transmit(self, device: VirtualDevice, cluster: int, endpoint: int, frame: bytes) -> bool:
        """True when the device believes that its frame arrived."""
        faults = self.faults_of(device)
        if self.uplink is None or not self.is_member(device) or not faults.speaks:
            return False
        if device.polling is not None:
            device.polling.stay_awake(AWAKE_S)
        if (faults.unanswered and is_answer(frame)) or self._happens(faults.lost):
            return True
        arrive = partial(self._arrive, device, cluster, endpoint, frame)
        if self._happens(faults.shuffled) and not self._overtaken.get(device.ieee):
            self._overtaken[device.ieee] = [arrive]
            self._timers.after(_OVERTAKEN_S, partial(self._catch_up, device))
            return True
        heard = self.uplink.heard(device, cluster, endpoint, frame=frame, quality=self.link_quality(device))
        if self._happens(faults.duplicated):
            self._timers.after(0.0, partial(arrive, fainter=_OTHER_ECHO))
        self._catch_up(device)
        return heard

    def _arrive(self, device: VirtualDevice, cluster: int, endpoint: int, frame: bytes, *, fainter: int = 0) -> None:
        if self.uplink is not None:
            quality = self.link_quality(device) - fainter
            self.uplink.heard(device, cluster, endpoint, frame=frame, quality=quality)

    def _catch_up(self, device: VirtualDevice) -> None:
        for arrive in self._overtaken.pop(device.ieee, ()):
            arrive()

    def _happens(self, share: float) -> bool:
        return share > 0 and self._rng.random() < share


def is_report(frame: bytes) -> bool:
    """Whether a ZCL frame of a device reports attributes."""
    return len(frame) > 2 and not frame[0] & _CLUSTER_COMMAND and frame[2] == _REPORT


def is_answer(frame: bytes) -> bool:
    """Whether a ZCL frame of a device answers one of the host's: a global command other than a report."""
    return len(frame) > 2 and not frame[0] & _CLUSTER_COMMAND and not is_report(frame)
