"""The kiosk's WebSocket on a real port: screens out, touches in, one browser at a time, whatever a browser sends."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from starlette.responses import PlainTextResponse
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from gateway.stations.kiosk.events import Touch
from gateway.stations.kiosk.web import FAULT, MESSAGE_LIMIT, TAKEN_OVER, KioskWeb
from tests.support.sim import eventually

LARGEST_FRAME = 1 << 12
"""What the station lets uvicorn take."""


def screen(name: str, **more: Any) -> dict[str, Any]:
    return {"screen": name, "lang": "en", "html": f"<h1>{name}</h1>", "tone": "none", "countdown_s": None, **more}


class Kiosk:
    """The routes on a free port; `show` is a change of the session."""

    def __init__(self) -> None:
        self.screen: dict[str, Any] | None = screen("idle")
        self.touches: list[Touch] = []
        self.web = KioskWeb(shell=self._shell, message=self._message, touch=self.touches.append)
        app = FastAPI()
        app.include_router(self.web.router)
        self._server = uvicorn.Server(
            uvicorn.Config(app, log_config=None, lifespan="off", ws_max_size=LARGEST_FRAME, timeout_graceful_shutdown=0)
        )
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self._task: asyncio.Task[None] | None = None

    def _shell(self) -> PlainTextResponse:
        return PlainTextResponse("the shell")

    def _message(self) -> dict[str, Any]:
        if self.screen is None:
            raise LookupError("no such template")
        return self.screen

    def show(self, name: str, **more: Any) -> None:
        self.screen = screen(name, **more)
        self.web.changed()

    async def start(self) -> None:
        self._task = asyncio.create_task(self._server._serve([self._listener]))
        await eventually(lambda: self._server.started)

    async def stop(self) -> None:
        assert self._task is not None
        self._server.should_exit = True
        await self._task

    def open(self) -> connect:
        return connect(f"ws://{self.address}/kiosk/live", proxy=None)


@pytest.fixture
async def kiosk() -> AsyncIterator[Kiosk]:
    made = Kiosk()
    await made.start()
    yield made
    await made.stop()


async def heard(browser: ClientConnection) -> dict[str, Any]:
    """The next message."""
    async with asyncio.timeout(5):
        message: dict[str, Any] = json.loads(await browser.recv())
        return message


async def say(browser: ClientConnection, **message: Any) -> None:
    await browser.send(json.dumps(message))


async def until_quiet(browser: ClientConnection, number: int = 1) -> list[dict[str, Any]]:
    """Everything the gateway sent before it answered a ping: what was said to it before is dealt with by then."""
    await say(browser, ping=number)
    messages: list[dict[str, Any]] = []
    while (message := await heard(browser)) != {"pong": number}:
        messages.append(message)
    return messages


@contextmanager
def closed_with(code: int) -> Iterator[None]:
    """The gateway closes the socket with this code."""
    with pytest.raises(ConnectionClosed) as closed:
        yield
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == code


# ---------------------------------------------------------------- pages
@pytest.mark.parametrize("path", ["/", "/kiosk"])
async def test_the_shell_is_served(kiosk: Kiosk, path: str) -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.get(f"http://{kiosk.address}{path}")
    assert (answer.status_code, answer.text) == (200, "the shell")


async def test_healthz_says_that_it_runs(kiosk: Kiosk) -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.get(f"http://{kiosk.address}/healthz")
    assert (answer.status_code, answer.json()) == (200, {"ok": True})


# ---------------------------------------------------------------- screens out
async def test_the_screen_of_now_comes_at_once_and_each_change_after_it(kiosk: Kiosk) -> None:
    async with kiosk.open() as browser:
        assert await heard(browser) == {"seq": 1, **screen("idle")}
        kiosk.show("identify")
        assert await heard(browser) == {"seq": 2, **screen("identify")}
        kiosk.show("items", tone="ok")
        assert await heard(browser) == {"seq": 3, **screen("items", tone="ok")}
        assert await until_quiet(browser) == []


async def test_changes_of_one_moment_are_one_screen(kiosk: Kiosk) -> None:
    async with kiosk.open() as browser:
        await heard(browser)
        for name in ("identify", "items", "busy"):
            kiosk.show(name)
        assert await until_quiet(browser) == [{"seq": 2, **screen("busy")}]


async def test_an_equal_screen_is_not_sent_again(kiosk: Kiosk) -> None:
    async with kiosk.open() as browser:
        await heard(browser)
        kiosk.show("idle")
        assert await until_quiet(browser) == []
        kiosk.show("idle", lang="zh-CN")
        assert [message["seq"] for message in await until_quiet(browser)] == [2]


async def test_the_browser_counts_down_by_itself(kiosk: Kiosk) -> None:
    async with kiosk.open() as browser:
        await heard(browser)
        for left in (15, 14, 13):
            kiosk.show("items", countdown_s=left)
            sent = await until_quiet(browser)
            assert [message["countdown_s"] for message in sent] == ([15] if left == 15 else [])
        kiosk.show("items")
        assert [message["countdown_s"] for message in await until_quiet(browser)] == [None]
        kiosk.show("items", countdown_s=0)
        assert [message["countdown_s"] for message in await until_quiet(browser)] == [0], "none left is a countdown"


async def test_a_screen_that_cannot_be_made_closes_the_socket_so_that_the_browser_wipes(
    kiosk: Kiosk, caplog: pytest.LogCaptureFixture
) -> None:
    async with kiosk.open() as browser:
        await heard(browser)
        kiosk.screen = None
        kiosk.web.changed()
        with closed_with(FAULT):
            await heard(browser)
    assert "fault while making" in caplog.text
    kiosk.screen = screen("idle")
    async with kiosk.open() as browser:
        assert (await heard(browser))["screen"] == "idle"


async def test_a_change_without_any_browser_is_seen_by_the_next(kiosk: Kiosk) -> None:
    kiosk.show("closed")
    async with kiosk.open() as browser:
        assert await heard(browser) == {"seq": 1, **screen("closed")}


# ---------------------------------------------------------------- touches in
async def test_every_touch_is_taken(kiosk: Kiosk) -> None:
    async with kiosk.open() as browser:
        await heard(browser)
        for touch in Touch:
            await say(browser, touch=touch, seq=1)
        await until_quiet(browser)
    assert kiosk.touches == list(Touch)


async def test_a_touch_meant_for_a_screen_that_is_gone_is_dropped(kiosk: Kiosk) -> None:
    async with kiosk.open() as browser:
        await heard(browser)
        kiosk.show("items")
        await heard(browser)
        for seq in (1, 0, -1, 3, 10**30):
            await say(browser, touch="confirm", seq=seq)
        await until_quiet(browser)
        assert (kiosk.touches, kiosk.web.bad_messages) == ([], 0)
        await say(browser, touch="confirm", seq=2)
        await until_quiet(browser)
    assert kiosk.touches == [Touch.CONFIRM]


async def test_what_means_the_same_counts_while_the_list_on_its_screen_changes(kiosk: Kiosk) -> None:
    async with kiosk.open() as browser:
        await heard(browser)
        kiosk.show("items")
        kiosk_seq = (await heard(browser))["seq"]
        kiosk.show("items", html="one more")
        await heard(browser)
        for touch in Touch:
            await say(browser, touch=touch, seq=kiosk_seq)
        await until_quiet(browser)
        assert kiosk.touches == [Touch.BORROW, Touch.RETURN, Touch.DONE, Touch.ACTIVITY]
        kiosk.show("items", html="one more", lang="zh-CN")
        await heard(browser)
        for seq in (1, 2, 3, 5):
            await say(browser, touch="done", seq=seq)
        await until_quiet(browser)
    assert len(kiosk.touches) == 4


async def test_a_finger_that_moves_counts_on_any_screen(kiosk: Kiosk) -> None:
    async with kiosk.open() as browser:
        await heard(browser)
        kiosk.show("items")
        await say(browser, touch="activity", seq=1)
        await until_quiet(browser)
    assert kiosk.touches == [Touch.ACTIVITY]


async def test_pings_are_answered_with_their_number(kiosk: Kiosk) -> None:
    async with kiosk.open() as browser:
        await heard(browser)
        for number in (1, 2, 2**40):
            await say(browser, ping=number)
            assert await heard(browser) == {"pong": number}


# ---------------------------------------------------------------- one browser at a time
async def test_a_later_browser_takes_over(kiosk: Kiosk) -> None:
    async with kiosk.open() as first:
        await heard(first)
        kiosk.show("identify")
        await heard(first)
        async with kiosk.open() as second:
            assert await heard(second) == {"seq": 1, **screen("identify")}
            with closed_with(TAKEN_OVER):
                await heard(first)
            await first.wait_closed()
            kiosk.show("items")
            assert await heard(second) == {"seq": 2, **screen("items")}
            await say(second, touch="confirm", seq=2)
            await until_quiet(second)
    assert kiosk.touches == [Touch.CONFIRM]


async def test_a_browser_that_comes_back_is_the_kiosk_again(kiosk: Kiosk) -> None:
    for name in ("idle", "closed", "idle"):
        kiosk.show(name)
        async with kiosk.open() as browser:
            assert await heard(browser) == {"seq": 1, **screen(name)}


async def test_a_browser_that_vanished_is_no_hindrance(kiosk: Kiosk) -> None:
    async with kiosk.open() as browser:
        await heard(browser)
        browser.transport.abort()
    kiosk.show("closed")
    async with kiosk.open() as browser:
        assert (await heard(browser))["screen"] == "closed"


# ---------------------------------------------------------------- nonsense
GARBAGE: dict[str, str | bytes] = {
    "binary": b"\x00\xff\x01",
    "a binary touch": b'{"touch": "borrow", "seq": 1}',
    "no text": "",
    "no json": "hello",
    "half": '{"touch": "borrow"',
    "deep": "[" * 1000,
    "a long number": '{"ping": ' + "9" * 900 + "e9}",
    "over 1 KiB": json.dumps({"touch": "borrow", "seq": 1, "x": "y" * MESSAGE_LIMIT}),
    "a list": "[]",
    "null": "null",
    "no such touch": '{"touch": "open_the_till", "seq": 1}',
    "without seq": '{"touch": "borrow"}',
    "seq as text": '{"touch": "borrow", "seq": "1"}',
    "a touch as list": '{"touch": ["borrow"], "seq": 1}',
    "half a character": '{"touch": "\\ud800", "seq": 1}',
    "ping as text": '{"ping": "1"}',
}


@pytest.mark.parametrize("garbage", GARBAGE.values(), ids=list(GARBAGE))
async def test_anything_else_is_counted_and_ignored(kiosk: Kiosk, garbage: str | bytes) -> None:
    async with kiosk.open() as browser:
        await heard(browser)
        await browser.send(garbage)
        assert await until_quiet(browser) == []
        assert (kiosk.touches, kiosk.web.bad_messages) == ([], 1)
        kiosk.show("items")
        assert (await heard(browser))["seq"] == 2, "the same connection goes on"


@pytest.mark.parametrize("frame", ["x" * (LARGEST_FRAME + 1), b"x" * (1 << 20)], ids=["text", "binary"])
async def test_a_flood_ends_its_own_connection_only(kiosk: Kiosk, frame: str | bytes) -> None:
    async with kiosk.open() as browser:
        await heard(browser)
        with closed_with(1009):
            await browser.send(frame)
            await heard(browser)
    async with kiosk.open() as browser:
        assert (await heard(browser))["screen"] == "idle"
    assert kiosk.touches == []


async def test_what_is_not_a_websocket_is_refused_and_harms_nobody(kiosk: Kiosk) -> None:
    host, port = kiosk.address.split(":")
    async with kiosk.open() as browser:
        await heard(browser)
        for rubbish in (
            b"\x16\x03\x01\x02\x00",
            b"GET /kiosk/live HTTP/1.1\r\nUpgrade: websocket\r\n\r\n",
            b"\xff" * 99,
        ):
            _, writer = await asyncio.open_connection(host, int(port))
            writer.write(rubbish)
            writer.close()
        kiosk.show("items")
        assert (await heard(browser))["seq"] == 2
