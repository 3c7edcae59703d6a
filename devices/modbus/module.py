"""An I/O module as a link: polls its inputs, and switches outputs ahead of the polling queue."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from carrel.clock import Clock
from carrel.contracts.actuation import SetOutput
from devices.errors import LinkSilentError, ProtocolError, RefusedError, WrongDeviceError
from devices.events import BadFrame, LinkUp
from devices.modbus.bus import ModbusBus
from devices.modbus.config import ModbusConfig
from devices.modbus.map import MODULE_MAPS, coil_runs
from devices.modbus.poller import Poller
from devices.orders import DONE, Command, OrderResult, expired, failed, rejected

EXECUTE_S = 2.0
ATTEMPTS = 3


class ModbusModule:
    """One module on a port of its own. `run` mends what one reopening mends, and gives up when the module is lost."""

    kind = "modbus"

    def __init__(self, name: str, config: ModbusConfig, clock: Clock) -> None:
        self.name = name
        self._config = config
        self._map = MODULE_MAPS[config.map]
        self._bus = ModbusBus(config.url, unit=config.unit, baud=config.baud)
        self._lock = asyncio.Lock()  # one question at a time; waiting is first come, first served
        self._poller = Poller(config, clock)
        self._emit: Callable[[object], None] | None = None
        self._orders = 0
        self._newest: dict[int, int] = {}  # output -> number of the newest order for it

    async def run(self, emit: Callable[[object], None]) -> None:
        """Poll until cancelled; raises a ConnectionError when the module is lost or is another model."""
        try:
            await self._identify(emit)
            await self._poll_for_ever(emit)
        except Exception:
            self._poller.give_up(emit)
            raise
        finally:
            self._emit = None
            self._bus.close()

    async def execute(self, command: Command) -> OrderResult:
        """Switch outputs in one write and read them back; `done` only when they follow."""
        orders = command if isinstance(command, tuple) else (command,)
        wanted: dict[int, bool] = {}
        for order in orders:
            if not isinstance(order, SetOutput):
                return rejected("not_an_output", f"{self.name} only switches outputs")
            number = self._config.outputs.get(order.output.removeprefix(f"{self.name}."))
            if number is None:
                return rejected("unknown_output", f"{self.name} has no output {order.output}")
            wanted[number] = order.on
        if self._emit is None:
            return failed("link_down", f"{self.name} is not connected")
        try:
            async with asyncio.timeout(EXECUTE_S):
                return await self._switch(wanted, self._emit)
        except TimeoutError:
            return failed("no_answer", f"{self.name} did not answer within {EXECUTE_S} s")

    async def _identify(self, emit: Callable[[object], None]) -> None:
        identity = self._map.identity
        if identity is None:
            return
        async with self._lock:
            try:
                await self._bus.ready()
                found = await self._bus.read_register(identity.register)
            except RefusedError as error:
                raise WrongDeviceError(f"{self.name} does not tell its model: {error}") from error
            except ProtocolError as error:
                emit(BadFrame(str(error)))
                raise LinkSilentError(f"{self.name} does not tell its model: {error}") from error
        if found != identity.value:
            raise WrongDeviceError(f"{self.name} says it is {found:04X}, not a {self._config.map}")

    async def _poll_for_ever(self, emit: Callable[[object], None]) -> None:
        loop = asyncio.get_running_loop()
        period_s = self._config.poll_ms / 1000
        due_s = loop.time()
        while True:
            await self._poll_once(emit)
            due_s = max(due_s + period_s, loop.time())
            await asyncio.sleep(due_s - loop.time())

    async def _poll_once(self, emit: Callable[[object], None]) -> None:
        try:
            async with self._lock:
                image = await self._poller.poll(self._bus)
        except (ConnectionError, ProtocolError, RefusedError) as error:
            if isinstance(error, ProtocolError):
                emit(BadFrame(str(error)))
            self._poller.failed(asyncio.get_running_loop().time(), emit)
            if self._poller.lost:
                raise error if isinstance(error, ConnectionError) else LinkSilentError(str(error)) from error
            return
        if self._emit is None:
            self._emit = emit
            emit(LinkUp())
        self._poller.good(image, emit)

    async def _switch(self, wanted: dict[int, bool], emit: Callable[[object], None]) -> OrderResult:
        """Writing the same states again is harmless, so a lost answer is tried again on a fresh connection."""
        self._orders += 1
        order = self._orders
        self._newest.update(dict.fromkeys(wanted, order))
        result = failed("no_answer")
        for _ in range(ATTEMPTS):
            wanted = {number: on for number, on in wanted.items() if self._newest[number] == order}
            if not wanted:
                return expired(f"{self.name}: newer orders came")
            try:
                async with self._lock:
                    outputs = await self._write_and_read_back(wanted)
            except RefusedError as error:
                return rejected("refused", f"{self.name}: {error}")
            except (ConnectionError, ProtocolError) as error:
                result = failed("no_answer", f"{self.name}: {error}")
                continue
            self._poller.outputs_read(outputs, emit)
            wrong = [number for number, on in wanted.items() if outputs[number] != on]
            if not wrong:
                return DONE
            result = failed("not_followed", f"{self.name}: outputs {wrong} do not follow")
        return result

    async def _write_and_read_back(self, wanted: dict[int, bool]) -> tuple[bool, ...]:
        await self._bus.ready()
        for first, states in coil_runs(wanted, self._poller.outputs):
            await self._bus.write_coils(self._map.outputs.start + first, states)
        return tuple(await self._bus.read_bits(self._map.outputs))
