"""What every answer carries and what no request may do, as one pure ASGI middleware.

Forms need no token: a browser says by itself when a request comes from another site (Origin, Sec-Fetch-Site), and
such a request may not change anything or open a WebSocket. Programs send neither header and pass.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CONTENT_SECURITY_POLICY = (
    "default-src 'self'; connect-src 'self' ws: wss:; img-src 'self' blob: data:; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}
NO_DOCUMENTS = ("text/css", "text/javascript")
"""Of all those, browsers heed for these only that their type is not to be guessed; only a worker's policy
comes with its script, which names it itself. A page has twenty such parts, and the rest weighs 5 KiB."""
REFUSAL = {
    "type": "urn:carrel:problem:cross_origin",
    "title": "This request comes from another site's page.",
    "status": 403,
    "code": "cross_origin",
}
"""RFC 9457, as the API words it."""
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


class Guard:
    """Adds HEADERS to every answer that needs them and refuses what another site sends."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif not _foreign(scope):
            await self._app(scope, receive, _with_headers(send))
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008, "reason": "another site"})
        else:
            refusal = JSONResponse(REFUSAL, 403, media_type="application/problem+json")
            await refusal(scope, receive, _with_headers(send))


def _foreign(scope: Scope) -> bool:
    headers = Headers(scope=scope)
    if scope["type"] == "http" and (scope["method"] in SAFE_METHODS or "authorization" in headers):
        return False  # no browser sends that header to another site without asking first
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site is not None:
        return site not in ("same-origin", "none")
    return origin is not None and urlsplit(origin).netloc != headers.get("host")


def _with_headers(send: Send) -> Send:
    async def wrapped(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            plain = headers.get("content-type", "").startswith(NO_DOCUMENTS)
            for name in ("X-Content-Type-Options",) if plain else HEADERS:
                headers.setdefault(name, HEADERS[name])
            headers.setdefault("Cache-Control", "no-cache")
        await send(message)

    return wrapped
