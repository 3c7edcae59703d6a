"""What arrives from the gateways: decoded by the table of topics, handed on, confirmed once it is stored.

Two lanes: live states go on at once; what needs the database goes, in order, through a bounded queue and a worker
thread. What the queue cannot take is dropped, since the edge repeats it until it is confirmed. Alarms take both lanes.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol

import aiomqtt

from carrel.clock import Clock
from carrel.contracts import topics
from carrel.contracts.actuation import CommandResult
from carrel.contracts.alarms import AlarmState, EdgeEvent
from carrel.contracts.base import Contract
from carrel.contracts.codec import ContractError, decode, encode
from carrel.contracts.telemetry import StoredAck, TelemetryBatch
from server.edge.complaints import Complaints

log = logging.getLogger(__name__)

WAITING_LIMIT = 1000

LIVE = (
    topics.STATE,
    topics.DEVICES,
    topics.LINKS,
    topics.DEVICE_STATE,
    topics.RULES_STATE,
    topics.NETWORK,
    topics.CONFIG_STATE,
    topics.ALARM,
    topics.EVENT,
)
STORED = (topics.TELEMETRY, topics.COMMAND_ACK, topics.ALARM, topics.EVENT, topics.RULES_STATE, topics.NETWORK)
TO_THE_EDGE = tuple(topic for topic in topics.TOPICS if topic.sender == "server")
"""Our own words, which the subscription brings back."""

_GATEWAY = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z._:-]{0,95}")


@dataclass(frozen=True, slots=True)
class Arrived:
    """A message of a gateway that fits its contract."""

    address: topics.Address
    message: Contract


@dataclass(frozen=True, slots=True)
class Retired:
    """A gateway's state was cleared on the broker."""

    gateway: str


class Inbox(Protocol):
    """What the server does with what arrives."""

    def forget(self, gateway: str) -> None:
        """Its retained state was cleared: it is retired; in the event loop."""

    def see(self, arrived: Arrived) -> None:
        """Take up a live state; in the event loop, quick; raises ContractError for what cannot be."""

    def store(self, arrived: Arrived) -> None:
        """Store it in one transaction; in a worker thread."""

    def tell(self, arrived: Arrived) -> None:
        """It has been committed: tell the pages; in the event loop."""


class Ingest:
    """Takes messages from the connection."""

    def __init__(self, inbox: Inbox, publish: Callable[[str, bytes], Awaitable[None]], clock: Clock) -> None:
        self._inbox = inbox
        self._publish = publish
        self._queue: asyncio.Queue[Arrived] = asyncio.Queue(WAITING_LIMIT)
        self._events = _Gaps()
        self.bad = Complaints(log, "message of the edge dropped", clock)
        self.failed = Complaints(log, "message of the edge not stored, it will come again", clock)

    def take(self, name: str, payload: bytes) -> None:
        """Take one message; never raises."""
        try:
            arrived = _read(name, payload)
            if isinstance(arrived, Retired):
                self._inbox.forget(arrived.gateway)
            if not isinstance(arrived, Arrived):
                return
            if arrived.address.topic in LIVE:
                self._inbox.see(arrived)
            if arrived.address.topic in STORED:
                self._queue.put_nowait(arrived)
        except ContractError as error:
            self.bad.add(name, str(error))
        except asyncio.QueueFull:
            self.failed.add(name, "too many messages wait for the database")
        except Exception as error:  # whatever it is, the next message must be heard
            log.exception("fault while taking a message on %.120s", name)
            self.bad.add(name, type(error).__name__)

    async def run(self) -> None:
        """Store what waits, in order, until cancelled."""
        while True:
            await self._keep(await self._queue.get())

    async def drain(self) -> None:
        """Store what waits now."""
        while not self._queue.empty():
            await self._keep(self._queue.get_nowait())

    async def _keep(self, arrived: Arrived) -> None:
        try:
            await asyncio.to_thread(self._inbox.store, arrived)
        except Exception as error:  # the database is away, or the row cannot be: not confirmed, so it comes again
            log.debug("not stored", exc_info=True)
            self.failed.add(arrived.address.topic.path, f"{type(error).__name__}: {error}")
            self._events.missed(arrived)
            return
        self._tell(arrived)
        await self._confirm(arrived)

    def _tell(self, arrived: Arrived) -> None:
        try:
            self._inbox.tell(arrived)
        except Exception:  # a page less informed is no reason to store it again
            log.exception("fault while telling the pages")

    async def _confirm(self, arrived: Arrived) -> None:
        found = self._confirmation(arrived)
        if found is None:
            return
        topic, ack = found
        try:
            await self._publish(topics.name(arrived.address.branch, arrived.address.gateway, topic), encode(ack))
        except (aiomqtt.MqttError, OSError) as error:
            log.debug("confirmation not sent, the message will come again: %s", error)

    def _confirmation(self, arrived: Arrived) -> tuple[topics.Topic, StoredAck] | None:
        message = arrived.message
        if isinstance(message, TelemetryBatch):
            last = message.first + len(message.points) - 1
            return topics.TELEMETRY_ACK, StoredAck(session=message.session, seq=last)
        if isinstance(message, EdgeEvent) and self._events.may_confirm(arrived.address.gateway, message.seq):
            return topics.EVENT_ACK, StoredAck(session=message.session, seq=message.seq)
        return None


class _Gaps:
    """A confirmation covers all events before it, so none is given past one that could not be stored.

    A gateway repeats from the oldest event that it has not seen confirmed. When a repeat begins behind a gap, another
    server process has closed it.
    """

    def __init__(self) -> None:
        self._gap: dict[str, int] = {}
        self._last: dict[str, int] = {}

    def missed(self, arrived: Arrived) -> None:
        """This could not be stored."""
        if isinstance(arrived.message, EdgeEvent):
            gateway, seq = arrived.address.gateway, arrived.message.seq
            self._gap[gateway] = min(seq, self._gap.get(gateway, seq))
            self._last[gateway] = seq

    def may_confirm(self, gateway: str, seq: int) -> bool:
        """Whether everything up to this event, which is stored, is stored."""
        repeated = seq <= self._last.get(gateway, seq - 1)
        self._last[gateway] = seq
        gap = self._gap.get(gateway)
        if gap is None:
            return True
        if seq > gap and not repeated:
            return False
        del self._gap[gateway]
        return True


def _read(name: str, payload: bytes) -> Arrived | Retired | None:
    """None for what is of no concern: our own words, and other retained topics that were cleared."""
    address = topics.parse(name)
    if address is None:
        raise ContractError("no such topic")
    if address.topic in TO_THE_EDGE or not payload:
        return Retired(address.gateway) if address.topic is topics.STATE else None
    if not _GATEWAY.fullmatch(address.gateway) or (address.id is not None and not _ID.fullmatch(address.id)):
        raise ContractError("a name in the topic is not allowed")
    message: Any = decode(address.topic.contracts[0], payload)
    if isinstance(message, AlarmState | CommandResult) and message.id != address.id:
        raise ContractError(f"the message is about {message.id!r}, the topic is not")
    return Arrived(address, message)
