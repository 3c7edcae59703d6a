"""The module's bits and words by wire address (reference number minus one), after the ADAM-4150 user manual."""

from typing import Final

from firmware_sim.modbus.module import OUTPUTS, IoModule, offers_mode

ILLEGAL_FUNCTION: Final = 1
ILLEGAL_ADDRESS: Final = 2
ILLEGAL_VALUE: Final = 3

_BITS: Final = 24  # DI0..DI6, nothing, DO0..DO7 from 16
_FIRST_OUTPUT: Final = 16
_COUNTERS: Final = range(14)
_PULSE_LOW: Final = range(14, 30)
_PULSE_HIGH: Final = range(30, 46)
_INPUT_MODES: Final = range(78, 85)
_OUTPUT_MODES: Final = range(85, 93)
_MIN_LOW: Final = range(93, 107)
_MIN_HIGH: Final = range(107, 121)
_NAME: Final = 210
_VERSION: Final = 212
_SAFETY_ENABLE: Final = 214
_SAFETY_FLAG: Final = 215
_INPUT_WORD: Final = 300
_RESERVED_WORD: Final = 301
_OUTPUT_WORD: Final = 302

_FIXED: Final = {_NAME: 0x4150, _NAME + 1: 0x0000, _VERSION: 0xA106, _VERSION + 1: 0x0000, _RESERVED_WORD: 0}


class RefusedError(Exception):
    """A request that is answered with a Modbus exception."""

    def __init__(self, code: int) -> None:
        super().__init__(f"exception {code}")
        self.code = code


class RegisterMap:
    """Bits and words of one module. Words of 32 bits have their low word first."""

    def __init__(self, module: IoModule) -> None:
        self.module = module
        self._pulses = dict.fromkeys([*_PULSE_LOW, *_PULSE_HIGH], 0)

    def read_bits(self, start: int, count: int) -> list[bool]:
        """Inputs and outputs; the nine bits between them read 0."""
        if start + count > _BITS:
            raise RefusedError(ILLEGAL_ADDRESS)
        word = self.module.input_word | self.module.output_word << _FIRST_OUTPUT
        return [bool(word >> address & 1) for address in range(start, start + count)]

    def write_bits(self, start: int, bits: list[bool]) -> None:
        """Set outputs; all or none."""
        if start < _FIRST_OUTPUT or start + len(bits) > _BITS:
            raise RefusedError(ILLEGAL_ADDRESS)
        shift = start - _FIRST_OUTPUT
        word = sum(1 << index for index, bit in enumerate(bits) if bit)
        self.module.write_outputs(word << shift, (1 << len(bits)) - 1 << shift)

    def read_words(self, start: int, count: int) -> list[int]:
        """Words in a row; exception 2 when one of them does not exist."""
        return [self._read(address) for address in range(start, start + count)]

    def write_words(self, start: int, words: list[int], *, single: bool) -> None:
        """Words in a row, all or none; `single` tells function 06 from 16, whose blocks differ."""
        for address, word in enumerate(words, start):
            _check_write(address, word, single=single)
        for address, word in enumerate(words, start):
            self._write(address, word)

    def _read(self, address: int) -> int:
        inputs = self.module.inputs
        if address in _COUNTERS:
            return _half(inputs[address // 2].count, address)
        if address in _INPUT_MODES:
            return inputs[address - _INPUT_MODES.start].mode
        if address in _MIN_LOW:
            offset = address - _MIN_LOW.start
            return _half(inputs[offset // 2].min_low, offset)
        if address in _MIN_HIGH:
            offset = address - _MIN_HIGH.start
            return _half(inputs[offset // 2].min_high, offset)
        return self._read_plain(address)

    def _read_plain(self, address: int) -> int:
        if address in self._pulses:
            return self._pulses[address]
        if address in _OUTPUT_MODES:
            return 0
        if address in _FIXED:
            return _FIXED[address]
        if address == _SAFETY_ENABLE:
            return int(self.module.safety_enabled)
        if address == _SAFETY_FLAG:
            return int(self.module.gone_safe)
        if address == _INPUT_WORD:
            return self.module.input_word
        if address == _OUTPUT_WORD:
            return self.module.output_word
        raise RefusedError(ILLEGAL_ADDRESS)

    def _write(self, address: int, word: int) -> None:
        inputs = self.module.inputs
        if address in _INPUT_MODES:
            inputs[address - _INPUT_MODES.start].set_mode(word)
        elif address in _MIN_LOW:
            offset = address - _MIN_LOW.start
            inputs[offset // 2].min_low = _with_half(inputs[offset // 2].min_low, offset, word)
        elif address in _MIN_HIGH:
            offset = address - _MIN_HIGH.start
            inputs[offset // 2].min_high = _with_half(inputs[offset // 2].min_high, offset, word)
        elif address in self._pulses:
            self._pulses[address] = word
        elif address == _OUTPUT_WORD:
            self.module.write_outputs(word, (1 << OUTPUTS) - 1)


def _check_write(address: int, word: int, *, single: bool) -> None:
    """Which function may write which block, and which values a block takes."""
    if address in _PULSE_LOW or address in _PULSE_HIGH:
        return
    if not single and (address in _MIN_LOW or address in _MIN_HIGH):
        return
    if not single or not (address in _INPUT_MODES or address in _OUTPUT_MODES or address == _OUTPUT_WORD):
        raise RefusedError(ILLEGAL_ADDRESS)
    if address in _INPUT_MODES:
        takes = offers_mode(word)
    elif address in _OUTPUT_MODES:
        takes = word == 0  # pulsed and delayed outputs are not simulated
    else:
        takes = word < 1 << OUTPUTS
    if not takes:
        raise RefusedError(ILLEGAL_VALUE)


def _half(value: int, offset: int) -> int:
    return value >> 16 if offset % 2 else value & 0xFFFF


def _with_half(value: int, offset: int, word: int) -> int:
    return (value & 0xFFFF) | word << 16 if offset % 2 else (value & 0xFFFF0000) | word
