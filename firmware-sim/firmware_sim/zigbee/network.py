"""The Zigbee side of the virtual building: one coordinator, twelve devices, and what they remember."""

import logging
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from firmware_sim.building import Room
from firmware_sim.zigbee.mesh import Mesh, Timing
from firmware_sim.zigbee.mt.coordinator import Coordinator
from firmware_sim.zigbee.mt.layouts import read_network
from firmware_sim.zigbee.mt.ncp import Ncp
from firmware_sim.zigbee.mt.nv import Nv, load_json, save_json
from firmware_sim.zigbee.node import models
from firmware_sim.zigbee.node.actuators import AirConditioner, Curtain, Vent
from firmware_sim.zigbee.node.device import Behaviour, VirtualDevice
from firmware_sim.zigbee.node.models import ENDPOINT, Model
from firmware_sim.zigbee.node.sensors import Climate, Light
from firmware_sim.zigbee.octets import ieee_octets, ieee_text
from firmware_sim.zigbee.timers import LoopTimers, Timer, Timers

LOGGER: Final = logging.getLogger(__name__)
COORDINATOR_IEEE: Final = "00:12:4b:00:ca:77:e1:00"
DEVICES: Final[tuple[tuple[str, Model, str], ...]] = (
    ("02:ca:77:e1:00:00:00:01", models.TH, "reading-room"),
    ("02:ca:77:e1:00:00:00:02", models.TH, "stacks"),
    ("02:ca:77:e1:00:00:00:03", models.TH, "out"),
    ("02:ca:77:e1:00:00:00:04", models.LIGHT, "reading-room"),
    ("02:ca:77:e1:00:00:00:05", models.LIGHT, "stacks"),
    ("02:ca:77:e1:00:00:00:06", models.CURTAIN, "reading-room"),
    ("02:ca:77:e1:00:00:00:07", models.AC, "reading-room"),
    ("02:ca:77:e1:00:00:00:08", models.VENT, "reading-room"),
    ("02:ca:77:e1:00:00:00:09", models.CURTAIN, "stacks"),
    ("02:ca:77:e1:00:00:00:0a", models.AC, "stacks"),
    ("02:ca:77:e1:00:00:00:0b", models.VENT, "stacks"),
    ("02:ca:77:e1:00:00:00:0c", models.LIGHT, "out"),
)
SAMPLE_S: Final = 1.0
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
    ) -> None:
        self._own_timers = LoopTimers()
        self._timers = timers or self._own_timers
        self._devices = {
            ieee: VirtualDevice(ieee_octets(ieee), model, zone, timers=self._timers)
            for ieee, model, zone in DEVICES
            if zone in rooms
        }
        for device in self._devices.values():
            device.behaviour = _behaviour(device, rooms[device.zone], rng=rng, timers=self._timers)
        self._mesh = Mesh(tuple(self._devices.values()), timers=self._timers, rng=rng, timing=timing or Timing())
        self._nv = Nv(nv_path)
        self._state_path = None if nv_path is None else nv_path.with_name(f"{nv_path.stem}-devices.json")
        ieee = ieee_octets(COORDINATOR_IEEE)
        self._ncp = Ncp(self._nv, self._mesh, ieee=ieee, rng=rng, timers=self._timers)
        self.coordinator = Coordinator(self._ncp)
        self._sampling: Timer | None = None
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
        self._nv.on_change = self._save_soon
        self._sampling = self._timers.after(SAMPLE_S, self._sample)

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
            "devices": [
                {
                    "ieee": ieee,
                    "nwk": device.nwk,
                    "model": device.model.name,
                    "zone": device.zone,
                    "joined": membership is not None and device.membership == membership,
                }
                for ieee, device in self._devices.items()
            ],
        }

    # ------------------------------------------------------------ levers for tests and benchmarks
    def report_now(self, ieee: str, cluster: int, attribute: int, value: int) -> bool:
        """Put a report with this raw value on the wire at once, whatever the room is like; True when it was sent.

        The attribute itself keeps its value, so the device's own reporting goes on undisturbed. KeyError when there is
        no such device or attribute, ValueError when the value does not fit.
        """
        device = self.device(ieee)
        if attribute not in device.model.server.get(cluster, {}):
            raise KeyError(f"{device} has no attribute 0x{cluster:04X}/0x{attribute:04X}")
        endpoint = device.bound_endpoint(cluster)
        return device.report((cluster, attribute), value, ENDPOINT if endpoint is None else endpoint)

    def device(self, ieee: str) -> VirtualDevice:
        """A device by its written address; KeyError names those that exist."""
        try:
            return self._devices[ieee]
        except KeyError:
            raise KeyError(f"no device {ieee!r}; there are: {', '.join(self._devices)}") from None

    def fail_confirms(self, ieee: str, status: int) -> None:
        """Let data to a device fail with this confirm status (0xE9, 0xF0, 0xCD, ..); 0 mends it."""
        octets = self.device(ieee).ieee
        if status:
            self._mesh.confirm_faults[octets] = status
        else:
            self._mesh.confirm_faults.pop(octets, None)

    def mute(self, ieee: str, *, on: bool) -> None:
        """Take a device out of earshot, or bring it back; it stays on the network."""
        if on:
            self._mesh.muted.add(self.device(ieee).ieee)
        else:
            self._mesh.muted.discard(self.device(ieee).ieee)

    def leave(self, ieee: str, *, rejoin: bool = False) -> None:
        """Let a device leave; with `rejoin` it returns by itself with another short address."""
        self._mesh.leave(self.device(ieee), rejoin=rejoin)

    def rejoin(self, ieee: str) -> None:
        """Let a device come back with another short address without having left."""
        self._mesh.rejoin(self.device(ieee))

    # ------------------------------------------------------------ inside
    def _sample(self) -> None:
        self._sampling = self._timers.after(SAMPLE_S, self._sample)
        for device in self._devices.values():
            device.sample()

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


def _behaviour(device: VirtualDevice, room: Room, *, rng: random.Random, timers: Timers) -> Behaviour:
    kind = device.model.kind
    if kind == "th":
        return Climate(device, room, rng)
    if kind == "light":
        return Light(device, room, rng)
    if kind == "curtain":
        return Curtain(device, room, timers)
    if kind == "ac":
        return AirConditioner(device, room, rng)
    return Vent(device, room, timers)
