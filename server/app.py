"""Composition root: `create_app(settings)` joins the domains; the lifespan opens and closes everything.

To add a domain: its router in ROUTERS, and, if something has to run beside the requests, its part in PARTS.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager

from fastapi import APIRouter, FastAPI

from carrel.clock import Clock
from carrel.system_clock import SystemClock
from server import errors, system
from server.alarms import endpoints as alarms
from server.audit import endpoints as audit
from server.auth import administration
from server.auth import endpoints as auth
from server.auth.machine_token import read_or_make
from server.auth.service import Identifier
from server.catalogue import endpoints as catalogue
from server.catalogue import service as items
from server.catalogue.classification import endpoints as classification
from server.catalogue.editing import endpoints as cataloguing
from server.catalogue.imports import endpoints as imports
from server.catalogue.imports.worker import imports_part
from server.catalogue.lookup import endpoints as lookup
from server.catalogue.search.documents import bring_up_to_date
from server.circulation import endpoints as circulation
from server.db import Database
from server.demo import fill
from server.deps import Core
from server.devices import endpoints as devices
from server.exports import endpoints as exports
from server.exports.worker import exports_part
from server.feedback import endpoints as feedback
from server.fees import endpoints as fees
from server.gateways import endpoints as gateways
from server.health import Checks
from server.holders import HOLDERS
from server.holds import endpoints as holds
from server.http.middleware import BodyLimit, NotKept
from server.jobs.part import jobs_part
from server.lending import endpoints as lending
from server.lending import seed
from server.lending_reports import endpoints as lending_reports
from server.live import endpoints as live
from server.live.part import live_part
from server.migrations.apply import upgrade
from server.news import endpoints as news
from server.notices import endpoints as notices
from server.pages.part import join, pages_part
from server.patrons import endpoints as patrons
from server.patrons import me
from server.printing import endpoints as printing
from server.reports import endpoints as reports
from server.rooms import endpoints as rooms
from server.rules import endpoints as rules
from server.settings import ServerSettings
from server.sip2 import endpoints as sip2
from server.sip2.part import sip2_part
from server.suggestions import endpoints as suggestions
from server.tasks import endpoints as tasks

VERSION = "0.1.0"

ROUTERS: tuple[APIRouter, ...] = (
    system.router,
    auth.router,
    auth.pins,
    administration.router,
    audit.router,
    me.router,
    notices.mine,
    notices.router,
    patrons.router,
    catalogue.router,
    cataloguing.router,
    classification.router,
    imports.router,
    lookup.router,
    printing.router,
    circulation.router,
    lending.router,
    holds.router,
    tasks.router,
    fees.router,
    feedback.router,
    suggestions.router,
    news.router,
    rooms.router,
    exports.router,
    rules.router,
    alarms.router,
    devices.router,
    gateways.router,
    reports.router,
    lending_reports.router,
    sip2.router,
    live.router,
)

Part = Callable[[FastAPI, Core], AbstractAsyncContextManager[None]]
"""Something that lives as long as the server: entered in order at start, left in reverse order at the end."""

PARTS: tuple[Part, ...] = (live_part, exports_part, imports_part, sip2_part, jobs_part, pages_part)


def create_app(settings: ServerSettings, clock: Clock | None = None) -> FastAPI:
    """The application; nothing is opened before its lifespan begins."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            core = open_core(settings, clock or SystemClock())
            stack.callback(core.database.close)
            app.state.core = core
            app.state.holders = HOLDERS
            for part in PARTS:
                await stack.enter_async_context(part(app, core))
            yield

    app = FastAPI(
        title="Carrel",
        version=VERSION,
        description="Refusals are problem documents (RFC 9457) with a stable `code`.",
        lifespan=lifespan,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
    )
    for router in ROUTERS:
        app.include_router(router)
    app.add_middleware(BodyLimit)
    errors.install(app)
    app.add_middleware(NotKept)
    join(app, settings)
    return app


def open_core(settings: ServerSettings, clock: Clock) -> Core:
    """Bring the database up to date and fill an empty one, before anybody may ask."""
    database = Database(settings.database_url)
    try:
        upgrade(database)
        bring_up_to_date(database)
        with database.writing() as session:
            items.settle_branches(session, settings.common.library.branch)
            seed.seed(session, settings, clock.now())
        if settings.server.demo:
            fill.fill_if_empty(database, settings, clock.now())
        token = read_or_make(settings.token_file)
    except BaseException:
        database.close()
        raise
    checks = Checks()
    checks.add("database", database.probe)
    return Core(settings, database, clock, checks=checks, identify=Identifier(token, database))
