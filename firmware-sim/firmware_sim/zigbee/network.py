"""The Zigbee side of the virtual building: one coordinator, its devices, and what they remember."""

import logging
import random
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from firmware_sim.building import Room
from firmware_sim.zigbee import zcl
from firmware_sim.zigbee.faults import DeviceFaults
from firmware_sim.zigbee.load import Load
from firmware_sim.zigbee.mesh import Mesh, Timing
from firmware_sim.zigbee.mt.coordinator import Coordinator
from firmware_sim.zigbee.mt.layouts import read_network
from firmware_sim.zigbee.mt.ncp import Ncp
from firmware_sim.zigbee.mt.nv import Nv, load_json, save_json
from firmware_sim.zigbee.node.actuators import AirConditioner, Curtain, Plug, Vent
from firmware_sim.zigbee.node.device import Behaviour, VirtualDevice
from firmware_sim.zigbee.node.models import ENDPOINT, Kind
from firmware_sim.zigbee.node.safety import Detector, Siren
from firmware_sim.zigbee.node.sensors import CarbonDioxide, Climate, Light, Occupancy
from firmware_sim.zigbee.octets import ieee_octets, ieee_text
from firmware_sim.zigbee.population import DEMO, Placed
from firmware_sim.zigbee.timers import LoopTimers, Timer, Timers

LOGGER: Final = logging.getLogger(__name__)
COORDINATOR_IEEE: Final = "00:12:4b:00:ca:77:e1:00"
SAMPLE_S: Final = 1.0
_SLICES: Final = 10  # devices look at their rooms in turn, so that their reports do not come all at once
_SAVE_AFTER_S: Final = 0.2


class ZigbeeNetwork:
    """Coordinator and devices. Devices of a zone that `rooms` does not have are left out.

    `nv_path` is the coordinator's memory; the devices' own is kept beside it. None keeps nothing.
    """

    def __init__(
        self,
        rooms: Mapping[str, Room],
        *,
        nv_path: Path | None,
        rng: random.Random,
        timing: Timing | None = None,
        timers: Timers | None = None,
        devices: Sequence[Placed] = DEMO,
    ) -> None:
        self._own_timers = LoopTimers()
        self._timers = timers or self._own_timers
        self._placed = {one.ieee: one for one in devices if one.zone in rooms}
        self._devices = {ieee: self._build(one, rooms[one.zone], rng) for ieee, one in self._placed.items()}
        self._mesh = Mesh(tuple(self._devices.values()), timers=self._timers, rng=rng, timing=timing or Timing())
        self.load = Load(self._timers, self._mesh.is_member)
        self._nv = Nv(nv_path)
        self._state_path = None if nv_path is None else nv_path.with_name(f"{nv_path.stem}-devices.json")
        ieee = ieee_octets(COORDINATOR_IEEE)
        self._ncp = Ncp(self._nv, self._mesh, ieee=ieee, rng=rng, timers=self._timers)
        self.coordinator = Coordinator(self._ncp)
        self._sampling: Timer | None = None
        self._slice = 0
        self._saving: Timer | None = None

    def start(self) -> None:
        """Switch the devices on; needs a running loop."""
        state = load_json(self._state_path)
        for ieee, device in self._devices.items():
            if ieee in state:
                self._restore(device, state[ieee])
            device.on_change = self._save_soon
            if device.behaviour is not None:
                device.behaviour.start()
            if device.polling is not None:
                device.polling.start()
        self._nv.on_change = self._save_soon
        self._sampling = self._timers.after(SAMPLE_S / _SLICES, self._sample)

    def stop(self) -> None:
        """Power cut for all; memories are written."""
        for timer in (self._sampling, self._saving):
            if timer is not None:
                timer.cancel()
        self._own_timers.cancel_all()
        self.save()
        self._nv.on_change = _ignore
        for device in self._devices.values():
            device.on_change = _ignore

    def save(self) -> None:
        """Write coordinator's and devices' memory now."""
        self._saving = None
        self._nv.save()
        if self._state_path is not None:
            save_json(self._state_path, {ieee: device.snapshot() for ieee, device in self._devices.items()})

    def describe(self) -> dict[str, Any]:
        """What an onlooker sees: network and members as in memory; `running` tells whether a host uses them."""
        network = self._ncp.network or read_network(self._nv)
        membership = None if network is None else network.membership
        return {
            "running": self._ncp.network is not None,
            "channel": None if network is None else network.channel,
            "pan": None if network is None else network.pan,
            "permit_s": round(min(255.0, self._mesh.permit_left_s), 1),
            "load": self.load.describe(),
            "devices": [self._describe(device, membership=membership) for device in self._devices.values()],
        }

    def _describe(self, device: VirtualDevice, *, membership: str | None) -> dict[str, Any]:
        placed = self._placed[ieee_text(device.ieee)]
        polling = device.polling
        return {
            "ieee": placed.ieee,
            "name": device.name,
            "nwk": device.nwk,
            "model": device.model.name,
            "kind": device.model.kind,
            "zone": device.zone,
            "joined": membership is not None and device.membership == membership,
            "fresh": placed.fresh,
            "poll_s": None if polling is None else polling.poll_s,
            "battery": device.battery_pct,
            "faults": self._mesh.faults_of(device).names(),
            "reports": device.reports,
            "state": {} if device.behaviour is None else device.behaviour.state(),
        }

    # ------------------------------------------------------------ levers for tests and benchmarks
    def report_now(self, ieee: str, cluster: int, attribute: int, value: zcl.Number) -> bool:
        """Put a report with this raw value on the wire at once, whatever the room is like; True when it was sent.

        The attribute itself keeps its value, so the device's own reporting goes on undisturbed. KeyError when there is
        no such device or attribute, ValueError when the value does not fit.
        """
        device = self.device(ieee)
        if attribute not in device.model.server.get(cluster, {}):
            raise KeyError(f"{device} has no attribute 0x{cluster:04X}/0x{attribute:04X}")
        endpoint = device.bound_endpoint(cluster)
        return device.report((cluster, attribute), value, ENDPOINT if endpoint is None else endpoint)

    def device(self, name: str) -> VirtualDevice:
        """A device by its name or written address; KeyError names those that exist."""
        for device in self._devices.values():
            if name in (device.name, ieee_text(device.ieee)):
                return device
        raise KeyError(f"no device {name!r}; there are: {', '.join(self._names())}")

    def faults(self, name: str) -> DeviceFaults:
        """The faults of a device, to be changed."""
        return self._mesh.faults.setdefault(self.device(name).ieee, DeviceFaults())

    def heal(self, name: str) -> None:
        """Nothing is wrong with a device any more."""
        self._mesh.faults.pop(self.device(name).ieee, None)

    def fail_confirms(self, name: str, status: int) -> None:
        """Let data to a device fail with this confirm status (0xE9, 0xF0, 0xCD, ..); 0 mends it."""
        self.faults(name).status = status

    def mute(self, name: str, *, on: bool) -> None:
        """Let a device neither act nor speak while its radio goes on acknowledging; it stays on the network."""
        self.faults(name).stunned = on

    def join(self, name: str) -> bool:
        """Press a device's button: it forgets its network and joins one; False when no window is open."""
        return self._mesh.seek(self.device(name))

    def leave(self, name: str, *, rejoin: bool = False) -> None:
        """Let a device leave; with `rejoin` it returns by itself with another short address."""
        self._mesh.leave(self._member(name), rejoin=rejoin)

    def rejoin(self, name: str, *, new_address: bool = True) -> None:
        """Let a device come back without having left, with another short address or its old one."""
        self._mesh.rejoin(self._member(name), new_address=new_address)

    def clash(self, name: str, owner: str) -> None:
        """Let a device announce the short address of another, which takes a new one after a while."""
        self._mesh.clash(self._member(name), self._member(owner))

    def alarm(self, name: str, event: str) -> None:
        """`on`, `off`, `test`, `tamper` or `trouble` at a detector or siren; KeyError names those that exist."""
        behaviour = self.device(name).behaviour
        if not isinstance(behaviour, Detector):
            names = self._names(lambda device: isinstance(device.behaviour, Detector))
            raise KeyError(f"{name} raises no alarms; there are: {', '.join(names) or 'none'}")
        behaviour.zone.event(event)

    def check_in(self, name: str) -> bool:
        """Let a sleepy device check in now; False when no host is bound to it. KeyError names the sleepy ones."""
        polling = self.device(name).polling
        if polling is None:
            names = self._names(lambda device: device.polling is not None)
            raise KeyError(f"{name} does not sleep; there are: {', '.join(names) or 'none'}")
        return polling.check_in()

    def start_load(self, rate_s: float, *, bound_only: bool = True) -> None:
        """Let the crowd together send this many reports a second, beside its own; 0 ends it. ValueError without one."""
        crowd = [self._devices[one.ieee] for one in self._placed.values() if one.crowd]
        if rate_s and not crowd:
            raise ValueError("there is no crowd to send reports; start the building with --devices N")
        self.load.start(crowd, rate_s, bound_only=bound_only)

    # ------------------------------------------------------------ inside
    def _sample(self) -> None:
        self._sampling = self._timers.after(SAMPLE_S / _SLICES, self._sample)
        self._slice = (self._slice + 1) % _SLICES
        for device in tuple(self._devices.values())[self._slice :: _SLICES]:
            device.sample()

    def _build(self, placed: Placed, room: Room, rng: random.Random) -> VirtualDevice:
        octets = ieee_octets(placed.ieee)
        device = VirtualDevice(octets, placed.model, placed.zone, timers=self._timers, name=placed.name)
        device.behaviour = _BEHAVIOURS[placed.model.kind](device, room, rng, self._timers)
        if device.polling is not None and placed.poll_s is not None:
            device.polling.set_poll_s(placed.poll_s)
        return device

    def _member(self, name: str) -> VirtualDevice:
        device = self.device(name)
        if not self._mesh.is_member(device):
            names = [one.name for one in self._mesh.members()]
            raise KeyError(f"{device.name} is not on the network; there are: {', '.join(names) or 'none'}")
        return device

    def _names(self, match: Callable[[VirtualDevice], bool] = lambda _: True) -> list[str]:
        return [device.name for device in self._devices.values() if match(device)]

    def _save_soon(self) -> None:
        if self._saving is None:
            self._saving = self._timers.after(_SAVE_AFTER_S, self.save)

    def _restore(self, device: VirtualDevice, state: dict[str, Any]) -> None:
        try:
            device.restore(state)
        except (KeyError, TypeError, ValueError):
            LOGGER.warning("the state of %s is unreadable; it starts as from its box", ieee_text(device.ieee))
            device.forget_network()


def _ignore() -> None:
    """Nobody listens any more."""


_BEHAVIOURS: Final[dict[Kind, Callable[[VirtualDevice, Room, random.Random, Timers], Behaviour]]] = {
    "th": lambda device, room, rng, _: Climate(device, room, rng),
    "light": lambda device, room, rng, _: Light(device, room, rng),
    "occupancy": Occupancy,
    "co2": lambda device, room, rng, _: CarbonDioxide(device, room, rng),
    "curtain": lambda device, room, _, timers: Curtain(device, room, timers),
    "ac": lambda device, room, rng, _: AirConditioner(device, room, rng),
    "vent": lambda device, room, _, timers: Vent(device, room, timers),
    "plug": lambda device, room, _, timers: Plug(device, room, timers),
    "smoke": lambda device, _room, _rng, timers: Detector(device, timers),
    "flame": lambda device, _room, _rng, timers: Detector(device, timers),
    "siren": lambda device, room, _, timers: Siren(device, room, timers),
}
