"""A gateway played by a real MQTT client that speaks the contracts, and the building it speaks of."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal, TypeVar

import paho.mqtt.client as mqtt

from carrel.config import load
from carrel.contracts import topics
from carrel.contracts.actuation import (
    ActuatorState,
    CommandResult,
    CommandStatus,
    OverrideCancel,
    OverrideInForce,
    OverrideSet,
    PanelCommand,
    RuleLive,
    RulesState,
)
from carrel.contracts.alarms import AlarmCause, AlarmState, EdgeEvent, Severity
from carrel.contracts.base import Contract
from carrel.contracts.codec import decode, decode_command, encode
from carrel.contracts.config import ConfigDocument
from carrel.contracts.health import GatewayStatus, LinkHealth, LinkReport
from carrel.contracts.network import NetworkState
from carrel.contracts.telemetry import (
    DeviceInfo,
    DeviceList,
    DeviceState,
    Quantity,
    StoredAck,
    TelemetryBatch,
    TelemetryPoint,
)
from server.settings import ServerSettings, read_settings
from tests.support.broker import Broker
from tests.support.library import make_settings

T = TypeVar("T")
WITHIN_S = 10.0

BUILDING = """
[[room]]
id = "reading-room"
name = "Reading room"
name_zh = "阅览室"
temp = [20.0, 26.0]
[[room]]
id = "stacks"
name = "Stacks"
[environment]
stale_after_s = 900
[[environment.sensor]]
id = "t1"
zone = "reading-room"
metric = "temp"
device = "th-1"
[[environment.sensor]]
id = "t2"
zone = "reading-room"
metric = "temp"
device = "th-2"
[[environment.sensor]]
id = "t3"
zone = "reading-room"
metric = "temp"
device = "th-3"
[[environment.sensor]]
id = "l1"
zone = "reading-room"
metric = "lux"
device = "lux-1"
"""


def building_settings(folder: Path, database: str, broker: Broker, *, port: int = 0) -> ServerSettings:
    """Settings of a server beside this broker, with two rooms; the file stays in the folder."""
    make_settings(folder, database, port=port, mqtt_port=broker.port)
    file = folder / "config.toml"
    file.write_text(file.read_text(encoding="utf-8") + BUILDING, encoding="utf-8")
    return read_settings(load(file, {"CARREL_MQTT__HOME_ASSISTANT": "homeassistant"}))


def eventually(fact: Callable[[], T], what: str = "it", within_s: float = WITHIN_S) -> T:
    """Ask until the answer is true, and return it."""
    deadline = time.monotonic() + within_s
    while True:
        found = fact()
        if found:
            return found
        assert time.monotonic() < deadline, f"{what} did not happen within {within_s:g} s (last: {found!r})"
        time.sleep(0.01)


class ActingGateway:
    """Plays a gateway. `on_command` answers commands and may say other things before; None lets the server wait."""

    def __init__(self, broker: Broker, now: Callable[[], datetime], gateway: str = "gw-1") -> None:
        self._broker = broker
        self._now = now
        self.gateway = gateway
        self.acks: list[tuple[str, StoredAck]] = []
        self.commands: list[tuple[str, OverrideSet | OverrideCancel | PanelCommand]] = []
        self.configs: list[ConfigDocument] = []
        self.on_command: Callable[[Any], CommandResult | None] = lambda _command: None
        self._connected = threading.Event()
        self._client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
        self._client.reconnect_delay_set(1, 1)
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = lambda *_args: self._connected.set()
        self._client.on_disconnect = lambda *_args: self._connected.clear()
        self._client.on_message = self._on_message

    def start(self) -> None:
        """Returns once it is subscribed."""
        self._client.connect(self._broker.host, self._broker.port)
        self._client.loop_start()
        self.await_connection()

    def await_connection(self) -> None:
        """Also after the broker was restarted."""
        assert self._connected.wait(WITHIN_S), "no connection to the broker"

    def stop(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def name(self, topic: topics.Topic, id_: str = "") -> str:
        return topics.name("main", self.gateway, topic, id_)

    def say(self, topic: topics.Topic, message: Contract, id_: str = "") -> None:
        """Publish as the gateway does; returns when the broker has it."""
        self.say_raw(self.name(topic, id_), encode(message), qos=topic.qos, retain=topic.retained)

    def say_raw(self, name: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> None:
        told = self._client.publish(name, payload, qos=qos, retain=retain)
        told.wait_for_publish(WITHIN_S)
        assert told.is_published(), f"the broker did not take {len(payload)} bytes on {name}"

    def acked(self, topic: topics.Topic) -> list[int]:
        """The confirmed numbers, in the order they came."""
        return [ack.seq for name, ack in self.acks if name == self.name(topic)]

    # ------------------------------------------------------------ what a gateway says
    def online(self, state: Literal["online", "offline"] = "online") -> None:
        self.say(topics.STATE, GatewayStatus(state=state, since=self._now(), session=1, version="0"))

    def links(self, **states: Literal["connecting", "up", "degraded", "down"]) -> None:
        links = tuple(LinkHealth(link=k, kind="x", state=v, since=self._now()) for k, v in states.items())
        self.say(topics.LINKS, LinkReport(links=links))

    def devices(self, *ids: str, zone: str = "reading-room") -> None:
        self.say(topics.DEVICES, DeviceList(devices=tuple(DeviceInfo(id=i, zone=zone, kind="sensor") for i in ids)))

    def report(self, device: str, zone: str = "reading-room", *, at: datetime | None = None, **values: float) -> None:
        """`report("th-1", temp=21.5)`."""
        when = at or self._now()
        measured = {Quantity(name): value for name, value in values.items()}
        state = DeviceState(ts=when, seq=1, zone=zone, values=measured, at=dict.fromkeys(measured, when))
        self.say(topics.DEVICE_STATE, state, device)

    def table(self, *actuators: ActuatorState, ts: datetime | None = None, rules: tuple[RuleLive, ...] = ()) -> None:
        self.say(topics.RULES_STATE, RulesState(ts=ts or self._now(), actuators=actuators, rules=rules))

    def network(self, state: NetworkState) -> None:
        self.say(topics.NETWORK, state)

    def event(self, alarm: AlarmState, seq: int) -> None:
        self.say(topics.EVENT, EdgeEvent(session=1, seq=seq, ts=self._now(), alarm=alarm), "alarm")

    def batch(self, first: int, *points: TelemetryPoint) -> None:
        self.say(topics.TELEMETRY, TelemetryBatch(session=1, first=first, points=points))

    def result(self, command: Any, status: str = "done", code: str = "") -> CommandResult:
        return CommandResult(id=command.id, status=CommandStatus(status), code=code, ts=self._now())

    def answer(self, result: CommandResult) -> None:
        self.say(topics.COMMAND_ACK, result, result.id)

    # ------------------------------------------------------------ inside
    def _on_connect(self, client: mqtt.Client, *_rest: Any) -> None:
        heard = (topics.COMMAND, topics.TELEMETRY_ACK, topics.EVENT_ACK, topics.CONFIG)
        client.subscribe([(self.name(t, "+"), 1) for t in heard])

    def _on_message(self, _client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        address = topics.parse(message.topic)
        assert address is not None
        if address.topic.sender == "gateway":
            return  # amqtt gives a newcomer also what is retained for others' subscriptions
        if address.topic is topics.CONFIG:
            self.configs.append(decode(ConfigDocument, message.payload))
            return
        if address.topic is not topics.COMMAND:
            self.acks.append((message.topic, decode(StoredAck, message.payload)))
            return
        command = decode_command(message.payload)
        self.commands.append((message.topic, command))
        threading.Thread(target=self._carry_out, args=(command,), daemon=True).start()

    def _carry_out(self, command: Any) -> None:
        """Off the client's own thread, which has to go on for what `on_command` may say."""
        result = self.on_command(command)
        if result is not None:
            self.answer(result)


def curtain(*, override: OverrideInForce | None = None, **changes: Any) -> ActuatorState:
    """The reading room's curtain, open because no rule wants otherwise."""
    fields: dict[str, Any] = {
        "actuator": "reading-curtain",
        "zone": "reading-room",
        "type": "level",
        "kind": "curtain",
        "wanted": 0.0,
        "commanded": 0.0,
        "reported": 0.0,
        "cause": "override" if override else "default",
        "reason": "override" if override else "default",
        "override": override,
    }
    return ActuatorState(**(fields | changes))


def held(command: OverrideSet, now: datetime) -> OverrideInForce:
    """The override as the gateway lists it."""
    until = now + timedelta(seconds=command.duration_s)
    return OverrideInForce(id=command.id, by=command.by, value=command.value, until=until)


def fire(now: datetime, *, version: int = 1, **changes: Any) -> AlarmState:
    """A fire alarm of one smoke detector."""
    fields: dict[str, Any] = {
        "id": "fire-building-1",
        "version": version,
        "kind": "fire",
        "severity": Severity.CRITICAL,
        "place": "building",
        "state": "alarm",
        "raised_at": now,
        "causes": (AlarmCause(zone="smoke", kind="smoke", active=True),),
    }
    return AlarmState(**(fields | changes))


def point(at: datetime, value: float, device: str = "th-1", quantity: Quantity = Quantity.TEMP) -> TelemetryPoint:
    """A row of the gateway's log."""
    return TelemetryPoint(ts=at, device=device, zone="reading-room", quantity=quantity, value=value)
