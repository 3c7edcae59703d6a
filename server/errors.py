"""Problem documents (RFC 9457): every refusal has a stable lower_snake `code`; a stack trace never leaves the house."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from sqlalchemy.exc import DataError
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.db import AWAY
from server.db.nul import is_nul

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
MALFORMED = "The request does not have the right form."


class DomainError(Exception):
    """A refusal of a whole request. Domains subclass it; the transaction is rolled back."""

    code = "conflict"
    status = 409
    title = "The request cannot be carried out."

    def __init__(self, **params: str | int) -> None:
        super().__init__(self.code)
        self.params = params

    @property
    def headers(self) -> dict[str, str]:
        """Headers that belong to the refusal."""
        return {}


def problem(
    code: str,
    *,
    status: int,
    title: str,
    params: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """The answer that carries a refusal."""
    body = {"type": f"urn:carrel:problem:{code}", "title": title, "status": status, "code": code}
    if params:
        body["params"] = dict(params)
    return JSONResponse(body, status_code=status, media_type=MEDIA_TYPE, headers=headers)


def problem_of(error: DomainError) -> JSONResponse:
    """A domain's refusal as an answer, for callers that must not raise it (a raise rolls back)."""
    return problem(error.code, status=error.status, title=error.title, params=error.params, headers=error.headers)


def install(app: FastAPI) -> None:
    """Make every error of the application a problem document."""
    app.add_exception_handler(DomainError, _on_domain_error)
    app.add_exception_handler(RequestValidationError, _on_malformed)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(DataError, _on_data)
    for away in AWAY:
        app.add_exception_handler(away, _on_database_away)
    app.add_middleware(UnexpectedErrors)


async def _on_domain_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, DomainError)
    return problem_of(error)


async def _on_malformed(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    places = [{"where": ".".join(str(part) for part in e["loc"]), "what": e["msg"]} for e in error.errors()[:20]]
    return problem("malformed_request", status=422, title=MALFORMED, params={"errors": places})


async def _on_data(_request: Request, error: Exception) -> Response:
    """NUL in whatever part of the request; the transaction was undone. Other errors of data are faults of ours."""
    if not is_nul(error):
        raise error
    return problem("malformed_request", status=422, title=MALFORMED)


async def _on_http(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return _http(error)


async def _on_database_away(_request: Request, error: Exception) -> Response:
    """Worth trying again soon, with the same request_id; the transaction was undone."""
    log.error("the database does not answer: %s", str(getattr(error, "orig", error)).strip().splitlines()[0])
    return problem(
        "database_unavailable",
        status=503,
        title="The database does not answer. Try again.",
        headers={"Retry-After": "2"},
    )


def _http(error: HTTPException) -> Response:
    if error.status_code == HTTPStatus.BAD_REQUEST:  # the framework's word for a body it cannot read at all
        return problem("malformed_request", status=422, title=MALFORMED)
    phrase = HTTPStatus(error.status_code).phrase
    code = phrase.lower().replace(" ", "_").replace("-", "_")
    return problem(code, status=error.status_code, title=f"{phrase}.", headers=error.headers)


class UnexpectedErrors:
    """Outermost: a fault of ours is logged with an id, and the caller gets the id only."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on; answer 500 if nothing was answered yet."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False

        async def watch(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, watch)
        except HTTPException as error:  # a body over the limit is found before any route
            if not started:
                await _http(error)(scope, receive, send)
        except Exception:
            fault = uuid.uuid4().hex[:12]
            log.exception("fault %s in %s %s", fault, scope["method"], _route(scope))
            if not started:
                answer = problem(
                    "internal_error", status=500, title="Something went wrong on our side.", params={"id": fault}
                )
                await answer(scope, receive, send)


def _route(scope: Scope) -> str:
    """The route's pattern rather than its path: a path may hold a card number."""
    return getattr(scope.get("route"), "path", "an unknown route")
