"""One Zigbee device: listens to its attributes, sets its reporting up and reads what was missed."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

from zigpy.application import ControllerApplication
from zigpy.device import ZigbeeDevice
from zigpy.exceptions import ZigbeeException
from zigpy.types import EUI64
from zigpy.zcl import AttributeReadEvent, AttributeReportedEvent, Cluster

from carrel.clock import Clock
from carrel.contracts.telemetry import Quantity, Reading
from devices.events import ContactChanged, Health, ModuleHealth, ReadingSeen
from devices.zigbee import ias, reporting
from devices.zigbee.clusters import BY_CLUSTER, IAS_WARNING, Attribute
from devices.zigbee.config import DETECTORS, ZigbeeDeviceConfig
from devices.zigbee.models import STANDARD, traits_of
from devices.zigbee.network.joining import JoinReport
from devices.zigbee.translate import Newest, Translator

UNREACHABLE = (ZigbeeException, OSError)
"""What zigpy raises when a device does not answer as it should: also TimeoutError, which is an OSError."""

SILENT_AFTER = 3
"""Times its longest reporting interval, and an attribute is silent."""

Emit = Callable[[object], None]

log = logging.getLogger(__name__)


class Member:
    """A device on the network, or awaited there; `config` is None until a person has named it."""

    def __init__(self, ieee: str, config: ZigbeeDeviceConfig | None, clock: Clock) -> None:
        self.ieee = EUI64.convert(ieee)
        self.config = config
        self.wake = asyncio.Event()  # it joined, came back, was named, or was heard after a failure
        self.word = asyncio.Event()  # a value was heard
        self.served = False  # bound, reporting and read on this connection
        self.met = False  # it was so at least once since the program started
        self.left = False
        self.sounding = False  # a siren that shall sound
        self.model, self.manufacturer = "", ""
        self.nwk: int | None = None  # while its interview is not over
        self.order_number = 0
        self.report = JoinReport()
        self.traits = STANDARD
        self.values: dict[Quantity, float] = {}
        self.last_seen: datetime | None = None  # while the radio is away; zigpy knows better otherwise
        self._heard_s: dict[Quantity, float] = {}
        self._silent: tuple[Quantity, ...] = ()
        self._lost = False
        self._told: dict[str, bool] = {}
        self._limits: dict[Quantity, int] = {}
        self._clock = clock
        self._translator = Translator()
        self._newest = Newest()
        self._tsn = 0
        self._attached: ZigbeeDevice | None = None
        self._detach: list[Callable[[], None]] = []
        self._emit: Emit = _nobody
        self._zone: ias.Zone | None = None
        self.clusters: dict[int, Cluster] = {}
        """Where orders go: each described cluster at its lowest endpoint; a new object with each attachment."""

    @property
    def name(self) -> str:
        """Its id, or its address while it has none."""
        return self.config.id if self.config else str(self.ieee)

    @property
    def is_detector(self) -> bool:
        """Whether the fire panel counts on it."""
        return self.config is not None and self.config.kind in DETECTORS

    @property
    def tells_fire(self) -> bool:
        """Whether it says of itself that it detects fire, whatever people call it; False while that is not known."""
        return self._zone is not None and self._zone.tells_fire

    @property
    def silent(self) -> tuple[Quantity, ...]:
        """Quantities not heard for three times their longest reporting interval, as of the last `look`."""
        return self._silent

    @property
    def is_silent(self) -> bool:
        """Nothing that it should report is heard any more."""
        return self._lost or (bool(self._silent) and len(self._silent) == len(self._limits))

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        """What it measures or tells."""
        motion = self._zone is not None and self._zone.tells_motion
        return (*self._limits, Quantity.OCCUPANCY) if motion else tuple(self._limits)

    @property
    def patience_s(self) -> float:
        """So long it may say nothing at all."""
        return float(min(self._limits.values(), default=0))

    def configure(self, config: ZigbeeDeviceConfig | None) -> None:
        """It got a name, another one, or none any more; what it says from now on is told under that."""
        other = config is None or self.config is None or config.id != self.config.id or config.kind != self.config.kind
        if other:
            self.lost()
        self.config = config
        self._told.clear()
        if other:
            self._lost = False
            self.lost()  # until it is set up under its new name
        self._adapt()
        self.wake.set()

    def device(self, app: ControllerApplication | None) -> ZigbeeDevice | None:
        """The device as zigpy knows it; None until its interview is done and it is listened to."""
        found = app.devices.get(self.ieee) if app is not None else None
        return found if isinstance(found, ZigbeeDevice) and found is self._attached else None

    def resume_interview(self, app: ControllerApplication) -> None:
        """Go on with an interview that lost an answer; the device need not join again."""
        found = app.devices.get(self.ieee)
        if isinstance(found, ZigbeeDevice) and not found.is_initialized and not found.initializing:
            found.schedule_initialize()

    def attach(self, device: ZigbeeDevice, emit: Emit) -> bool:
        """Turn its attribute reports and answers into readings; false when that is already done."""
        if self._attached is device:
            return False
        self.detach()
        self._attached, self._emit, self.left = device, emit, False
        self.clusters = {}
        self._newest.forget()
        ias.answer_copies(device)
        self._adapt()
        for cluster in reporting.described_clusters(device):
            self.clusters.setdefault(cluster.cluster_id, cluster)
            self._listen(cluster)
        self._attach_ias(device)
        self._heard_s.clear()  # nothing could be heard while it was not attached
        self._expect(device)
        return True

    def detach(self) -> None:
        """Listen no more."""
        if self._attached is not None and self._attached._last_seen is not None:
            self.last_seen = self._attached._last_seen
        for unsubscribe in self._detach:
            unsubscribe()
        self._detach.clear()
        self.clusters = {}
        self._attached, self._zone = None, None
        self.served = False

    def general_command(self, header: Any, _args: Any) -> None:
        """Called by zigpy before the events of a report: their sequence number."""
        self._tsn = header.tsn

    async def set_up(self, device: ZigbeeDevice) -> None:
        """Enrol, bind and configure what is not as wanted, then read everything once; raises UNREACHABLE."""
        now, report = self._clock.now, self.report
        report.running("enroll", now())
        if self._zone is not None:
            await ias.enroll(self._zone.cluster, device.application.state.node_info.ieee)
        report.done("enroll", now())
        report.running("bind", now())
        await reporting.learn_scales(reporting.wanted_of(device, supervised=self.is_detector))
        wanted = reporting.wanted_of(device, supervised=self.is_detector)
        lacking = [one for one in wanted if not await reporting.as_wanted(one)]
        for one in lacking:
            await reporting.bind(one)
        report.done("bind", now())
        report.running("reporting", now())
        refused = [words for one in lacking for words in await reporting.configure(one)]
        if refused:
            log.warning("%s does not report as asked: %s", self.name, "; ".join(refused))
        report.done("reporting", now(), "; ".join(refused))
        report.running("read", now())
        await reporting.read(wanted)
        report.done("read", now())
        self._expect(device)
        self.alive()

    def alive(self) -> None:
        """It was heard: a detector that was lost is back."""
        if self.is_detector and self._lost and self.config is not None:
            self._lost = False
            self._emit(ModuleHealth(self.config.id, Health.OK, self._clock.now()))

    def lost(self) -> None:
        """Nothing is known of it any more: for a detector, a fault on the fire panel."""
        if self.is_detector and not self._lost and self.config is not None:
            self._lost = True
            self._told.clear()
            self._emit(ModuleHealth(self.config.id, Health.LOST, self._clock.now()))

    def look(self) -> bool:
        """Judge which quantities are silent; whether that changed."""
        now_s = time.monotonic()
        silent = tuple(q for q, limit_s in self._limits.items() if now_s - self._heard_s[q] > limit_s)
        changed = silent != self._silent
        self._silent = silent
        if changed and self.is_detector and len(silent) == len(self._limits):
            self.lost()
            return True
        return changed

    def listen_for_fire(self, emit: Emit) -> None:
        """Where to tell of a detector that is awaited and has never been attached."""
        if self._attached is None:
            self._emit = emit

    def _adapt(self) -> None:
        device = self._attached
        if device is not None:
            self.traits = traits_of(device.model or "", device.manufacturer or "", self.config)
            self._translator = Translator(self.traits)

    def _listen(self, cluster: Cluster) -> None:
        cluster.add_listener(self)
        self._detach.append(partial(cluster.remove_listener, self))
        self._detach.append(cluster.on_event(AttributeReportedEvent.event_type, partial(self._reported, cluster)))
        self._detach.append(cluster.on_event(AttributeReadEvent.event_type, partial(self._read, cluster)))

    def _attach_ias(self, device: ZigbeeDevice) -> None:
        for endpoint in device.non_zdo_endpoints:
            if IAS_WARNING in endpoint.in_clusters:
                self.clusters.setdefault(IAS_WARNING, endpoint.in_clusters[IAS_WARNING])
        cluster = ias.zone_of(device)
        if cluster is not None:
            self._zone = ias.Zone(cluster, self._zone_heard)
            self._detach.append(self._zone.close)

    def _expect(self, device: ZigbeeDevice) -> None:
        """What it shall be heard of; silence of what is new is counted from now on."""
        wanted = reporting.wanted_of(device, supervised=self.is_detector)
        self._limits = {a.quantity: SILENT_AFTER * a.reporting.max_s for one in wanted for a in one.attributes}
        if self._zone is not None and not self._limits:
            self._limits[Quantity.BATTERY] = SILENT_AFTER * reporting.SUPERVISED_S
        now_s = time.monotonic()
        self._heard_s = {quantity: self._heard_s.get(quantity, now_s) for quantity in self._limits}

    def _read(self, cluster: Cluster, event: Any) -> None:
        description = BY_CLUSTER[cluster.cluster_id].get(event.attribute_id)
        if description is not None and event.manufacturer_code is None:
            self._take(cluster, description, event.value)

    def _reported(self, cluster: Cluster, event: Any) -> None:
        description = BY_CLUSTER[cluster.cluster_id].get(event.attribute_id)
        if description is None or event.manufacturer_code is not None:
            return
        key = (description.cluster, description.attribute)
        if self._newest.overtaken(key, self._tsn, time.monotonic()):
            scale = reporting.scale_of(cluster, description)
            self._tell(Translator(self.traits).feed(description, event.value, scale), late=True)
        else:
            self._take(cluster, description, event.value)

    def _take(self, cluster: Cluster, description: Attribute, raw: Any) -> None:
        told = self._translator.feed(description, raw, reporting.scale_of(cluster, description))
        self._heard_s[description.quantity] = time.monotonic()
        self.values.update(told)
        self.word.set()
        if self._lost:
            self.alive()
        self._tell(told)

    def _tell(self, told: tuple[tuple[Quantity, float], ...], *, late: bool = False) -> None:
        config = self.config
        if config is None:
            return
        at = self._clock.now()
        for quantity, value in told:
            reading = Reading(device=config.id, zone=config.zone, quantity=quantity, value=value, at=at)
            self._emit(ReadingSeen(reading, late))

    def _zone_heard(self, status: int) -> None:
        """A zone status: contacts of a detector, or somebody in the room."""
        now_s = time.monotonic()
        self._heard_s.update(dict.fromkeys(self._limits, now_s))
        if self.is_detector and self.config is not None:
            if status & ias.TEST_BIT:
                log.warning("%s: test of the detector (status 0x%04x); no alarm is raised", self.name, status)
            for name, closed in ias.inputs(status).items():
                if self._told.get(name) is not closed:
                    self._told[name] = closed
                    self._emit(ContactChanged(self.config.id, name, closed, self._clock.now()))
            self.alive()
        elif self._zone is not None and self._zone.tells_motion:
            present = 1.0 if status & ias.ALARM_BITS else 0.0
            self.values[Quantity.OCCUPANCY] = present
            self._tell(((Quantity.OCCUPANCY, present),))


def _nobody(_event: object) -> None:
    """Nothing was attached yet."""
