"""The FEIG driver on a pseudo-terminal whose other end is played by hand."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from rfid.errors import ReaderGone, ReaderRefused, ReaderTimeout
from rfid.feig.framing import build
from rfid.feig.session import FeigReader
from rfid.reader import SystemInfo, TagError, TagFault, TagSeen
from tests.support.feig_peer import VERSION_ANSWER, FeigPeer, SerialBytes, feig_peer

UID = "E0040150A1B2C3D4"
OTHER = "E0040150A1B2C3D5"
INVENTORY = bytes.fromhex("07FFB001001C56")
MORE = bytes.fromhex("07FFB0018014D2")
NO_TAG = "0600B0015C63"
TWO_TAGS = "1B00B000020300E0040150A1B2C3D40306E0040150A1B2C3D52A4B"
TWO_SEEN = [TagSeen(UID, 0), TagSeen(OTHER, 6)]
DONE = "0600B000D572"
SYSTEM = "1300B00006E0040150A1B2C3D407041C01B020"
ABSENT = "0700B0951072FD"

Line = tuple[FeigReader, FeigPeer]


def answer(status: int, data: str = "", *, address: int = 0) -> bytes:
    return build(address, 0xB0, bytes([status]) + bytes.fromhex(data))


def one_tag(status: int, uid: str) -> bytes:
    return answer(status, "010306" + uid)


@pytest.fixture
async def wire() -> AsyncIterator[tuple[SerialBytes, FeigPeer]]:
    async with feig_peer() as pair:
        yield pair


@pytest.fixture
def line(wire: tuple[SerialBytes, FeigPeer]) -> Line:
    stream, peer = wire
    return FeigReader(stream, answer_timeout_s=0.15), peer


async def test_the_first_exchange_makes_sure_that_a_reader_is_there(line: Line) -> None:
    reader, peer = line
    peer.will_answer(TWO_TAGS)
    assert await reader.inventory() == TWO_SEEN
    assert (peer.versions, peer.requests) == (1, [INVENTORY])
    assert (reader.protocol_errors, reader.retries) == (0, 0)


async def test_an_empty_field_is_an_empty_list(line: Line) -> None:
    reader, peer = line
    peer.will_answer(NO_TAG)
    assert await reader.inventory() == []


async def test_info_names_the_reader(line: Line) -> None:
    reader, _ = line
    assert (await reader.info()).firmware == "3.3.0"


@pytest.mark.parametrize("status", [0x93, 0x94])
async def test_a_big_stack_is_asked_for_until_nothing_is_left(line: Line, status: int) -> None:
    reader, peer = line
    peer.will_answer(one_tag(status, UID), one_tag(0x00, OTHER))
    assert await reader.inventory() == [TagSeen(UID, 6), TagSeen(OTHER, 6)]
    assert peer.requests == [INVENTORY, MORE]


async def test_a_lost_leg_of_a_big_stack_starts_the_inventory_anew(line: Line) -> None:
    reader, peer = line
    peer.will_answer(one_tag(0x94, UID), None, one_tag(0x94, UID), one_tag(0x00, OTHER))
    assert [tag.uid for tag in await reader.inventory()] == [UID, OTHER]
    assert peer.requests == [INVENTORY, MORE, INVENTORY, MORE]


async def test_a_reader_that_never_stops_saying_more_does_not_hold_us(line: Line) -> None:
    reader, peer = line
    peer.will_answer(*[one_tag(0x94, UID)] * 200)
    assert await reader.inventory() == [TagSeen(UID, 6)]
    assert reader.protocol_errors == 3


async def test_an_unfinished_anticollision_is_repeated_and_its_tags_are_kept(line: Line) -> None:
    reader, peer = line
    peer.will_answer(one_tag(0x83, UID), one_tag(0x83, OTHER), answer(0x00, "00"))
    assert {tag.uid for tag in await reader.inventory()} == {UID, OTHER}
    assert peer.requests == [INVENTORY] * 3


async def test_a_reader_in_the_wrong_mode_is_reported_not_retried(line: Line) -> None:
    reader, peer = line
    peer.will_answer(answer(0x82))
    with pytest.raises(ReaderRefused, match="82"):
        await reader.inventory()


async def test_a_hardware_fault_ends_the_link(line: Line) -> None:
    reader, peer = line
    peer.will_answer(answer(0xF1))
    with pytest.raises(ReaderRefused):
        await reader.system_info(UID)


async def test_system_information_and_blocks_are_read(line: Line) -> None:
    reader, peer = line
    peer.will_answer(SYSTEM, answer(0, "0204" + "0011051CBE" + "00991A1400"))
    assert await reader.system_info(UID) == SystemInfo(UID, 6, 7, 4, 28, 1)
    assert await reader.read_blocks(UID, 0, 2) == bytes.fromhex("11051CBE991A1400")


async def test_many_blocks_are_read_in_as_few_requests_as_the_reader_allows(line: Line) -> None:
    reader, peer = line
    peer.will_answer(answer(0, "2004" + "00AABBCCDD" * 32), answer(0, "0804" + "0011223344" * 8))
    assert await reader.read_blocks(UID, 0, 40) == bytes.fromhex("AABBCCDD" * 32 + "11223344" * 8)
    assert [request[-4:-2] for request in peer.requests] == [bytes((0, 32)), bytes((32, 8))]


async def test_blocks_of_eight_bytes_are_told_by_the_answer(line: Line) -> None:
    reader, peer = line
    peer.will_answer(answer(0, "0208" + ("00" + "0102030405060708") * 2))
    assert await reader.read_blocks(UID, 0, 2) == bytes(range(1, 9)) * 2


async def test_a_reader_that_turns_blocks_round_is_turned_back(wire: tuple[SerialBytes, FeigPeer]) -> None:
    stream, peer = wire
    reader = FeigReader(stream, block_bytes="reversed", answer_timeout_s=0.15)
    peer.will_answer(answer(0, "0104" + "00BE1C0511"), DONE)
    assert await reader.read_blocks(UID, 0, 1) == bytes.fromhex("11051CBE")
    assert await reader.write_blocks(UID, 4, bytes.fromhex("11223344")) is None
    assert peer.requests[1][-6:-2] == bytes.fromhex("44332211")


async def test_writes_are_cut_to_what_one_request_carries(line: Line) -> None:
    reader, peer = line
    peer.will_answer(DONE, DONE)
    assert await reader.write_blocks(UID, 0, bytes(160)) is None
    assert [tuple(request[13:16]) for request in peer.requests] == [(0, 32, 4), (32, 8, 4)]


@pytest.mark.parametrize(
    ("frame", "error"),
    [
        (answer(0x01), TagError(TagFault.GONE)),
        (bytes.fromhex(ABSENT), TagError(TagFault.REFUSED, iso_code=0x10)),
        (answer(0x95, "1204"), TagError(TagFault.REFUSED, iso_code=0x12, block=4)),
        (answer(0x03, "04"), TagError(TagFault.WRITE_FAILED, block=4)),
        (answer(0x11), TagError(TagFault.NOT_POSSIBLE)),
    ],
)
async def test_a_tags_failure_is_a_value(line: Line, frame: bytes, error: TagError) -> None:
    reader, peer = line
    peer.will_answer(frame, frame, frame)
    assert await reader.write_blocks(UID, 4, bytes(4)) == error
    assert await reader.read_blocks(UID, 4, 1) == error
    assert await reader.system_info(UID) == error


async def test_a_lost_answer_is_asked_for_again(line: Line) -> None:
    reader, peer = line
    peer.will_answer(None, TWO_TAGS)
    assert await reader.inventory() == TWO_SEEN
    assert (reader.retries, peer.versions) == (1, 2)


@pytest.mark.parametrize(
    "noise",
    [bytes(range(256)), b"\xff", bytes.fromhex(TWO_TAGS)[:11], bytes.fromhex("0600B0015C64"), b"\x02\x07\xff" * 9],
    ids=["all bytes", "false start", "truncated", "wrong checksum", "oversized"],
)
async def test_garbage_instead_of_an_answer_is_counted_and_mended(line: Line, noise: bytes) -> None:
    reader, peer = line
    peer.will_answer(noise, TWO_TAGS)
    assert await reader.inventory() == TWO_SEEN
    assert reader.protocol_errors >= 1
    assert reader.retries == 1


async def test_garbage_before_the_answer_does_not_hide_it(line: Line) -> None:
    reader, peer = line
    peer.will_answer(b"\xff\xff" + bytes.fromhex(TWO_TAGS))
    assert await reader.inventory() == TWO_SEEN
    assert len(peer.requests) == 1


async def test_an_answer_that_makes_no_sense_is_asked_for_again(line: Line) -> None:
    reader, peer = line
    peer.will_answer(answer(0, "05"), TWO_TAGS)
    assert await reader.inventory() == TWO_SEEN
    assert reader.protocol_errors == 1


async def test_stale_input_is_thrown_away(line: Line) -> None:
    reader, peer = line
    peer.will_answer(NO_TAG, TWO_TAGS)
    assert await reader.inventory() == []
    peer.say(one_tag(0, UID))  # within the 5 ms in which the reader is deaf, and the driver listens
    assert await reader.inventory() == TWO_SEEN


async def test_a_late_answer_is_never_taken_for_the_next_ones(line: Line) -> None:
    reader, peer = line
    peer.will_answer(None, SYSTEM)
    late = asyncio.get_running_loop().call_later(0.2, peer.say, bytes.fromhex(TWO_TAGS))
    assert await reader.write_afi(UID, 7) == TagError(TagFault.NO_ANSWER)
    peer.answers_version = False
    asyncio.get_running_loop().call_later(0.1, peer.say, VERSION_ANSWER)
    assert await reader.system_info(UID) == SystemInfo(UID, 6, 7, 4, 28, 1)
    assert late.when() < asyncio.get_running_loop().time()
    assert reader.protocol_errors >= 1


async def test_a_write_is_never_repeated_behind_the_callers_back(line: Line) -> None:
    reader, peer = line
    assert await reader.write_afi(UID, 0xC2) == TagError(TagFault.NO_ANSWER)
    assert len(peer.requests) == 1


async def test_a_cancelled_request_does_not_upset_the_next_one(line: Line) -> None:
    reader, peer = line
    peer.will_answer(None, TWO_TAGS)
    task = asyncio.create_task(reader.inventory())
    await peer.asked.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    peer.say(answer(0, "00"))
    assert await reader.inventory() == TWO_SEEN


async def test_requests_of_two_tasks_are_never_mixed(line: Line) -> None:
    reader, peer = line
    peer.will_answer(TWO_TAGS, SYSTEM)
    seen, info = await asyncio.gather(reader.inventory(), reader.system_info(UID))
    assert seen == TWO_SEEN
    assert info == SystemInfo(UID, 6, 7, 4, 28, 1)


async def test_answers_of_another_bus_address_are_not_ours(wire: tuple[SerialBytes, FeigPeer]) -> None:
    stream, peer = wire
    reader = FeigReader(stream, address=0xFF, answer_timeout_s=0.15)
    peer.will_answer(answer(0, "00", address=9))
    assert await reader.inventory() == []
    strict = FeigReader(stream, address=3, answer_timeout_s=0.15)
    with pytest.raises(ReaderTimeout):
        await strict.inventory()


async def test_a_silent_reader_is_a_time_out(line: Line) -> None:
    reader, peer = line
    peer.answers_version = False
    with pytest.raises(ReaderTimeout):
        await reader.inventory()


async def test_a_reader_that_answers_nothing_but_its_version_is_a_time_out(line: Line) -> None:
    reader, peer = line
    with pytest.raises(ReaderTimeout, match="inventory"):
        await reader.inventory()
    assert peer.requests == [INVENTORY] * 3


async def test_a_pulled_plug_is_reader_gone(line: Line) -> None:
    reader, peer = line
    peer.will_answer(NO_TAG)
    await reader.inventory()
    peer.hang_up()
    with pytest.raises(ReaderGone):
        await reader.inventory()


async def test_a_plug_pulled_while_an_answer_is_awaited_is_reader_gone(line: Line) -> None:
    reader, peer = line
    task = asyncio.create_task(reader.inventory())
    await peer.asked.wait()
    peer.hang_up()
    with pytest.raises(ReaderGone):
        await task
