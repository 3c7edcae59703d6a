"""The built-in MQTT broker as a process: a real one, on a free port, that can be killed and started again."""

from __future__ import annotations

import multiprocessing
import os
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from carrel import broker as program
from carrel.sections import MqttConfig
from tests.support.ports import free_port

START_S = 30

NURSERY = multiprocessing.get_context("forkserver")
"""Hundreds of tests start a broker each: it is forked from a process that has imported it already."""
NURSERY.set_forkserver_preload(["amqtt.broker", "amqtt.plugins.authentication", "carrel.broker"])


class Broker:
    """Listens on `host`:`port` after `start`; keeps the port over restarts and forgets what was retained.

    With a user name only that user may connect.
    """

    host = "127.0.0.1"

    def __init__(self, username: str = "", password: str = "") -> None:
        self.port = free_port()
        self.config = MqttConfig(host=self.host, port=self.port, username=username, password=password)
        self._process: multiprocessing.context.ForkServerProcess | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def start(self) -> None:
        """Returns once it listens."""
        assert self._process is None, "it runs"
        self._folder = tempfile.TemporaryDirectory(prefix="carrel-test-broker-")
        file = Path(self._folder.name) / "config.toml"
        lines = (
            f'{key} = "{value}"'
            for key, value in (("username", self.config.username), ("password", self.config.password))
        )
        file.write_text(f'[mqtt]\nhost = "{self.host}"\nport = {self.port}\n' + "\n".join(lines))
        self._process = NURSERY.Process(target=_serve, args=(str(file),), daemon=True)
        self._process.start()
        deadline = time.monotonic() + START_S
        while not self._listens():
            assert self._process.is_alive(), "the broker ended"
            assert time.monotonic() < deadline, "the broker did not start"
            time.sleep(0.02)

    def stop(self) -> None:
        """Kill it: every client loses its connection. Nothing happens when it is stopped."""
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._process = None
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    def _listens(self) -> bool:
        try:
            socket.create_connection((self.host, self.port), timeout=1).close()
        except OSError:
            return False
        return True


def _serve(file: str) -> None:
    """`carrel broker --config FILE`, which knows nothing of the variables of whoever tests."""
    for name in [name for name in os.environ if name.startswith("CARREL_")]:
        del os.environ[name]
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.__stderr__.fileno())
    sys.exit(program.main(["--config", file]))


@contextmanager
def running_broker() -> Iterator[Broker]:
    """Start a broker and stop it again."""
    broker = Broker()
    broker.start()
    try:
        yield broker
    finally:
        broker.stop()
