"""The gateway's MQTT session: publishes states, replays what the server has not confirmed, receives commands."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

import aiomqtt
from pydantic import ValidationError

from carrel import mqtt
from carrel.clock import Clock
from carrel.contracts import topics
from carrel.contracts.actuation import EdgeOrder
from carrel.contracts.alarms import AlarmState, EdgeEvent
from carrel.contracts.codec import ContractError, decode, decode_command, encode
from carrel.contracts.health import GatewayStatus
from carrel.contracts.telemetry import StoredAck
from carrel.sections import MqttConfig
from devices.ending import apart, end_if_told
from gateway.relay.batches import next_batch
from gateway.relay.outgoing import Outbox, Outgoing
from gateway.relay.spool import SERVER, Spool
from gateway.store import Row, Store

log = logging.getLogger(__name__)

FIRST_RETRY_S, LAST_RETRY_S = 0.3, 5.0
CONFIRM_WITHIN_S = 5.0
"""What the server has not confirmed after this long is sent again."""
GATHER_S = 2.0
"""Readings are gathered so long before they are sent, unless a whole batch waits."""
FAREWELL_S = 1.0
AT_ONCE = 8
"""Publications handed to the client together: one write of the socket for all; it warns of more than ten."""
QUEUE_LIMIT = 1000
"""Messages held before they are dealt with; more are dropped, and come again."""

HEARD = tuple(topic for topic in topics.TOPICS if topic.sender == "server" or topic.heard_back)
"""What the gateway subscribes to."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who this gateway is on the broker."""

    branch: str
    gateway: str
    version: str


class Uplink:
    """Keeps one session with the broker alive; `run` ends only by cancellation."""

    def __init__(
        self,
        mqtt: MqttConfig,
        who: Identity,
        *,
        store: Store,
        spool: Spool,
        clock: Clock,
        on_command: Callable[[EdgeOrder], None],
    ) -> None:
        self._mqtt = mqtt
        self._who = who
        self._store = store
        self._spool = spool
        self._clock = clock
        self._on_command = on_command
        self.outbox = Outbox()
        self.announcements: Callable[[], Iterable[tuple[str, bytes]]] = tuple
        """What Home Assistant is told: topics outside our tree with their retained messages."""
        self.on_config: Callable[[str, bytes], None] = _nobody
        """Takes the section and the bytes of what the server wants the gateway to run by."""
        self.connected = False
        self.bad_messages = 0
        self._unwritten = False
        own = topics.announcement(mqtt.home_assistant, who.branch, who.gateway, "")
        self._own_announcements = own.removesuffix("/config")
        self._announced: set[str] = set()
        self._announce_anew = asyncio.Event()
        self._events = asyncio.Event()
        self._telemetry = asyncio.Event()
        self._events_confirmed = asyncio.Event()
        self._telemetry_confirmed = asyncio.Event()

    def events_waiting(self) -> None:
        """New events are in the store."""
        self._events.set()

    def devices_changed(self) -> None:
        """Home Assistant is to be told anew."""
        self._announce_anew.set()

    def telemetry_waiting(self) -> None:
        """New readings are in the spool."""
        self._telemetry.set()

    async def run(self) -> None:
        """Connect, serve, and connect again whenever the broker goes away."""
        delay, told = FIRST_RETRY_S, False
        while True:
            began = asyncio.get_running_loop().time()
            try:
                await apart(self._session())
            except Exception as error:  # a fault here must not take the fire panel along
                told = self._tell_lost(error, told=told and not self.connected)
            finally:
                self.connected = False
            if asyncio.get_running_loop().time() - began > LAST_RETRY_S:
                delay = FIRST_RETRY_S
            end_if_told()
            await asyncio.sleep(delay)
            delay = min(delay * 2, LAST_RETRY_S)

    async def _session(self) -> None:
        async with self._client() as client:
            await self._serve(client)

    def _tell_lost(self, error: Exception, *, told: bool) -> bool:
        """Once per outage, but with its trace where it is our own fault."""
        if not isinstance(error, aiomqtt.MqttError | OSError):
            log.error("session with the broker failed", exc_info=error)
        elif not told:
            log.warning("broker %s:%s lost: %s", self._mqtt.host, self._mqtt.port, error)
        return True

    def _client(self) -> aiomqtt.Client:
        will = aiomqtt.Will(self._name(topics.STATE), encode(self._status("offline")), qos=1, retain=True)
        identifier = f"carrel-{self._who.branch}-{self._who.gateway}"
        return mqtt.client(self._mqtt, identifier, waiting=QUEUE_LIMIT, will=will)

    async def _serve(self, client: aiomqtt.Client) -> None:
        for topic in HEARD:
            await client.subscribe(self._name(topic, "+"), qos=1)
        if self._mqtt.home_assistant:
            await client.subscribe(f"{self._mqtt.home_assistant}/device/+/config", qos=1)
        await self._say(client, "online")
        log.info("broker %s:%s reached", self._mqtt.host, self._mqtt.port)
        self.connected = True
        self.outbox.repeat_retained()
        try:
            await self._exchange(client)
        except asyncio.CancelledError:
            await self._farewell(client)  # an orderly end sends no last will
            raise

    async def _exchange(self, client: aiomqtt.Client) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._publish_states(client))
                group.create_task(self._replay_events(client))
                group.create_task(self._replay_telemetry(client))
                group.create_task(self._announce(client))
                group.create_task(self._receive(client))
        except ExceptionGroup as errors:  # not except*, which would wrap what is raised here in a group again
            if errors.split((aiomqtt.MqttError, OSError))[1] is not None:
                raise  # a fault of ours is among them
            raise aiomqtt.MqttError(str(errors.exceptions[0])) from errors

    async def _say(self, client: aiomqtt.Client, state: Literal["online", "offline"]) -> None:
        await self._publish(client, topics.STATE, encode(self._status(state)))

    async def _farewell(self, client: aiomqtt.Client) -> None:
        try:
            async with asyncio.timeout(FAREWELL_S):
                await self._say(client, "offline")
        except (aiomqtt.MqttError, OSError) as error:  # TimeoutError is an OSError
            log.debug("could not say goodbye to the broker: %s", error)

    def _status(self, state: Literal["online", "offline"]) -> GatewayStatus:
        return GatewayStatus(
            state=state, since=self._clock.now(), session=self._store.session, version=self._who.version
        )

    async def _publish_states(self, client: aiomqtt.Client) -> None:
        while True:
            items = await self.outbox.take()
            for first in range(0, len(items), AT_ONCE):
                await asyncio.gather(*(self._publish_item(client, item) for item in items[first : first + AT_ONCE]))

    async def _publish_item(self, client: aiomqtt.Client, item: Outgoing) -> None:
        await self._publish(client, item.topic, item.payload, item.id)
        self.outbox.published(item)

    async def _replay_events(self, client: aiomqtt.Client) -> None:
        while True:
            self._events_confirmed.clear()
            self._events.clear()
            rows = await asyncio.to_thread(self._store.events_after, 0)
            for row in rows:
                alarm = await self._read_event(row)
                if alarm is not None:
                    event = EdgeEvent(session=self._store.session, seq=row.seq, ts=self._clock.now(), alarm=alarm)
                    await self._publish(client, topics.EVENT, encode(event), row.kind)
            await _first_of(self._events, self._events_confirmed, CONFIRM_WITHIN_S if rows else None)

    async def _replay_telemetry(self, client: aiomqtt.Client) -> None:
        while True:
            self._telemetry_confirmed.clear()
            self._telemetry.clear()
            batch = await asyncio.to_thread(next_batch, self._spool, self._store.session)
            if batch is None:
                await self._telemetry.wait()
            else:
                await self._publish(client, topics.TELEMETRY, batch.payload)
                await _first_of(self._telemetry_confirmed, None, CONFIRM_WITHIN_S)
            if batch is None or not batch.full:
                await asyncio.sleep(GATHER_S)

    async def _read_event(self, row: Row) -> AlarmState | None:
        """An event of the log; one that cannot be read any more is dropped, or it would block those behind it."""
        try:
            return AlarmState.model_validate_json(row.body)
        except ValidationError as error:
            log.error("event %d cannot be read and is dropped: %s", row.seq, error)
            await asyncio.to_thread(self._store.discard_event, row.seq)
            return None

    async def _announce(self, client: aiomqtt.Client) -> None:
        """Tell of each device, and clear what was told of one that is there no more."""
        while True:
            self._announce_anew.clear()
            told = dict(self.announcements())
            for name, payload in (dict.fromkeys(self._announced - told.keys(), b"") | told).items():
                await client.publish(name, payload, qos=1, retain=True)
                end_if_told()
            await self._announce_anew.wait()

    def _announcement_heard(self, name: str, payload: bytes) -> bool:
        """Whether it is for Home Assistant; ours are remembered, others' are none of our business."""
        if not self._mqtt.home_assistant or not name.startswith(f"{self._mqtt.home_assistant}/"):
            return False
        if not name.startswith(self._own_announcements):
            return True
        if not payload:
            self._announced.discard(name)
        elif name not in self._announced:
            self._announced.add(name)
            if name not in dict(self.announcements()):
                self._announce_anew.set()
        return True

    async def _receive(self, client: aiomqtt.Client) -> None:
        async for message in client.messages:
            name, payload = str(message.topic), message.payload if isinstance(message.payload, bytes) else b""
            try:
                if not self._announcement_heard(name, payload):
                    await self._take(name, payload)
            except ContractError as error:
                self.bad_messages += 1
                log.warning("message on %s dropped: %s", message.topic, error)

    async def _take(self, name: str, payload: bytes) -> None:
        address = topics.parse(name)
        if address is None:
            raise ContractError("no such topic")
        if address.topic is topics.COMMAND:
            self._on_command(decode_command(payload))
        elif address.topic is topics.ALARM:
            self._alarm_seen(address.id or "", payload)
        elif address.topic is topics.CONFIG:
            self.on_config(address.id or "", payload)
        elif address.topic in HEARD:  # amqtt gives a newcomer also what is retained for others' subscriptions
            await self._confirm(address.topic, decode(StoredAck, payload))

    def _alarm_seen(self, id_: str, payload: bytes) -> None:
        """The broker brings our own alarms back; one that stands no more was reset while the broker was away."""
        if payload and not self.outbox.stands(topics.ALARM, id_):
            self.outbox.put(topics.ALARM, None, id_)

    async def _confirm(self, topic: topics.Topic, ack: StoredAck) -> None:
        if ack.session != self._store.session:
            return  # about rows of another run, perhaps of another file; those that are left are sent again
        try:
            if topic is topics.EVENT_ACK:
                await asyncio.to_thread(self._store.confirm_events, ack.seq)
                self._events_confirmed.set()
            else:
                await asyncio.to_thread(self._spool.confirm, SERVER, ack.seq)
                self._telemetry_confirmed.set()
        except sqlite3.Error as error:  # no reason to end the session, in which orders come
            if not self._unwritten:
                log.error("confirmations are not written, what they confirm is sent again: %s", error)
            self._unwritten = True
        else:
            self._unwritten = False

    async def _publish(self, client: aiomqtt.Client, topic: topics.Topic, payload: bytes, id_: str = "") -> None:
        await client.publish(self._name(topic, id_), payload, qos=topic.qos, retain=topic.retained)
        end_if_told()  # what waits for its answer inside aiomqtt swallows it when the answer comes in the same moment

    def _name(self, topic: topics.Topic, id_: str = "") -> str:
        return topics.name(self._who.branch, self._who.gateway, topic, id_)


def _nobody(_section: str, _payload: bytes) -> None:
    """A gateway without rules takes none."""


async def _first_of(one: asyncio.Event, other: asyncio.Event | None, timeout_s: float | None) -> None:
    """Wait for either event, or for the time to pass."""
    waits = [asyncio.ensure_future(event.wait()) for event in (one, other) if event is not None]
    try:
        await asyncio.wait(waits, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
