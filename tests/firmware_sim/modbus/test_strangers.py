"""The simulated module on real wires, read by other people's Modbus clients."""

import asyncio
import random
import shutil
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from pymodbus import FramerType
from pymodbus.client import AsyncModbusSerialClient, AsyncModbusTcpClient
from pymodbus.exceptions import ModbusIOException

from firmware_sim.faults import LinkFaults
from firmware_sim.modbus.points import wired_module
from firmware_sim.modbus.registers import RegisterMap
from firmware_sim.modbus.rtu import RtuLine
from firmware_sim.ports import PtyPort, TcpPort

Client = AsyncModbusTcpClient | AsyncModbusSerialClient


@dataclass
class Wired:
    """The module on both its wires."""

    pty: PtyPort
    tcp: TcpPort
    faults: LinkFaults


@pytest.fixture
async def wired(tmp_path: Path) -> AsyncIterator[Wired]:
    spec = {"id": "io-1", "inputs": {"smoke": {"index": 0, "normally": "closed"}}, "outputs": {"siren": 1}}
    registers = RegisterMap(wired_module(spec, time.monotonic).module)
    faults = LinkFaults(random.Random(1))

    def line() -> RtuLine:
        return RtuLine(registers, 1, time.monotonic)

    both = Wired(PtyPort(line(), faults, tmp_path / "io-1"), TcpPort(line, faults, "127.0.0.1", 0), faults)
    await both.pty.open()
    await both.tcp.open()
    yield both
    await both.pty.close()
    await both.tcp.close()


def _client(wired: Wired, wire: str, **more: float) -> Client:
    if wire == "pty":
        return AsyncModbusSerialClient(str(wired.pty.path), baudrate=9600, retries=0, **more)
    host, _, port = wired.tcp.address.rpartition(":")
    return AsyncModbusTcpClient(host, port=int(port), framer=FramerType.RTU, retries=0, **more)


@pytest.mark.parametrize("wire", ["pty", "tcp"])
async def test_pymodbus_reads_inputs_writes_outputs_and_reads_them_back(wired: Wired, wire: str) -> None:
    client = _client(wired, wire)
    assert await client.connect()
    try:
        assert (await client.read_coils(0, count=24)).bits == [True] + [False] * 23
        assert (await client.read_discrete_inputs(0, count=7)).bits[:7] == [True] + [False] * 6
        assert (await client.read_holding_registers(210, count=1)).registers == [0x4150]
        assert (await client.read_input_registers(300, count=1)).registers == [1]
        assert not (await client.write_coil(17, True)).isError()
        assert (await client.read_coils(16, count=8)).bits == [False, True] + [False] * 6
        assert not (await client.write_coils(16, [True, False, True])).isError()
        assert not (await client.write_registers(93, [10, 0])).isError()
        assert (await client.read_holding_registers(302, count=1)).registers == [0b101]
        assert not (await client.write_register(302, 0)).isError()
        refused = await client.read_holding_registers(1000, count=1)
        assert refused.isError()
        assert refused.exception_code == 2
    finally:
        client.close()


@pytest.mark.parametrize("wire", ["pty", "tcp"])
async def test_both_wires_lead_to_the_same_module(wired: Wired, wire: str) -> None:
    other = "tcp" if wire == "pty" else "pty"
    writer, reader = _client(wired, wire), _client(wired, other)
    assert await writer.connect()
    assert await reader.connect()
    await writer.write_coil(17, True)
    assert (await reader.read_coils(17, count=1)).bits[0]
    writer.close()
    reader.close()


@pytest.mark.parametrize("wire", ["pty", "tcp"])
async def test_other_unit_gets_no_answer(wired: Wired, wire: str) -> None:
    client = _client(wired, wire, timeout=0.1)
    assert await client.connect()
    with pytest.raises(ModbusIOException):
        await client.read_coils(0, count=1, device_id=2)
    client.close()


@pytest.mark.parametrize("mode", ["silence", "garbage"])
@pytest.mark.parametrize("wire", ["pty", "tcp"])
async def test_fault_spoils_the_answers_and_restore_heals_them(wired: Wired, wire: str, mode: str) -> None:
    wired.faults.set_mode(mode)
    client = _client(wired, wire, timeout=0.1)
    assert await client.connect()
    with pytest.raises(ModbusIOException):
        await client.read_coils(0, count=24)
    client.close()
    wired.faults.clear()
    again = _client(wired, wire)
    assert await again.connect()
    assert (await again.read_coils(0, count=1)).bits[0]
    again.close()


async def test_mbpoll_reads_the_module_name_over_the_pty(wired: Wired) -> None:
    mbpoll = shutil.which("mbpoll")
    if mbpoll is None:
        pytest.skip("mbpoll is not installed")
    arguments = ["-m", "rtu", "-P", "none", "-b", "9600", "-a", "1", "-t", "4:hex", "-r", "211", "-c", "1", "-1"]
    process = await asyncio.create_subprocess_exec(
        mbpoll, *arguments, str(wired.pty.path), stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    assert process.returncode == 0
    assert b"0x4150" in output
