"""Read who a tag is with as little air time as that needs."""

from rfid.chips import assumed_layout
from rfid.iso28560 import detect
from rfid.iso28560.model import Decoded
from rfid.reader import Reader, SystemInfo, TagError, TagFault, TagSeen

_HEAD_BLOCKS = 8  # item id, owner, set and usage nearly always fit; a title follows


async def read_tag(reader: Reader, tag: TagSeen) -> Decoded | TagError:
    """Return the tag's identity, and more where it came along. The rest is read only when eight blocks do not do."""
    head = await reader.read_blocks(tag.uid, 0, _HEAD_BLOCKS)
    if isinstance(head, TagError):
        return await _read_by_layout(reader, tag) if _worth_another_way(head) else head
    known = detect.decode_beginning(head, tag.dsfid)
    if known is not None:
        return known
    block_size = len(head) // _HEAD_BLOCKS
    count, _ = await _layout(reader, tag.uid)
    if count <= _HEAD_BLOCKS:
        return detect.decode(head, tag.dsfid)
    rest = await reader.read_blocks(tag.uid, _HEAD_BLOCKS, count - _HEAD_BLOCKS, block_size=block_size)
    return rest if isinstance(rest, TagError) else detect.decode(head + rest, tag.dsfid)


def _worth_another_way(error: TagError) -> bool:
    """A tag may have fewer than eight blocks, or answer single-block reads only."""
    return error.fault in {TagFault.REFUSED, TagFault.NOT_POSSIBLE}


async def _layout(reader: Reader, uid: str) -> tuple[int, int]:
    """Return block count and size."""
    info = await reader.system_info(uid)
    layout = info if isinstance(info, SystemInfo) else assumed_layout(uid)
    return layout.block_count, layout.block_size


async def _read_by_layout(reader: Reader, tag: TagSeen) -> Decoded | TagError:
    count, size = await _layout(reader, tag.uid)
    memory = await reader.read_blocks(tag.uid, 0, count, block_size=size)
    if isinstance(memory, TagError):
        memory = await _read_one_by_one(reader, tag.uid, count)
    return memory if isinstance(memory, TagError) else detect.decode(memory, tag.dsfid)


async def _read_one_by_one(reader: Reader, uid: str, count: int) -> bytes | TagError:
    memory = b""
    for block in range(count):
        data = await reader.read_blocks(uid, block, 1)
        if isinstance(data, TagError):
            return data
        memory += data
    return memory
