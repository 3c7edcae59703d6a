"""A browser that asks for a page gets a page, also when something is wrong: problem documents become HTML for it."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from carrel.web.i18n import N_
from carrel.web.pages import Pages
from server.errors import MEDIA_TYPE

NOT_PAGES = ("/api/", "/healthz", "/readyz", "/static/")
HEADLINES = {
    403: N_("Your account may not do this."),
    404: N_("This page does not exist"),
    422: N_("That form could not be read"),
}
UNEXPECTED = N_("Something went wrong on our side")
ADVICE = N_("Please go back and try again. If it happens again, tell a librarian.")


class HtmlProblems:
    """Stands outside what makes problem documents; answers of the API and to scripts pass unchanged."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if not _wants_a_page(scope):
            await self._app(scope, receive, send)
            return
        held: Message | None = None

        async def watch(message: Message) -> None:
            nonlocal held
            if message["type"] == "http.response.start" and _is_problem(message):
                held = message
            elif held is None:
                await send(message)

        await self._app(scope, receive, watch)
        if held is not None:
            request = Request(scope)
            status = int(held["status"])
            pages: Pages = scope["app"].state.pages
            words = pages.words(pages.language(request))
            page = pages.response(
                request,
                "error.html",
                status=status,
                headline=words.gettext(HEADLINES.get(status, UNEXPECTED)),
                explanation=words.gettext(ADVICE),
                caller=None,
            )
            await page(scope, receive, send)


def _wants_a_page(scope: Scope) -> bool:
    if scope["type"] != "http" or scope["path"].startswith(NOT_PAGES):
        return False
    headers = Headers(scope=scope)
    return "text/html" in headers.get("accept", "") and "hx-request" not in headers


def _is_problem(message: Message) -> bool:
    return Headers(raw=message["headers"]).get("content-type", "").startswith(MEDIA_TYPE)
