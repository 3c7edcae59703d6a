"""How news are gathered for a browser: never more than it can take, never out of order."""

import asyncio

from server.live.feed import HEARTBEAT_S, WAITING_LIMIT, Channel, Feed
from tests.support.library import ManualClock


def a_channel(*topics: str) -> tuple[Feed, Channel]:
    feed = Feed(["a", "b"])
    channel = Channel(feed, ManualClock())
    feed.add(channel)
    channel.subscribe(topics)
    return feed, channel


async def test_the_first_message_is_full_and_numbers_rise_by_one() -> None:
    feed, channel = a_channel("a")
    feed.publish("a", "x", {"v": 1})
    first = await channel.next()
    feed.publish("a", "x", {"v": 2}, at_once=True)
    second = await channel.next()
    assert (first["seq"], first["full"], first["patch"]) == (1, True, {"x": {"v": 1}})
    assert (second["seq"], "full" in second, second["patch"]) == (2, False, {"x": {"v": 2}})


async def test_what_is_urgent_takes_along_what_waits() -> None:
    feed, channel = a_channel("a")
    await channel.next()
    feed.publish("a", "slow", {"v": 1})
    feed.publish("a", "urgent", {"v": 2}, at_once=True)
    async with asyncio.timeout(0.5):
        assert set((await channel.next())["patch"]) == {"slow", "urgent"}


async def test_news_of_other_topics_and_news_that_are_none_are_not_told() -> None:
    feed, channel = a_channel("a")
    feed.publish("a", "x", {"v": 1})
    await channel.next()
    feed.publish("a", "x", {"v": 1}, at_once=True)
    feed.publish("b", "y", {"v": 1}, at_once=True)
    feed.publish("c", "z", {"v": 1}, at_once=True)
    assert (await channel.next())["patch"] == {}


async def test_a_browser_that_is_too_slow_gets_everything_anew() -> None:
    feed, channel = a_channel("a")
    await channel.next()
    for n in range(WAITING_LIMIT + 1):
        feed.publish("a", f"k{n}", {"v": n})
    message = await channel.next()
    assert message["full"]
    assert len(message["patch"]) == WAITING_LIMIT + 1
    feed.publish("a", "k0", {"v": -1})
    message = await channel.next()
    assert (message.get("full"), message["patch"]) == (None, {"k0": {"v": -1}})


async def test_a_newer_value_takes_the_place_of_one_that_waits() -> None:
    feed, channel = a_channel("a")
    await channel.next()
    for n in range(10 * WAITING_LIMIT):
        feed.publish("a", "x", {"v": n})
    message = await channel.next()
    assert (message.get("full"), message["patch"]) == (None, {"x": {"v": 10 * WAITING_LIMIT - 1}})


async def test_a_browser_that_left_hears_nothing() -> None:
    feed, channel = a_channel("a")
    await channel.next()
    feed.remove(channel)
    feed.publish("a", "x", {"v": 1}, at_once=True)
    async with asyncio.timeout(HEARTBEAT_S + 5):
        assert (await channel.next())["patch"] == {}
