"""What every request and answer passes: a limit on bodies, and what no cache may keep."""

from __future__ import annotations

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_BODY_BYTES = 1 << 20
MAX_UPLOAD_BYTES = 256 << 20
UPLOADS = ("/api/v1/imports", "/catalogue/import")
"""Here a file may come with the request; it is read when it is known who sends it, and goes to the disk."""

NOT_KEPT = ("/api/", "/readyz", "/healthz")
"""Below these, answers are about now or about a person: no cache keeps them."""


class NotKept:
    """Forbids caches to keep answers below NOT_KEPT; one that says otherwise itself keeps its own rule."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, with the header on the way back."""
        if scope["type"] != "http" or not scope["path"].startswith(NOT_KEPT):
            await self.app(scope, receive, send)
            return

        async def add(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).setdefault("Cache-Control", "no-store")
            await send(message)

        await self.app(scope, receive, add)


class BodyLimit:
    """Refuses a request body over MAX_BODY_BYTES, for UPLOADS over MAX_UPLOAD_BYTES, with 413, before it is read where
    its length is told."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on; raises HTTPException, here or where the body is read."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        most = MAX_UPLOAD_BYTES if scope["path"] in UPLOADS else MAX_BODY_BYTES
        told = Headers(scope=scope).get("content-length", "")
        if told.isdecimal() and int(told) > most:
            raise HTTPException(413)
        size = 0

        async def count() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > most:
                raise HTTPException(413)
            return message

        await self.app(scope, count, send)
