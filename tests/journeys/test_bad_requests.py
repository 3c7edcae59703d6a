"""Nonsense in requests to API and pages: it is refused with a code, and everything goes on as before."""

from __future__ import annotations

import http.client
import re
from functools import cache
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from server.http.middleware import UPLOADS
from tests.support.nonsense import NO_JSON, OVERSIZED, WRONG_JSON, hears_and_obeys, no_stack_trace, refused
from tests.support.programs import Library

pytestmark = [pytest.mark.process, pytest.mark.timeout(240)]


@cache
def schema(dashboard: str) -> dict[str, Any]:
    """The API as it describes itself."""
    described: dict[str, Any] = httpx.get(f"{dashboard}/api/openapi.json", timeout=10, trust_env=False).json()
    return described


def writing_routes(running: Library) -> list[tuple[str, str]]:
    """Every (method, path) of the API that changes something."""
    found = [
        (m, path)
        for path, methods in schema(running.dashboard)["paths"].items()
        for m in methods
        if m in ("post", "put", "patch", "delete")
    ]
    assert len(found) >= 8
    return found


def takes_nothing(running: Library, method: str, path: str) -> bool:
    """Whether a route has no body."""
    return "requestBody" not in schema(running.dashboard)["paths"][path][method]


def needs_nothing(running: Library, method: str, path: str) -> bool:
    """Whether every field of a route's body may be left out."""
    body = schema(running.dashboard)["paths"][path][method].get("requestBody")
    if body is None or "application/json" not in body["content"]:
        return False
    form = body["content"]["application/json"]["schema"]
    named = next((part["$ref"] for part in (form, *form.get("anyOf", ())) if "$ref" in part), "")
    return not schema(running.dashboard)["components"]["schemas"].get(named.rpartition("/")[2], {}).get("required")


@pytest.mark.parametrize("who", [("", ""), ("90000011", "0011"), ("admin", "admin-demo"), ("duty", "duty-demo")])
def test_every_writing_route_refuses_nonsense_with_a_code(who: tuple[str, str], running: Library) -> None:
    client = running.client(*who)
    for method, path in writing_routes(running):
        if "{" not in path and takes_nothing(running, method, path):
            continue  # so nothing is nonsense to it
        address = re.sub(r"\{\w+\}", "nothing-of-ours", path).removeprefix("/api/v1")
        for body in (*NO_JSON, *WRONG_JSON):
            if body == b"{}" and needs_nothing(running, method, path):
                continue  # then that is a good request
            answer = client.request(method, address, content=body, headers={"Content-Type": "application/json"})
            refused(answer, f"{method} {address} {body[:60]!r}")
        answer = client.request(method, address, content=OVERSIZED, headers={"Content-Type": "application/json"})
        too_much = refused(answer, f"{method} {address}")["status"]
        assert too_much == 413 or path in UPLOADS, f"{method} {address}: {too_much}"
        for kind in ("text/plain", "application/xml", "multipart/form-data; boundary=x", ""):
            refused(client.request(method, address, content=b"--x\r\n", headers={"Content-Type": kind}), kind)


@pytest.mark.parametrize(
    "name", ["%00", "..%2f..%2fetc", "%ED%A0%80", "%FF", "x" * 4000, "'; drop table item; --", "💥"]
)
def test_every_path_refuses_names_that_cannot_be(name: str, running: Library) -> None:
    client = running.client("admin", "admin-demo")
    schema = httpx.get(f"{running.dashboard}/api/openapi.json", timeout=10, trust_env=False).json()
    named = name if "%" in name else quote(name)
    for path, methods in schema["paths"].items():
        if "{" not in path:
            continue
        address = re.sub(r"\{\w+\}", named, path).removeprefix("/api/v1")
        for method in methods:
            body = {"actuator": "stacks-vent", "value": 1} if method == "post" else None
            refused(client.request(method, address, json=body), f"{method} {address[:80]}")


def test_questions_that_make_no_sense_are_refused_or_find_nothing(running: Library) -> None:
    client = running.client()
    for query in ("%00", "%ED%A0%80", "%FF%FE", "x" * 5000, "%25%5F*\"'()--", "💥" * 50, "%F0%9F", "a OR 1=1 NEAR("):
        answer = client.get(f"/records?q={query}")
        assert answer.status_code == 200 or refused(answer, query)
    for question in (
        "/records?limit=-1",
        "/records?limit=99999999999999999999",
        "/alarms?limit=x",
        "/alarms?state=%00",
        "/rooms/stacks/history",
        "/rooms/stacks/history?metric=%00",
        "/rooms/stacks/history?metric=temp&buckets=0",
        "/rooms/stacks/history?metric=temp&from=9999-12-31T23:59:59Z&to=0001-01-01T00:00:00Z",
        "/rooms/stacks/history?metric=temp&from=1e400",
        "/rooms/nowhere/history?metric=temp",
    ):
        answer = client.get(question)
        assert answer.status_code == 200 or refused(answer, question)


def test_wrong_passwords_lock_the_name_and_nobody_else(running: Library) -> None:
    client = running.client()

    def sign_in(user: str, password: str) -> httpx.Response:
        return client.post("/session", json={"user": user, "password": password})

    for guess in range(5):
        assert refused(sign_in("90000028", f"9{guess}99"), "a guess")["code"] == "wrong_sign_in"
    locked = sign_in("90000028", "0028")
    assert refused(locked, "the right PIN, too late")["code"] == "sign_in_locked"
    assert int(locked.headers["Retry-After"]) > 60
    assert sign_in("90000027", "0027").status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Bearer nonsense"},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer " + "x" * 8000},
        {"Authorization": b"Bearer \xff\xfe\x80"},
        {"Authorization": "Basic YWRtaW46YWRtaW4tZGVtbw=="},
        {"Authorization": "Bearer ' OR 1=1 --"},
        {"Cookie": "carrel_session=nonsense"},
        {"Cookie": "carrel_session=%00; carrel_session=;;;=="},
    ],
)
def test_a_wrong_token_opens_nothing(headers: dict[str, Any], running: Library) -> None:
    answer = running.client().get("/patrons/me", headers=headers)
    assert refused(answer, str(headers))["status"] == 401


def test_a_foreign_page_can_change_nothing(running: Library) -> None:
    client = running.client()
    client.post("/session", json={"user": "librarian", "password": "librarian-demo"})  # the cookie, as a browser has it
    for told in ({"Origin": "http://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}):
        for method, path in writing_routes(running):
            address = re.sub(r"\{\w+\}", "nothing-of-ours", path).removeprefix("/api/v1")
            answer = client.request(method, address, json={}, headers=told)
            assert refused(answer, f"{method} {address} {told}")["code"] == "cross_origin"
    assert client.get("/session").status_code == 200, "the session of the misled browser is as it was"


@pytest.mark.parametrize("program", ["dashboard", "kiosk"])
def test_no_path_leads_out_of_the_static_files(program: str, running: Library) -> None:
    address = getattr(running, program).removeprefix("http://")
    for path in (
        "/static/../config.toml",
        "/static/../../../../../../etc/passwd",
        "/static/..%2f..%2f..%2f..%2fetc%2fpasswd",
        "/static/%2e%2e/%2e%2e/server/app.py",
        "/static/....//....//etc/passwd",
        "/static//etc/passwd",
        "/static/%00",
        "/static/tokens.css%00.py",
        "/static/%5c..%5c..%5cconfig.toml",
        "/static/.stamp",
        "/static/" + "x" * 5000,
        "/static/",
        "/static",
    ):
        wire = http.client.HTTPConnection(address, timeout=10)  # it sends paths as they are
        wire.request("GET", path)
        answer = wire.getresponse()
        body = answer.read()
        wire.close()
        assert 300 <= answer.status < 500, path
        assert b"root:" not in body
        assert b"[server]" not in body
        assert b"Traceback" not in body


def test_after_all_this_no_log_holds_a_stack_trace(running: Library) -> None:
    hears_and_obeys(running)
    no_stack_trace(running)
