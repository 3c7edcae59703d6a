"""The pad over the real driver, a real pseudo-terminal and the simulated reader with its tags."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gateway.stations.pad import Pad, PadState, Repair
from rfid.afi import AfiPolicy
from rfid.errors import ReaderGone
from rfid.feig.session import FeigReader
from tests.support.sim import eventually
from tests.support.sim_pad import OWNER, PAD, SimPad, sim_pad

BOOKS = ["30000001", "30000002", "30000003", "30000004", "30000005"]
CARD = "90000001"


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[SimPad]:
    async with sim_pad(tmp_path) as opened:
        yield opened


class Kiosk:
    """A pad with what it said, watched over a line while `open`."""

    def __init__(self) -> None:
        self.states: list[PadState] = []
        self.repairs: list[Repair] = []
        self.pad = Pad(
            PAD,
            owner=OWNER,
            afi=AfiPolicy(),
            on_change=self.states.append,
            on_repair=self.repairs.append,
            poll_interval_s=0.005,
        )

    def uid(self, barcode: str) -> str:
        return next(item.uid for item in self.pad.state.items if item.barcode == barcode)

    async def shows(self, *barcodes: str) -> PadState:
        """Wait until exactly these items have settled."""

        def there() -> bool:
            state = self.pad.state
            return state.online and not state.checking and {each.barcode for each in state.items} == set(barcodes)

        await eventually(there)
        return self.pad.state

    @asynccontextmanager
    async def watching(self, bench: SimPad) -> AsyncIterator["asyncio.Task[None]"]:
        async with bench.line() as stream:
            self.pad.attach(FeigReader(stream, answer_timeout_s=0.3))
            task = asyncio.create_task(self.pad.settle())
            try:
                yield task
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
                self.pad.detach()


async def test_a_card_and_five_books_settle_and_their_security_is_switched(bench: SimPad) -> None:
    kiosk = Kiosk()
    async with kiosk.watching(bench):
        bench.place(*BOOKS, CARD)
        state = await kiosk.shows(*BOOKS)
        assert (state.card, state.problems) == (CARD, ())
        results = [await kiosk.pad.set_security(item.uid, True) for item in state.items]
        assert all(result.ok and result.attempts == 1 for result in results)
        assert [bench.afi(book) for book in BOOKS] == ["C2"] * 5
        results = [await kiosk.pad.set_security(item.uid, False) for item in state.items]
        assert all(result.ok for result in results)
        assert [bench.afi(book) for book in BOOKS] == ["07"] * 5
        assert bench.afi(CARD) != "C2"


async def test_books_laid_before_the_reader_was_there_count(bench: SimPad) -> None:
    bench.place(*BOOKS[:2])
    kiosk = Kiosk()
    async with kiosk.watching(bench):
        await kiosk.shows(*BOOKS[:2])
        bench.remove(BOOKS[0])
        await kiosk.shows(BOOKS[1])


async def test_a_book_pulled_off_during_the_write_is_finished_when_it_is_put_back(bench: SimPad) -> None:
    kiosk = Kiosk()
    async with kiosk.watching(bench):
        bench.place(BOOKS[0])
        await kiosk.shows(BOOKS[0])
        uid = kiosk.uid(BOOKS[0])
        bench.remove(BOOKS[0])
        result = await kiosk.pad.set_security(uid, True)
        assert (result.ok, result.code) == (False, "tag_gone")
        await kiosk.shows()
        bench.place(BOOKS[0])
        await eventually(lambda: bench.afi(BOOKS[0]) == "C2")
        await eventually(lambda: Repair(uid, on_loan=True, done=True) in kiosk.repairs)


async def test_a_book_pulled_off_between_write_and_read_back_is_not_taken_for_done(bench: SimPad) -> None:
    kiosk = Kiosk()
    async with kiosk.watching(bench) as watching:
        bench.place(BOOKS[0])
        await kiosk.shows(BOOKS[0])
        uid = kiosk.uid(BOOKS[0])
        watching.cancel()  # no inventory may come between: the fault counts commands
        await asyncio.gather(watching, return_exceptions=True)
        bench.tags.vanish_after(BOOKS[0], 1)
        result = await kiosk.pad.set_security(uid, True)
        assert (result.ok, result.code) == (False, "tag_gone")
        assert bench.afi(BOOKS[0]) == "C2"


async def test_a_tag_that_does_not_take_the_write_is_tried_again(bench: SimPad) -> None:
    kiosk = Kiosk()
    async with kiosk.watching(bench):
        bench.place(BOOKS[0])
        await kiosk.shows(BOOKS[0])
        bench.tags.fail_next_writes(BOOKS[0], 2)
        result = await kiosk.pad.set_security(kiosk.uid(BOOKS[0]), True)
        assert (result.ok, result.attempts, bench.afi(BOOKS[0])) == (True, 3, "C2")


async def test_garbled_answers_never_show_items_that_are_not_there(bench: SimPad) -> None:
    kiosk = Kiosk()
    async with kiosk.watching(bench) as watching:
        bench.place(*BOOKS)
        await kiosk.shows(*BOOKS)
        bench.faults.set_mode("garbage")
        with pytest.raises(ConnectionError):
            await watching
    bench.faults.clear()
    assert kiosk.pad.state == PadState()
    assert {item.barcode for state in kiosk.states for item in state.items} == set(BOOKS)


async def test_a_pulled_plug_ends_the_watch_and_everything_is_there_again_behind_the_next_one(bench: SimPad) -> None:
    kiosk = Kiosk()
    bench.place(*BOOKS, CARD)
    async with kiosk.watching(bench) as watching:
        await kiosk.shows(*BOOKS)
        uid = kiosk.uid(BOOKS[0])
        bench.port.unplug()
        with pytest.raises(ReaderGone):
            await watching
        result = await kiosk.pad.set_security(uid, True)
        assert (result.ok, result.code) == (False, "reader_offline")
    assert kiosk.pad.state == PadState()
    await bench.port.restore()
    async with kiosk.watching(bench):
        state = await kiosk.shows(*BOOKS)
        assert state.card == CARD
        await eventually(lambda: bench.afi(BOOKS[0]) == "C2")
