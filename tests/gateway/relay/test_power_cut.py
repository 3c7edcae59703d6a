"""The gateway killed at random moments while readings arrive: what was on the disk arrives, all of it and once."""

from __future__ import annotations

import asyncio
import os
import random
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import aiomqtt

from carrel.contracts import topics
from carrel.contracts.codec import decode, encode
from carrel.contracts.telemetry import StoredAck, TelemetryBatch
from devices.ending import end_if_told
from gateway.relay.telemetry import FLUSH_AT
from gateway.store import Store
from tests.support.broker import Broker
from tests.support.influx_fake import Fault, InfluxFake, running_fake
from tests.support.recorder import given_out, reading
from tests.support.tree import ROOT

RATE_HZ = 100
KILLS = 5
SEED = 20260302


class Server:
    """Stores batches by number and confirms them, now and then too late."""

    def __init__(self, chance: random.Random) -> None:
        self.stored: dict[int, float] = {}
        self._chance = chance

    async def run(self, broker: Broker) -> None:
        async with aiomqtt.Client(broker.host, broker.port) as client:
            await client.subscribe(topics.name("main", "gw-1", topics.TELEMETRY), qos=1)
            async for message in client.messages:
                assert isinstance(message.payload, bytes)
                batch = decode(TelemetryBatch, message.payload)
                for n, point in enumerate(batch.points, batch.first):
                    assert self.stored.setdefault(n, point.value) == point.value, "a number was given out twice"
                if self._chance.random() < 0.8:
                    ack = StoredAck(session=batch.session, seq=batch.first + len(batch.points) - 1)
                    await client.publish(topics.name("main", "gw-1", topics.TELEMETRY_ACK), encode(ack), qos=1)
                    end_if_told()  # aiomqtt may have swallowed it


async def recorder(
    file: Path, broker: Broker, influx_port: int, count: int | None = None
) -> asyncio.subprocess.Process:
    words = [str(file), str(broker.port), str(influx_port), str(RATE_HZ), *([str(count)] if count else [])]
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.support.recorder", *words,
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip


async def killed_after(process: asyncio.subprocess.Process, readings: int, seconds: float) -> dict[str, int]:
    """Kill -9 a while after it has handed in some readings; what it told last."""
    assert process.stdout is not None
    told = {"offered": 0, "stored": 0}
    begun: int | None = None
    deadline: asyncio.TimerHandle | None = None
    async for line in process.stdout:
        word, _, count = line.decode().partition(" ")
        told[word] = int(count)
        begun = told["offered"] if begun is None else begun
        if deadline is None and told["offered"] - begun >= readings:
            deadline = asyncio.get_running_loop().call_later(seconds, process.kill)
    await process.wait()
    return told


async def test_what_was_on_the_disk_arrives_all_of_it_and_once(tmp_path: Path, broker: Broker) -> None:
    """At most the readings of one flush interval (0.25 s) and of the write under way are not on the disk yet."""
    chance, fake, file = random.Random(SEED), InfluxFake(), tmp_path / "gateway.db"
    server = Server(chance)
    serving = asyncio.create_task(server.run(broker))
    with running_fake(fake) as port:
        for _ in range(KILLS):
            fake.faults.append(Fault(kind="cut after writing"))
            process = await recorder(file, broker, port)
            told = await killed_after(process, 20, chance.uniform(0, 1.5))
            store = Store(file)
            on_disk = given_out(store)
            store.close()
            assert told["stored"] <= on_disk <= told["offered"], "what was told as stored is on the disk"
            assert told["offered"] - on_disk <= FLUSH_AT, "25 is usual; more when the machine is busy"
        total = on_disk + 100
        process = await recorder(file, broker, port, total)
        assert process.stdout is not None
        await process.stdout.read()
        assert await process.wait() == 0
    serving.cancel()
    with suppress(asyncio.CancelledError):
        await serving
    assert server.stored == {n + 1: float(n) for n in range(total)}
    times = {int(value): at for times in fake.values.values() for at, value in _values(times)}
    assert times == {n: round(reading(n).at.timestamp() * 1000) * 1_000_000 for n in range(total)}
    assert fake.count() == total


def _values(times: dict[int, dict[str, float | int | bool | str]]) -> Iterator[tuple[int, float]]:
    return ((at, float(fields["value"])) for at, fields in times.items())
