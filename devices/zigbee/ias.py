"""IAS: detectors that enrol with us and tell their zone status, and sirens. ZCL 8 chapter 8.

A detector is a module of the fire panel with three inputs: `alarm`, `tamper` and `trouble`, each closed at rest.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from zigpy.device import ZigbeeDevice
from zigpy.types import PacketPriority, ZigbeePacket
from zigpy.zcl import AttributeReadEvent, Cluster, foundation

from devices.zigbee.clusters import IAS_ZONE

STATUS, ZONE_STATE, CIE_ADDRESS, ZONE_TYPE = 0x0002, 0x0000, 0x0010, 0x0001
STATUS_CHANGE, ENROLL_REQUEST, ENROLL_RESPONSE = 0x00, 0x01, 0x00
ENROLLED = 1
MOTION, FIRE = 0x000D, 0x0028
ZONE_ID = 1

ALARM_BITS, TAMPER_BIT, TEST_BIT = 0x0003, 0x0004, 0x0100
TROUBLE_BITS = 0x0008 | 0x0040 | 0x0080 | 0x0200
"""Battery low, trouble, mains fault, battery defect."""

UNASKED_AFTER_S = 0.5
ASK_AGAIN_S, ASK_TIMES = 0.5, 20

START_WARNING = 0x00
FIRE_LOUDEST, SILENT = 0x27, 0x00  # mode 2 fire, strobe on, level 3
WARNING_S = 240
"""Longer than the pause between two calls of `sound`, so that a siren goes on while it is wanted; shorter than for
ever, so that it stops some day when we are gone."""

log = logging.getLogger(__name__)


def inputs(status: int) -> dict[str, bool]:
    """A zone status as contacts; True is at rest. A test of the detector is no alarm."""
    alarm = bool(status & ALARM_BITS) and not status & TEST_BIT
    return {"alarm": not alarm, "tamper": not status & TAMPER_BIT, "trouble": not status & TROUBLE_BITS}


class Zone:
    """Listens to one IAS zone; zigpy calls `cluster_command` by name."""

    def __init__(self, cluster: Cluster, heard: Callable[[int], None]) -> None:
        """`heard` takes each zone status, repeated ones too."""
        self.cluster = cluster
        self._heard = heard
        cluster.add_listener(self)
        self._off = cluster.on_event(AttributeReadEvent.event_type, self._read)

    def close(self) -> None:
        """Listen no more."""
        self.cluster.remove_listener(self)
        self._off()

    @property
    def tells_motion(self) -> bool:
        """Whether its alarm means that somebody is there."""
        return bool(self.cluster.get(ZONE_TYPE) == MOTION)

    @property
    def tells_fire(self) -> bool:
        """Whether its alarm means a fire."""
        return bool(self.cluster.get(ZONE_TYPE) == FIRE)

    def cluster_command(self, tsn: int, command: int, args: Any) -> None:
        """A status change, or a device that asks to be enrolled; zigpy has sent the default response."""
        if command == STATUS_CHANGE:
            self._heard(int(args.zone_status))
        elif command == ENROLL_REQUEST:
            self.cluster.create_catching_task(_accept(self.cluster, tsn=tsn))

    def _read(self, event: Any) -> None:
        if event.attribute_id == STATUS:
            self._heard(int(event.value))


async def enroll(cluster: Cluster, ours: Any) -> None:
    """Make the zone report to us (our EUI64 is `ours`) and read its status; raises TimeoutError or what zigpy does."""
    found, _ = await cluster.read_attributes([ZONE_STATE, CIE_ADDRESS, ZONE_TYPE])
    if found.get(ZONE_STATE) != ENROLLED or found.get(CIE_ADDRESS) != ours:
        await cluster.write_attributes({CIE_ADDRESS: ours})
        await asyncio.sleep(UNASKED_AFTER_S)
        await _accept(cluster)
        await _until_enrolled(cluster)
    await cluster.read_attributes([STATUS])


async def _until_enrolled(cluster: Cluster) -> None:
    for _ in range(ASK_TIMES):
        found, _refused = await cluster.read_attributes([ZONE_STATE])
        if found.get(ZONE_STATE) == ENROLLED:
            return
        await asyncio.sleep(ASK_AGAIN_S)
    raise TimeoutError("the detector did not enrol")


async def _accept(cluster: Cluster, **more: int) -> None:
    """Asked for or not: some devices wait for it."""
    await cluster.command(ENROLL_RESPONSE, 0, ZONE_ID, expect_reply=False, **more)


async def sound(cluster: Cluster, *, on: bool) -> Any:
    """Start or stop a siren; returns the device's status. Skips every queue."""
    answer = await cluster.command(
        START_WARNING,
        FIRE_LOUDEST if on else SILENT,
        WARNING_S if on else 0,
        50 if on else 0,
        1 if on else 0,
        retries=0,
        priority=PacketPriority.CRITICAL,
    )
    return answer.status


def answer_copies(device: ZigbeeDevice) -> None:
    """zigpy drops a repeated frame unanswered; a detector that got no answer would then repeat it for ever."""
    is_copy = device._should_filter_packet

    def answered(packet: ZigbeePacket) -> bool:
        if not is_copy(packet):
            return False
        _answer(device, packet)
        return True

    device._should_filter_packet = answered  # type: ignore[method-assign]  # there is no public hook before the filter


def _answer(device: ZigbeeDevice, packet: ZigbeePacket) -> None:
    header, _key = device._parse_packet_header(packet)
    if not isinstance(header, foundation.ZCLHeader) or header.frame_control.disable_default_response:
        return
    is_report = header.command_id == foundation.GeneralCommand.Report_Attributes
    if not header.frame_control.is_cluster and not is_report:
        return  # answers are not answered
    _endpoint, cluster = device._match_packet_endpoint_cluster(packet, header)
    if cluster is not None:
        cluster.send_default_rsp(header, foundation.Status.SUCCESS)


def zone_of(device: ZigbeeDevice) -> Cluster | None:
    """The device's first IAS zone."""
    found = (endpoint.in_clusters.get(IAS_ZONE) for endpoint in device.non_zdo_endpoints)
    return next((cluster for cluster in found if cluster is not None), None)
