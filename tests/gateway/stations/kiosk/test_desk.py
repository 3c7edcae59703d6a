"""The kiosk's shell between a real HTTP server, a real pad and a real store: kills, long silences, full disks."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.stations.kiosk.desk import Desk, Patience, Surroundings
from gateway.stations.kiosk.events import Secured, StandingKnown, Touch
from gateway.stations.kiosk.service import Lending
from gateway.stations.kiosk.session import lendable
from gateway.stations.kiosk.state import Phase, Rules
from gateway.stations.pad import Pad
from gateway.store import Store
from rfid.afi import AfiPolicy
from tests.support.clock import ManualClock
from tests.support.fake_reader import OWNER, FakeReader, FakeTag, item_memory
from tests.support.lending_server import TOKEN, LendingServer
from tests.support.sim import eventually

CARD = "90000001"
IN_STOCK, ON_LOAN = 0x07, 0xC2
QUICK = Patience(give_up_s=5, ask_again_s=0.02, ask_again_later_s=0.02, server_check_s=0.02, tick_s=0.02)
RULES = Rules("kiosk-1", "both", timedelta(seconds=45), "zh-CN")


def uid(barcode: str) -> str:
    return f"E004{barcode:0>12}"


class Kiosk:
    """A desk with its pad, on a reader without a wire."""

    def __init__(self, server: LendingServer, folder: Path, clock: ManualClock, patience: Patience) -> None:
        (folder / "token").write_text(TOKEN)
        self.store = Store(folder / "gateway.db")
        self.lending = Lending(server.url, folder / "token")
        self.calls: list[str] = []
        self.changes = 0
        around = Surroundings(self.lending, self.store, clock, self.calls.append)
        self.desk = Desk(RULES, around, self._changed, patience)
        self.pad = Pad(
            "kiosk-1", owner=OWNER, afi=AfiPolicy(), on_change=self.desk.pad_changed, on_repair=self.desk.repaired,
            poll_interval_s=0.005,
        )  # fmt: skip
        self.desk.pad = self.pad
        self.reader = FakeReader()
        self._tasks: list[asyncio.Task[None]] = []

    def _changed(self) -> None:
        self.changes += 1

    def start(self) -> None:
        self.pad.attach(self.reader)
        self._tasks = [asyncio.create_task(self.desk.run()), asyncio.create_task(self.pad.settle())]

    async def kill(self) -> None:
        """The end of the process: nothing is finished, and only the disk remembers."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.lending.close()
        self.store.close()

    def lay(self, *barcodes: str, card: str | None = None) -> None:
        for code in barcodes:
            self.reader.field[uid(code)] = FakeTag(uid(code), item_memory(code))
        if card:
            self.reader.field[uid(card)] = FakeTag(uid(card), item_memory(card, usage="80"))

    def afi(self, barcode: str) -> int:
        return self.reader.field[uid(barcode)].afi

    async def until(self, fact: Callable[[], Any]) -> None:
        await eventually(fact, 10)

    async def ready(self) -> None:
        await self.until(lambda: self.desk.session.server_up and self.pad.state.online)

    async def items_shown(self, *barcodes: str) -> None:
        """A patron who has laid these down and may borrow them."""
        await self.ready()
        self.lay(*barcodes, card=CARD)
        self.desk.touch(Touch.BORROW)
        await self.until(lambda: sorted(lendable(self.desk.session)) == sorted(barcodes))

    @property
    def phase(self) -> Phase:
        return self.desk.session.phase


@pytest.fixture
async def server() -> AsyncIterator[LendingServer]:
    made = LendingServer()
    await made.start()
    yield made
    made.hold.set()
    await made.kill()


@asynccontextmanager
async def kiosk(
    server: LendingServer, folder: Path, clock: ManualClock, patience: Patience = QUICK
) -> AsyncIterator[Kiosk]:
    made = Kiosk(server, folder, clock, patience)
    made.start()
    try:
        yield made
    finally:
        await made.kill()


async def test_five_items_are_lent_and_their_tags_written(
    server: LendingServer, tmp_path: Path, clock: ManualClock
) -> None:
    async with kiosk(server, tmp_path, clock) as it:
        codes = [str(n) for n in range(1, 6)]
        await it.items_shown(*codes)
        assert {it.afi(code) for code in codes} == {IN_STOCK}
        it.desk.touch(Touch.CONFIRM)
        await it.until(lambda: it.phase is Phase.RESULT)
        assert server.on_loan == set(codes)
        assert {it.afi(code) for code in codes} == {ON_LOAN}
        assert len(server.ids("checkouts")) == 1, "what five cost is what one costs"
        assert it.store.load("kiosk_pending/kiosk-1") == []


async def test_a_return_without_a_card(server: LendingServer, tmp_path: Path, clock: ManualClock) -> None:
    server.on_loan = {"1"}
    async with kiosk(server, tmp_path, clock) as it:
        await it.ready()
        it.lay("1", "2")
        it.reader.field[uid("1")].afi = ON_LOAN
        it.desk.touch(Touch.RETURN)
        await it.until(lambda: it.desk.session.tags == {uid("1"): True})
        assert (it.afi("1"), server.on_loan) == (IN_STOCK, set())
        assert it.desk.session.results["2"].code == "not_on_loan"


async def test_the_gateway_killed_while_it_waits_asks_the_same_question_again_and_writes_the_tags(
    server: LendingServer, tmp_path: Path, clock: ManualClock
) -> None:
    server.hold.clear()
    it = Kiosk(server, tmp_path, clock, QUICK)
    it.start()
    await it.items_shown("1", "2")
    it.desk.touch(Touch.CONFIRM)
    await it.until(lambda: server.on_loan == {"1", "2"})
    assert it.afi("1") == IN_STOCK
    await it.kill()
    server.hold.set()
    async with kiosk(server, tmp_path, clock) as again:
        await again.until(lambda: again.store.load("kiosk_pending/kiosk-1") == [])
        again.lay("1")
        await again.until(lambda: again.afi("1") == ON_LOAN)
        assert set(server.ids("checkouts")) == {server.ids("checkouts")[0]}
        assert server.on_loan == {"1", "2"}
        await again.until(lambda: again.store.load("kiosk_repairs/kiosk-1") == {uid("2"): True})
    async with kiosk(server, tmp_path, clock) as third:
        third.lay("2")
        await third.until(lambda: third.afi("2") == ON_LOAN)
        await third.until(lambda: third.store.load("kiosk_repairs/kiosk-1") == {})


async def test_the_server_killed_in_mid_checkout_gives_the_first_answer_when_it_is_back(
    server: LendingServer, tmp_path: Path, clock: ManualClock
) -> None:
    server.hold.clear()
    async with kiosk(server, tmp_path, clock) as it:
        await it.items_shown("1")
        it.desk.touch(Touch.CONFIRM)
        await it.until(lambda: server.on_loan)
        await server.kill()
        server.hold.set()
        await it.until(lambda: not it.desk.session.server_up)
        assert it.phase is Phase.LENDING, "the patron waits"
        await server.start()
        await it.until(lambda: it.phase is Phase.RESULT)
        assert it.desk.session.results["1"].status == "ok"
        assert it.afi("1") == ON_LOAN
        assert len(set(server.ids("checkouts"))) == 1
        assert len(server.ids("checkouts")) >= 2


@pytest.mark.parametrize("next_card", [None, "90000002"])
async def test_what_a_server_lent_after_the_patron_went_away_is_taken_back(
    server: LendingServer, tmp_path: Path, clock: ManualClock, next_card: str | None
) -> None:
    server.hold.clear()
    async with kiosk(server, tmp_path, clock) as it:
        await it.items_shown("1")
        it.desk.touch(Touch.CONFIRM)
        await it.until(lambda: server.on_loan)
        if next_card:
            del it.reader.field[uid(CARD)]
            it.lay(card=next_card)
            await it.until(lambda: it.desk.session.message == "patron_blocked")
        else:
            clock.advance(45)
            await it.until(lambda: it.phase is Phase.RESULT)
            assert it.desk.session.message == "server_timeout"
        (left,) = it.store.load("kiosk_pending/kiosk-1")
        assert left["undo"] is True
        server.hold.set()
        await it.until(lambda: it.store.load("kiosk_pending/kiosk-1") == [])
        assert server.on_loan == set()
        assert server.ids("checkins") == [left["request_id"] + "-undo"]
        await it.until(lambda: it.store.load("kiosk_repairs/kiosk-1") in ({}, None))
        assert it.afi("1") == IN_STOCK


async def test_the_undo_is_finished_after_a_kill(server: LendingServer, tmp_path: Path, clock: ManualClock) -> None:
    server.hold.clear()
    it = Kiosk(server, tmp_path, clock, QUICK)
    it.start()
    await it.items_shown("1")
    it.desk.touch(Touch.CONFIRM)
    await it.until(lambda: server.on_loan)
    clock.advance(45)
    await it.until(lambda: it.phase is Phase.RESULT)
    await it.kill()
    server.hold.set()
    async with kiosk(server, tmp_path, clock) as again:
        await again.until(lambda: server.ids("checkins") and not again.store.load("kiosk_pending/kiosk-1"))
        assert server.on_loan == set()


async def test_a_second_try_is_not_undone_by_the_first(
    server: LendingServer, tmp_path: Path, clock: ManualClock
) -> None:
    """The request left behind is settled before the newer one is asked."""
    server.hold.clear()
    async with kiosk(server, tmp_path, clock) as it:
        await it.items_shown("1")
        it.desk.touch(Touch.CONFIRM)
        await it.until(lambda: server.on_loan)
        clock.advance(45)
        await it.until(lambda: it.phase is Phase.RESULT)
        it.desk.touch(Touch.AGAIN)
        server.on_loan.clear()  # the preview is another transaction, and sees it as it will be
        await it.until(lambda: lendable(it.desk.session) == ("1",))
        server.on_loan.add("1")
        it.desk.touch(Touch.CONFIRM)
        server.hold.set()
        await it.until(lambda: it.phase is Phase.RESULT)
        assert it.desk.session.results["1"].status == "ok"
        await it.until(lambda: it.store.load("kiosk_pending/kiosk-1") == [])
        assert server.on_loan == {"1"}
        await it.until(lambda: it.afi("1") == ON_LOAN)


async def test_a_tag_lifted_during_the_write_is_on_the_list_until_it_is_put_back(
    server: LendingServer, tmp_path: Path, clock: ManualClock
) -> None:
    async with kiosk(server, tmp_path, clock) as it:
        await it.items_shown("1")
        it.reader.field[uid("1")].refuse_writes = 4
        it.desk.touch(Touch.CONFIRM)
        await it.until(lambda: it.phase is Phase.RESULT)
        assert (it.desk.session.message, it.desk.session.tags) == ("put_it_back", {uid("1"): False})
        assert it.store.load("kiosk_repairs/kiosk-1") == {uid("1"): True}
        tag = it.reader.field.pop(uid("1"))
        await it.until(lambda: not it.pad.state.items)
        it.reader.field[tag.uid] = tag
        await it.until(lambda: it.afi("1") == ON_LOAN)
        await it.until(lambda: it.desk.session.message is None)
        assert it.store.load("kiosk_repairs/kiosk-1") == {}


async def test_a_disk_that_refuses_means_that_nothing_is_asked_and_the_patron_is_told(
    server: LendingServer, tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with kiosk(server, tmp_path, clock) as it:
        await it.items_shown("1")
        monkeypatch.setattr(it.store, "save", refuse)
        it.desk.touch(Touch.CONFIRM)
        await it.until(lambda: it.phase is Phase.RESULT)
        assert it.desk.session.message == "server_timeout"
        assert server.ids("checkouts") == []


async def test_an_answer_that_cannot_be_noted_is_still_shown(
    server: LendingServer, tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.hold.clear()
    async with kiosk(server, tmp_path, clock) as it:
        await it.items_shown("1")
        it.desk.touch(Touch.CONFIRM)
        await it.until(lambda: server.on_loan)
        monkeypatch.setattr(it.store, "save", refuse)
        server.hold.set()
        await it.until(lambda: it.phase is Phase.RESULT)
        assert (it.desk.session.results["1"].status, it.afi("1")) == ("ok", ON_LOAN)


async def test_a_server_that_misses_one_check_ends_no_session(
    server: LendingServer, tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with kiosk(server, tmp_path, clock) as it:
        await it.items_shown("1")
        answers = iter([False, True, False, True])
        seen = []

        async def alive() -> bool:
            seen.append(next(answers, True))
            return seen[-1]

        monkeypatch.setattr(it.lending, "alive", alive)
        await it.until(lambda: len(seen) > 5)
        assert (it.phase, it.desk.session.server_up) == (Phase.ITEMS, True)
        monkeypatch.undo()
        await server.kill()
        await it.until(lambda: it.phase is Phase.IDLE)
        assert not it.desk.session.server_up
        await server.start()
        await it.ready()


async def test_a_fault_of_ours_becomes_an_answer_and_not_a_patron_who_waits_for_ever(
    server: LendingServer, tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with kiosk(server, tmp_path, clock) as it:
        await it.items_shown("1")
        monkeypatch.setattr(it.lending, "checkout", broken)
        it.desk.touch(Touch.CONFIRM)
        await it.until(lambda: it.phase is Phase.RESULT)
        assert it.desk.session.message == "server_timeout"
        it.desk.touch(Touch.DONE)
        monkeypatch.setattr(it.lending, "standing", broken)
        it.desk.touch(Touch.BORROW)
        await it.until(lambda: it.desk.session.message == "server_timeout")
        monkeypatch.undo()
        await it.until(lambda: it.phase is Phase.ITEMS)


async def test_a_fault_in_a_listener_does_not_reach_the_pad(
    server: LendingServer, tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with kiosk(server, tmp_path, clock) as it:
        await it.ready()
        monkeypatch.setattr(it.desk, "_changed", refuse)
        it.desk.take(StandingKnown(CARD, None, "unknown_card"))
        it.lay("1")
        await it.until(lambda: it.desk.session.pad.items)


async def test_time_passes_by_itself(server: LendingServer, tmp_path: Path, clock: ManualClock) -> None:
    async with kiosk(server, tmp_path, clock) as it:
        await it.items_shown("1")
        before = it.changes
        clock.advance(46)
        await it.until(lambda: it.phase is Phase.IDLE)
        assert it.changes > before


async def test_help_calls_and_the_number_is_wrong_reads_anew(
    server: LendingServer, tmp_path: Path, clock: ManualClock
) -> None:
    async with kiosk(server, tmp_path, clock) as it:
        await it.items_shown("1")
        it.desk.touch(Touch.HELP)
        await it.until(lambda: it.calls == ["kiosk-1"])
        reads = len(it.reader.reads)
        it.desk.touch(Touch.AGAIN)
        await it.until(lambda: len(it.reader.reads) > reads and lendable(it.desk.session) == ("1",))


async def test_a_desk_without_a_pad_writes_nothing_and_says_so(
    server: LendingServer, tmp_path: Path, clock: ManualClock
) -> None:
    async with kiosk(server, tmp_path, clock) as it:
        await it.items_shown("1")
        it.desk.pad = None
        it.desk.touch(Touch.CONFIRM)
        await it.until(lambda: it.phase is Phase.RESULT)
        assert it.desk.session.message == "put_it_back"
        it.desk.take(Secured(uid("1"), ok=True))


async def broken(*_: object, **__: object) -> Any:
    raise RuntimeError("a fault of ours")


def refuse(*_: object) -> None:
    raise sqlite3.OperationalError("database or disk is full")
