"""Commands to the edge: written in the transaction of what caused them, sent after it, re-sent until answered.

A command is a row; any server process may send it and any may store its answer. Only the waiting for an answer is
local: a request waits a moment in the process that took it, and afterwards the row tells how it went.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from carrel.clock import Clock
from carrel.contracts.actuation import CommandResult, CommandStatus, EdgeOrder
from carrel.contracts.codec import decode_command, encode
from server.db import Database
from server.edge import repository
from server.edge.models import CommandRow
from server.edge.repository import NO_ANSWER

log = logging.getLogger(__name__)

ANSWER_WITHIN_S = 3.0
WAITING_AT_ONCE = 8
"""Requests that may block a worker thread for an answer; more are told `sent` at once."""
KEPT = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Order:
    """A command and where it goes: `cmd/{target}` of a gateway."""

    gateway: str
    target: str
    command: EdgeOrder


@dataclass(frozen=True, slots=True)
class Settled:
    """A command with its answer."""

    order: Order
    result: CommandResult


class Outbox:
    """The commands of one server process's database."""

    def __init__(self, database: Database, clock: Clock, *, answer_within_s: float = ANSWER_WITHIN_S) -> None:
        self._database = database
        self._clock = clock
        self._answer_within_s = answer_within_s
        self._lock = threading.Lock()
        self._waiting: dict[str, threading.Event] = {}
        self.on_new: Callable[[], None] = _nobody
        """Called from any thread after a command was committed."""
        self.sent: frozenset[str] = frozenset()
        """Ids of unanswered commands that this process has given to the broker."""

    def carry_out(self, order: Order, cause: Callable[[Session], None], *, wait: bool = True) -> CommandResult | None:
        """Commit `cause` and the command together, send it, and wait a moment if asked to; None: no answer yet.

        Blocks the calling thread; must not be called inside a transaction.
        """
        with self._expecting(order.command.id) as answered:
            with self._database.writing() as session:
                cause(session)
                self.put(session, order)
            self.on_new()
            if wait and self.waiting <= WAITING_AT_ONCE:
                answered.wait(self._answer_within_s)
        with self._database.reading() as session:
            return self.answer_to(session, order.command.id)

    @property
    def waiting(self) -> int:
        """How many requests of this process wait for an answer."""
        return len(self._waiting)

    def put(self, session: Session, order: Order) -> None:
        """Write a command; whoever commits calls `on_new`."""
        command = order.command
        row = CommandRow(
            id=command.id,
            gateway=order.gateway,
            target=order.target,
            body=encode(command).decode(),
            created_at=self._clock.now(),
            expires_at=command.expires,
        )
        repository.add(session, row)

    def due(self) -> list[Order]:
        """Commands that are to be sent now, again if need be."""
        with self._database.reading() as session:
            return [_order(row) for row in repository.unanswered(session, self._clock.now())]

    def answer_to(self, session: Session, id_: str) -> CommandResult | None:
        """How a command ended; None while it has not, or for an unknown one."""
        row = repository.get(session, id_)
        if row is None or row.status is None or row.answered_at is None:
            return None
        status = CommandStatus(row.status)
        if status is CommandStatus.ACCEPTED:
            return None
        return CommandResult(id=row.id, status=status, code=row.code, detail=row.detail, ts=row.answered_at)

    def settle(self, session: Session, gateway: str, result: CommandResult) -> Settled | None:
        """Store a gateway's answer; None when it was stored before or answers nothing of ours."""
        if not repository.settle(session, gateway, result):
            return None
        row = repository.get(session, result.id)
        return Settled(_order(row), result) if row and result.status is not CommandStatus.ACCEPTED else None

    def overdue(self) -> list[str]:
        """Ids of commands that ran out of time."""
        with self._database.reading() as session:
            return repository.overdue(session, self._clock.now())

    def give_up(self, session: Session, id_: str) -> Settled | None:
        """End a command that nobody answered in time; None when somebody did after all."""
        now = self._clock.now()
        result = CommandResult(id=id_, status=CommandStatus.EXPIRED, code=NO_ANSWER, ts=now)
        if not repository.settle(session, None, result):
            return None
        row = repository.get(session, id_)
        return Settled(_order(row), result) if row else None

    def notify(self, id_: str) -> None:
        """The answer to this command has been committed: wake whoever waits for it here."""
        with self._lock:
            waiting = self._waiting.get(id_)
        if waiting is not None:
            waiting.set()

    def forget_old(self, session: Session, now: datetime) -> None:
        """Drop commands of more than a week ago."""
        repository.forget(session, now - KEPT)

    @contextmanager
    def _expecting(self, id_: str) -> Iterator[threading.Event]:
        answered = threading.Event()
        with self._lock:
            self._waiting[id_] = answered
        try:
            yield answered
        finally:
            with self._lock:
                del self._waiting[id_]


def _nobody() -> None:
    """Before the edge's part has started nobody sends; the row waits."""


def _order(row: CommandRow) -> Order:
    return Order(row.gateway, row.target, decode_command(row.body.encode()))
