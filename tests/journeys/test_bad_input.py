"""Nonsense at every door: it is refused with a code or dropped and counted, and everything goes on as before."""

from __future__ import annotations

import http.client
import json
import re
import socket
from collections.abc import Iterator
from functools import cache
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from carrel.contracts.topics import TOPICS, VERSION_ROOT, Topic
from server.http.middleware import UPLOADS
from tests.support.ear import ROOT, Ear
from tests.support.kiosk import KioskScreen
from tests.support.programs import Library, wait_for

pytestmark = [pytest.mark.process, pytest.mark.timeout(240)]

DEEP = 100_000
NO_JSON = [b"", b"{", b"nonsense", b"\x00\xff\xfe", b"[" * DEEP, b'{"a":' * DEEP, b"\xef\xbb\xbf{]", b'{"items": [1,]}']
WRONG_JSON = [
    b"null",
    b"[]",
    b'"text"',
    b"7",
    b"1e999",
    b"NaN",
    b"{}",
    b'{"id": "../../x", "items": [null], "user": [], "password": {}}',
    b'{"user": "\\ud800", "password": "\\ud800", "request_id": "\\ud800", "items": [{"barcode": "\\ud800"}]}',
    b'{"user": "\\u0000", "password": "\\u0000", "request_id": "\\u0000", "items": [{"barcode": "\\u0000"}]}',
    b'{"value": NaN, "duration_s": 1e400, "actuator": "x", "seq": 99999999999999999999, "session": -1}',
    b'{"request_id": "' + b"x" * 100_000 + b'", "items": []}',
    b'{"request_id": "r", "items": [' + b'{"barcode": "1"},' * 20_000 + b'{"barcode": "1"}]}',
]
OVERSIZED = b'{"items": "' + b"x" * (2 << 20) + b'"}'
WITHIN_S = 20.0


@pytest.fixture
def ear(running: Library) -> Iterator[Ear]:
    """A stranger on the broker."""
    with Ear(running.ports["mqtt"]) as found:
        yield found


# ---------------------------------------------------------------- the broker
def names(topic: Topic) -> list[str]:
    """A topic of the real gateway and of one that does not exist, with names that fit and names that do not."""
    ids = ["nothing-of-ours", "A b", "x" * 200, "Ünïcödé"] if "{id}" in topic.path else [""]
    roots = [ROOT, f"{VERSION_ROOT}/main/gw-9", f"{VERSION_ROOT}/main/no gateway"]
    return [f"{root}/{topic.path.replace('{id}', id_)}" for root in roots for id_ in ids]


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.path)
def test_nonsense_on_a_topic_is_dropped(topic: Topic, running: Library, ear: Ear) -> None:
    for name in names(topic):
        for payload in (*NO_JSON, *WRONG_JSON):
            if payload:  # nothing at all clears a retained topic, which is no nonsense
                ear.say(name, payload)
    ear.say(names(topic)[0], OVERSIZED)
    hears_and_obeys(running)


def test_topics_that_do_not_exist_are_dropped(running: Library, ear: Ear) -> None:
    for name in ("carrel", "carrel/1", f"{VERSION_ROOT}/main/gw-1", f"{ROOT}/cmd", f"{ROOT}/cmd/a/b", f"{ROOT}//", "x"):
        for payload in (b"{}", b"\xff", OVERSIZED):
            ear.say(name, payload)
    hears_and_obeys(running)


def test_bytes_that_are_no_mqtt_cost_only_their_own_connection(running: Library, ear: Ear) -> None:
    for nonsense in (
        b"",
        b"\x00" * 50,
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x10\xff\xff\xff\x7f",
        b"\x10\x05\x00\x04MQTT",
        b"\xff",
    ):
        with socket.create_connection(("127.0.0.1", running.ports["mqtt"]), timeout=5) as wire:
            wire.sendall(nonsense)
    hears_and_obeys(running)


def hears_and_obeys(running: Library) -> None:
    """Server and gateway still talk: a wish goes there and its answer comes back."""
    librarian = running.client("librarian", "librarian-demo")
    wish = {"actuator": "stacks-vent", "value": 20, "duration_s": 600}
    made = librarian.post("/rooms/stacks/overrides", json=wish)
    assert made.status_code == 201, made.text
    assert librarian.delete(f"/overrides/{made.json()['id']}").status_code == 204


# ---------------------------------------------------------------- the virtual building
def test_the_control_socket_answers_nonsense_with_a_sentence(running: Library) -> None:
    requests = [*(part.replace(b"\n", b" ") for part in (*NO_JSON, *WRONG_JSON) if part), OVERSIZED]
    requests += [
        json.dumps(request).encode()
        for request in (
            {"cmd": "explode"},
            {"cmd": ["set"]},
            {"cmd": "set"},
            {"cmd": "set", "room": 5, "temp": 20},
            {"cmd": "set", "room": "stacks", "temp": "hot"},
            {"cmd": "set", "room": "stacks", "temp": float("nan")},
            {"cmd": "set", "room": "stacks", "temp": float("inf")},
            {"cmd": "place", "pad": "kiosk-1", "names": "30000001"},
            {"cmd": "place", "pad": "kiosk-1", "names": [None]},
            {"cmd": "contact", "point": 7, "state": []},
            {"cmd": "fault", "link": "io-1", "mode": {}},
            {"cmd": "speed", "speed": -1},
            {"cmd": "report", "ieee": "no", "cluster": "x", "attribute": -1, "value": None},
        )
    ]
    with socket.create_connection(("127.0.0.1", running.ports["control"]), timeout=10) as wire:
        answers = wire.makefile("rb")
        for request in requests:
            wire.sendall(request + b"\n")
            answer = json.loads(answers.readline())
            assert answer["ok"] is False, request[:80]
            assert "building failed" not in answer["error"], request[:80]
        wire.sendall(b'{"cmd": "hello"}\n')
        assert json.loads(answers.readline())["ok"] is True


# ---------------------------------------------------------------- the API
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


def refused(answer: httpx.Response, what: str) -> dict[str, Any]:
    """It is a problem document with a code, and nothing of our insides."""
    assert 400 <= answer.status_code < 500, f"{what}: {answer.status_code} {answer.text[:300]}"
    assert answer.headers["content-type"].startswith("application/problem+json"), f"{what}: {answer.text[:300]}"
    assert "Traceback" not in answer.text
    assert len(answer.content) < 20_000, f"{what}: an answer of {len(answer.content)} bytes"
    problem: dict[str, Any] = answer.json()
    assert re.fullmatch(r"[a-z][a-z0-9_]*", problem["code"]), what
    assert problem["status"] == answer.status_code
    return problem


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


# ---------------------------------------------------------------- pages, files, bytes
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


@pytest.mark.parametrize("port", ["server", "kiosk"])
def test_bytes_that_are_no_http_are_refused(port: str, running: Library) -> None:
    for nonsense in (
        b"\x00\xff\xfe\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST /api/v1/session HTTP/1.1\r\nContent-Length: -5\r\n\r\n{}",
        b"POST /api/v1/session HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST /api/v1/session HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{",
        b"GET / HTTP/1.1\r\nX: " + b"y" * 200_000 + b"\r\n\r\n",
        b"GET /live HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
    ):
        with socket.create_connection(("127.0.0.1", running.ports[port]), timeout=5) as wire:
            try:
                wire.sendall(nonsense)
                wire.shutdown(socket.SHUT_WR)
                answer = wire.recv(65536)
            except OSError:
                continue  # it hung up on us, which is an answer too
        assert b" 500 " not in answer[:20], nonsense[:60]
        assert b"Traceback" not in answer


LIVE_NONSENSE: list[str | bytes] = [
    "",
    "{",
    "[]",
    "7",
    "null",
    '{"sub": 7}',
    '{"sub": [7]}',
    "[" * 4000,
    "x" * 5000,
    b"\x00\xff",
    b"",
]


@pytest.mark.parametrize("said", [*LIVE_NONSENSE, "x" * 100_000], ids=lambda said: repr(said[:12]))
def test_nonsense_on_the_live_channel_ends_only_that_channel(said: str | bytes, running: Library) -> None:
    address = running.dashboard.replace("http://", "ws://") + "/live"
    with connect(address, proxy=None) as well_behaved, connect(address, proxy=None) as rude:
        well_behaved.send('{"sub": ["health"]}')
        assert json.loads(well_behaved.recv(timeout=WITHIN_S))["full"] is True
        rude.send(said)
        with pytest.raises(ConnectionClosed) as closed:
            rude.recv(timeout=WITHIN_S)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code in (1008, 1009)
        assert "seq" in json.loads(well_behaved.recv(timeout=WITHIN_S))


def test_nonsense_from_a_kiosks_browser_ends_at_most_its_own_connection(running: Library) -> None:
    more: list[str | bytes] = ["[" * 1020, '{"a":' * 200, '{"touch": ["borrow"], "seq": {}}', "x" * 100_000]
    for said in LIVE_NONSENSE + more:
        assert after_nonsense(running, said) in ("answers", 1000, 1003, 1006, 1009), f"{said[:20]!r}"
    with KioskScreen(running.kiosk) as screen:
        screen.touch("return")
        screen.until("return")
        screen.touch("done")
        screen.until("idle")


def after_nonsense(running: Library, said: str | bytes) -> str | int:
    """Whether the kiosk still answers this browser, or the code with which it was sent away."""
    with connect(running.kiosk.replace("http://", "ws://") + "/kiosk/live", proxy=None) as rude:
        rude.send(said)
        try:
            rude.send('{"ping": 7}')
            while json.loads(rude.recv(timeout=WITHIN_S)) != {"pong": 7}:
                pass
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else 1006
    return "answers"


@pytest.mark.parametrize(("program", "path"), [("dashboard", "/live"), ("kiosk", "/kiosk/live")])
def test_a_foreign_page_gets_no_live_channel(program: str, path: str, running: Library) -> None:
    address = getattr(running, program).replace("http://", "ws://") + path
    with pytest.raises(InvalidStatus) as refusal:
        connect(address, proxy=None, origin="http://evil.example")  # type: ignore[arg-type]  # a NewType of str
    assert refusal.value.response.status_code == 403


# ---------------------------------------------------------------- afterwards
def test_after_all_this_everything_works_and_no_log_holds_a_stack_trace(running: Library, ear: Ear) -> None:
    hears_and_obeys(running)
    running.sim("set", "out", "temp=8")
    wait_for("the page shows the cold", lambda: (running.shown("out", "temp") or 99) < 13, WITHIN_S)
    running.sim("set", "out", "temp=32")
    wait_for("the page shows the heat", lambda: (running.shown("out", "temp") or 0) > 27, WITHIN_S)
    for name in ("gateway", "server", "sim", "broker"):
        log = running.log(name)
        at = log.find("Traceback")
        assert at < 0, f"{name}: {log[max(0, at - 500) : at + 3000]}"
