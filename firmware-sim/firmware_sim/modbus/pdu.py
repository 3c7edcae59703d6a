"""Requests and answers without address and checksum (MODBUS Application Protocol 1.1b3, section 6)."""

from collections.abc import Callable
from typing import Final

from firmware_sim.modbus.registers import ILLEGAL_FUNCTION, ILLEGAL_VALUE, RefusedError, RegisterMap

_MAX_BITS_READ: Final = 2000
_MAX_WORDS_READ: Final = 125
_MAX_BITS_WRITE: Final = 1968
_MAX_WORDS_WRITE: Final = 123
_ON: Final = 0xFF00


def answer(registers: RegisterMap, request: bytes) -> bytes:
    """The answer to a request of at least one byte; refusals come back as exception answers."""
    function = request[0]
    try:
        handler = _HANDLERS.get(function)
        if handler is None:
            raise RefusedError(ILLEGAL_FUNCTION)
        return bytes([function]) + handler(registers, request[1:])
    except RefusedError as refused:
        return bytes([function | 0x80, refused.code])


def _read_bits(registers: RegisterMap, body: bytes) -> bytes:
    start, count = _pair(body)
    _check_count(count, _MAX_BITS_READ)
    packed = _pack(registers.read_bits(start, count))
    return bytes([len(packed)]) + packed


def _read_words(registers: RegisterMap, body: bytes) -> bytes:
    start, count = _pair(body)
    _check_count(count, _MAX_WORDS_READ)
    words = registers.read_words(start, count)
    return bytes([2 * count]) + b"".join(word.to_bytes(2, "big") for word in words)


def _write_bit(registers: RegisterMap, body: bytes) -> bytes:
    address, value = _pair(body)
    if value not in (0, _ON):
        raise RefusedError(ILLEGAL_VALUE)
    registers.write_bits(address, [value == _ON])
    return body


def _write_word(registers: RegisterMap, body: bytes) -> bytes:
    address, value = _pair(body)
    registers.write_words(address, [value], single=True)
    return body


def _write_many_bits(registers: RegisterMap, body: bytes) -> bytes:
    start, count = _pair(body[:4])
    _check_count(count, _MAX_BITS_WRITE)
    data = _counted(body, (count + 7) // 8)
    registers.write_bits(start, [bool(data[index // 8] >> index % 8 & 1) for index in range(count)])
    return body[:4]


def _write_many_words(registers: RegisterMap, body: bytes) -> bytes:
    start, count = _pair(body[:4])
    _check_count(count, _MAX_WORDS_WRITE)
    data = _counted(body, 2 * count)
    words = [int.from_bytes(data[index : index + 2], "big") for index in range(0, len(data), 2)]
    registers.write_words(start, words, single=False)
    return body[:4]


def _pair(body: bytes) -> tuple[int, int]:
    if len(body) != 4:
        raise RefusedError(ILLEGAL_VALUE)
    return int.from_bytes(body[:2], "big"), int.from_bytes(body[2:], "big")


def _check_count(count: int, most: int) -> None:
    if not 1 <= count <= most:
        raise RefusedError(ILLEGAL_VALUE)


def _counted(body: bytes, expected: int) -> bytes:
    data = body[5:]
    if len(data) != expected or body[4:5] != bytes([expected]):
        raise RefusedError(ILLEGAL_VALUE)
    return data


def _pack(bits: list[bool]) -> bytes:
    word = sum(1 << index for index, bit in enumerate(bits) if bit)
    return word.to_bytes((len(bits) + 7) // 8, "little")


_HANDLERS: Final[dict[int, Callable[[RegisterMap, bytes], bytes]]] = {
    1: _read_bits,
    2: _read_bits,
    3: _read_words,
    4: _read_words,
    5: _write_bit,
    6: _write_word,
    15: _write_many_bits,
    16: _write_many_words,
}
