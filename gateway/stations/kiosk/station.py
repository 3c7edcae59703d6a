"""One kiosk put together: pad, desk, page; served on its own port."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import uvicorn
from fastapi import FastAPI, Request
from starlette.responses import Response

from carrel.clock import Clock
from carrel.sections import LibraryConfig
from carrel.web.pages import Pages, Site, mount
from gateway.settings import GatewaySettings, KioskConfig, ReaderConfig
from gateway.stations.kiosk.desk import Desk, Surroundings
from gateway.stations.kiosk.events import PrintReceipt, Touch
from gateway.stations.kiosk.page import TEMPLATES, message
from gateway.stations.kiosk.printer import ReceiptFolder
from gateway.stations.kiosk.receipt import Line, render
from gateway.stations.kiosk.service import Lending
from gateway.stations.kiosk.state import Rules
from gateway.stations.kiosk.view import screen_of
from gateway.stations.kiosk.web import KioskWeb
from gateway.stations.pad import Pad
from gateway.store import Store

log = logging.getLogger(__name__)


class KioskStation:
    """Serves until cancelled."""

    def __init__(self, config: KioskConfig, library: LibraryConfig, around: Surroundings, reader: ReaderConfig) -> None:
        self._config = config
        self._clock = around.clock
        self._lending = around.lending
        rules = Rules(config.id, config.mode, timedelta(seconds=config.session_s), library.language)
        self.web = KioskWeb(shell=self._shell, message=self._message, touch=self._touch)
        self.desk = Desk(rules, around, self.web.changed)
        self.pad = Pad(
            reader.id,
            owner=reader.owner,
            afi=reader.afi,
            on_change=self.desk.pad_changed,
            on_repair=self.desk.repaired,
        )
        self.desk.pad = self.pad
        self.desk.print_receipt = self._print
        self._receipts = ReceiptFolder(config.id, config.receipts)
        self._library = library
        self.app = FastAPI(title="Carrel kiosk", docs_url=None, redoc_url=None, openapi_url=None)
        self.app.include_router(self.web.router)
        site = Site(library.name, library.name_zh, library.zone, library.language, library.simulated)
        self._pages: Pages = mount(self.app, site, [TEMPLATES])

    async def run(self) -> None:
        """Serve page and desk; raises OSError when the port is taken."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.desk.run())
            group.create_task(self._serve())

    async def close(self) -> None:
        """Close connections to the server."""
        await self._lending.close()

    async def _serve(self) -> None:
        config = uvicorn.Config(
            self.app,
            host=self._config.host,
            port=self._config.port,
            log_config=None,
            access_log=False,
            server_header=False,
            lifespan="off",
            timeout_graceful_shutdown=1,
            ws_max_size=1 << 12,
        )
        server = _Server(config)
        try:
            await server.serve()
        except SystemExit:  # uvicorn's answer to a taken port
            where = f"{self._config.host}:{self._config.port}"
            raise OSError(f"kiosk '{self._config.id}': cannot listen on {where}: is the port taken?") from None

    async def _print(self, lent: PrintReceipt) -> None:
        words = self._pages.words("en" if lent.language == "en" else "zh-CN")
        lines = [Line(r.title or r.barcode, r.due, to_repair=r.barcode in lent.to_repair) for r in lent.lent]
        now = self._clock.now()
        title = self._pages.site.title(words.language)
        text = render(words, title, lent.card, lines, at=now)
        await self._receipts.write(text, now.astimezone(self._library.zone))

    def _shell(self, request: Request) -> Response:
        return self._pages.response(request, "kiosk.html")

    def _message(self) -> dict[str, Any]:
        return message(self._pages, screen_of(self.desk.rules, self.desk.session, self._clock.now()))

    def _touch(self, touch: Touch) -> None:
        self.desk.touch(touch)


class _Server(uvicorn.Server):
    """A server whose signals belong to the gateway."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone."""
        yield


def build_kiosks(settings: GatewaySettings, store: Store, clock: Clock) -> tuple[KioskStation, ...]:
    """One station for each `[[gateway.kiosk]]`."""
    readers = {reader.id: reader for reader in settings.readers}
    return tuple(
        KioskStation(
            config,
            settings.common.library,
            Surroundings(Lending(settings.gateway.server_url, settings.token_file), store, clock, _call_librarian),
            readers[config.pad],
        )
        for config in settings.gateway.kiosk
    )


def _call_librarian(kiosk: str) -> None:
    log.warning("kiosk %s: somebody asks for a librarian", kiosk)
