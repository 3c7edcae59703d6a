"""One configured Zigbee device: listens to its attributes, sets its reporting up and reads what was missed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from zigpy.application import ControllerApplication
from zigpy.device import ZigbeeDevice
from zigpy.exceptions import ZigbeeException
from zigpy.types import EUI64
from zigpy.zcl import AttributeReadEvent, AttributeReportedEvent, Cluster, foundation
from zigpy.zcl.helpers import ReportingConfig

from carrel.clock import Clock
from carrel.contracts.telemetry import Reading
from devices.events import ReadingSeen
from devices.zigbee.clusters import BY_CLUSTER, Attribute
from devices.zigbee.config import ZigbeeDeviceConfig
from devices.zigbee.translate import Translator

UNREACHABLE = (ZigbeeException, OSError)
"""What zigpy raises when a device does not answer as it should: also TimeoutError, which is an OSError."""

log = logging.getLogger(__name__)


class Member:
    """A device of config.toml on the network, or awaited there."""

    def __init__(self, config: ZigbeeDeviceConfig, clock: Clock) -> None:
        self.config = config
        self.ieee = EUI64.convert(config.ieee)
        self.wake = asyncio.Event()  # it joined, came back or was heard after a failure
        self.served = False  # bound, reporting and read on this connection
        self.met = False  # it was so at least once since the program started
        self.order_number = 0
        self._clock = clock
        self._translator = Translator(invert=config.invert)
        self._attached: ZigbeeDevice | None = None
        self._detach: list[Callable[[], None]] = []
        self.clusters: dict[int, Cluster] = {}
        """Where orders go: each described cluster at its lowest endpoint; a new object with each attachment."""

    def device(self, app: ControllerApplication | None) -> ZigbeeDevice | None:
        """The device as zigpy knows it; None until its interview is done and it is listened to."""
        found = app.devices.get(self.ieee) if app is not None else None
        return found if isinstance(found, ZigbeeDevice) and found is self._attached else None

    def resume_interview(self, app: ControllerApplication) -> None:
        """Go on with an interview that lost an answer; the device need not join again."""
        found = app.devices.get(self.ieee)
        if isinstance(found, ZigbeeDevice) and not found.is_initialized and not found.initializing:
            found.schedule_initialize()

    def attach(self, device: ZigbeeDevice, emit: Callable[[object], None]) -> bool:
        """Turn its attribute reports and answers into readings; false when that is already done."""
        if self._attached is device:
            return False
        self.detach()
        self._attached = device
        self.clusters = {}
        for cluster in described_clusters(device):
            self.clusters.setdefault(cluster.cluster_id, cluster)
            heard = partial(self._heard, BY_CLUSTER[cluster.cluster_id], emit)
            self._detach.append(cluster.on_event(AttributeReportedEvent.event_type, heard))
            self._detach.append(cluster.on_event(AttributeReadEvent.event_type, heard))
        return True

    def detach(self) -> None:
        """Listen no more."""
        for unsubscribe in self._detach:
            unsubscribe()
        self._detach.clear()
        self.clusters = {}
        self._attached = None
        self.served = False

    async def set_up(self, device: ZigbeeDevice) -> None:
        """Bind and configure what is not reported as wanted, then read everything once; raises UNREACHABLE."""
        for cluster in described_clusters(device):
            wanted = supported(cluster)
            if wanted and not await _reports_as_wanted(cluster, wanted):
                await _configure(cluster, wanted)
                log.info("%s: reporting of cluster 0x%04x set up", self.config.id, cluster.cluster_id)
        for cluster in described_clusters(device):
            await cluster.read_attributes([description.attribute for description in supported(cluster)])

    def _heard(self, table: dict[int, Attribute], emit: Callable[[object], None], event: Any) -> None:
        description = table.get(event.attribute_id)
        if description is None or event.manufacturer_code is not None:
            return
        at = self._clock.now()
        config = self.config
        for quantity, value in self._translator.feed(description, event.value):
            emit(ReadingSeen(Reading(device=config.id, zone=config.zone, quantity=quantity, value=value, at=at)))


def described_clusters(device: ZigbeeDevice) -> Iterator[Cluster]:
    """The server clusters that clusters.py describes, lowest endpoint first."""
    for endpoint in device.non_zdo_endpoints:
        for number, cluster in endpoint.in_clusters.items():
            if number in BY_CLUSTER:
                yield cluster


def supported(cluster: Cluster) -> list[Attribute]:
    """The described attributes that the device has not said it lacks."""
    described = BY_CLUSTER[cluster.cluster_id].values()
    return [description for description in described if not cluster.is_attribute_unsupported(description.attribute)]


async def _reports_as_wanted(cluster: Cluster, wanted: list[Attribute]) -> bool:
    """Whether the device's own reporting configuration is ours; it outlives our restarts and ends with a reset."""
    records = [
        foundation.ReadReportingConfigRecord(
            direction=foundation.ReportingDirection.SendReports, attrid=description.attribute
        )
        for description in wanted
    ]
    answer = await cluster.general_command(foundation.GeneralCommand.Read_Reporting_Configuration, records)
    found = {
        record.config.attrid: (record.config.min_interval, record.config.max_interval)
        for record in getattr(answer, "attribute_configs", ())
        if record.status == foundation.Status.SUCCESS
    }
    return all(found.get(one.attribute) == (one.reporting.min_s, one.reporting.max_s) for one in wanted)


async def _configure(cluster: Cluster, wanted: list[Attribute]) -> None:
    await cluster.bind()  # type: ignore[no-untyped-call]  # zigpy leaves it bare
    results = await cluster.configure_reporting_multiple(
        {
            cluster.find_attribute(one.attribute): ReportingConfig(
                min_interval=one.reporting.min_s,
                max_interval=one.reporting.max_s,
                reportable_change=one.reporting.change,
            )
            for one in wanted
        }
    )
    for attribute, status in results.items():
        if status != foundation.Status.SUCCESS:
            log.warning("%s does not report %s: %s", cluster.endpoint.device.ieee, attribute.name, status.name)
