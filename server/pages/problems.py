"""A browser that asks for a page gets a page, also when something is wrong: problem documents become HTML for it."""

from __future__ import annotations

from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from carrel.web.i18n import N_
from carrel.web.pages import Pages
from server.errors import MEDIA_TYPE

NOT_PAGES = ("/api/", "/healthz", "/readyz", "/static/")
SAFE = ("GET", "HEAD")
HEADLINES = {
    403: N_("Your account may not do this."),
    404: N_("This page does not exist"),
    405: N_("There is nothing to look at here"),
    422: N_("That form could not be read"),
}
UNEXPECTED = N_("Something went wrong on our side")
EXPLANATIONS = {
    404: N_("Perhaps the address was mistyped or cut off, or what it shows is gone. Look for it in the menu."),
    405: N_("Forms are sent to this address. Nothing was done now."),
}
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
            page = _page(Request(scope), int(held["status"]))
            await page(scope, receive, send)


def _page(request: Request, status: int) -> Response:
    """What a person gets for a problem.

    An address that cannot be read, as /patrons/abc, names no page. One that only forms are sent to, as after a form's
    answer was asked for again, leads to the page above it.
    """
    looking = request.method in SAFE
    if looking and status == HTTPStatus.METHOD_NOT_ALLOWED and (above := _above(request)):
        return RedirectResponse(f"{above}?{request.url.query}" if request.url.query else above, HTTPStatus.SEE_OTHER)
    if looking and status == HTTPStatus.UNPROCESSABLE_ENTITY:
        status = HTTPStatus.NOT_FOUND
    pages: Pages = request.app.state.pages
    words = pages.words(pages.language(request))
    return pages.response(
        request,
        "error.html",
        status=status,
        headline=words.gettext(HEADLINES.get(status, UNEXPECTED)),
        explanation=words.gettext(EXPLANATIONS.get(status, ADVICE)),
        caller=None,
    )


def _above(request: Request) -> str | None:
    """The nearest address above this one that shows a page."""
    path: str = request.scope["path"]
    while path := path.rpartition("/")[0]:
        asked = {**request.scope, "path": path, "method": "GET"}
        if any(route.matches(asked)[0] is Match.FULL for route in request.app.routes):
            return path
    return None


def _wants_a_page(scope: Scope) -> bool:
    if scope["type"] != "http" or scope["path"].startswith(NOT_PAGES):
        return False
    headers = Headers(scope=scope)
    return "text/html" in headers.get("accept", "") and "hx-request" not in headers


def _is_problem(message: Message) -> bool:
    return Headers(raw=message["headers"]).get("content-type", "").startswith(MEDIA_TYPE)
