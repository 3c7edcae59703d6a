"""Every route x every role, against the table in rights.txt: who may call is decided once, in writing.

A route that is not in the table fails, so whoever adds one says beside it who may use it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import pytest
from fastapi.routing import APIRoute, APIWebSocketRoute, iter_route_contexts
from fastapi.testclient import TestClient
from httpx import Response
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session
from starlette.websockets import WebSocketDisconnect

from server.app import create_app
from server.db import Database
from server.deps import Principal, Role
from server.migrations.apply import upgrade
from tests.support.library import ALICE, ManualClock, make_settings, stock

TABLE = Path(__file__).with_name("rights.txt")
CALLERS: dict[str, Role | None] = {
    "a": None, "R": Role.READER, "L": Role.LIBRARIAN, "D": Role.DUTY_STAFF, "A": Role.ADMINISTRATOR,
    "K": Role.KIOSK, "G": Role.GATEWAY, "I": Role.INTEGRATION,
}  # fmt: skip

NOTHING = "999999"
"""Stands for a path's parameter: nobody and nothing that exists."""

ACTIONS = {
    "/alarms": "acknowledge", "/devices/network": "close", "/devices/{ieee}": "remove", "/rules/{rule}": "off",
    "/my/holds/{hold_id}": "cancel",
}  # fmt: skip
"""Where a path names one of a few actions."""

GATEWAY = {"gateway": "gw-1"}
FORMS = {
    "/rooms/{room}/actuators/{actuator}/override": {"action": "full", "value": "1", "minutes": "60"},
    "/devices/join": GATEWAY | {"seconds": "60"},
    "/devices/network/{action}": GATEWAY,
    "/devices/{ieee}/name": GATEWAY | {"device": "lamp-9", "zone": "reading-room"},
    "/devices/{ieee}/{action}": GATEWAY,
    **{
        f"/desk/{path}": {"card": "90000001"}
        for path in ("scan", "lend", "return", "renew", "undo", "pay", "hold", "holds/{hold_id}/cancel")
    },
    "/notices/retry": {"channel": "email", "code": "mail_server"},
    "/notices/test": {"channel": "email", "to": "a@b.example"},
    "/feedback": {"kind": "idea", "text": "Longer hours."},
    "/my/renewals": {"item": "30000001", "request_id": "rights"},
    "/my/renewals/all": {"request_id": "rights-all"},
    "/titles/{record_id}/holds": {"request_id": "rights-hold"},
    "/my/account/language": {"language": "en"},
    "/my/account/history": {"keep": "0"},
}
QUERIES = {"/rules/new": {"room": "reading-room"}}
"""Pages look at a form before they look at who sends it, so it has to have the right form."""


class Route(NamedTuple):
    """What a row of the table is about."""

    method: str
    path: str


@dataclass(frozen=True)
class Call:
    """Somebody calls a route."""

    route: Route
    caller: str


def read_table() -> dict[Route, str]:
    rows = (line.split() for line in TABLE.read_text(encoding="utf-8").splitlines() if line[:1] not in ("", "#"))
    return {Route(method, path): marks for method, path, marks in rows}


EXPECTED = read_table()
SIGN_IN_FORM = Route("POST", "/sign-in")


def identify(_session: Session, token: str, _now: datetime) -> Principal | None:
    """Everybody says who they are; that tokens are not made up is tested elsewhere."""
    role = Role(token)
    reader = role is Role.READER
    return Principal(
        subject=f"user:{token}", user=token, name=token, roles=frozenset({role}),
        card=ALICE if reader else None, patron_id=1 if reader else None,
    )  # fmt: skip


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A running application that believes whoever calls."""
    folder = tmp_path_factory.mktemp("rights")
    url = f"sqlite:///{folder}/library.db"
    database = Database(make_url(url))
    upgrade(database)
    stock(database)
    database.close()
    app = create_app(make_settings(folder, url), ManualClock())
    with TestClient(app, raise_server_exceptions=False, follow_redirects=False) as client:
        app.state.core = replace(app.state.core, identify=identify)
        yield client


def routes(client: TestClient) -> list[Route]:
    found = []
    for context in iter_route_contexts(client.app.routes):  # type: ignore[attr-defined]
        route = context.original_route
        if isinstance(route, APIWebSocketRoute):
            found.append(Route("WS", str(context.path)))
        elif isinstance(route, APIRoute):
            found += [Route(method, str(context.path)) for method in sorted(route.methods)]
    return found


def test_every_route_is_in_the_table_and_nothing_else(house: TestClient) -> None:
    there = routes(house)
    assert set(there) - set(EXPECTED) == set(), f"say in {TABLE.name} who may use these"
    assert set(EXPECTED) - set(there) == set(), f"{TABLE.name} names routes that are gone"
    assert len(there) == len(set(there)), "two endpoints answer to one route"


@pytest.mark.parametrize("route", EXPECTED, ids=lambda route: f"{route.method} {route.path}")
def test_a_route_is_open_to_whom_the_table_names_and_closed_to_the_rest(house: TestClient, route: Route) -> None:
    assert "".join(mark if allowed(house, Call(route, mark)) else "-" for mark in CALLERS) == EXPECTED[route]


def allowed(client: TestClient, call: Call) -> bool:
    method, pattern = call.route
    place, _, last = pattern.rpartition("/")
    known = ACTIONS.get(place.removeprefix("/api/v1").removesuffix("/{alarm}")) if last == "{action}" else None
    path = f"{place}/{known}" if known else pattern
    path = path.replace("{session_id}", "0" * 16)
    path = re.sub(r"{\w+}", NOTHING, path.replace("{ieee}", "00:11:22:33:44:55:66:77"))
    role = CALLERS[call.caller]
    headers = {"Authorization": f"Bearer {role.value}"} if role else {}
    if method == "WS":
        return opens(client, path, headers)
    program = pattern.startswith("/api/")
    sent = {"json": {}} if program else {"data": FORMS.get(pattern, {})}
    more = {"params": QUERIES.get(pattern)} if method == "GET" else sent
    answer = client.request(method, path, headers=headers, **more)
    assert answer.status_code != 500, answer.text
    assert program or role or answer.status_code != 422, f"give {pattern} a form it understands: {answer.text[:500]}"
    if call.route == SIGN_IN_FORM:
        return answer.status_code in (401, 429)  # an empty form is a wrong password, to everybody
    closed = sign_in_asked(answer) if role is None else answer.status_code == 403
    assert closed or answer.status_code not in (401, 403), answer.text
    return not closed


def sign_in_asked(answer: Response) -> bool:
    """Programs get a problem, people are shown the form."""
    if answer.status_code == 303:
        return answer.headers["location"].startswith("/sign-in")
    if answer.status_code != 401:
        return False
    return "html" in answer.headers["content-type"] or answer.json()["code"] == "sign_in_required"


def opens(client: TestClient, path: str, headers: dict[str, str]) -> bool:
    try:
        with client.websocket_connect(path, headers=headers):
            return True
    except WebSocketDisconnect:
        return False
