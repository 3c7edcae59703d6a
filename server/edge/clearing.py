"""What the broker retains of gateways: which there are, and clearing all of one, also for Home Assistant. What comes of
it, every server process hears by its own session."""

from __future__ import annotations

import asyncio
import uuid

import aiomqtt
from pydantic import ValidationError

from carrel import mqtt
from carrel.contracts import topics
from carrel.contracts.health import GatewayStatus
from carrel.sections import MqttConfig

QUIET_S = 0.5
"""So long after the last of them a broker has told everything that it retains."""
TAKEN_WITHIN_S = 5.0
WAITING = 10_000


async def retained(config: MqttConfig, branch: str) -> dict[str, GatewayStatus]:
    """Every gateway's last word about itself; raises aiomqtt.MqttError or OSError without a broker."""
    found: dict[str, GatewayStatus] = {}
    async with mqtt.client(config, f"carrel-{branch}-list-{uuid.uuid4().hex[:8]}", waiting=WAITING) as client:
        await client.subscribe(topics.name(branch, "+", topics.STATE), qos=1)
        while (message := await _next(client, QUIET_S)) is not None:
            address, status = topics.parse(str(message.topic)), _status(message.payload)
            if address is not None and address.topic is topics.STATE and status is not None:
                found[address.gateway] = status
    return found


def _status(payload: object) -> GatewayStatus | None:
    try:
        return GatewayStatus.model_validate_json(payload) if isinstance(payload, bytes) else None
    except ValidationError:  # also of nothing: it is retired
        return None


async def clear(config: MqttConfig, branch: str, gateway: str) -> bool:
    """Whether all of it was cleared, the gateway's state last; raises aiomqtt.MqttError or OSError without a broker."""
    root = topics.root(branch, gateway) + "/"
    state = topics.name(branch, gateway, topics.STATE)
    prefix = config.home_assistant
    announced = topics.announcement(prefix, branch, gateway, "").removesuffix("/config")
    async with mqtt.client(config, f"carrel-{branch}-clear-{uuid.uuid4().hex[:8]}", waiting=WAITING) as client:
        await client.subscribe(f"{root}#", qos=1)
        if prefix:
            await client.subscribe(f"{prefix}/device/+/config", qos=1)
        kept = {state}
        while (message := await _next(client, QUIET_S)) is not None:
            if str(message.topic).startswith((root, announced)):  # amqtt gives a newcomer others' too
                kept.add(str(message.topic))
        for name in sorted(kept, key=lambda name: (name == state, name)):
            await client.publish(name, b"", qos=1, retain=True)
        while kept and (message := await _next(client, TAKEN_WITHIN_S)) is not None:
            if not message.payload:
                kept.discard(str(message.topic))
        return not kept


async def _next(client: aiomqtt.Client, within_s: float) -> aiomqtt.Message | None:
    try:
        async with asyncio.timeout(within_s):
            return await anext(client.messages)
    except TimeoutError:
        return None
