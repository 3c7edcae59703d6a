"""Sends one order to one device: bounded tries within a deadline, and never a stale order after a newer one."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from zigpy.device import ZigbeeDevice
from zigpy.types import PacketPriority
from zigpy.zcl import Cluster, foundation

from carrel.contracts.actuation import DeviceOrder
from devices.orders import DONE, OrderResult, expired, failed, rejected
from devices.zigbee.commands import ClusterCommand, Step, plan
from devices.zigbee.member import UNREACHABLE, Member

ANSWER_S = 3.0
SLEEPY_ANSWER_S = 9.0  # a parent keeps a frame for a sleeping child 7.7 s
DEADLINE_S = 10.0
RETRY_PAUSE_S = 0.3
ATTEMPTS = 3
PORT_GONE = (RuntimeError, AttributeError)  # what zigpy-znp runs into between the loss of its port and its end

log = logging.getLogger(__name__)


async def send(member: Member, device: ZigbeeDevice, order: DeviceOrder) -> OrderResult:
    """`done` when the device itself confirmed every step; a newer call for the same member ends this one early."""
    member.order_number += 1
    number = member.order_number
    clusters = member.clusters
    steps = plan(order, clusters.keys(), invert=member.config.invert, setpoint_c=member.config.setpoint_c)
    if isinstance(steps, OrderResult):
        return steps
    sleepy = device.node_desc is None or device.node_desc.is_end_device
    attempt_s = SLEEPY_ANSWER_S if sleepy else ANSWER_S
    deadline_s = asyncio.get_running_loop().time() + DEADLINE_S
    result = DONE
    for step in steps:
        for attempt in range(ATTEMPTS):
            if attempt:
                await asyncio.sleep(RETRY_PAUSE_S)
            if member.order_number != number:
                return expired(f"{member.config.id}: a newer order came")
            result = await _try(clusters[step.cluster], step, name=member.config.id, limit_s=attempt_s)
            if result.code != "no_answer" or asyncio.get_running_loop().time() >= deadline_s:
                break
        if not result.done:
            return result
    return result


async def _try(cluster: Cluster, step: Step, *, name: str, limit_s: float) -> OrderResult:
    """One exchange; the device's own answer decides."""
    try:
        async with asyncio.timeout(limit_s):
            status = await _ask(cluster, step)
    except (*UNREACHABLE, *PORT_GONE) as error:
        log.debug("%s did not answer: %s", name, error or type(error).__name__)
        return failed("no_answer", f"{name}: {error or type(error).__name__}")
    return DONE if status == foundation.Status.SUCCESS else rejected(_code(status), f"{name} answered {status!r}")


async def _ask(cluster: Cluster, step: Step) -> Any:
    if isinstance(step, ClusterCommand):
        answer = await cluster.command(step.command, *step.arguments, retries=0, priority=PacketPriority.HIGH)
        return answer.status
    records = await cluster.write_attributes(
        dict(step.values), update_cache=False, retries=0, priority=PacketPriority.HIGH
    )
    refusals = [record.status for record in records[0] if record.status != foundation.Status.SUCCESS]
    return refusals[0] if refusals else foundation.Status.SUCCESS


def _code(status: Any) -> str:
    name = getattr(status, "name", "")
    return name.lower() if name else f"status_{int(status):02x}"
