"""The pad's rules, with a reader that has no wire."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from gateway.stations.pad import Pad, PadProblemCode, PadState, Repair, SecurityResult
from rfid.afi import AfiPolicy
from rfid.errors import ReaderGone
from tests.support.fake_reader import OWNER, FakeReader, FakeTag, item_memory
from tests.support.sim import eventually

UID_A, UID_B, UID_CARD = "E004015000000001", "E004015000000002", "E0040150000000C0"


def book(uid: str, barcode: str) -> FakeTag:
    return FakeTag(uid, item_memory(barcode))


class Watched:
    """A pad with everything it said."""

    def __init__(self) -> None:
        self.states: list[PadState] = []
        self.repairs: list[Repair] = []
        self.pad = Pad(
            "kiosk-1",
            owner=OWNER,
            afi=AfiPolicy(),
            on_change=self.states.append,
            on_repair=self.repairs.append,
            poll_interval_s=0,
        )

    @property
    def barcodes(self) -> list[str]:
        return [item.barcode for item in self.pad.state.items]

    async def settled(self) -> PadState:
        await eventually(lambda: self.pad.state.online and not self.pad.state.checking)
        return self.pad.state

    @asynccontextmanager
    async def on(self, reader: FakeReader) -> AsyncIterator["Watched"]:
        self.pad.attach(reader)
        task = asyncio.create_task(self.pad.settle())
        try:
            yield self
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            self.pad.detach()


async def test_items_and_card_are_told_once_two_inventories_agree() -> None:
    reader = FakeReader(book(UID_A, "30000001"), FakeTag(UID_CARD, item_memory("90000001", usage="80")))
    async with Watched().on(reader) as watched:
        state = await watched.settled()
        assert (state.card, watched.barcodes, state.problems) == ("90000001", ["30000001"], ())
        assert [each.checking for each in watched.states] == [True, False]
        assert reader.rounds >= 2


async def test_a_tag_seen_once_is_never_told() -> None:
    reader = FakeReader(book(UID_A, "30000001"))
    reader.inventories = [[UID_A], [UID_A, UID_B], [UID_A], [UID_A, UID_B]]
    watched = Watched()
    watched.pad.attach(reader)
    task = asyncio.create_task(watched.pad.settle())
    await eventually(lambda: watched.barcodes)
    assert watched.barcodes == ["30000001"]
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert all(len(state.items) <= 1 for state in watched.states)


async def test_a_change_is_checking_until_it_has_settled() -> None:
    reader = FakeReader(book(UID_A, "30000001"))
    async with Watched().on(reader) as watched:
        await watched.settled()
        reader.field[UID_B] = book(UID_B, "30000002")
        await eventually(lambda: len(watched.barcodes) == 2)
        del reader.field[UID_A]
        await eventually(lambda: watched.barcodes == ["30000002"])
        kinds = [(state.checking, len(state.items)) for state in watched.states]
        assert kinds == [(True, 0), (False, 1), (True, 1), (False, 2), (True, 2), (False, 1)]


async def test_content_is_read_once_while_a_tag_stays() -> None:
    reader = FakeReader(book(UID_A, "30000001"))
    async with Watched().on(reader) as watched:
        await watched.settled()
        rounds = reader.rounds
        await eventually(lambda: reader.rounds > rounds + 20)
        assert reader.reads == [(UID_A, 0, 8)]
        del reader.field[UID_A]
        await eventually(lambda: not watched.barcodes)
        reader.field[UID_A] = book(UID_A, "30000009")
        await eventually(lambda: watched.barcodes == ["30000009"])


async def test_recheck_reads_everything_anew() -> None:
    reader = FakeReader(book(UID_A, "30000001"))
    async with Watched().on(reader) as watched:
        await watched.settled()
        reader.field[UID_A].memory = item_memory("30000005")
        watched.pad.recheck()
        assert watched.pad.state.checking
        await eventually(lambda: watched.barcodes == ["30000005"])


async def test_a_tag_that_is_slow_to_give_its_content_is_asked_again() -> None:
    slow = book(UID_A, "30000001")
    slow.silent_reads = 2
    async with Watched().on(FakeReader(slow)) as watched:
        state = await watched.settled()
        assert (watched.barcodes, state.problems) == (["30000001"], ())


async def test_a_tag_that_never_gives_its_content_is_a_problem_not_an_endless_check() -> None:
    mute = book(UID_A, "30000001")
    mute.silent_reads = 1000
    async with Watched().on(FakeReader(mute, book(UID_B, "30000002"))) as watched:
        state = await watched.settled()
        assert [(problem.uid, problem.code) for problem in state.problems] == [(UID_A, PadProblemCode.UNREADABLE)]
        assert watched.barcodes == ["30000002"]


async def test_uids_that_no_tag_can_have_are_dropped_and_counted() -> None:
    async with Watched().on(FakeReader(book(UID_A, "30000001"), FakeTag("D004015000000001", b""))) as watched:
        state = await watched.settled()
        assert (watched.barcodes, state.problems) == (["30000001"], ())
        assert watched.pad.ghosts >= 2


async def test_security_is_written_and_read_back() -> None:
    reader = FakeReader(book(UID_A, "30000001"))
    async with Watched().on(reader) as watched:
        await watched.settled()
        assert await watched.pad.set_security(UID_A, True) == SecurityResult(UID_A, True, ok=True, attempts=1)
        assert reader.field[UID_A].afi == 0xC2
        assert (await watched.pad.set_security(UID_A, False)).ok
        assert reader.field[UID_A].afi == 0x07
        assert watched.repairs == []


async def test_a_write_that_does_not_take_is_repeated_three_times() -> None:
    reader = FakeReader(book(UID_A, "30000001"))
    async with Watched().on(reader) as watched:
        await watched.settled()
        reader.field[UID_A].refuse_writes = 3
        assert await watched.pad.set_security(UID_A, True) == SecurityResult(UID_A, True, ok=True, attempts=4)
        reader.field[UID_A].refuse_writes = 4
        result = await watched.pad.set_security(UID_A, False)
        assert result == SecurityResult(UID_A, False, ok=False, code="tag_refused", attempts=4)
        assert watched.repairs == [Repair(UID_A, on_loan=False, done=False)]


async def test_a_tag_taken_away_is_repaired_when_it_comes_back() -> None:
    reader = FakeReader(book(UID_A, "30000001"))
    async with Watched().on(reader) as watched:
        await watched.settled()
        lifted = reader.field.pop(UID_A)
        result = await watched.pad.set_security(UID_A, True)
        assert (result.ok, result.code) == (False, "tag_gone")
        await eventually(lambda: not watched.barcodes)
        reader.field[UID_A] = lifted
        await eventually(lambda: len(watched.repairs) == 2)
        assert watched.repairs == [Repair(UID_A, on_loan=True, done=False), Repair(UID_A, on_loan=True, done=True)]
        assert lifted.afi == 0xC2


async def test_a_repair_asked_for_from_outside_is_done_on_sight() -> None:
    reader = FakeReader()
    async with Watched().on(reader) as watched:
        watched.pad.request_repair(UID_A, True)
        reader.field[UID_A] = book(UID_A, "30000001")
        await eventually(lambda: watched.repairs)
        assert watched.repairs == [Repair(UID_A, on_loan=True, done=True)]


async def test_a_repair_of_a_tag_that_lies_there_is_done_at_once_and_nothing_flickers() -> None:
    reader = FakeReader(book(UID_A, "30000001"))
    async with Watched().on(reader) as watched:
        await watched.settled()
        watched.pad.request_repair(UID_A, True)
        await eventually(lambda: watched.repairs)
        assert reader.field[UID_A].afi == 0xC2
        assert [state.checking for state in watched.states] == [True, False]


async def test_a_later_wish_takes_the_place_of_an_open_repair() -> None:
    reader = FakeReader()
    async with Watched().on(reader) as watched:
        watched.pad.request_repair(UID_A, True)
        reader.field[UID_A] = book(UID_A, "30000001")
        assert (await watched.pad.set_security(UID_A, False)).ok
        await watched.settled()
        assert reader.field[UID_A].afi == 0x07


async def test_a_lost_reader_is_raised_to_the_link_and_the_next_one_is_used() -> None:
    watched = Watched()
    reader = FakeReader(book(UID_A, "30000001"))
    watched.pad.attach(reader)
    task = asyncio.create_task(watched.pad.settle())
    await watched.settled()
    reader.gone = True
    with pytest.raises(ReaderGone):
        await task
    result = await watched.pad.set_security(UID_A, True)
    assert (result.ok, result.code) == (False, "reader_offline")
    watched.pad.detach()
    assert watched.pad.state == PadState()
    async with watched.on(FakeReader(book(UID_A, "30000001"))):
        await watched.settled()
        assert watched.barcodes == ["30000001"]
        await eventually(lambda: watched.repairs[-1].done)


async def test_without_a_reader_nothing_is_watched_or_written() -> None:
    watched = Watched()
    assert (await watched.pad.set_security(UID_A, True)).code == "reader_offline"
    with pytest.raises(ReaderGone):
        await watched.pad.settle()
