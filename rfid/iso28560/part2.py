"""ISO 28560-2: the fields of an item in a chain of elements."""

from collections import Counter
from collections.abc import Iterable

from rfid.iso28560 import compaction, isil
from rfid.iso28560.compaction import Compaction
from rfid.iso28560.elements import TERMINATOR, Element, Scan, aligned, scan, to_bytes, unambiguous
from rfid.iso28560.model import Decoded, Model, Status

_PII, _CONTENT, _OWNER, _SET, _USAGE, _TITLE = 1, 2, 3, 4, 5, 17
_ILL_BORROWER = 11
_FIELDS = {
    _PII: "pii",
    _OWNER: "owner",
    6: "shelf_location",
    7: "onix_media_format",
    8: "marc_media_format",
    _ILL_BORROWER: "ill_borrower",
    12: "ill_transaction",
    15: "local_data_a",
    _TITLE: "title",
    19: "media_format",
}
_IDENTITY = {_OWNER, _SET, _USAGE}
_ISIL_CODED = {_OWNER, _ILL_BORROWER}


def starts_well(memory: bytes) -> bool:
    """Tell whether the first element is the primary item id, as the standard demands."""
    return bool(memory) and memory[0] & 0x0F == _PII


def cut_chain(prefix: bytes) -> Scan | None:
    """Return the elements of a memory's beginning when they tell item id, owner, set and usage; else None: read on.

    Only a content parameter can tell that none of these follows; an element that can be read two ways decides nothing.
    """
    elements = unambiguous(prefix)
    if elements is None:
        return None
    seen = {element.oid for element in elements}
    announced = [element.data for element in elements if element.oid == _CONTENT]
    if not announced or not seen.issuperset(_IDENTITY.intersection(_announced(announced[0]))):
        return None
    return Scan(elements, terminated=False)


def decode(memory: bytes) -> Decoded:
    """Return the fields of the chain; whatever is broken or contradictory is named in `problems`."""
    return decode_chain(scan(memory), whole=True)


def decode_chain(chain: Scan, *, whole: bool) -> Decoded:
    """Return the fields of a scanned chain; announced elements are missed only in a whole one."""
    builder = _Fields()
    for element in chain.elements:
        builder.add(element)
    return builder.result(chain, whole=whole and not chain.problem)


def encode(item: Decoded, *, block_size: int = 4, content_parameter: bool = False) -> bytes:
    """Return the item's fields as whole blocks, the item id alone in its blocks so that it can be locked.

    ValueError when the item has no primary item id, or a field has no coding.
    """
    if not item.pii:
        raise ValueError("an item needs a primary item id")
    first, *rest = list(_elements(item))
    chain = aligned(first, block_size)
    if content_parameter and rest:
        chain += to_bytes(Element(_CONTENT, Compaction.APPLICATION, _bit_map(each.oid for each in rest)))
    for element in rest:
        chain += to_bytes(element)
    chain += bytes((TERMINATOR,))
    return chain + bytes(-len(chain) % block_size)


class _Fields:
    """Collects decoded fields and what is wrong with them."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self.other: dict[str, str] = {}
        self.content: tuple[int, ...] | None = None
        self.parts: tuple[int, int] | None = None
        self.usage: str | None = None
        self.problems: list[str] = []

    def add(self, element: Element) -> None:
        try:
            self._add(element)
        except ValueError:
            self.problems.append("value")

    def _add(self, element: Element) -> None:
        if element.oid == _CONTENT:
            self.content = self.content or _announced(element.data)
        elif element.oid == _USAGE:
            if len(element.data) != 1:
                raise ValueError("type of usage is one byte")
            self.usage = self.usage or element.data.hex().upper()
        elif element.oid == _SET:
            self._add_set(_text(element))
        elif element.oid in _FIELDS:
            self.texts.setdefault(_FIELDS[element.oid], _text(element))
        else:
            self.other.setdefault(str(element.oid), _text(element))

    def _add_set(self, digits: str) -> None:
        if not digits.isdecimal() or len(digits) % 2:
            raise ValueError("set information is an even number of digits")
        half = len(digits) // 2
        parts, part = int(digits[:half]), int(digits[half:])
        if not 1 <= part <= parts:
            self.problems.append("set")
        self.parts = self.parts or (parts, part)

    def result(self, chain: Scan, *, whole: bool) -> Decoded:
        counts = Counter(element.oid for element in chain.elements)
        duplicates = [f"duplicate:{oid}" for oid, count in sorted(counts.items()) if count > 1]
        wanted = (_PII, *(self.content or ())) if whole else ()  # what a break cut off is not missing
        missing = [f"missing:{oid}" for oid in wanted if not counts[oid]]
        broken = [chain.problem] if chain.problem else []
        problems = list(dict.fromkeys((*self.problems, *broken, *duplicates, *missing)))
        parts, part = self.parts or (None, None)
        return Decoded(
            model=Model.ISO28560_2,
            status=_status(problems, duplicates),
            content_parameter=self.content,
            set_parts=parts,
            set_part=part,
            usage=self.usage,
            other=self.other,
            problems=tuple(problems),
            **self.texts,  # type: ignore[arg-type]  # keys are the text fields named in _FIELDS
        )


def _status(problems: list[str], duplicates: list[str]) -> Status:
    if {"value", "length"}.intersection(problems):
        return Status.TORN if duplicates else Status.CORRUPT
    return Status.INCONSISTENT if problems else Status.OK


def _text(element: Element) -> str:
    if not element.data:
        raise ValueError("an element without data")
    if element.code is Compaction.APPLICATION and element.oid in _ISIL_CODED:
        return isil.decode(element.data)
    if element.code is Compaction.APPLICATION and element.oid == _PII:
        raise ValueError("an item id is never application-defined")
    return compaction.decode(element.code, element.data)


def _announced(bit_map: bytes) -> tuple[int, ...]:
    return tuple(3 + bit for bit in range(len(bit_map) * 8) if bit_map[bit // 8] & 0x80 >> bit % 8)


def _bit_map(oids: Iterable[int]) -> bytes:
    bits = [oid - 3 for oid in oids]
    value = bytearray(max(bits) // 8 + 1)
    for bit in bits:
        value[bit // 8] |= 0x80 >> bit % 8
    return bytes(value)


def _elements(item: Decoded) -> Iterable[Element]:
    """Yield the elements of an item by object id."""
    texts = {oid: getattr(item, name) for oid, name in _FIELDS.items()}
    texts |= {int(oid): text for oid, text in item.other.items()}
    if item.set_parts is not None and item.set_part is not None:
        width = len(str(item.set_parts))
        texts[_SET] = f"{item.set_parts:0{width}d}{item.set_part:0{width}d}"
    if item.usage is not None:
        texts[_USAGE] = item.usage
    for oid, text in sorted(texts.items()):
        if text is not None:
            yield _coded(oid, text)


def _coded(oid: int, text: str) -> Element:
    if oid == _USAGE:
        return Element(oid, Compaction.APPLICATION, bytes.fromhex(text))
    if oid in _ISIL_CODED:
        try:
            return Element(oid, Compaction.APPLICATION, isil.encode(text))
        except ValueError:  # not every owner is an ISIL: any compaction is allowed
            return Element(oid, *compaction.encode(text))
    return Element(oid, *(compaction.encode_utf8(text) if oid == _TITLE else compaction.encode(text)))
