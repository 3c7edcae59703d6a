"""`/live`: one WebSocket per page (docs/live.md)."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Annotated, Any

from fastapi import APIRouter, WebSocket, WebSocketDisconnect

from server.deps import Principal, core_of, public
from server.live.feed import TOPICS_LIMIT, Channel, Feed

log = logging.getLogger(__name__)

router = APIRouter()

POLICY_VIOLATION, TRY_AGAIN_LATER = 1008, 1013
MESSAGE_LIMIT = 4096
"""Bytes."""
CHANNELS_LIMIT = 2000
SPEAK_WITHIN_S = 10.0
SEND_WITHIN_S = 10.0
"""A browser that takes nothing for this long is gone."""


class NotASubscriptionError(ValueError):
    """What the browser sent is not of the protocol."""


@router.websocket("/live")
async def live(socket: WebSocket, _caller: Annotated[Principal | None, public()]) -> None:
    """Serve one page until it goes."""
    feed = socket.app.state.feed
    assert isinstance(feed, Feed)
    await socket.accept()
    if len(feed) >= CHANNELS_LIMIT:
        await socket.close(TRY_AGAIN_LATER)
        return
    channel = Channel(feed, core_of(socket).clock)
    feed.add(channel)
    try:
        await _serve(socket, channel)
    finally:
        feed.remove(channel)


def subscription(text: str) -> list[str]:
    """The topics that a message asks for; raises NotASubscriptionError."""
    if len(text.encode()) > MESSAGE_LIMIT:
        raise NotASubscriptionError("too long")
    try:
        message: Any = json.loads(text)
    except (ValueError, RecursionError):
        raise NotASubscriptionError("no JSON") from None
    topics = message.get("sub") if isinstance(message, dict) else None
    if not isinstance(topics, list) or not all(isinstance(topic, str) for topic in topics):
        raise NotASubscriptionError("no list of topics")
    if len(topics) > TOPICS_LIMIT:
        raise NotASubscriptionError("too many topics")
    return topics


async def _serve(socket: WebSocket, channel: Channel) -> None:
    """Listen; speak from the first subscription on."""
    speaker: asyncio.Task[None] | None = None
    try:
        while True:
            async with asyncio.timeout(SPEAK_WITHIN_S if speaker is None else None):
                text = await _receive(socket)
            channel.subscribe(subscription(text))
            speaker = speaker or asyncio.create_task(_speak(socket, channel))
    except (NotASubscriptionError, TimeoutError):
        await socket.close(POLICY_VIOLATION)
    except WebSocketDisconnect:
        return
    finally:
        if speaker is not None:
            speaker.cancel()
            await asyncio.gather(speaker, return_exceptions=True)


async def _receive(socket: WebSocket) -> str:
    """The next text message; raises NotASubscriptionError for bytes, WebSocketDisconnect at the end."""
    message = await socket.receive()
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code", 1000))
    text = message.get("text")
    if not isinstance(text, str):
        raise NotASubscriptionError("no text")
    return text


async def _speak(socket: WebSocket, channel: Channel) -> None:
    """Send what is due until the browser is gone."""
    while True:
        message = await channel.next()
        try:
            async with asyncio.timeout(SEND_WITHIN_S):
                await socket.send_text(json.dumps(message, separators=(",", ":")))
        except (WebSocketDisconnect, RuntimeError, TimeoutError, OSError) as error:
            log.debug("a page is gone: %s", type(error).__name__)
            return
