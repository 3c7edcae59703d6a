"""ISIL compaction of ISO 28560-2: library identifiers in three code sets with latch and shift codes."""

from rfid.iso28560.bits import BitReader, BitWriter

_UPPER, _LOWER, _DIGIT = range(3)
_WIDTH = (5, 5, 4)
_CHARACTERS = (
    {"-": 0, **{chr(64 + n): n for n in range(1, 27)}, ":": 0b11011},
    {"-": 0, **{chr(96 + n): n for n in range(1, 27)}, "/": 0b11011},
    {**{str(n): n for n in range(10)}, "-": 0b1010, ":": 0b1011},
)
# (code set in force, code set wanted) -> code for "from now on" and code for "one character"
_LATCH = {
    (_UPPER, _LOWER): 0b11100,
    (_UPPER, _DIGIT): 0b11110,
    (_LOWER, _UPPER): 0b11100,
    (_LOWER, _DIGIT): 0b11110,
    (_DIGIT, _UPPER): 0b1100,
    (_DIGIT, _LOWER): 0b1110,
}
_SHIFT = {pair: code + 1 for pair, code in _LATCH.items()}
_BY_CODE = tuple({code: character for character, code in table.items()} for table in _CHARACTERS)
_SWITCH_BY_CODE = {
    (pair[0], code): (pair[1], codes is _LATCH) for codes in (_LATCH, _SHIFT) for pair, code in codes.items()
}


def encode(text: str) -> bytes:
    """Return the coded identifier; ValueError when it holds a character that has no code."""
    bits = BitWriter()
    in_force = _UPPER
    for position, character in enumerate(text):
        wanted = _set_of(character, in_force)
        if wanted != in_force:
            following = text[position + 1 : position + 2]
            shift = not following or following in _CHARACTERS[in_force]
            bits.put((_SHIFT if shift else _LATCH)[in_force, wanted], _WIDTH[in_force])
            bits.put(_CHARACTERS[wanted][character], _WIDTH[wanted])
            in_force = in_force if shift else wanted
        else:
            bits.put(_CHARACTERS[wanted][character], _WIDTH[wanted])
    return bits.to_bytes("1" * 8)


def decode(data: bytes) -> str:
    """Return the identifier; ValueError when the bits are no such code."""
    bits = BitReader(data)
    text = ""
    in_force = current = _UPPER
    while not _only_padding(bits):
        width = _WIDTH[current]
        if bits.left < width:
            raise ValueError("identifier ends inside a character")
        code = bits.take(width)
        switch = _SWITCH_BY_CODE.get((current, code)) if current == in_force else None
        if switch is not None:
            current, latch = switch
            in_force = current if latch else in_force
            continue
        if code not in _BY_CODE[current]:
            raise ValueError(f"no character has the code {code:b}")
        text += _BY_CODE[current][code]
        current = in_force
    if current != in_force:
        raise ValueError("identifier ends behind a shift")
    return text


def _set_of(character: str, in_force: int) -> int:
    for code_set in (in_force, _UPPER, _LOWER, _DIGIT):
        if character in _CHARACTERS[code_set]:
            return code_set
    raise ValueError(f"{character!r} has no place in a library identifier")


def _only_padding(bits: BitReader) -> bool:
    return bits.left == 0 or (bits.left < 8 and bits.peek() == (1 << bits.left) - 1)
