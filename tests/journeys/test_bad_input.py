"""Nonsense on every wire: it is refused or dropped and counted, and everything goes on as before."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from carrel.contracts.topics import TOPICS, VERSION_ROOT, Topic
from tests.support.ear import ROOT, Ear
from tests.support.kiosk import KioskScreen
from tests.support.nonsense import NO_JSON, OVERSIZED, WRONG_JSON, hears_and_obeys, no_stack_trace
from tests.support.programs import Library, wait_for

pytestmark = [pytest.mark.process, pytest.mark.timeout(240)]

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


# ---------------------------------------------------------------- bytes and live channels
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
    no_stack_trace(running)
