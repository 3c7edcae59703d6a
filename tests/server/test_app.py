"""What holds for the application as a whole: every route declares a right, every error is a problem document."""

import re
from collections.abc import Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

import pytest
from fastapi import FastAPI, WebSocket
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, APIWebSocketRoute, iter_route_contexts
from fastapi.testclient import TestClient
from sqlalchemy.engine import make_url
from starlette.requests import Request
from starlette.routing import Mount
from starlette.websockets import WebSocketDisconnect

from carrel.config import ConfigError
from server import app as app_module
from server.app import create_app
from server.db import Database
from server.deps import Core, Principal, Right, Role, caller_of, public, refuse_cross_origin, require
from server.settings import ServerSettings
from tests.support.library import ALICE, PIN, ManualClock, colleague, machine, make_settings, reader


def rights_of(dependant: Dependant) -> Iterator[Right]:
    if isinstance(dependant.call, Right):
        yield dependant.call
    for dependency in dependant.dependencies:
        yield from rights_of(dependency)


def undeclared(app: FastAPI) -> list[str]:
    """The endpoints that do not say who may use them."""
    routes = [context.original_route for context in iter_route_contexts(app.routes)]
    return [
        str(getattr(route, "path", route))
        for route in routes
        if not isinstance(route, Mount)  # static files
        and not (isinstance(route, (APIRoute, APIWebSocketRoute)) and list(rights_of(route.dependant)))
    ]


def test_every_route_declares_its_right(settings: ServerSettings) -> None:
    app = create_app(settings)
    assert len(list(iter_route_contexts(app.routes))) > 10
    assert undeclared(app) == []


def test_a_route_without_a_right_is_found(settings: ServerSettings) -> None:
    app = create_app(settings)

    @app.get("/forgotten")
    def forgotten() -> None:
        return None

    @app.get("/remembered")
    def remembered(_who: Annotated[Principal | None, public()]) -> None:
        return None

    assert undeclared(app) == ["/forgotten"]


def test_a_right_names_at_least_one_role() -> None:
    with pytest.raises(AssertionError):
        require()


@pytest.fixture
def with_oddities(settings: ServerSettings, clock: ManualClock) -> Iterator[TestClient]:
    app = create_app(settings, clock)

    @app.get("/explode")
    def explode(_who: Annotated[Principal | None, public()]) -> None:
        raise RuntimeError("secret in a message")

    @app.websocket("/ws")
    async def socket(socket: WebSocket, who: Annotated[Principal | None, public()]) -> None:
        await socket.accept()
        await socket.send_text(who.user if who else "nobody")
        await socket.close()

    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


class TestErrors:
    def test_an_unknown_route_is_a_problem(self, client: TestClient) -> None:
        answer = client.get("/api/v1/nothing-here")
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json() == {
            "type": "urn:carrel:problem:not_found", "title": "Not Found.", "status": 404, "code": "not_found",
        }  # fmt: skip

    def test_a_wrong_method_is_a_problem_that_names_the_right_one(self, client: TestClient) -> None:
        answer = client.put("/api/v1/session")
        assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
        assert answer.headers["allow"]

    def test_a_fault_of_ours_is_logged_with_the_id_that_the_caller_gets(
        self, with_oddities: TestClient, caplog: pytest.LogCaptureFixture
    ) -> None:
        answer = with_oddities.get("/explode")
        assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
        assert answer.headers["content-type"] == "application/problem+json"
        assert "secret" not in answer.text
        assert "Traceback" not in answer.text
        assert answer.json()["params"]["id"] in caplog.text
        assert "secret in a message" in caplog.text

    def test_a_database_that_is_away_is_a_reason_to_try_again(
        self, client: TestClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        core: Core = client.app.state.core  # type: ignore[attr-defined]
        away = Database(make_url("postgresql+psycopg://me:hidden@127.0.0.1:1/x"))
        for use in ("reading", "writing"):
            monkeypatch.setattr(core.database, use, getattr(away, use))
        for answer in (
            client.get("/api/v1/records"),
            client.post("/api/v1/session", json={"user": ALICE, "password": PIN}),
            client.get("/api/v1/patrons/me", headers={"Authorization": "Bearer x"}),
        ):
            assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
            assert answer.headers["retry-after"] == "2"
            assert "127.0.0.1" not in answer.text
        away.close()

    def test_a_body_larger_than_anything_sensible_is_refused(self, client: TestClient) -> None:
        answer = client.post("/api/v1/session", content=b"x" * (2 << 20))
        assert (answer.status_code, answer.headers["content-type"]) == (413, "application/problem+json")

    def test_an_endless_body_without_a_length_is_refused(self, client: TestClient) -> None:
        answer = client.post("/api/v1/session", content=(b"x" * 65536 for _ in range(40)))
        assert answer.status_code == 413

    def test_every_answer_tells_browsers_what_they_may_do(self, with_oddities: TestClient) -> None:
        for path in ("/healthz", "/nothing", "/explode", "/api/v1/session", "/api/docs"):
            headers = with_oddities.get(path).headers
            assert "frame-ancestors 'none'" in headers["content-security-policy"]
            assert headers["x-content-type-options"] == "nosniff"


class TestWebSockets:
    def test_the_cookie_is_known_there_too(self, with_oddities: TestClient) -> None:
        with_oddities.post("/api/v1/session", json={"user": ALICE, "password": PIN})
        with with_oddities.websocket_connect("/ws", headers={"origin": "http://testserver"}) as socket:
            assert socket.receive_text() == ALICE

    def test_a_foreign_page_gets_no_socket(self, with_oddities: TestClient) -> None:
        with (
            pytest.raises(WebSocketDisconnect),
            with_oddities.websocket_connect("/ws", headers={"origin": "http://evil.example"}) as socket,
        ):
            socket.receive_text()


class TestLifespan:
    def test_parts_are_entered_in_order_and_left_in_reverse(
        self, settings: ServerSettings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        seen: list[str] = []

        def part(name: str) -> Any:
            @asynccontextmanager
            async def live(_app: FastAPI, core: Core):  # type: ignore[no-untyped-def]
                assert core.database.probe() is None
                seen.append(f"+{name}")
                yield
                assert core.database.probe() is None
                seen.append(f"-{name}")

            return live

        monkeypatch.setattr(app_module, "PARTS", (part("a"), part("b")))
        with TestClient(create_app(settings)) as client:
            assert client.get("/readyz").status_code == 200
        assert seen == ["+a", "+b", "-b", "-a"]

    def test_a_start_that_fails_raises_its_sentence(self, settings: ServerSettings) -> None:
        settings.token_file.write_text("x")
        with pytest.raises(ConfigError, match="holds no token"), TestClient(create_app(settings)):
            pass

    def test_data_survives_a_restart(self, settings: ServerSettings, clock: ManualClock) -> None:
        with TestClient(create_app(settings, clock)) as client:
            who = reader(client)
        with TestClient(create_app(settings, clock)) as client:
            assert client.get("/api/v1/session", headers=who).json()["user"] == ALICE


class TestSystem:
    def test_anyone_may_ask_whether_it_lives(self, client: TestClient) -> None:
        assert client.get("/healthz").json() == {"status": "alive"}

    def test_ready_names_every_check(self, client: TestClient) -> None:
        core: Core = client.app.state.core  # type: ignore[attr-defined]
        said = client.get("/readyz").json()
        assert (said["ready"], said["checks"]["database"]) == (True, "ok")
        core.checks.add("broker", lambda: "not connected", required=False)
        answer = client.get("/readyz")
        assert (answer.status_code, answer.json()["checks"]["broker"]) == (200, "not connected")
        core.checks.add("broker", lambda: "not connected")
        answer = client.get("/readyz")
        assert (answer.status_code, answer.json()["ready"]) == (503, False)

    def test_the_schema_is_served_and_names_the_shared_contracts(self, client: TestClient) -> None:
        schema = client.get("/api/openapi.json").json()
        assert "/api/v1/circulation/checkouts" in schema["paths"]
        assert {"CheckoutRequest", "BatchResult"} <= schema["components"]["schemas"].keys()

    def test_the_docs_page_needs_nothing_from_elsewhere(self, client: TestClient) -> None:
        answer = client.get("/api/docs")
        assert answer.headers["content-type"].startswith("text/html")
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "POST /api/v1/circulation/checkouts" in answer.text
        assert "<script" not in answer.text
        assert "http://" not in answer.text
        assert "https://" not in answer.text

    def test_every_link_of_the_docs_page_leads_somewhere(self, client: TestClient) -> None:
        page = client.get("/api/docs").text
        assert set(re.findall(r'href="#([^"]+)"', page)) <= set(re.findall(r'id="([^"]+)"', page))


def test_helpers_for_pages_know_the_caller(settings: ServerSettings) -> None:
    app = create_app(settings)
    with TestClient(app) as client:
        headers = [(b"authorization", machine()["Authorization"].encode())]
        request = Request({"type": "http", "method": "POST", "headers": headers, "app": app})
        refuse_cross_origin(request)
        core: Core = client.app.state.core  # type: ignore[attr-defined]
        found = caller_of(request, core)
        assert found is not None
        assert found.has(Role.KIOSK, Role.LIBRARIAN)
        assert not found.has(Role.LIBRARIAN)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/records?kind=%00", None),
        ("GET", "/records?language=%00", None),
        ("GET", "/patrons?q=%00", None),
        ("GET", "/feedback?owner=%00", None),
        ("GET", "/feedback/%00", None),
        ("PUT", "/feedback/%00/owner", {"owner": ""}),
        ("POST", "/feedback/%00/close", None),
        ("POST", "/patrons/1/fees", {"kind": "damage", "amount": "1", "reason": "a\0"}),
        ("POST", f"/patrons/by-card/{ALICE}/fees", {"kind": "damage", "amount": "1", "reason": "a\0"}),
        ("POST", "/alarms/%00/reset", None),
    ],
)
def test_nul_which_no_database_keeps_is_refused(client: TestClient, method: str, path: str, body: Any) -> None:
    answer = client.request(method, f"/api/v1{path}", json=body, headers=colleague(client, Role.LIBRARIAN))
    assert (answer.status_code, answer.json()["code"]) == (422, "malformed_request"), answer.text
    assert not re.search("SELECT|INSERT|NUL", answer.text)


@pytest.mark.parametrize(("path", "body"), [("rating", {"rating": 5}), ("reopen", {"text": "Still broken"})])
def test_nul_from_a_reader_is_refused(client: TestClient, path: str, body: Any) -> None:
    answer = client.post(f"/api/v1/patrons/me/feedback/%00/{path}", json=body, headers=reader(client, ALICE))
    assert (answer.status_code, answer.json()["code"]) == (422, "malformed_request"), answer.text


def test_two_applications_in_one_process_do_not_meet(settings: ServerSettings, empty_url: str, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    with (
        TestClient(create_app(settings)) as first,
        TestClient(create_app(make_settings(other, empty_url))) as second,
    ):
        assert first.get("/api/v1/records").json()["total"] == 12
        assert second.get("/api/v1/records").json()["total"] == 0
