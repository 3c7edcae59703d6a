"""The bytes of the bus against the golden frames, and its handling of wrong answers, with a scripted other end."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from pymodbus.exceptions import ModbusIOException
from pymodbus.pdu import ModbusPDU

from devices.errors import LinkLostError, LinkSilentError, ProtocolError, RefusedError
from devices.modbus import bus as bus_module
from devices.modbus.bus import ModbusBus
from devices.modbus.map import Block, Space
from tests.support.vectors import raw, vectors

COILS = Block(Space.COIL, 0, 24)


class Peer:
    """Answers each request with the next bytes of its script and keeps what it was asked."""

    def __init__(self, *answers: bytes) -> None:
        self.answers = list(answers)
        self.asked: list[bytes] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while request := await reader.read(256):
            self.asked.append(request)
            writer.write(self.answers.pop(0) if self.answers else b"")
        writer.close()


@asynccontextmanager
async def bus_to(peer: Peer) -> AsyncIterator[ModbusBus]:
    server = await asyncio.start_server(peer.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    bus = ModbusBus(f"rtu+tcp://127.0.0.1:{port}", unit=1, baud=9600)
    await bus.ready()
    try:
        yield bus
    finally:
        bus.close()
        server.close()


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bus_module, "RESPONSE_S", 0.1)
    monkeypatch.setattr(bus_module, "QUIET_S", 0.02)


@pytest.mark.parametrize(
    "frame", vectors("modbus", "frame", name="read 24 coils: all inputs and outputs in one exchange")
)
async def test_a_read_of_all_coils_is_the_published_frame(frame: dict[str, str]) -> None:
    peer = Peer(raw(frame, "answer"))
    async with bus_to(peer) as bus:
        bits = await bus.read_bits(COILS)
    assert peer.asked == [raw(frame, "request")]
    assert [number for number, on in enumerate(bits) if on] == [0, 2, 16]


@pytest.mark.parametrize("frame", vectors("modbus", "frame", name="eight outputs to B2"))
async def test_a_write_of_all_outputs_is_the_published_frame(frame: dict[str, str]) -> None:
    peer = Peer(raw(frame, "answer"))
    async with bus_to(peer) as bus:
        await bus.write_coils(16, [bool(0xB2 >> number & 1) for number in range(8)])
    assert peer.asked == [raw(frame, "request")]


@pytest.mark.parametrize("frame", vectors("modbus", "frame", name="module name"))
async def test_the_model_is_asked_for_with_the_published_frame(frame: dict[str, str]) -> None:
    peer = Peer(raw(frame, "answer"))
    async with bus_to(peer) as bus:
        assert await bus.read_register(210) == 0x4150
    assert peer.asked == [raw(frame, "request")]


@pytest.mark.parametrize("frame", vectors("modbus", "frame", name="exception 2 to function 3"))
async def test_an_exception_reply_is_a_refusal_and_leaves_the_port_open(frame: dict[str, str]) -> None:
    peer = Peer(raw(frame, "answer"), raw(frame, "answer"))
    async with bus_to(peer) as bus:
        for _ in range(2):
            with pytest.raises(RefusedError, match="exception 2 to function 3"):
                await bus.read_register(1000)
    assert peer.asked == [raw(frame, "request")] * 2


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"", LinkSilentError),
        (bytes.fromhex("010103050001 ED8E"), ProtocolError),  # checksum
        (bytes.fromhex("010103050001"), ProtocolError),  # cut short
        (bytes.fromhex("01010105 918B"), ProtocolError),  # the answer to a shorter read
        (bytes.fromhex("010F00100008 55C8"), ProtocolError),  # the answer to a write
        (bytes.fromhex("0103024150 8828"), ProtocolError),  # the answer to a register
        (b"\xff" * 200, ProtocolError),  # noise
    ],
)
async def test_a_wrong_answer_is_told_and_closes_the_port(answer: bytes, error: type[Exception]) -> None:
    peer = Peer(answer)
    async with bus_to(peer) as bus:
        with pytest.raises(error):
            await bus.read_bits(COILS)
        with pytest.raises(LinkLostError, match="is closed"):
            await bus.read_bits(COILS)


async def test_a_confirmation_of_other_coils_is_not_taken_for_ours() -> None:
    async with bus_to(Peer(bytes.fromhex("010F00100008 55C8"))) as bus:
        with pytest.raises(ProtocolError, match="confirmed instead"):
            await bus.write_coils(16, [True] * 3)


async def test_an_exchange_that_is_given_up_closes_the_port_because_its_answer_is_under_way() -> None:
    async with bus_to(Peer(b"")) as bus:
        exchange = asyncio.create_task(bus.read_bits(COILS))
        await asyncio.sleep(0)
        exchange.cancel()
        await asyncio.gather(exchange, return_exceptions=True)
        with pytest.raises(LinkLostError, match="is closed"):
            await bus.read_bits(COILS)


async def test_a_peer_that_hangs_up_is_a_lost_link_or_a_silent_one() -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    bus = ModbusBus(f"rtu+tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}", unit=1, baud=9600)
    await bus.ready()
    with pytest.raises(ConnectionError):
        await bus.read_bits(COILS)
    server.close()


async def test_who_is_told_to_end_while_waiting_for_an_answer_ends() -> None:
    """Also where the library makes an error of its own of the cancellation."""

    async def swallows() -> ModbusPDU:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            raise ModbusIOException("cancelled outside the library") from None
        raise AssertionError

    async with bus_to(Peer()) as bus:
        asking = asyncio.create_task(bus._ask(swallows(), 1))
        await asyncio.sleep(0)
        asking.cancel()
        await asyncio.wait({asking}, timeout=10)
        assert asking.cancelled()


@pytest.mark.parametrize(
    "frame", vectors("modbus", "frame", name="read 24 coils: all inputs and outputs in one exchange")
)
async def test_who_is_told_to_end_in_the_moment_of_the_answer_ends(
    frame: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python 3.11's wait_for, in the library, gives the answer instead, and a poller would go on for ever."""

    def told(_bus: ModbusBus, sending: bool, data: bytes) -> bytes:
        if not sending:
            asking.cancel()
        return data

    monkeypatch.setattr(ModbusBus, "_trace", told)
    async with bus_to(Peer(raw(frame, "answer"))) as bus:
        asking = asyncio.create_task(bus.read_bits(COILS))
        await asyncio.wait({asking}, timeout=10)
        assert asking.cancelled()
