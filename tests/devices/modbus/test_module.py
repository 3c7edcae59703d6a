"""The module against the virtual one, over TCP and over a pty."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from pymodbus.datastore import ModbusDeviceContext, ModbusSequentialDataBlock, ModbusServerContext
from pymodbus.server import ModbusTcpServer

from carrel.contracts.actuation import CommandStatus, SetOutput, SetSwitch
from devices.config import ModbusConfig
from devices.errors import LinkLostError, LinkSilentError, WrongDeviceError
from devices.events import BadFrame, ContactChanged, Health, LinkUp, ModuleHealth, OutputsRead
from devices.modbus.bus import ModbusBus
from devices.modbus.map import MODULE_MAPS, Identity
from devices.modbus.module import ModbusModule
from firmware_sim.bench import Bench
from tests.support.ending import end
from tests.support.field import FixedClock, Recorder, open_bench

POINTS = {"inputs": {"smoke": 0, "flame": 1}, "outputs": {"lamp": 0, "siren": 1, "door-release": 2}}
WIRES = ["rtu+tcp", "rtu"]
FIRE = (
    SetOutput(output="io-1.lamp", on=True),
    SetOutput(output="io-1.siren", on=True),
    SetOutput(output="io-1.door-release", on=True),
)


def module_at(url: str, **changes: object) -> ModbusModule:
    config = {"id": "io-1", "url": url, "map": "adam-4150", "poll_ms": 20} | POINTS | changes
    return ModbusModule("io-1", ModbusConfig.model_validate(config), FixedClock())


def url_of(bench: Bench, wire: str) -> str:
    ports = bench.ports()["io"]["io-1"]
    return f"rtu+tcp://{ports['rtu_tcp']}" if wire == "rtu+tcp" else f"rtu:{ports['pty']}"


@asynccontextmanager
async def running(module: ModbusModule, seen: Recorder) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(module.run(seen))
    try:
        yield task
    finally:
        await end(task)


def health(seen: Recorder) -> list[Health]:
    return [event.state for event in seen.of(ModuleHealth)]


def knows(seen: Recorder, **closed: bool) -> Callable[[], bool]:
    return lambda: {event.input: event.closed for event in seen.of(ContactChanged)} == closed


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    async with open_bench(tmp_path) as opened:
        yield opened


@pytest.mark.parametrize("wire", WIRES)
async def test_a_contact_that_opens_is_told_once(bench: Bench, wire: str) -> None:
    seen = Recorder()
    async with running(module_at(url_of(bench, wire)), seen):
        await seen.until(knows(seen, smoke=True, flame=True))
        assert isinstance(seen.events[0], LinkUp)
        assert health(seen) == [Health.OK]
        bench.contact("io-1.smoke", "open")
        await seen.until(knows(seen, smoke=False, flame=True))
        assert len(seen.of(ContactChanged)) == 3


@pytest.mark.parametrize("wire", WIRES)
async def test_outputs_act_together_and_are_read_back(bench: Bench, wire: str) -> None:
    seen = Recorder()
    module = module_at(url_of(bench, wire))
    async with running(module, seen):
        await seen.until(lambda: seen.of(LinkUp))
        assert (await module.execute(FIRE)).done
        assert bench.observe()["io"]["io-1"]["outputs"] == {"lamp": True, "siren": True, "door-release": True}
        assert seen.of(OutputsRead)[-1].outputs == {"lamp": True, "siren": True, "door-release": True}
        assert (await module.execute(SetOutput(output="siren", on=False))).done
        assert bench.observe()["io"]["io-1"]["outputs"] == {"lamp": True, "siren": False, "door-release": True}


async def test_an_unknown_output_and_an_order_for_another_kind_of_device_are_refused(bench: Bench) -> None:
    module = module_at(url_of(bench, "rtu+tcp"))
    assert (await module.execute(SetOutput(output="io-1.gong", on=True))).code == "unknown_output"
    assert (await module.execute(SetSwitch(device="ac", on=True))).status is CommandStatus.REJECTED


async def test_an_order_while_the_link_is_down_fails_at_once(bench: Bench) -> None:
    result = await module_at(url_of(bench, "rtu+tcp")).execute(FIRE)
    assert (result.status, result.code) == (CommandStatus.FAILED, "link_down")


@pytest.mark.parametrize("wire", WIRES)
async def test_an_unplugged_module_is_lost_and_the_run_ends(bench: Bench, wire: str) -> None:
    seen = Recorder()
    async with running(module_at(url_of(bench, wire)), seen) as run:
        await seen.until(knows(seen, smoke=True, flame=True))
        await bench.fault("io-1", "unplug")
        with pytest.raises(ConnectionError):
            await asyncio.wait_for(run, 5)
    assert health(seen)[-1] is Health.LOST
    assert len(seen.of(ContactChanged)) == 2


@pytest.mark.parametrize("wire", WIRES)
async def test_what_happened_while_it_was_unplugged_is_told_afterwards(bench: Bench, wire: str) -> None:
    seen = Recorder()
    module = module_at(url_of(bench, wire))
    async with running(module, seen) as run:
        await seen.until(knows(seen, smoke=True, flame=True))
        await bench.fault("io-1", "unplug")
        with pytest.raises(ConnectionError):
            await asyncio.wait_for(run, 5)
    bench.contact("io-1.flame", "open")
    await bench.fault("io-1", "restore")
    async with running(module, seen):
        await seen.until(knows(seen, smoke=True, flame=False))
    assert len(seen.of(ContactChanged)) == 3
    assert health(seen)[-1] is Health.OK


async def test_a_silent_module_is_lost(bench: Bench) -> None:
    seen = Recorder()
    async with running(module_at(url_of(bench, "rtu+tcp")), seen) as run:
        await seen.until(lambda: seen.of(LinkUp))
        await bench.fault("io-1", "silence")
        with pytest.raises(LinkSilentError):
            await asyncio.wait_for(run, 5)
    assert health(seen)[:2] == [Health.OK, Health.DEGRADED]
    assert health(seen)[-1] is Health.LOST


async def test_garbage_is_counted_and_never_taken_for_a_contact(bench: Bench) -> None:
    seen = Recorder()
    async with running(module_at(url_of(bench, "rtu+tcp")), seen) as run:
        await seen.until(knows(seen, smoke=True, flame=True))
        await bench.fault("io-1", "garbage")
        with pytest.raises(ConnectionError):
            await asyncio.wait_for(run, 10)
    assert seen.of(BadFrame)
    assert len(seen.of(ContactChanged)) == 2


async def test_a_short_silence_degrades_and_heals_without_a_new_run(bench: Bench) -> None:
    seen = Recorder()
    async with running(module_at(url_of(bench, "rtu+tcp")), seen):
        await seen.until(lambda: seen.of(LinkUp))
        await bench.fault("io-1", "silence")
        await seen.until(lambda: Health.DEGRADED in health(seen))
        await bench.fault("io-1", "restore")
        await seen.until(lambda: health(seen)[-1] is Health.OK)
    assert len(seen.of(LinkUp)) == 1


async def test_an_order_outlives_a_lost_answer(bench: Bench) -> None:
    seen = Recorder()
    module = module_at(url_of(bench, "rtu+tcp"), poll_ms=10_000)
    async with running(module, seen):
        await seen.until(lambda: seen.of(LinkUp))
        await bench.fault("io-1", "silence")
        order = asyncio.create_task(module.execute(FIRE))
        await seen.until(lambda: bench.observe()["io"]["io-1"]["outputs"]["siren"])
        await bench.fault("io-1", "restore")
        assert (await order).done


async def test_an_order_to_a_silent_module_fails_in_time(bench: Bench) -> None:
    seen = Recorder()
    module = module_at(url_of(bench, "rtu+tcp"), poll_ms=10_000)
    async with running(module, seen):
        await seen.until(lambda: seen.of(LinkUp))
        await bench.fault("io-1", "silence")
        result = await asyncio.wait_for(module.execute(FIRE), 4)
    assert (result.status, result.code) == (CommandStatus.FAILED, "no_answer")


async def test_a_stale_order_is_not_repeated_after_a_newer_one(bench: Bench) -> None:
    seen = Recorder()
    module = module_at(url_of(bench, "rtu+tcp"), poll_ms=10_000)
    async with running(module, seen):
        await seen.until(lambda: seen.of(LinkUp))
        await bench.fault("io-1", "silence")
        stale = asyncio.create_task(module.execute(SetOutput(output="siren", on=True)))
        await seen.until(lambda: bench.observe()["io"]["io-1"]["outputs"]["siren"])
        newer = asyncio.create_task(module.execute(SetOutput(output="siren", on=False)))
        await asyncio.sleep(0)  # it has been taken
        await bench.fault("io-1", "restore")
        assert (await newer).done
        assert (await stale).status is CommandStatus.EXPIRED
        assert bench.observe()["io"]["io-1"]["outputs"]["siren"] is False


async def test_a_late_answer_is_never_taken_for_the_answer_to_the_next_question(bench: Bench) -> None:
    bus = ModbusBus(url_of(bench, "rtu+tcp"), unit=1, baud=9600)
    (block,) = MODULE_MAPS["adam-4150"].polls
    await bus.ready()
    assert (await bus.read_bits(block))[:2] == [True, True]
    bench.faults("io-1").delay_s = 0.7  # the answer comes 0.2 s after its question was given up
    with pytest.raises(LinkSilentError):
        await bus.read_bits(block)
    bench.faults("io-1").clear()
    bench.contact("io-1.smoke", "open")
    await bus.ready()
    assert (await bus.read_bits(block))[:2] == [False, True]
    bus.close()


async def test_a_late_answer_on_a_serial_line_is_thrown_away_too(bench: Bench) -> None:
    bus = ModbusBus(url_of(bench, "rtu"), unit=1, baud=9600)
    (block,) = MODULE_MAPS["adam-4150"].polls
    await bus.ready()
    bench.faults("io-1").delay_s = 0.7
    with pytest.raises(LinkSilentError):
        await bus.read_bits(block)
    bench.faults("io-1").clear()
    bench.contact("io-1.smoke", "open")
    await bus.ready()
    assert (await bus.read_bits(block))[:2] == [False, True]
    bus.close()


async def test_a_module_of_another_model_is_not_used(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    another = replace(MODULE_MAPS["adam-4150"], identity=Identity(register=210, value=0x6050))
    monkeypatch.setitem(MODULE_MAPS, "adam-6050", another)
    seen = Recorder()
    with pytest.raises(WrongDeviceError, match="io-1 says it is 4150, not a adam-6050"):
        await module_at(url_of(bench, "rtu+tcp"), map="adam-6050").run(seen)
    assert health(seen) == [Health.LOST]
    assert not seen.of(LinkUp)


async def test_a_module_with_discrete_inputs_is_polled_over_modbus_tcp() -> None:
    blocks = {"di": ModbusSequentialDataBlock(1, [True, False] * 4), "co": ModbusSequentialDataBlock(1, [False] * 8)}
    server = ModbusTcpServer(ModbusServerContext(ModbusDeviceContext(**blocks)), address=("127.0.0.1", 0))
    await server.listen()
    port = server.transport.sockets[0].getsockname()[1]
    seen = Recorder()
    module = module_at(f"tcp://127.0.0.1:{port}", map="waveshare-io8")
    try:
        async with running(module, seen):
            await seen.until(knows(seen, smoke=True, flame=False))
            assert (await module.execute(SetOutput(output="siren", on=True))).done
            assert seen.of(OutputsRead)[-1].outputs == {"lamp": False, "siren": True, "door-release": False}
    finally:
        await server.shutdown()


@pytest.mark.parametrize("url", ["rtu:/dev/no-such-port", "rtu+tcp://127.0.0.1:{free}"])
async def test_a_port_that_is_not_there_ends_the_attempt(url: str) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        free = probe.getsockname()[1]
    seen = Recorder()
    with pytest.raises(LinkLostError):
        await module_at(url.format(free=free)).run(seen)
    assert health(seen) == [Health.LOST]


async def test_a_stopped_module_is_not_reported_as_lost(bench: Bench) -> None:
    seen = Recorder()
    async with running(module_at(url_of(bench, "rtu+tcp")), seen):
        await seen.until(lambda: seen.of(LinkUp))
    assert health(seen) == [Health.OK]
