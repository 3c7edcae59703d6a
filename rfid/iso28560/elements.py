"""The element chain of ISO/IEC 15962's no-directory access method, as ISO 28560-2 uses it.

Element: precursor (offset flag, compaction, object id), [object id - 15], [pad count], length, data, pad bytes.
"""

from dataclasses import dataclass

from rfid.iso28560.compaction import Compaction

TERMINATOR = 0x00
_NULL = 0x80
_OFFSET = 0x80
_EXTENDED = 0x0F


@dataclass(frozen=True, slots=True)
class Element:
    """One element as it stands on the tag, its data still coded."""

    oid: int
    code: Compaction
    data: bytes


@dataclass(frozen=True, slots=True)
class Scan:
    """The elements up to the end of data; `problem` says why the scan broke off, `terminated` that it met 00."""

    elements: tuple[Element, ...]
    terminated: bool
    problem: str | None = None


def scan(memory: bytes) -> Scan:
    """Return the element chain. Texts differ on extension byte or pad count first: the reading that ends wins."""
    first = _scan(memory, extension_first=True)
    if first.terminated:
        return first
    second = _scan(memory, extension_first=False)
    return second if second.terminated or (first.problem and not second.problem) else first


def to_bytes(element: Element) -> bytes:
    """Return the element without padding."""
    if element.oid < _EXTENDED:
        head = bytes((element.code << 4 | element.oid,))
    else:
        head = bytes((element.code << 4 | _EXTENDED, element.oid - 15))
    return head + _length_bytes(len(element.data)) + element.data


def aligned(element: Element, block_size: int) -> bytes:
    """Return the element (object id below 15) padded to a block boundary."""
    plain = to_bytes(element)
    if len(plain) % block_size == 0:
        return plain
    pads = -(len(plain) + 1) % block_size
    return bytes((plain[0] | _OFFSET, pads)) + plain[1:] + bytes((_NULL,)) * pads


def unambiguous(memory: bytes) -> tuple[Element, ...] | None:
    """Return the complete elements of a memory that may be cut off; None when one of them can be read two ways."""
    first = _scan(memory, extension_first=True).elements
    return first if first == _scan(memory, extension_first=False).elements else None


def _scan(memory: bytes, *, extension_first: bool) -> Scan:
    elements: list[Element] = []
    position = 0
    while position < len(memory):
        precursor = memory[position]
        if precursor == TERMINATOR:
            return Scan(tuple(elements), terminated=True)
        if precursor == _NULL:
            position += 1
            continue
        if not precursor & 0x0F:
            return Scan(tuple(elements), terminated=False, problem="value")
        try:
            element, position = _element_at(memory, position, extension_first=extension_first)
        except IndexError:
            return Scan(tuple(elements), terminated=False, problem="length")
        elements.append(element)
    return Scan(tuple(elements), terminated=False)


def _element_at(memory: bytes, position: int, *, extension_first: bool) -> tuple[Element, int]:
    """Return the element and where the next one begins; IndexError when memory ends inside it."""
    precursor = memory[position]
    position += 1
    oid, pads = precursor & 0x0F, 0
    order = ("oid", "pads") if extension_first else ("pads", "oid")
    for part in order:
        if part == "oid" and precursor & 0x0F == _EXTENDED:
            oid = 15 + memory[position]
            position += 1
        elif part == "pads" and precursor & _OFFSET:
            pads = memory[position]
            position += 1
    length, position = _length_at(memory, position)
    end = position + length
    if end + pads > len(memory):
        raise IndexError("element ends behind the memory")
    return Element(oid, Compaction(precursor >> 4 & 7), memory[position:end]), end + pads


def _length_at(memory: bytes, position: int) -> tuple[int, int]:
    length = 0
    while memory[position] & 0x80:
        length = length << 7 | memory[position] & 0x7F
        position += 1
    return length << 7 | memory[position], position + 1


def _length_bytes(length: int) -> bytes:
    groups = [length & 0x7F]
    while length := length >> 7:
        groups.append(length & 0x7F | 0x80)
    return bytes(reversed(groups))
