"""Which data model a tag carries: by content, with the DSFID as a hint, since many tags carry a wrong one."""

from rfid import dsfid as dsfids
from rfid.iso28560 import part2, part3
from rfid.iso28560.elements import scan
from rfid.iso28560.model import Decoded, Model, Status

_BLOCK = 4
_COMPACTION = 0x70  # without the DSFID's word a first element must at least be coded as text or number
_M3_BLANK = 0x55
_M3_MARK = 0x04
_M3_BYTES = 32


def decode(memory: bytes, dsfid: int) -> Decoded:
    """Return what the memory says under the model that fits it best."""
    if _uniform(memory):
        return Decoded(Model.M3_BLANK if memory[:1] == bytes((_M3_BLANK,)) else Model.NONE, Status.BLANK)
    if _head_erased(memory):
        return Decoded(_hinted(dsfid), Status.TORN, problems=("missing:1",))
    if dsfid == dsfids.ISO28560_2 and (item := _full_part2(memory)) and item.status is Status.OK:
        return item
    if memory[0] >> 4 == 1 and part3.checksum_good(memory):
        return part3.decode(memory)
    if _looks_3m(memory):
        return _decode_3m(memory)
    if memory[0] & _COMPACTION and (item := _full_part2(memory)):
        return item
    return _damaged(memory, dsfid)


def decode_beginning(prefix: bytes, dsfid: int) -> Decoded | None:
    """Return what the beginning of a memory says when it settles the identity (part 2) or is all; None: read on.

    A field behind the identity, such as a title, may be left out of the result.
    """
    if _uniform(prefix) or (part3.checksum_good(prefix) and part3.whole(prefix)):
        return decode(prefix, dsfid)
    if dsfid != dsfids.ISO28560_2 or not part2.starts_well(prefix):
        return None
    chain = scan(prefix)
    cut = chain if chain.terminated else part2.cut_chain(prefix)
    item = part2.decode_chain(cut, whole=cut.terminated) if cut else None
    return item if item and item.status is Status.OK else None


def _uniform(memory: bytes) -> bool:
    return not memory or (memory == memory[:1] * len(memory) and memory[0] in {0x00, _M3_BLANK, 0xFF})


def _head_erased(memory: bytes) -> bool:
    """A writer clears the first block, writes the others and ends with the first: this one was stopped."""
    return not any(memory[:_BLOCK])


def _hinted(dsfid: int) -> Model:
    return {dsfids.ISO28560_2: Model.ISO28560_2, dsfids.ISO28560_3: Model.ISO28560_3}.get(dsfid, Model.NONE)


def _full_part2(memory: bytes) -> Decoded | None:
    """Return the item of a chain that begins and ends as it should; zeros behind part 3 may look like one."""
    chain = scan(memory) if part2.starts_well(memory) else None
    return part2.decode_chain(chain, whole=True) if chain and chain.problem is None else None


def _looks_3m(memory: bytes) -> bool:
    return len(memory) >= _M3_BYTES and memory[0] == _M3_MARK and memory[2] == 0


def _decode_3m(memory: bytes) -> Decoded:
    return Decoded(
        model=Model.M3_ALPHANUMERIC,
        status=Status.FOREIGN,
        pii=memory[4:20].rstrip(b"\0 ").decode("latin-1") or None,
        set_part=memory[1] >> 4 or None,
        set_parts=memory[1] & 0x0F or None,
        item_type=memory[3],
    )


def _damaged(memory: bytes, dsfid: int) -> Decoded:
    """Return what is left of a tag that says what it was, or an unknown one."""
    if dsfid == dsfids.ISO28560_2 and part2.starts_well(memory):
        return part2.decode(memory)
    if dsfid == dsfids.ISO28560_3 and memory[0] >> 4 == 1:
        return part3.decode(memory)
    return Decoded(Model.NONE, Status.UNKNOWN)
