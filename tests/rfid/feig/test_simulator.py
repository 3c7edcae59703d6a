"""The FEIG driver against the simulated reader, which was written from the manual without knowledge of the driver."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from rfid.errors import ReaderGone, ReaderTimeout
from rfid.feig.session import FeigReader
from rfid.iso28560.model import Decoded, Status
from rfid.reader import Reader, SystemInfo, TagError, TagFault
from rfid.reading import read_tag
from tests.support.sim_pad import OWNER, SimPad, sim_pad

BOOKS = [str(30000001 + number) for number in range(120)]


@pytest.fixture
async def pad(tmp_path: Path) -> AsyncIterator[SimPad]:
    async with sim_pad(tmp_path) as opened:
        yield opened


@pytest.fixture
async def reader(pad: SimPad) -> AsyncIterator[Reader]:
    async with pad.line() as stream:
        yield FeigReader(stream, answer_timeout_s=0.3)


async def test_the_reader_tells_who_it_is_and_what_lies_there(pad: SimPad, reader: Reader) -> None:
    assert (await reader.info()).family == "feig"
    assert await reader.inventory() == []
    pad.place(*BOOKS[:5])
    seen = await reader.inventory()
    assert {tag.uid for tag in seen} == {pad.tags.observe()[name]["uid"] for name in BOOKS[:5]}


async def test_items_are_read_as_they_were_written(pad: SimPad, reader: Reader) -> None:
    pad.place(BOOKS[0], "90000001")
    contents = [await read_tag(reader, tag) for tag in await reader.inventory()]
    told = {(item.pii, item.owner, item.usage, item.status) for item in contents if isinstance(item, Decoded)}
    assert told == {(BOOKS[0], OWNER, "10", Status.OK), ("90000001", OWNER, "80", Status.OK)}


async def test_a_stack_too_big_for_one_answer_is_told_whole(pad: SimPad, reader: Reader) -> None:
    pad.place(*BOOKS)
    seen = await reader.inventory()
    assert len(seen) == len(BOOKS)


async def test_security_state_and_blocks_are_written_and_read_back(pad: SimPad, reader: Reader) -> None:
    pad.place(BOOKS[0])
    [tag] = await reader.inventory()
    assert await reader.write_afi(tag.uid, 0xC2) is None
    assert pad.afi(BOOKS[0]) == "C2"
    assert await reader.write_blocks(tag.uid, 20, bytes(range(8))) is None
    assert await reader.read_blocks(tag.uid, 20, 2) == bytes(range(8))
    assert pad.tags.observe()[BOOKS[0]]["blocks"][20:22] == ["00010203", "04050607"]
    info = await reader.system_info(tag.uid)
    assert isinstance(info, SystemInfo)
    assert (info.afi, info.dsfid, info.block_size, info.block_count) == (0xC2, 0x06, 4, 28)


async def test_a_tag_that_is_not_there_or_ends_early_is_a_value(pad: SimPad, reader: Reader) -> None:
    pad.place(BOOKS[0])
    [tag] = await reader.inventory()
    beyond = await reader.read_blocks(tag.uid, 24, 8)
    assert isinstance(beyond, TagError)
    assert beyond.fault in {TagFault.REFUSED, TagFault.NOT_POSSIBLE}
    pad.remove(BOOKS[0])
    assert await reader.write_afi(tag.uid, 0xC2) == TagError(TagFault.GONE)
    assert await reader.system_info(tag.uid) == TagError(TagFault.GONE)


async def test_a_reader_that_turns_blocks_round_gives_the_same_items(tmp_path: Path) -> None:
    async with sim_pad(tmp_path, block_bytes="reversed") as pad, pad.line() as stream:
        reader = FeigReader(stream, block_bytes="reversed")
        pad.place(BOOKS[0])
        [tag] = await reader.inventory()
        item = await read_tag(reader, tag)
        assert isinstance(item, Decoded)
        assert (item.pii, item.owner) == (BOOKS[0], OWNER)


async def test_the_pause_after_an_answer_is_kept(tmp_path: Path) -> None:
    async with sim_pad(tmp_path, timed=True) as pad, pad.line() as stream:
        reader = FeigReader(stream)
        pad.place(*BOOKS[:3])
        for _ in range(5):
            assert len(await reader.inventory()) == 3
        assert (pad.device.early_requests, pad.device.overruns) == (0, 0)


async def test_garbled_answers_are_counted_and_end_in_a_time_out_and_a_mended_line_works_again(
    pad: SimPad, reader: FeigReader
) -> None:
    pad.place(BOOKS[0])
    assert len(await reader.inventory()) == 1
    pad.faults.set_mode("garbage")
    with pytest.raises(ReaderTimeout):
        await reader.inventory()
    assert reader.protocol_errors > 0
    pad.faults.clear()
    assert len(await reader.inventory()) == 1


async def test_a_silent_reader_is_a_time_out(pad: SimPad, reader: Reader) -> None:
    pad.faults.set_mode("silence")
    with pytest.raises(ReaderTimeout):
        await reader.inventory()


async def test_every_other_answer_may_be_lost(pad: SimPad, reader: FeigReader) -> None:
    pad.place(*BOOKS[:2])
    await reader.inventory()
    pad.faults.drop = 0.2
    for _ in range(3):
        assert len(await reader.inventory()) == 2
    pad.faults.clear()


async def test_doubled_answers_do_not_confuse(pad: SimPad, reader: FeigReader) -> None:
    pad.place(*BOOKS[:2])
    pad.faults.duplicate = 1.0
    for tag in await reader.inventory():
        assert isinstance(await reader.system_info(tag.uid), SystemInfo)


async def test_a_pulled_plug_is_reader_gone_and_a_new_line_works(pad: SimPad, reader: Reader) -> None:
    await reader.inventory()
    pad.port.unplug()
    with pytest.raises(ReaderGone):
        await reader.inventory()
    await pad.port.restore()
    pad.place(BOOKS[0])
    async with pad.line() as stream:
        assert len(await FeigReader(stream).inventory()) == 1
