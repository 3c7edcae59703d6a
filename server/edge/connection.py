"""The server's session with the broker: connects for ever, hands on what arrives, publishes."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Awaitable, Callable

import aiomqtt

from carrel import mqtt
from carrel.contracts.topics import VERSION_ROOT
from carrel.sections import MqttConfig

log = logging.getLogger(__name__)

FIRST_RETRY_S, LAST_RETRY_S = 0.3, 5.0
WAITING_MESSAGES = 10_000
"""Taken from the socket and not yet looked at; the edge repeats what matters when more come."""


class Connection:
    """Keeps one session alive; `run` ends only by cancellation."""

    def __init__(self, mqtt: MqttConfig, branch: str) -> None:
        self._mqtt = mqtt
        self._filter = f"{VERSION_ROOT}/{branch}/+/#"
        self._identifier = f"carrel-{branch}-server-{uuid.uuid4().hex[:8]}"
        self._client: aiomqtt.Client | None = None
        self._trouble = "not connected yet"
        self.on_session: Callable[[], None] = _nobody
        """Called at the begin of each session, before its first message is handed on."""

    async def run(self, on_message: Callable[[str, bytes], None], *beside: Callable[[], Awaitable[None]]) -> None:
        """Connect, serve, and connect again.

        `on_message(topic, payload)` must not block; each `beside()` runs along with each session.
        """
        delay, told = FIRST_RETRY_S, False
        while True:
            try:
                async with mqtt.client(self._mqtt, self._identifier, waiting=WAITING_MESSAGES) as client:
                    await client.subscribe(self._filter, qos=1)
                    _honour_cancellation()
                    self._client = client
                    log.info("broker %s:%s reached", self._mqtt.host, self._mqtt.port)
                    delay, told = FIRST_RETRY_S, False
                    self.on_session()
                    await _until_one_ends(_receive(client, on_message), *(work() for work in beside))
            except (aiomqtt.MqttError, OSError) as error:
                self._trouble = str(error) or type(error).__name__
                if not told:
                    log.warning("broker %s:%s: %s; trying again", self._mqtt.host, self._mqtt.port, self._trouble)
                told = True
            finally:
                self._client = None
            _honour_cancellation()
            await asyncio.sleep(delay)
            delay = min(delay * 2, LAST_RETRY_S)

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Send at quality 1; raises aiomqtt.MqttError when there is no session or it breaks."""
        client = self._client
        if client is None:
            raise aiomqtt.MqttError("no session with the broker")
        await client.publish(topic, payload, qos=1, retain=retain)
        _honour_cancellation()

    @property
    def connected(self) -> bool:
        """Whether there is a session now."""
        return self._client is not None

    def probe(self) -> str | None:
        """For `/readyz`: None when the broker is there, else why not."""
        return None if self.connected else self._trouble


def _nobody() -> None:
    """Nobody wants to know."""


async def _until_one_ends(*works: Awaitable[None]) -> None:
    """Run side by side; when one ends or fails, end the others. (A TaskGroup leaves Python 3.11's task marked.)"""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()


async def _receive(client: aiomqtt.Client, on_message: Callable[[str, bytes], None]) -> None:
    async for message in client.messages:
        on_message(str(message.topic), message.payload if isinstance(message.payload, bytes) else b"")


def _honour_cancellation() -> None:
    """Python 3.11's wait_for (inside aiomqtt) and a failing goodbye can swallow a cancellation; it still holds."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
