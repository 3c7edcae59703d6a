"""The server's part that lives beside the requests: the session with the broker and all that hangs on it."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial

from fastapi import FastAPI

from server.alarms.book import AlarmBook
from server.alarms.control import AlarmControl
from server.deps import Core
from server.devices.names import Names
from server.devices.service import Networks
from server.diligence import tell
from server.edge.connection import Connection
from server.edge.dispatch import Dispatcher
from server.edge.ingest import Ingest
from server.edge.outbox import Outbox
from server.gateways.service import Gateways
from server.live.board import Board, topics_of
from server.live.feed import Feed
from server.live.inbox import EdgeInbox
from server.live.watch import Watch
from server.reports.service import Reports
from server.rooms.control import RoomControl
from server.rooms.picture import Picture
from server.rooms.plan import read_plan
from server.rooms.service import Rooms
from server.rules.book import Books
from server.rules.sender import BookSender
from server.sip2.terminals import Terminals
from server.telemetry import retention
from server.telemetry.factory import kept_of, open_store

log = logging.getLogger(__name__)

TICK_S = 2.0
FORGET_EVERY_S = 3600.0
AGAIN_AFTER_S = 1.0
TOLD_ANEW_S = 60.0
"""What fails again within this time is the same trouble."""


@asynccontextmanager
async def live_part(app: FastAPI, core: Core) -> AsyncIterator[None]:
    """Put rooms, alarms' control and feed into the application's state and keep them fed until the server ends."""
    picture, store = Picture(), open_store(core)
    names = Names(core.database)
    rooms = Rooms(read_plan(core.settings), picture, store, core.clock, names=names.spans)
    outbox = Outbox(core.database, core.clock)
    feed = Feed(topics_of(rooms))
    terminals = app.state.terminals = Terminals()
    board = Board(feed, rooms, terminals)
    control = RoomControl(rooms, outbox, core.database, core.clock)
    book = _alarm_book(app, core, outbox)
    inbox = EdgeInbox(
        core, outbox, picture=picture, store=store, board=board, control=control, names=names, alarm_book=book
    )
    app.state.rooms, app.state.feed, app.state.room_control = rooms, feed, control
    _offer(app, core, rooms, outbox)
    branch = core.settings.common.library.branch
    connection = Connection(core.settings.common.mqtt, branch)
    watch = Watch(picture, connection, board.show_watch)
    ingest = Ingest(inbox, connection.publish, core.clock)
    dispatcher = Dispatcher(outbox, branch, connection.publish)
    app.state.rule_books = Books(core, rooms, store)
    sender = BookSender(app.state.rule_books, branch, partial(connection.publish, retain=True))
    core.checks.add("broker", connection.probe, required=False)  # lending goes on without the edge

    board.show_all()
    board.show_alarms(await asyncio.to_thread(inbox.look_at_alarms))
    works: list[Callable[[], Awaitable[None]]] = [
        lambda: connection.run(ingest.take, dispatcher.run, sender.run),
        ingest.run,
        lambda: retention.run(store, core.clock, kept_of(core.settings.common.telemetry)),
        lambda: _tick(inbox, board, watch, book),
        lambda: _forget(core, outbox),
    ]
    tasks = [asyncio.create_task(_for_ever(work)) for work in works]
    try:
        yield
    finally:
        await _end(tasks)
        store.close()


def _offer(app: FastAPI, core: Core, rooms: Rooms, outbox: Outbox) -> None:
    """What only answers requests."""
    app.state.reports = Reports(core.settings, rooms.plan, rooms.past, core.clock)
    app.state.gateways = Gateways(core, rooms)
    app.state.network = Networks(rooms, outbox, core.clock)


def _alarm_book(app: FastAPI, core: Core, outbox: Outbox) -> AlarmBook:
    book = app.state.alarm_book = AlarmBook(core.database)
    app.state.alarm_control = AlarmControl(outbox, core.database, core.clock, book)
    core.checks.add("database_writes", book.writes.probe)
    return book


async def _end(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _tick(inbox: EdgeInbox, board: Board, watch: Watch, book: AlarmBook) -> None:
    """What happens by the passing of time alone, or through another server process."""
    while True:
        watch.look()  # first: the database may be away too
        await asyncio.to_thread(book.record_held)
        board.show_alarms(await asyncio.to_thread(inbox.look_at_alarms))
        await asyncio.to_thread(inbox.give_up_overdue)  # after what needs no write: the database may take none
        await asyncio.to_thread(inbox.look_at_wishes)
        inbox.show_wishes()
        board.show_all()
        await asyncio.sleep(TICK_S)


async def _forget(core: Core, outbox: Outbox) -> None:
    def forget() -> None:
        with core.database.writing() as session:
            outbox.forget_old(session, core.clock.now())

    while True:
        await asyncio.to_thread(forget)
        await asyncio.sleep(FORGET_EVERY_S)


async def _for_ever(work: Callable[[], Awaitable[None]]) -> None:
    """A database that is away, or a fault of ours, must not end the work for good; told once until it is over."""
    failed_s = -math.inf
    while True:
        try:
            await work()
        except Exception as error:
            before_s, failed_s = failed_s, time.monotonic()
            if failed_s - before_s > TOLD_ANEW_S:
                tell(log, "work beside the requests failed and begins again", error)
        await asyncio.sleep(AGAIN_AFTER_S)
