"""A reader without a wire: tags are memory images in a dictionary, faults are set by the test."""

import asyncio
from dataclasses import dataclass

from rfid.errors import ReaderGone
from rfid.iso28560 import part2
from rfid.iso28560.model import Decoded, Model, Status
from rfid.reader import ReaderInfo, SystemInfo, TagError, TagFault, TagSeen

OWNER = "CN-000001-DEMO"


def item_memory(
    pii: str, *, owner: str | None = OWNER, usage: str = "10", parts: tuple[int, int] | None = None
) -> bytes:
    """Tag memory of an item, or with usage 80 of a patron card."""
    set_parts, set_part = parts or (None, None)
    item = Decoded(
        Model.ISO28560_2, Status.OK, pii=pii, owner=owner, usage=usage, set_parts=set_parts, set_part=set_part
    )
    return part2.encode(item, content_parameter=True).ljust(112, b"\0")


@dataclass
class FakeTag:
    """One tag; `refuse_writes` AFI writes do nothing, `silent_reads` reads get no answer."""

    uid: str
    memory: bytes
    dsfid: int = 6
    afi: int = 0x07
    block_size: int = 4
    refuse_writes: int = 0
    silent_reads: int = 0
    single_blocks_only: bool = False
    system_info_known: bool = True


class FakeReader:
    """Satisfies `rfid.reader.Reader`. `field` is what lies there; `inventories` overrides it for the next rounds."""

    def __init__(self, *tags: FakeTag) -> None:
        self.field = {tag.uid: tag for tag in tags}
        self.inventories: list[list[str]] = []
        self.reads: list[tuple[str, int, int]] = []
        self.rounds = 0
        self.gone = False

    async def info(self) -> ReaderInfo:
        return ReaderInfo("fake", "1.0.0", 0, 0)

    async def inventory(self) -> list[TagSeen]:
        await asyncio.sleep(0)
        self._must_be_there()
        self.rounds += 1
        uids = self.inventories.pop(0) if self.inventories else list(self.field)
        return [TagSeen(uid, self.field[uid].dsfid if uid in self.field else 0) for uid in uids]

    async def system_info(self, uid: str) -> SystemInfo | TagError:
        self._must_be_there()
        tag = self.field.get(uid)
        if tag is None:
            return TagError(TagFault.GONE)
        if not tag.system_info_known:
            return TagError(TagFault.REFUSED, iso_code=1)
        return SystemInfo(uid, tag.dsfid, tag.afi, tag.block_size, len(tag.memory) // tag.block_size, 1)

    async def read_blocks(self, uid: str, first: int, count: int, *, block_size: int = 4) -> bytes | TagError:
        self._must_be_there()
        self.reads.append((uid, first, count))
        tag = self.field.get(uid)
        if tag is None or tag.silent_reads:
            if tag is not None:
                tag.silent_reads -= 1
            return TagError(TagFault.GONE)
        start, end = first * tag.block_size, (first + count) * tag.block_size
        if end > len(tag.memory) or (tag.single_blocks_only and count > 1):
            return TagError(TagFault.REFUSED, iso_code=0x10)
        return tag.memory[start:end]

    async def write_blocks(self, uid: str, first: int, data: bytes, *, block_size: int = 4) -> TagError | None:
        self._must_be_there()
        tag = self.field.get(uid)
        if tag is None:
            return TagError(TagFault.GONE)
        start = first * tag.block_size
        tag.memory = tag.memory[:start] + data + tag.memory[start + len(data) :]
        return None

    async def write_afi(self, uid: str, afi: int) -> TagError | None:
        self._must_be_there()
        tag = self.field.get(uid)
        if tag is None:
            return TagError(TagFault.GONE)
        if tag.refuse_writes:
            tag.refuse_writes -= 1
            return TagError(TagFault.REFUSED, iso_code=0x13)
        tag.afi = afi
        return None

    def _must_be_there(self) -> None:
        if self.gone:
            raise ReaderGone("the plug is pulled")
