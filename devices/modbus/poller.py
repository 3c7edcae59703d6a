"""Polls one module: debounced inputs, outputs as read, and how the module is."""

from __future__ import annotations

from collections.abc import Callable

from carrel.clock import Clock
from devices.events import ContactChanged, Health, ModuleHealth, OutputsRead
from devices.modbus.bus import ModbusBus
from devices.modbus.config import ModbusConfig
from devices.modbus.map import MODULE_MAPS, Image, changed_inputs, decode, named

LOST_AFTER_POLLS = 3
LOST_AFTER_S = 2.0


class Debounce:
    """An input counts as changed when two consecutive good polls agree."""

    def __init__(self) -> None:
        self._candidate: tuple[bool, ...] | None = None
        self.settled: tuple[bool, ...] | None = None

    def feed(self, inputs: tuple[bool, ...]) -> tuple[bool, ...] | None:
        """The settled inputs after a good poll; None until two polls have been compared."""
        before, self._candidate = self._candidate, inputs
        if before is None:
            return self.settled
        if self.settled is None:
            self.settled = inputs if before == inputs else None
        else:
            triples = zip(self.settled, before, inputs, strict=True)
            self.settled = tuple(new if new == last else old for old, last, new in triples)
        return self.settled

    def interrupt(self) -> None:
        """A poll failed: the next change needs two good polls again. What had settled stays."""
        self._candidate = None


class HealthWatch:
    """`degraded` after 1 or 2 failed polls, `lost` after 3 in a row or 2 s without a good one."""

    def __init__(self) -> None:
        self.state: Health | None = None
        self._failures = 0
        self._failing_since_s = 0.0

    def good(self) -> bool:
        """A poll succeeded; true when the state changed."""
        self._failures = 0
        return self._set(Health.OK)

    def give_up(self) -> bool:
        """The module is lost without further polls; true when the state changed."""
        return self._set(Health.LOST)

    def failed(self, now_s: float) -> bool:
        """A poll failed at `now_s` of a monotonic clock; true when the state changed."""
        if not self._failures:
            self._failing_since_s = now_s
        self._failures += 1
        lost = self._failures >= LOST_AFTER_POLLS or now_s - self._failing_since_s >= LOST_AFTER_S
        return self._set(Health.LOST if lost or self.state in (None, Health.LOST) else Health.DEGRADED)

    def _set(self, state: Health) -> bool:
        changed, self.state = state is not self.state, state
        return changed


class Poller:
    """Reads a module's points and tells what changed. Outlives reconnections, so changes in between are told."""

    def __init__(self, config: ModbusConfig, clock: Clock) -> None:
        self._config = config
        self._clock = clock
        self._map = MODULE_MAPS[config.map]
        self._debounce = Debounce()
        self._health = HealthWatch()
        self._told_inputs: tuple[bool, ...] | None = None
        self.outputs: tuple[bool, ...] | None = None

    @property
    def lost(self) -> bool:
        """The module has not answered for too long."""
        return self._health.state is Health.LOST

    async def poll(self, bus: ModbusBus) -> Image:
        """One good reading of all points; raises what the bus raises."""
        await bus.ready()
        return decode(self._map, {block: await bus.read_bits(block) for block in self._map.polls})

    def good(self, image: Image, emit: Callable[[object], None]) -> None:
        """Take a reading in: health first, then outputs, then inputs."""
        at = self._clock.now()
        if self._health.good():
            emit(ModuleHealth(self._config.id, Health.OK, at))
        self.outputs_read(image.outputs, emit)
        settled = self._debounce.feed(image.inputs)
        if settled is None or settled == self._told_inputs:
            return
        changes = changed_inputs(self._told_inputs, settled, self._config.inputs)
        self._told_inputs = settled
        for name, closed in changes.items():
            emit(ContactChanged(self._config.id, name, closed, at))

    def outputs_read(self, outputs: tuple[bool, ...], emit: Callable[[object], None]) -> None:
        """Tell the outputs when one differs from what was told before."""
        if outputs != self.outputs:
            self.outputs = outputs
            emit(OutputsRead(self._config.id, named(outputs, self._config.outputs), self._clock.now()))

    def failed(self, now_s: float, emit: Callable[[object], None]) -> None:
        """A poll failed: neither open nor closed, only a matter of health."""
        self._debounce.interrupt()
        if self._health.failed(now_s):
            self._tell_health(emit)

    def give_up(self, emit: Callable[[object], None]) -> None:
        """The link ends: the module is lost until a poll succeeds again."""
        self._debounce.interrupt()
        if self._health.give_up():
            self._tell_health(emit)

    def _tell_health(self, emit: Callable[[object], None]) -> None:
        assert self._health.state is not None
        if self.lost:
            self.outputs = None  # the module may come back from a power cut with others
        emit(ModuleHealth(self._config.id, self._health.state, self._clock.now()))
