"""Joins the pages to the server's application: `join` when it is made, `pages_part` when it starts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI

from carrel.web.pages import Site, mount
from server.deps import Core
from server.pages.dashboard import endpoints as dashboard
from server.pages.dashboard.source import ServerBuilding
from server.pages.devices import endpoints as devices
from server.pages.problems import HtmlProblems
from server.pages.reader import endpoints as reader
from server.pages.reports import endpoints as reports
from server.pages.rooms import endpoints as rooms
from server.pages.rooms.source import ServerRooms
from server.settings import ServerSettings

TEMPLATES = Path(__file__).with_name("templates")


def join(app: FastAPI, settings: ServerSettings) -> None:
    """Add the pages, the static files and what protects them; after `errors.install`, whose problems become pages."""
    library = settings.common.library
    site = Site(
        name=library.name,
        name_zh=library.name_zh,
        zone=library.zone,
        default_language=library.language,
        simulated=library.simulated,
    )
    app.add_middleware(HtmlProblems)
    mount(app, site, [TEMPLATES])
    app.include_router(dashboard.router)
    app.include_router(rooms.router)
    app.include_router(devices.router)
    app.include_router(reports.router)
    app.include_router(reader.router)


@asynccontextmanager
async def pages_part(app: FastAPI, core: Core) -> AsyncIterator[None]:
    """Give the pages their building; comes after `server.live.part`, which makes what it is read from."""
    state = app.state
    state.building = ServerBuilding(
        core, state.rooms, room_control=state.room_control, alarm_control=state.alarm_control
    )
    state.room_book = ServerRooms(core, state.rooms, state.building)
    yield
