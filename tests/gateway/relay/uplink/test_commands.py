"""Commands over a real broker: heard, answered and done at most once, and garbage between them counted."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

from carrel.contracts.actuation import CommandResult, CommandStatus, OverrideSet, PanelCommand, SetLevel
from carrel.contracts.codec import encode
from gateway.relay.spool import Spool
from gateway.relay.uplink import Uplink
from tests.support.broker import Broker
from tests.support.clock import ManualClock
from tests.support.edge import Edge
from tests.support.mqtt_listener import listening
from tests.support.sim import eventually
from tests.support.uplink import ME, ROOT, session


async def test_commands_reach_the_core(broker: Broker, tmp_path: Path, clock: ManualClock) -> None:
    async with listening(broker.config) as server, session(broker, tmp_path, clock) as gateway:
        await eventually(lambda: gateway.uplink.connected)
        expires = clock.now() + timedelta(minutes=1)
        wish = OverrideSet(id="o1", actuator="vent", value=5, duration_s=60, by="user:7", expires=expires)
        reset = PanelCommand(id="r1", action="reset", alarm="fire-hall-1", by="user:7", expires=expires)
        await server.say(ROOT + "cmd/vent", encode(wish))
        await server.say(ROOT + "cmd/panel", encode(reset))
        await eventually(lambda: gateway.commands == [wish, reset])


GARBAGE = {
    "cmd/vent": [b"", b"{", b"\xff\xfe", b"[" * 5000, b'{"kind":"panel"}', b'{"kind":"open_all_doors","id":"1"}'],
    "telemetry/ack": [b"null", b'{"session":1,"seq":-4}', b'{"session":1,"seq":1e30}', b"9" * 5000],
    "event/ack": [b'{"session":"one"}', b'{"session":1,"seq":2,"more":3}'],
}


async def test_garbage_is_counted_and_the_next_good_message_is_heard(
    broker: Broker, tmp_path: Path, clock: ManualClock
) -> None:
    async with listening(broker.config) as server, session(broker, tmp_path, clock) as gateway:
        await eventually(lambda: gateway.uplink.connected)
        for topic, payloads in GARBAGE.items():
            for payload in payloads:
                await server.say(ROOT + topic, payload)
        await server.say(ROOT + "cmd/vent", b"x" * ((1 << 20) + 1))
        wanted = sum(len(payloads) for payloads in GARBAGE.values()) + 1
        await eventually(lambda: gateway.uplink.bad_messages == wanted)
        expires = clock.now() + timedelta(minutes=1)
        wish = PanelCommand(id="r1", action="silence", alarm="fire-hall-1", by="user:7", expires=expires)
        await server.say(ROOT + "cmd/panel", encode(wish))
        await eventually(lambda: gateway.commands == [wish])
        assert gateway.uplink.connected


async def test_expired_and_repeated_commands_are_answered_and_done_at_most_once(
    broker: Broker, tmp_path: Path, clock: ManualClock
) -> None:
    edge = Edge(tmp_path / "gateway.db", clock)
    edge.reactor.start([])
    spool = Spool(edge.store)
    uplink = Uplink(broker.config, ME, store=edge.store, spool=spool, clock=clock, on_command=edge.reactor.command)
    uplink.outbox = edge.outbox
    task = asyncio.create_task(uplink.run())
    async with listening(broker.config) as server:
        await eventually(lambda: uplink.connected)
        expires = clock.now() + timedelta(minutes=1)
        wish = OverrideSet(id="o1", actuator="vent", value=5, duration_s=60, by="user:7", expires=expires)
        late = wish.model_copy(update={"id": "o2", "value": 50.0, "expires": clock.now() - timedelta(seconds=1)})
        for command, answers in ((wish, 1), (late, 2), (wish, 3)):
            await server.say(ROOT + "cmd/vent", encode(command))
            await eventually(lambda n=answers: len(server.on("ack/o1") + server.on("ack/o2")) == n)
        first, second = (CommandResult.model_validate_json(payload) for payload in server.on("ack/o1"))
        assert first == second
        assert first.status is CommandStatus.DONE
        assert CommandResult.model_validate_json(server.on("ack/o2")[0]).status is CommandStatus.EXPIRED
        assert edge.sent.orders.count(SetLevel(device="vent-1", level_pct=5)) == 1
        assert SetLevel(device="vent-1", level_pct=50) not in edge.sent.orders
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    edge.store.close()
