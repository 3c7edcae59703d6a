"""Sends one order to one device: bounded tries within a deadline, never a stale order after a newer one, and a look at
whether the device really follows."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from zigpy.device import ZigbeeDevice
from zigpy.types import PacketPriority
from zigpy.zcl import Cluster, foundation

from carrel.contracts.actuation import DeviceOrder, SetLevel, SetOutput, SetPosition, SetSwitch
from carrel.contracts.telemetry import Quantity
from devices.orders import DONE, OrderResult, expired, failed, rejected
from devices.zigbee import ias
from devices.zigbee.clusters import (
    COVERING,
    IAS_WARNING,
    LEVEL,
    LIFT_PERCENTAGE,
    ON_OFF,
    SYSTEM_MODE,
    THERMOSTAT,
)
from devices.zigbee.commands import ClusterCommand, Step, plan
from devices.zigbee.member import UNREACHABLE, Member
from devices.zigbee.network.pacing import crowded
from devices.zigbee.radio import PORT_GONE

ANSWER_S = 3.0
SLEEPY_ANSWER_S = 9.0  # a parent keeps a frame for a sleeping child 7.7 s
DEADLINE_S = 10.0
RETRY_PAUSE_S = 0.3
BUSY_PAUSE_MOST_S = 3.0
BUSY = "network_busy"
ATTEMPTS = 3
EFFECT_S = 3.0  # a device that follows reports so within a second or two
TOLERANCE = 2.0  # in the quantity's unit: a level is one of 254 steps, a position may settle beside the wish

Ask = Callable[[], Awaitable[Any]]
"""One exchange with a device; gives its status."""

log = logging.getLogger(__name__)


async def send(member: Member, device: ZigbeeDevice, order: DeviceOrder) -> OrderResult:
    """`done` when the device confirmed every step and is seen to follow; a newer call for the member ends this one."""
    member.order_number += 1
    member.word.set()  # an older order need wait for its effect no longer
    number = member.order_number
    clusters = member.clusters
    setpoint_c = member.config.setpoint_c if member.config else None
    steps = plan(order, clusters.keys(), invert=member.traits.invert, setpoint_c=setpoint_c)
    if isinstance(steps, OrderResult):
        return steps
    before = dict(member.values)
    sleepy = device.node_desc is None or device.node_desc.is_end_device
    attempt_s = SLEEPY_ANSWER_S if sleepy else ANSWER_S
    deadline_s = asyncio.get_running_loop().time() + DEADLINE_S
    for step in steps:
        ask = partial(_ask, clusters[step.cluster], step)
        result = await _insist(member, number, ask, limit_s=attempt_s, deadline_s=deadline_s)
        if not result.done:
            return result
    return await _see_effect(member, number, order, before)


async def sound(member: Member, order: SetOutput) -> OrderResult:
    """Start or stop a siren."""
    member.order_number += 1
    number = member.order_number
    member.sounding = order.on
    cluster = member.clusters.get(IAS_WARNING)
    if cluster is None:
        return rejected("not_supported", f"{member.name} is no siren")
    deadline_s = asyncio.get_running_loop().time() + DEADLINE_S
    return await _insist(
        member, number, lambda: ias.sound(cluster, on=order.on), limit_s=ANSWER_S, deadline_s=deadline_s
    )


async def _insist(member: Member, number: int, ask: Ask, *, limit_s: float, deadline_s: float) -> OrderResult:
    """One exchange, again while nothing newer was asked for and the deadline is not over.

    A device that does not answer is asked ATTEMPTS times; while the radio cannot send, ever more rarely.
    """
    attempts, pause_s = 0, RETRY_PAUSE_S
    while member.order_number == number:
        result = await _try(ask, name=member.name, limit_s=limit_s)
        if result.code == BUSY:
            pause_s = min(2 * pause_s, BUSY_PAUSE_MOST_S)
        elif result.code == "no_answer":
            attempts, pause_s = attempts + 1, RETRY_PAUSE_S
        else:
            return result
        if attempts == ATTEMPTS or asyncio.get_running_loop().time() + pause_s >= deadline_s:
            return result
        await asyncio.sleep(pause_s)
    return expired(f"{member.name}: a newer order came")


async def _try(ask: Ask, *, name: str, limit_s: float) -> OrderResult:
    """One exchange; the device's own answer decides."""
    try:
        async with asyncio.timeout(limit_s):
            status = await ask()
    except (*UNREACHABLE, *PORT_GONE) as error:
        log.debug("%s did not answer: %s", name, error or type(error).__name__)
        reason = crowded(error)
        if reason:
            return failed(BUSY, f"{name}: the radio could not send, {reason}")
        return failed("no_answer", f"{name}: {error or type(error).__name__}")
    return DONE if status == foundation.Status.SUCCESS else rejected(_code(status), f"{name} answered {status!r}")


async def _see_effect(member: Member, number: int, order: DeviceOrder, before: dict[Quantity, float]) -> OrderResult:
    """Wait for the report of what was ordered, or read it; a device that says yes and does nothing has failed."""
    loop = asyncio.get_running_loop()
    until_s = loop.time() + EFFECT_S
    while not _follows(member, order, before) and member.order_number == number:
        member.word.clear()
        try:
            async with asyncio.timeout_at(until_s):
                await member.word.wait()
        except TimeoutError:
            break
    if member.order_number != number:
        return expired(f"{member.name}: a newer order came")
    if _follows(member, order, before) or not await _read_back(member, order):
        return DONE
    if _follows(member, order, before):
        return DONE
    return failed("no_effect", f"{member.name} confirmed the order and did not follow: look at the device itself")


async def _read_back(member: Member, order: DeviceOrder) -> bool:
    """Ask for the value itself; False when it does not say, so that nothing can be judged."""
    cluster_id, attribute = _shown_by(member, order)
    cluster = member.clusters.get(cluster_id)
    if cluster is None or cluster.is_attribute_unsupported(attribute):
        return False
    try:
        async with asyncio.timeout(ANSWER_S):
            found, _refused = await cluster.read_attributes([attribute], retries=0)
    except (*UNREACHABLE, *PORT_GONE):
        return False
    return bool(found)


def _shown_by(member: Member, order: DeviceOrder) -> tuple[int, int]:
    """The attribute that tells whether an order was followed."""
    if isinstance(order, SetPosition):
        return COVERING, LIFT_PERCENTAGE
    if isinstance(order, SetSwitch) and THERMOSTAT in member.clusters:
        return THERMOSTAT, SYSTEM_MODE
    if isinstance(order, SetLevel) and LEVEL in member.clusters and order.level_pct > 0:
        return LEVEL, 0x0000
    return ON_OFF, 0x0000


def _follows(member: Member, order: DeviceOrder, before: dict[Quantity, float]) -> bool:
    """Whether the device's own values fit the order; a covering need only be on its way."""
    values = member.values
    if isinstance(order, SetPosition):
        position, first = values.get(Quantity.POSITION), before.get(Quantity.POSITION)
        return position is not None and (position != first or abs(position - order.closed_pct) <= TOLERANCE)
    if isinstance(order, SetLevel) and order.level_pct > 0 and LEVEL in member.clusters:
        return abs(values.get(Quantity.LEVEL, -100.0) - order.level_pct) <= TOLERANCE
    wanted = order.on if isinstance(order, SetSwitch) else isinstance(order, SetLevel) and order.level_pct > 0
    return values.get(Quantity.ON) == float(wanted)


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
