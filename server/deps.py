"""What endpoints ask for: who is calling, with which right, the transaction, and the parts of the server.

Every endpoint declares its right with `require(...)` or `public()`; a test walks all routes and insists.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Annotated, Any, Protocol
from urllib.parse import urlsplit

from fastapi import Depends
from fastapi.requests import HTTPConnection
from pydantic import AwareDatetime, Field
from sqlalchemy.orm import Session

from carrel.clock import Clock
from server.db import Database
from server.errors import DomainError
from server.health import Checks
from server.settings import ServerSettings

COOKIE = "carrel_session"

Instant = Annotated[AwareDatetime, Field(ge=datetime(1900, 1, 1, tzinfo=UTC), le=datetime(9000, 1, 1, tzinfo=UTC))]
"""An instant in a request: near the ends of the calendar no zone can be applied."""

Day = Annotated[date, Field(ge=date(1850, 1, 1), le=date(9000, 1, 1))]
"""A day in a request."""

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
REQUESTS_AT_ONCE = 16
"""Transactions of each kind under way at once: fewer than worker threads, so one is always left to commit."""


class Role(StrEnum):
    """People, then machines."""

    READER = "reader"
    LIBRARIAN = "librarian"
    DUTY_STAFF = "duty_staff"
    ADMINISTRATOR = "administrator"
    KIOSK = "kiosk"
    GATEWAY = "gateway"
    INTEGRATION = "integration"


STAFF = (Role.LIBRARIAN, Role.DUTY_STAFF, Role.ADMINISTRATOR)
DESK = (Role.LIBRARIAN, Role.ADMINISTRATOR)
MACHINES = (Role.KIOSK, Role.GATEWAY)


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is calling. `subject` is stable and holds no name: `user:...`, `patron:ID`, `token:ID` or `machine`."""

    subject: str
    user: str
    name: str
    roles: frozenset[Role]
    card: str | None = None
    expires: datetime | None = None
    patron_id: int | None = None

    def has(self, *roles: Role) -> bool:
        """Whether the caller has any of these roles."""
        return not self.roles.isdisjoint(roles)


class Identify(Protocol):
    """Satisfied by the auth domain: whose token is this?"""

    def __call__(self, session: Session, token: str, now: datetime) -> Principal | None:
        """None for a token that is unknown, ended or expired."""


@dataclass(frozen=True, slots=True)
class Core:
    """What every part of the server stands on; opened by the lifespan."""

    settings: ServerSettings
    database: Database
    clock: Clock
    checks: Checks
    identify: Identify


class SignInRequiredError(DomainError):
    """Nobody known is calling."""

    code = "sign_in_required"
    status = 401
    title = "Sign in first."

    @property
    def headers(self) -> dict[str, str]:
        """How to present oneself (RFC 6750)."""
        return {"WWW-Authenticate": "Bearer"}


class NotPermittedError(DomainError):
    """Somebody known, without the right."""

    code = "not_permitted"
    status = 403
    title = "Your role does not allow this."


class CrossOriginError(DomainError):
    """A browser sends this for a page that is not ours."""

    code = "cross_origin"
    status = 403
    title = "This request comes from another site's page."


def core_of(connection: HTTPConnection) -> Core:
    """The parts of the server that is answering."""
    core = connection.app.state.core
    assert isinstance(core, Core)
    return core


async def _core(connection: HTTPConnection) -> Core:
    """In the event loop: a look at the state is not worth a worker thread."""
    return core_of(connection)


CoreDep = Annotated[Core, Depends(_core)]


def _reading(core: CoreDep) -> Iterator[Session]:
    with core.database.reading() as session:
        yield session


def _writing(core: CoreDep) -> Iterator[Session]:
    with core.database.writing() as session:
        yield session


ReadSession = Annotated[Session, Depends(_reading, scope="function", max_concurrency=REQUESTS_AT_ONCE)]
"""A transaction for looking only."""

WriteSession = Annotated[Session, Depends(_writing, scope="function", max_concurrency=REQUESTS_AT_ONCE)]
"""The request's transaction: committed after the endpoint and before the answer is sent; undone if it raises."""


class Right:
    """The dependency that decides whether the caller may use an endpoint; no roles means anyone."""

    def __init__(self, roles: frozenset[Role] | None) -> None:
        self.roles = roles

    def __call__(self, connection: HTTPConnection, core: CoreDep) -> Principal | None:
        """The caller; raises SignInRequiredError, NotPermittedError or CrossOriginError."""
        refuse_cross_origin(connection)
        principal = caller_of(connection, core)
        if self.roles is None:
            return principal
        if principal is None:
            raise SignInRequiredError
        if not principal.has(*self.roles):
            raise NotPermittedError
        return principal


def require(*roles: Role) -> Any:
    """`principal: Annotated[Principal, require(Role.LIBRARIAN)]`: any of these roles may call."""
    assert roles, "name at least one role, or use public()"
    return Depends(Right(frozenset(roles)))


def public() -> Any:
    """`caller: Annotated[Principal | None, public()]`: anyone may call; known callers are known."""
    return Depends(Right(None))


def caller_of(connection: HTTPConnection, core: Core) -> Principal | None:
    """Whose token the connection carries, in a transaction of its own; also for WebSockets and pages."""
    token = token_of(connection)
    if token is None:
        return None
    with core.database.reading() as session:
        return core.identify(session, token, core.clock.now())


def token_of(connection: HTTPConnection) -> str | None:
    """The bearer token, else the cookie's."""
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    if scheme:
        return token.strip() or None if scheme.lower() == "bearer" else None
    return connection.cookies.get(COOKIE)


def refuse_cross_origin(connection: HTTPConnection) -> None:
    """Raise CrossOriginError for a write or a WebSocket that a foreign page makes a browser send with our cookie.

    Browsers tell the page's origin on such requests; a caller that tells neither header is no browser.
    """
    if connection.scope.get("method", "") in SAFE_METHODS or "authorization" in connection.headers:
        return
    site, origin = connection.headers.get("sec-fetch-site"), connection.headers.get("origin")
    if site is not None and site not in ("same-origin", "none"):
        raise CrossOriginError
    if site is None and origin is not None and urlsplit(origin).netloc != connection.headers.get("host"):
        raise CrossOriginError
