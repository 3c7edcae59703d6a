"""One open Modbus port and its question-and-answer exchanges.

RTU has no transaction number: a late answer is taken for the answer to the next question of the same shape. So there
are no retries here, and after any exchange without a right answer the port is closed and stays closed for QUIET_S.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Awaitable
from contextlib import suppress

from pymodbus.client import AsyncModbusSerialClient, AsyncModbusTcpClient
from pymodbus.exceptions import ConnectionException, ModbusException
from pymodbus.framer import FramerType
from pymodbus.pdu import ExceptionResponse, ModbusPDU

from devices.ending import end_if_told
from devices.errors import LinkLostError, LinkSilentError, ProtocolError, RefusedError
from devices.modbus.config import RTU_SCHEME
from devices.modbus.map import Block, Space

RESPONSE_S = 0.5  # 24 ms at 9600 baud and the slowest serial-device servers stay far below
QUIET_S = 0.3  # late answers run into a closed port
KEEPALIVE = {socket.TCP_KEEPIDLE: 10, socket.TCP_KEEPINTVL: 5, socket.TCP_KEEPCNT: 3}  # finds a dead peer in 25 s

_READ_COILS, _READ_DISCRETE, _READ_REGISTERS, _WRITE_COILS = 1, 2, 3, 15

# pymodbus logs an error for each unanswered question; the supervisor says once that a link is lost.
logging.getLogger("pymodbus.logging").setLevel(logging.CRITICAL)

Client = AsyncModbusSerialClient | AsyncModbusTcpClient


class ModbusBus:
    """A port at `url` (`rtu:PATH`, `rtu+tcp://host:port` or `tcp://host:port`) with one unit on it.

    Every method raises LinkLostError, LinkSilentError or ProtocolError, and leaves the port closed when it does.
    """

    def __init__(self, url: str, *, unit: int, baud: int) -> None:
        self._url = url
        self._unit = unit
        self._baud = baud
        self._client: Client | None = None
        self._quiet_until_s = 0.0
        self._received = bytearray()

    async def ready(self) -> None:
        """Open the port if it is closed, not before QUIET_S after it was closed."""
        if self._client is not None and self._client.connected:
            return
        self.close()
        loop = asyncio.get_running_loop()
        await asyncio.sleep(self._quiet_until_s - loop.time())
        client = self._make_client()
        try:
            opened = await client.connect()
        except OSError as error:
            raise LinkLostError(f"cannot open {self._url}: {error}") from error
        finally:
            self._client = client
            if not client.connected:
                self.close()
        if not opened:
            raise LinkLostError(f"cannot open {self._url}")
        _keep_alive(client)

    def close(self) -> None:
        """Close the port at once; safe to call again."""
        if self._client is not None:
            self._client.close()
            self._client = None
            self._quiet_until_s = asyncio.get_running_loop().time() + QUIET_S

    async def read_bits(self, block: Block) -> list[bool]:
        """The states of a block, by function 1 or 2."""
        client = self._open_client()
        if block.space is Space.COIL:
            question = client.read_coils(block.start, count=block.count, device_id=self._unit)
            answer = await self._ask(question, _READ_COILS)
        else:
            question = client.read_discrete_inputs(block.start, count=block.count, device_id=self._unit)
            answer = await self._ask(question, _READ_DISCRETE)
        if len(answer.bits) != -(-block.count // 8) * 8:
            raise self._wrong(f"{len(answer.bits)} bits in the answer to a read of {block.count}")
        return list(answer.bits[: block.count])

    async def read_register(self, register: int) -> int:
        """One holding register, by function 3."""
        client = self._open_client()
        question = client.read_holding_registers(register, count=1, device_id=self._unit)
        answer = await self._ask(question, _READ_REGISTERS)
        if len(answer.registers) != 1:
            raise self._wrong(f"{len(answer.registers)} registers in the answer to a read of one")
        return answer.registers[0]

    async def write_coils(self, start: int, states: list[bool]) -> None:
        """Set neighbouring coils in one write, by function 15."""
        client = self._open_client()
        answer = await self._ask(client.write_coils(start, states, device_id=self._unit), _WRITE_COILS)
        if (answer.address, answer.count) != (start, len(states)):
            raise self._wrong(f"coils {answer.address}+{answer.count} confirmed instead of {start}+{len(states)}")

    def _make_client(self) -> Client:
        if self._url.startswith(RTU_SCHEME):
            return AsyncModbusSerialClient(
                self._url.removeprefix(RTU_SCHEME),
                baudrate=self._baud,
                timeout=RESPONSE_S,
                retries=0,
                reconnect_delay=0,
                trace_packet=self._trace,
            )
        scheme, _, address = self._url.partition("://")
        host, _, port = address.rpartition(":")
        return AsyncModbusTcpClient(
            host,
            port=int(port),
            framer=FramerType.RTU if scheme == "rtu+tcp" else FramerType.SOCKET,
            timeout=RESPONSE_S,
            retries=0,
            reconnect_delay=0,
            trace_packet=self._trace,
        )

    def _trace(self, sending: bool, data: bytes) -> bytes:
        if not sending:
            self._received[:] = data
        return data

    def _open_client(self) -> Client:
        if self._client is None:
            raise LinkLostError(f"{self._url} is closed")
        self._received.clear()
        return self._client

    async def _ask(self, question: Awaitable[ModbusPDU], function: int) -> ModbusPDU:
        answer: ModbusPDU | None = None
        try:
            answer = await question
        except ConnectionException as error:
            raise LinkLostError(f"{self._url} was closed by the other end") from error
        except (ModbusException, TimeoutError) as error:
            if self._received:
                raise ProtocolError(f"no right answer in {self._received[:16].hex(' ')}") from error
            raise LinkSilentError(f"no answer from unit {self._unit} within {RESPONSE_S} s") from error
        finally:
            if answer is None:  # also when cancelled: the answer may still be under way
                self.close()
            end_if_told()  # the library swallows it, also when the answer comes in the same moment
        if isinstance(answer, ExceptionResponse) and answer.function_code & 0x7F == function:
            raise RefusedError(f"exception {answer.exception_code} to function {function}")
        if answer.function_code != function:
            raise self._wrong(f"function {answer.function_code} in the answer to function {function}")
        return answer

    def _wrong(self, detail: str) -> ProtocolError:
        self.close()
        return ProtocolError(detail)


def _keep_alive(client: Client) -> None:
    """A dead peer is noticed and nothing is held back; serial ports have neither setting."""
    transport = client.ctx.transport
    sock = transport.get_extra_info("socket") if transport is not None else None
    if sock is None:
        return
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    with suppress(OSError):
        for option, value in KEEPALIVE.items():
            sock.setsockopt(socket.IPPROTO_TCP, option, value)
