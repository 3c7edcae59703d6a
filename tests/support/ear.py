"""A stranger on the library's broker: hears what gateway and server tell each other, and says what it likes."""

from __future__ import annotations

import json
import threading
from types import TracebackType
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from carrel.contracts import topics

ROOT = topics.root("main", "gw-1")
WITHIN_S = 15.0
TRIES = 3


class Ear:
    """Connected and subscribed to everything; connects again when the broker was away."""

    def __init__(self, port: int) -> None:
        self.latest: dict[str, bytes] = {}
        self._subscribed = threading.Event()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2)
        self._client.reconnect_delay_set(1, 1)
        self._client.on_connect = lambda client, *_rest: client.subscribe("#", qos=1)
        self._client.on_subscribe = lambda *_rest: self._subscribed.set()
        self._client.on_message = self._heard
        self._client.connect("127.0.0.1", port)

    def __enter__(self) -> Ear:
        self._client.loop_start()
        for _ in range(TRIES):
            if self._subscribed.wait(WITHIN_S / TRIES):
                return self
            self._client.reconnect()  # once in some thousand times amqtt lets a newcomer wait for ever
        raise AssertionError("the broker does not answer")

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def say(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Returns when the broker has taken it."""
        told = self._client.publish(topic, payload, qos=1, retain=retain)
        told.wait_for_publish(WITHIN_S)
        assert told.is_published(), f"the broker did not take {len(payload)} bytes on {topic}"

    def link(self, name: str) -> dict[str, Any]:
        """How the gateway says a link is; empty while it has said nothing."""
        try:
            report = json.loads(self.latest.get(f"{ROOT}/{topics.LINKS.path}", b"{}"))
        except ValueError:
            return {}
        found: dict[str, Any] = next((link for link in report.get("links", ()) if link["link"] == name), {})
        return found

    def _heard(self, _client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        self.latest[message.topic] = bytes(message.payload)
