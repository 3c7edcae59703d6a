"""A server that lends, over real HTTP: as much of the API as a kiosk uses, with levers for a test."""

from __future__ import annotations

import asyncio
import json
import socket
from typing import Any

import uvicorn
from fastapi import FastAPI, Request
from starlette.responses import JSONResponse, Response

from tests.support.ports import free_port
from tests.support.sim import eventually

TOKEN = "machine-token"


class LendingServer:
    """`asked` keeps (path, body) of every request. A request_id is answered once and repeated from then on.

    Levers: `refuse` maps barcodes to codes; `cards` maps cards to a refusal code or None; `hold` keeps the answers
    to changes back after the change is made; `status` answers everything with an error; `raw` with nonsense.
    """

    def __init__(self) -> None:
        self.port = free_port()
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.answers: dict[str, dict[str, Any]] = {}
        self.on_loan: set[str] = set()
        self.refuse: dict[str, str] = {}
        self.cards: dict[str, str | None] = {"90000001": None, "90000002": "patron_blocked"}
        self.ready = True
        self.status: int | None = None
        self.raw: bytes | None = None
        self.hold = asyncio.Event()
        self.hold.set()
        self._task: asyncio.Task[None] | None = None
        self._server: uvicorn.Server | None = None
        self.app = FastAPI()
        self.app.add_api_route("/readyz", self._readyz)
        self.app.add_api_route("/api/v1/patrons/by-card/{card}/standing", self._standing)
        for what in ("preview", "checkouts", "checkins"):
            self.app.add_api_route(f"/api/v1/circulation/{what}", self._batch, methods=["POST"])

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def ids(self, what: str) -> list[str]:
        """Request ids of every `checkouts` or `checkins` asked, repeats included."""
        return [body["request_id"] for path, body in self.asked if path.endswith(what)]

    async def start(self) -> None:
        """Listen."""
        listener = socket.create_server(("127.0.0.1", self.port))
        config = uvicorn.Config(self.app, log_config=None, lifespan="off", timeout_graceful_shutdown=0)
        self._server = uvicorn.Server(config)
        self._server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
        self._task = asyncio.create_task(self._server._serve([listener]))
        await eventually(lambda: self._server is not None and self._server.started)

    async def kill(self) -> None:
        """Drop every connection in the middle of whatever it is doing; what was decided stays decided."""
        if self._server is None or self._task is None:
            return
        for connection in list(self._server.server_state.connections):
            connection.transport.abort()  # type: ignore[union-attr]
        self._server.should_exit = self._server.force_exit = True
        await self._task
        self._server = self._task = None

    async def _readyz(self) -> Response:
        return Response(status_code=200 if self.ready else 503)

    async def _standing(self, card: str, request: Request) -> Response:
        self.asked.append((request.url.path, {}))
        if (trouble := self._trouble(request)) is not None:
            return trouble
        if card not in self.cards:
            return JSONResponse({"code": "unknown_card"}, 404)
        code = self.cards[card]
        return JSONResponse({"card": card, "shown_name": "张*", "loans": 0, "quota_left": 5, "code": code})

    async def _batch(self, request: Request) -> Response:
        what, body = request.url.path.rsplit("/", 1)[-1], json.loads(await request.body())
        self.asked.append((request.url.path, body))
        if (trouble := self._trouble(request)) is not None:
            return trouble
        barcodes = [item["barcode"] for item in body["items"]]
        if what == "preview":
            return JSONResponse({"request_id": "preview", "results": [self._judged(code, what) for code in barcodes]})
        if body["request_id"] not in self.answers:
            results = [self._judged(code, what) for code in barcodes]
            self.answers[body["request_id"]] = {"request_id": body["request_id"], "results": results}
        await self.hold.wait()
        return JSONResponse(self.answers[body["request_id"]])

    def _trouble(self, request: Request) -> Response | None:
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return JSONResponse({"code": "sign_in_required"}, 401)
        if self.raw is not None:
            return Response(self.raw)
        return None if self.status is None else JSONResponse({"code": "some_code"}, self.status)

    def _judged(self, barcode: str, what: str) -> dict[str, Any]:
        code = self.refuse.get(barcode)
        if code is None and what == "checkins" and barcode not in self.on_loan:
            code = "not_on_loan"
        if code is None and what != "checkins" and barcode in self.on_loan:
            code = "on_loan_to_you"
        if code is not None:
            return {"barcode": barcode, "status": "refused", "code": code}
        if what == "preview":
            return {"barcode": barcode, "status": "ok", "title": f"title {barcode}"}
        (self.on_loan.add if what == "checkouts" else self.on_loan.discard)(barcode)
        security = "on_loan" if what == "checkouts" else "in_stock"
        return {"barcode": barcode, "status": "ok", "title": f"title {barcode}", "security": security}
