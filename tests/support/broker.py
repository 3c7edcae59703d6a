"""The built-in MQTT broker in a thread of its own: a real one, on a free port, that can be stopped and started."""

from __future__ import annotations

import asyncio
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from amqtt.broker import Broker as Amqtt

from carrel.broker import end, settings
from carrel.sections import MqttConfig
from tests.support.ports import free_port

START_S = 20


class Broker:
    """Listens on `host`:`port` after `start`; keeps the port over restarts and forgets what was retained.

    With a user name only that user may connect.
    """

    host = "127.0.0.1"

    def __init__(self, username: str = "", password: str = "") -> None:
        self.port = free_port()
        self.config = MqttConfig(host=self.host, port=self.port, username=username, password=password)
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._trouble: BaseException | None = None

    def start(self) -> None:
        """Returns once it listens."""
        assert self._thread is None, "it runs"
        ready = threading.Event()
        self._thread = threading.Thread(target=self._work, args=(ready,), daemon=True)
        self._thread.start()
        assert ready.wait(START_S), "the broker did not start"
        if self._trouble:
            raise self._trouble

    def stop(self) -> None:
        """As if it were killed: every client loses its connection. Nothing happens when it is stopped."""
        if self._thread is None or self._loop is None or self._stop is None:
            return
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(START_S)
        assert not self._thread.is_alive(), "the broker did not stop"
        self._thread = None

    def _work(self, ready: threading.Event) -> None:
        try:
            asyncio.run(self._serve(ready))
        except BaseException as error:
            self._trouble = error
        finally:
            ready.set()

    async def _serve(self, ready: threading.Event) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        with tempfile.TemporaryDirectory() as folder:
            broker = Amqtt(settings(self.config, Path(folder)))
            await broker.start()
            ready.set()
            await self._stop.wait()
            await end(broker)


@contextmanager
def running_broker() -> Iterator[Broker]:
    """Start a broker and stop it again."""
    broker = Broker()
    broker.start()
    try:
        yield broker
    finally:
        broker.stop()
