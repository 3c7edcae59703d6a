"""What waits to be published."""

from __future__ import annotations

import asyncio

import pytest

from carrel.contracts import topics
from carrel.contracts.actuation import CommandResult, CommandStatus
from carrel.contracts.telemetry import DeviceList
from gateway.relay import outgoing
from gateway.relay.outgoing import VALUES_S, Outbox
from tests.support.clock import NOON

DEVICES = DeviceList(devices=())


def result(id_: str) -> CommandResult:
    return CommandResult(id=id_, status=CommandStatus.DONE, ts=NOON)


async def test_only_the_newest_message_of_a_topic_waits() -> None:
    outbox = Outbox()
    for _ in range(1000):
        outbox.put(topics.DEVICES, DEVICES)
    outbox.put(topics.COMMAND_ACK, result("a"), "a")
    outbox.put(topics.COMMAND_ACK, result("b"), "b")
    assert [(item.topic, item.id) for item in await outbox.take()] == [
        (topics.DEVICES, ""),
        (topics.COMMAND_ACK, "a"),
        (topics.COMMAND_ACK, "b"),
    ]


async def test_taking_waits_until_there_is_something() -> None:
    outbox = Outbox()
    taking = asyncio.create_task(outbox.take())
    await asyncio.sleep(0)
    assert not taking.done()
    outbox.put(topics.DEVICES, DEVICES)
    assert len(await taking) == 1


async def test_after_a_reconnect_retained_messages_come_again_and_others_do_not() -> None:
    outbox = Outbox()
    outbox.put(topics.DEVICES, DEVICES)
    outbox.put(topics.COMMAND_ACK, result("a"), "a")
    await outbox.take()
    outbox.repeat_retained()
    assert [item.topic for item in await outbox.take()] == [topics.DEVICES]


async def test_what_waited_newer_is_not_replaced_by_the_repetition() -> None:
    outbox = Outbox()
    outbox.put(topics.COMMAND_ACK, result("a"), "a")
    outbox.put(topics.ALARM, DEVICES, "x")
    await outbox.take()
    outbox.put(topics.ALARM, None, "x")
    outbox.repeat_retained()
    assert [item.payload for item in await outbox.take()] == [b""]


async def test_a_cleared_topic_is_repeated_until_the_broker_took_it_and_then_forgotten() -> None:
    outbox = Outbox()
    outbox.put(topics.ALARM, DEVICES, "x")
    await outbox.take()
    assert outbox.stands(topics.ALARM, "x")
    outbox.put(topics.ALARM, None, "x")
    assert not outbox.stands(topics.ALARM, "x")
    await outbox.take()
    outbox.repeat_retained()
    (clearing,) = await outbox.take()
    outbox.published(clearing)
    outbox.repeat_retained()
    outbox.put(topics.DEVICES, DEVICES)
    assert [item.topic for item in await outbox.take()] == [topics.DEVICES]
    assert len(outbox._retained) == 1


async def test_an_alarm_raised_again_while_its_clearing_was_under_way_stands() -> None:
    outbox = Outbox()
    outbox.put(topics.ALARM, None, "x")
    (clearing,) = await outbox.take()
    outbox.put(topics.ALARM, DEVICES, "x")
    outbox.published(clearing)
    assert outbox.stands(topics.ALARM, "x")


async def test_values_of_devices_wait_while_something_that_presses_goes_at_once() -> None:
    outbox = Outbox()
    taking = asyncio.create_task(outbox.take())
    outbox.put(topics.DEVICE_STATE, DEVICES, "one")
    async with asyncio.timeout(VALUES_S / 2):
        outbox.put(topics.COMMAND_ACK, result("a"), "a")
        assert [item.id for item in await taking] == ["a"]
    outbox.put(topics.DEVICE_STATE, DEVICES, "two")
    assert [item.id for item in await outbox.take()] == ["one", "two"]


async def test_a_stream_of_pressing_messages_does_not_keep_values_for_ever() -> None:
    outbox = Outbox()
    outbox.put(topics.DEVICE_STATE, DEVICES, "value")
    taken = []
    async with asyncio.timeout(20 * VALUES_S):
        while "value" not in taken:
            outbox.put(topics.COMMAND_ACK, result("a"), "a")
            taken += [item.id for item in await outbox.take()]


async def test_after_many_values_the_next_wait_longer_and_only_the_newest_of_a_device_goes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(outgoing, "VALUES_S", 0.0)
    monkeypatch.setattr(outgoing, "VALUES_REST_S", 0.05)
    outbox = Outbox()
    for n in range(20):
        outbox.put(topics.DEVICE_STATE, DEVICES, f"one {n}")
    assert len(await outbox.take()) == 20
    began = asyncio.get_running_loop().time()
    taking = asyncio.create_task(outbox.take())
    for _ in range(5):
        outbox.put(topics.DEVICE_STATE, DEVICES, "again")
        await asyncio.sleep(0)
    assert not taking.done()
    assert [item.id for item in await taking] == ["again"]
    assert asyncio.get_running_loop().time() - began >= outgoing.VALUES_MOST_S - 0.05


async def test_after_a_reconnect_values_go_with_the_rest() -> None:
    outbox = Outbox()
    outbox.put(topics.DEVICES, DEVICES)
    outbox.put(topics.DEVICE_STATE, DEVICES, "one")
    await outbox.take()
    outbox.repeat_retained()
    async with asyncio.timeout(VALUES_S / 2):
        assert [item.id for item in await outbox.take()] == ["", "one"]


async def test_values_of_devices_alone_are_published_in_the_end() -> None:
    outbox = Outbox()
    outbox.put(topics.DEVICE_STATE, DEVICES, "one")
    assert [item.id for item in await outbox.take()] == ["one"]
