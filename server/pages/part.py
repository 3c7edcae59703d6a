"""Joins the pages to the server's application: `join` when it is made, `pages_part` when it starts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI

from carrel.sections import LibraryConfig
from carrel.web.pages import Site, mount
from server.catalogue.covers import Covers
from server.deps import Core
from server.pages.accounts import account_endpoints as accounts
from server.pages.accounts import own_endpoints as own_account
from server.pages.accounts import token_endpoints as tokens
from server.pages.audit import endpoints as audit
from server.pages.blanks import NulAsBlank
from server.pages.catalogue import import_endpoints as catalogue_imports
from server.pages.catalogue import item_endpoints as catalogue_items
from server.pages.catalogue import record_endpoints as catalogue_records
from server.pages.catalogue import search_endpoints as catalogue_search
from server.pages.dashboard import endpoints as dashboard
from server.pages.dashboard.source import ServerBuilding
from server.pages.desk import endpoints as desk
from server.pages.devices import endpoints as devices
from server.pages.lending_reports import endpoints as lending_reports
from server.pages.lending_settings import endpoints as lending_settings
from server.pages.notices import endpoints as staff_notices
from server.pages.patrons import endpoints as patrons
from server.pages.problems import HtmlProblems
from server.pages.reader import account_endpoints as account
from server.pages.reader import endpoints as reader
from server.pages.reader import fee_endpoints as fees
from server.pages.reader import hold_endpoints as holds
from server.pages.reader import notice_endpoints as notices
from server.pages.reader import offline_endpoints as offline
from server.pages.reader import search_endpoints as search
from server.pages.relations import reader_endpoints as reader_relations
from server.pages.relations import staff_endpoints as relations
from server.pages.reports import endpoints as reports
from server.pages.rooms import endpoints as rooms
from server.pages.rooms.source import ServerRooms
from server.pages.rules import endpoints as rules
from server.pages.worklists import endpoints as worklists
from server.settings import ServerSettings

TEMPLATES = Path(__file__).with_name("templates")


def join(app: FastAPI, settings: ServerSettings) -> None:
    """Add the pages, the static files and what protects them; after `errors.install`, whose problems become pages."""
    app.add_middleware(NulAsBlank)
    app.add_middleware(HtmlProblems)
    mount(app, _site(settings.common.library), [TEMPLATES])
    app.state.covers = _covers(settings)
    app.include_router(dashboard.router)
    app.include_router(rooms.router)
    app.include_router(rules.router)
    app.include_router(devices.router)
    app.include_router(reports.router)
    app.include_router(lending_reports.router)
    app.include_router(desk.router)
    app.include_router(patrons.router)
    app.include_router(worklists.router)
    app.include_router(staff_notices.router)
    app.include_router(relations.router)
    app.include_router(catalogue_search.router)
    app.include_router(catalogue_records.router)
    app.include_router(catalogue_items.router)
    app.include_router(catalogue_imports.router)
    app.include_router(lending_settings.router)
    app.include_router(accounts.router)
    app.include_router(own_account.router)
    app.include_router(tokens.router)
    app.include_router(audit.router)
    app.include_router(search.router)
    app.include_router(reader_relations.router)
    app.include_router(reader.router)
    app.include_router(holds.router)
    app.include_router(fees.router)
    app.include_router(notices.router)
    app.include_router(account.router)
    app.include_router(offline.router)


def _site(library: LibraryConfig) -> Site:
    return Site(
        name=library.name,
        name_zh=library.name_zh,
        zone=library.zone,
        default_language=library.language,
        simulated=library.simulated,
    )


def _covers(settings: ServerSettings) -> Covers:
    folder = settings.server.catalogue.covers
    return Covers(settings.document.path(folder) if folder else None)


@asynccontextmanager
async def pages_part(app: FastAPI, core: Core) -> AsyncIterator[None]:
    """Give the pages their building; comes after `server.live.part`, which makes what it is read from."""
    state = app.state
    state.building = ServerBuilding(
        core,
        state.rooms,
        room_control=state.room_control,
        alarm_control=state.alarm_control,
        alarm_book=state.alarm_book,
        gateways=state.gateways,
        terminals=state.terminals,
    )
    state.room_book = ServerRooms(core, state.rooms, state.building)
    yield
