"""What people paste into forms: NUL, which nobody sees and no database keeps, is a blank, as in terminals' messages."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

FORM = "application/x-www-form-urlencoded"
WRITTEN, BLANK = b"%00", b"+"
"""NUL and a blank as browsers send them."""


class NulAsBlank:
    """Of every form that a browser sends; what programs send the API is refused there."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, with the body so read."""
        if scope["type"] != "http" or not Headers(scope=scope).get("content-type", "").startswith(FORM):
            await self._app(scope, receive, send)
            return
        rest = b""

        async def read() -> Message:
            nonlocal rest
            message = await receive()
            if message["type"] != "http.request":
                return message
            body = rest + message.get("body", b"")
            cut = body.rfind(b"%", -len(WRITTEN) + 1) if message.get("more_body") else -1
            body, rest = (body, b"") if cut < 0 else (body[:cut], body[cut:])
            return {**message, "body": body.replace(WRITTEN, BLANK).replace(b"\0", BLANK)}

        await self._app(scope, read, send)
