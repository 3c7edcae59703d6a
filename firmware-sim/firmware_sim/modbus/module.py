"""The module's electrics: seven inputs with modes, eight outputs that may go safe when the master is silent."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

INPUTS: Final = 7
OUTPUTS: Final = 8

MODE_PLAIN: Final = 0
MODE_COUNTER: Final = 1
MODE_LATCH_RISING: Final = 2
MODE_LATCH_FALLING: Final = 3
FILTER_BIT: Final = 0x40
INVERT_BIT: Final = 0x80
_KIND_BITS: Final = 0x07
_TICK_S: Final = 1e-4  # widths are given in 0.1 ms


def offers_mode(mode: int) -> bool:
    """Whether inputs have this mode word: plain, counter or latch, with filter and inversion, but not frequency."""
    return not mode & ~(_KIND_BITS | FILTER_BIT | INVERT_BIT) and mode & _KIND_BITS <= MODE_LATCH_FALLING


@dataclass(slots=True)
class Input:
    """One input: a closed contact is level True. Time is a monotonic number of seconds."""

    level: bool = False
    mode: int = MODE_PLAIN
    min_low: int = 0  # 0.1 ms
    min_high: int = 0  # 0.1 ms
    count: int = 0
    latched: bool = False
    _changing_since_s: float | None = field(default=None, init=False)

    def drive(self, level: bool, now_s: float) -> None:
        """The contact takes this level; with the filter on it counts once it has lasted its minimum width."""
        self.settle(now_s)
        if level == self.level:
            self._changing_since_s = None
        elif self._changing_since_s is None:
            self._changing_since_s = now_s
            self.settle(now_s)

    def settle(self, now_s: float) -> None:
        """Take over a change that has lasted long enough by now."""
        if self._changing_since_s is None:
            return
        width = (self.min_low if self.level else self.min_high) if self.mode & FILTER_BIT else 0
        if now_s - self._changing_since_s >= width * _TICK_S:
            self._changing_since_s = None
            self.level = not self.level
            self._edge()

    def set_mode(self, mode: int) -> None:
        """Set a mode word that `offers_mode` and start afresh: counter and latch at 0."""
        self.mode = mode
        self.count = 0
        self.latched = False

    @property
    def status(self) -> bool:
        """What the input's bit reads."""
        if self.mode & _KIND_BITS in (MODE_LATCH_RISING, MODE_LATCH_FALLING):
            return self.latched
        return self._logical

    @property
    def _logical(self) -> bool:
        return self.level != bool(self.mode & INVERT_BIT)

    def _edge(self) -> None:
        kind = self.mode & _KIND_BITS
        if kind == MODE_COUNTER and self._logical:
            self.count = (self.count + 1) & 0xFFFFFFFF
        elif kind in (MODE_LATCH_RISING, MODE_LATCH_FALLING) and self._logical == (kind == MODE_LATCH_RISING):
            self.latched = True


@dataclass(frozen=True, slots=True)
class CommSafety:
    """Outputs take the bits of `outputs` when no request has come for `timeout_s`."""

    timeout_s: float
    outputs: int = 0


class IoModule:
    """Inputs and outputs; `clock` gives monotonic seconds."""

    def __init__(self, clock: Callable[[], float], *, safety: CommSafety | None = None) -> None:
        self._clock = clock
        self._safety = safety
        self._heard_at_s = clock()
        self._gone_safe = False
        self._inputs = [Input() for _ in range(INPUTS)]
        self._outputs = 0

    @property
    def safety_enabled(self) -> bool:
        """Whether outputs go safe when the master is silent."""
        return self._safety is not None

    @property
    def gone_safe(self) -> bool:
        """True from the moment the outputs went safe until a master writes them again."""
        self._watch()
        return self._gone_safe

    @property
    def inputs(self) -> list[Input]:
        """All inputs, settled to now."""
        now_s = self._clock()
        for one in self._inputs:
            one.settle(now_s)
        return self._inputs

    @property
    def input_word(self) -> int:
        """Bit 0 = DI0."""
        return sum(1 << index for index, one in enumerate(self.inputs) if one.status)

    @property
    def output_word(self) -> int:
        """Bit 0 = DO0."""
        self._watch()
        return self._outputs

    def set_contact(self, index: int, *, closed: bool) -> None:
        """Open or close the contact wired to an input."""
        self._inputs[index].drive(closed, self._clock())

    def write_outputs(self, bits: int, mask: int) -> None:
        """A master sets the outputs in `mask` to `bits`."""
        self._watch()
        self._outputs = (self._outputs & ~mask) | (bits & mask)
        self._gone_safe = False

    def heard(self) -> None:
        """A good request for this module came."""
        self._watch()
        self._heard_at_s = self._clock()

    def _watch(self) -> None:
        late = self._safety is not None and self._clock() - self._heard_at_s > self._safety.timeout_s
        if late and not self._gone_safe:
            assert self._safety is not None
            self._outputs = self._safety.outputs & ((1 << OUTPUTS) - 1)
            self._gone_safe = True
