"""A client that listens in on a broker, and may speak as the server would."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiomqtt

from carrel.sections import MqttConfig
from devices.ending import end_if_told


class Listener:
    """A client on the broker: everything it heard, in order, as (topic, payload)."""

    def __init__(self, client: aiomqtt.Client) -> None:
        self.client = client
        self.heard: list[tuple[str, bytes]] = []

    def on(self, ending: str) -> list[bytes]:
        """Payloads on topics that end so."""
        return [payload for topic, payload in self.heard if topic.endswith(ending)]

    async def say(self, topic: str, payload: bytes | str) -> None:
        """Publish, as the server would."""
        await self.client.publish(topic, payload, qos=1)
        end_if_told()  # aiomqtt swallows it when the answer comes in the same moment; who says more would never end

    async def run(self) -> None:
        """Listen until cancelled."""
        async for message in self.client.messages:
            payload: Any = message.payload
            self.heard.append((str(message.topic), payload))


@asynccontextmanager
async def listening(config: MqttConfig, topics: str = "carrel/#") -> AsyncIterator[Listener]:
    """A listener that is subscribed."""
    async with aiomqtt.Client(
        config.host, config.port, username=config.username or None, password=config.password or None
    ) as client:
        await client.subscribe(topics, qos=1)
        listener = Listener(client)
        task = asyncio.create_task(listener.run())
        try:
            yield listener
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
