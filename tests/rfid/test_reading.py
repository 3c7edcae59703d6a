"""Reading a tag's identity with few requests, whatever the chip can."""

from rfid.iso28560 import part2, part3
from rfid.iso28560.model import Decoded, Model, Status
from rfid.reader import TagError, TagFault, TagSeen
from rfid.reading import read_tag
from tests.support.fake_reader import FakeReader, FakeTag, item_memory

UID = "E0040150A1B2C3D4"
PART3 = Decoded(Model.ISO28560_3, Status.OK, pii="123456789", owner="DE-Bo133", usage="1", set_parts=1, set_part=1)


async def read(tag: FakeTag) -> tuple[Decoded | TagError, list[tuple[int, int]]]:
    reader = FakeReader(tag)
    content = await read_tag(reader, TagSeen(tag.uid, tag.dsfid))
    return content, [(first, count) for _, first, count in reader.reads]


def pii(content: Decoded | TagError) -> str | None:
    assert isinstance(content, Decoded)
    return content.pii


async def test_an_item_that_fits_is_read_once() -> None:
    content, reads = await read(FakeTag(UID, item_memory("30000001")))
    assert (pii(content), reads) == ("30000001", [(0, 8)])


async def test_a_tag_without_content_parameter_is_read_to_its_end() -> None:
    item = Decoded(Model.ISO28560_2, Status.OK, pii="30000001", owner="CN-000001-DEMO", usage="10", title="x" * 40)
    content, reads = await read(FakeTag(UID, part2.encode(item).ljust(112, b"\0")))
    assert isinstance(content, Decoded)
    assert (content.title, reads) == ("x" * 40, [(0, 8), (8, 20)])


async def test_a_part_3_tag_is_read_to_its_end() -> None:
    content, reads = await read(FakeTag(UID, part3.encode(PART3).ljust(112, b"\0"), dsfid=0x3E))
    assert (pii(content), reads) == ("123456789", [(0, 8), (8, 20)])


async def test_a_part_3_tag_of_32_bytes_has_no_more_to_read() -> None:
    content, reads = await read(FakeTag(UID, part3.encode(PART3, short=True), dsfid=0x3E))
    assert (pii(content), reads) == ("123456789", [(0, 8)])


async def test_blocks_of_eight_bytes_are_read_on_correctly() -> None:
    item = Decoded(Model.ISO28560_2, Status.OK, pii="30000001", title="书" * 40)
    memory = part2.encode(item, block_size=8).ljust(160, b"\0")
    content, reads = await read(FakeTag(UID, memory, block_size=8))
    assert isinstance(content, Decoded)
    assert (content.title, reads) == ("书" * 40, [(0, 8), (8, 12)])


async def test_a_chip_smaller_than_eight_blocks_is_read_by_its_own_layout() -> None:
    content, reads = await read(FakeTag(UID, bytes.fromhex("11051CBE991A1400")))
    assert (pii(content), reads) == ("123456789012", [(0, 8), (0, 2)])


async def test_a_chip_that_reads_single_blocks_only_is_read_one_by_one() -> None:
    tag = FakeTag(UID, bytes.fromhex("11051CBE991A1400"), single_blocks_only=True)
    content, reads = await read(tag)
    assert (pii(content), reads) == ("123456789012", [(0, 8), (0, 2), (0, 1), (1, 1)])


async def test_a_chip_without_system_information_is_read_by_its_prefix() -> None:
    tag = FakeTag(UID, part3.encode(PART3).ljust(112, b"\0"), system_info_known=False)
    content, reads = await read(tag)
    assert (pii(content), reads) == ("123456789", [(0, 8), (8, 20)])


async def test_a_tag_that_leaves_is_a_value() -> None:
    assert await read_tag(FakeReader(), TagSeen(UID, 6)) == TagError(TagFault.GONE)


async def test_a_tag_that_refuses_everything_is_a_value() -> None:
    tag = FakeTag(UID, bytes(4), single_blocks_only=True, system_info_known=False)
    content, _ = await read(tag)
    assert content == TagError(TagFault.REFUSED, iso_code=0x10)
