"""The server's pages with the real catalogue, loans and sign-in, and a made-up building."""

from __future__ import annotations

import asyncio
import atexit
import json
import random
import shutil
import tempfile
import threading
from contextlib import closing
from datetime import date, timedelta
from functools import cache
from pathlib import Path

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

from carrel.clock import local_date
from carrel.config import load
from carrel.contracts.health import GatewayStatus
from carrel.system_clock import SystemClock
from server import errors
from server.auth.service import Identifier
from server.db import Database
from server.demo import fill
from server.deps import Core
from server.devices.service import Networks
from server.edge.outbox import Outbox
from server.health import Checks
from server.holders import HOLDERS
from server.migrations.apply import upgrade
from server.notices.sending import office_of
from server.pages.part import join
from server.reports.service import Reports
from server.rooms import endpoints as rooms
from server.rooms.picture import Picture
from server.rooms.plan import read_plan
from server.rooms.service import Rooms
from server.rules.book import Books
from server.settings import ServerSettings, read_settings
from tests.support.sample_building import VALUES, SampleBuilding
from tests.support.sample_history import SampleHistory

ROOT = Path(__file__).parents[2]
STAFF = ("librarian", "librarian-demo")
READER = ("90000001", "0001")
DATABASE = "server.db"


def core_in(folder: Path) -> Core:
    """The parts of a server whose demo database lies in `folder`."""
    settings, clock = _settings(folder), SystemClock()
    shutil.copyfile(_filled(local_date(clock.now(), settings.common.library.zone)), folder / DATABASE)
    database = Database(settings.database_url)
    return Core(settings, database, clock, checks=Checks(), identify=Identifier("machine-token-of-tests", database))


def _settings(folder: Path) -> ServerSettings:
    return read_settings(load(ROOT / "config.toml", {"CARREL_SERVER__DATABASE": f"sqlite:///{folder}/{DATABASE}"}))


@cache
def _filled(_today: date) -> Path:
    """A demo database to copy: to make one takes seconds, most of them for PINs. Its loans are due in days from now."""
    folder = Path(tempfile.mkdtemp(prefix="carrel-test-demo-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    settings = _settings(folder)
    with closing(Database(settings.database_url)) as database:
        upgrade(database)
        fill.fill_if_empty(database, settings, SystemClock().now())
    return folder / DATABASE


def build(folder: Path) -> FastAPI:
    """The pages with a demo database in `folder`; `app.state.building` is a SampleBuilding."""
    app = FastAPI(openapi_url=None)
    app.state.core = core_in(folder)
    building = SampleBuilding()
    app.state.building, app.state.room_book = building, building
    app.state.holders = HOLDERS
    core = app.state.core
    picture = Picture()
    now = core.clock.now()
    picture.set_status("gw-1", GatewayStatus(state="online", since=now, session=1, version="0"), now)
    app.state.rooms = Rooms(read_plan(core.settings), picture, SampleHistory(), core.clock)
    app.state.reports = Reports(core.settings, app.state.rooms.plan, app.state.rooms.past, core.clock)
    app.state.network = Networks(app.state.rooms, Outbox(core.database, core.clock, answer_within_s=0), core.clock)
    app.state.notices = office_of(core, threading.Event())
    app.state.rule_books = Books(core, app.state.rooms, SampleHistory())
    app.include_router(rooms.router)
    app.add_api_websocket_route("/live", live)
    errors.install(app)
    join(app, app.state.core.settings)
    return app


async def live(socket: WebSocket) -> None:
    """The protocol of docs/live.md with values that wander."""
    await socket.accept()
    building: SampleBuilding = socket.app.state.building
    values = dict(VALUES)
    seq = 0
    try:
        await socket.receive_json()
        while True:
            building.now += timedelta(seconds=1)
            stamp = int(building.now.timestamp() * 1000)
            heard = [key for key in values if seq == 0 or random.random() < 0.3]
            patch: dict[str, object] = {f"{r}.{q}": {"v": values[r, q], "t": stamp} for r, q in heard}
            patch["alarms"] = {"rev": str(building.rev)}
            patch["network"] = {"rev": socket.app.state.rooms.picture.network_rev()}
            patch["rulebook"] = {"rev": socket.app.state.rooms.picture.config_rev()}
            for room in ("reading-room", "stacks"):
                patch[f"{room}.actuators"] = {"rev": str(building.rev)}
            seq += 1
            await socket.send_text(json.dumps({"seq": seq, "full": seq == 1, "now": stamp, "patch": patch}))
            values = {key: value * random.uniform(0.99, 1.01) for key, value in values.items()}
            await asyncio.sleep(1)
    except WebSocketDisconnect:
        return
