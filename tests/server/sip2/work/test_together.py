"""What terminals ask in one moment is committed together, and each gets its own answer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence

import pytest
from sqlalchemy import func, select

from server.audit import service as audit
from server.catalogue.models import ItemRow
from server.circulation.models import LoanRow
from server.db import Database
from server.sip2.wire.messages import F, Message
from server.sip2.work import desk, loans, together
from server.sip2.work.task import Task
from server.sip2.work.together import Together
from tests.support.commits import counting_commits
from tests.support.library import ALICE, BO, BOOKS
from tests.support.sip2 import DATE, NO_DATE, Client

Connect = Callable[..., Client]


class Work:
    """Answers with the tenfold; odd numbers are errors. Notes how many came together, and by which way."""

    def __init__(self, *, busy: bool = False) -> None:
        self.sizes: list[int] = []
        self.waited: list[int] = []
        self.busy = busy
        self.desk = Together(self._at_once, self._in_turn)

    async def _at_once(self, requests: Sequence[int]) -> list[int | Exception] | None:
        if self.busy:
            return None
        self.sizes.append(len(requests))
        return [ValueError(str(n)) if n % 2 else n * 10 for n in requests]

    async def _in_turn(self, requests: Sequence[int]) -> list[int | Exception]:
        self.waited.append(len(requests))
        await asyncio.sleep(0.01)
        self.busy = False
        return [n * 10 for n in requests]


async def test_what_is_asked_in_one_moment_is_done_at_once_and_each_gets_its_own() -> None:
    work = Work()
    answers = await asyncio.gather(*(work.desk.ask(n, who=n) for n in range(4)), return_exceptions=True)
    assert [str(answer) for answer in answers] == ["0", "1", "20", "3"]
    assert await work.desk.ask(6, who=6) == 60
    assert work.sizes == [4, 1]


async def test_more_than_one_transaction_takes_wait_for_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(together, "MOST", 3)
    work = Work()
    assert await asyncio.gather(*(work.desk.ask(n, who=n) for n in range(0, 16, 2))) == [
        n * 10 for n in range(0, 16, 2)
    ]
    assert work.sizes == [3, 3, 2]


async def test_what_comes_while_others_wait_their_turn_comes_after_them() -> None:
    work = Work(busy=True)
    first = asyncio.create_task(work.desk.ask(2, who=2))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert await asyncio.gather(work.desk.ask(4, who=4), work.desk.ask(6, who=6)) == [40, 60]
    assert first.result() == 20
    assert (work.waited, work.sizes) == ([1], [2])


async def test_those_in_a_rush_are_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(together, "LATELY_S", 60.0)
    monkeypatch.setattr(together, "GATHER_S", 60.0)
    work = Work()
    await asyncio.gather(*(work.desk.ask(n, who=n) for n in (0, 2, 4)))
    asked = []
    for n in (4, 0, 2):
        asked.append(asyncio.create_task(work.desk.ask(n, who=n)))
        for _ in range(5):
            await asyncio.sleep(0)
    assert await asyncio.gather(*asked) == [40, 0, 20]
    assert work.sizes == [3, 3], "they came one by one and were done together"


async def test_those_who_do_not_come_are_not_waited_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(together, "LATELY_S", 60.0)
    work = Work()
    await asyncio.gather(*(work.desk.ask(n, who=n) for n in (0, 2, 4)))
    assert await asyncio.gather(work.desk.ask(2, who=2), work.desk.ask(4, who=4)) == [20, 40]
    monkeypatch.setattr(together, "LATELY_S", 0.0)
    monkeypatch.setattr(together, "GATHER_S", 3600.0)
    assert await asyncio.wait_for(work.desk.ask(2, who=2), 30) == 20, "whose rush is over"
    assert work.sizes == [3, 2, 1]


async def test_one_who_is_alone_waits_for_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(together, "GATHER_S", 3600.0)
    work = Work()
    async with asyncio.timeout(30):
        assert [await work.desk.ask(n, who="terminal") for n in (2, 4, 6)] == [20, 40, 60]


async def test_a_terminal_that_went_away_does_not_take_the_others_answers() -> None:
    work = Work()
    gone, stays = asyncio.create_task(work.desk.ask(2, who=2)), asyncio.create_task(work.desk.ask(4, who=4))
    await asyncio.sleep(0)
    gone.cancel()
    assert await stays == 40


def lend(card: str, barcode: str) -> str:
    return f"11NN{DATE}{NO_DATE}AOMAIN|AA{card}|AB{barcode}|AC|"


def take_back(barcode: str) -> str:
    return f"09N{DATE}{DATE}AP|AOMAIN|AB{barcode}|AC|"


class Rush:
    """Has terminals ask while another writer holds the file, which none can pass."""

    def __init__(self, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
        self._database = database
        self.commits = counting_commits(monkeypatch)

    def ask(self, *said: tuple[Client, str]) -> list[str]:
        """Each terminal's answer."""
        self.commits.clear()
        with self._database.connection():
            for client, message in said:
                client.send(message.encode() + b"\r")
                time.sleep(0.1)  # the first one's request is taken up alone
        return [client.receive().decode() for client, _ in said]


@pytest.fixture
def rush(database: Database, monkeypatch: pytest.MonkeyPatch) -> Rush:
    return Rush(database, monkeypatch)


@pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
def test_terminals_share_a_transaction(rush: Rush, connect: Connect, database: Database) -> None:
    asked = [(connect("trusted"), lend(ALICE, book)) for book in BOOKS[:4]]
    answers = rush.ask(*asked, (connect("trusted"), lend(BO, BOOKS[0])), (connect("trusted"), lend(BO, "99999999")))
    assert [answer[:3] for answer in answers] == ["121"] * 4 + ["120"] * 2, "two for one item, one for none"
    assert len(rush.commits) < len(answers)
    with database.reading() as session:
        lent = session.scalars(select(LoanRow.item_id).where(LoanRow.checked_in_at.is_(None))).all()
    assert len(set(lent)) == len(lent) == 4
    assert audit.verify(database).broken is None


@pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
def test_a_request_that_undoes_itself_takes_no_other_along(rush: Rush, connect: Connect, database: Database) -> None:
    first = connect("trusted")
    first.checkout(BO, BOOKS[2])
    first.ask(f"15+{DATE}AOMAIN|AA{ALICE}|AB{BOOKS[2]}|")
    sorter, others = connect("sorter"), [connect("trusted") for _ in range(2)]
    answers = rush.ask(
        (first, lend(ALICE, BOOKS[0])), (others[0], lend(ALICE, BOOKS[1])),
        (sorter, take_back(BOOKS[2])), (others[1], lend(ALICE, BOOKS[3])),
    )  # fmt: skip
    assert [answer[:3] for answer in answers] == ["121", "121", "100", "121"], "the sorter sends it to the desk"
    with database.reading() as session:
        assert session.scalar(select(func.count()).where(LoanRow.checked_in_at.is_(None))) == 4
    assert audit.verify(database).broken is None


@pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
def test_a_fault_in_one_request_takes_no_other_along(
    rush: Rush, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(task: Task) -> Message:
        loans.checkout(task)
        raise RuntimeError("a fault")

    monkeypatch.setattr(desk, "WRITING", {**desk.WRITING, "29": broken})
    clients = [connect("trusted") for _ in range(3)]
    answers = rush.ask(
        (clients[0], lend(ALICE, BOOKS[0])),
        (clients[1], f"29NN{DATE}{NO_DATE}AOMAIN|AA{ALICE}|AB{BOOKS[1]}|AC|"), (clients[2], lend(BO, BOOKS[1])),
    )  # fmt: skip
    assert [answer[:3] for answer in answers] == ["121", "300", "121"]


@pytest.mark.parametrize("databases", ["postgresql"], indirect=True)
def test_a_row_that_another_has_locked_holds_up_its_own_terminal_only(
    connect: Connect, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminals, commits = [connect("trusted") for _ in range(3)], counting_commits(monkeypatch)
    for terminal, book in zip(terminals, BOOKS[:3], strict=True):
        terminal.checkout(ALICE, book)
    monkeypatch.setattr(together, "LATELY_S", 60.0)
    monkeypatch.setattr(together, "GATHER_S", 60.0)  # from now on nobody is served before all three have asked

    def send(*messages: str) -> None:
        commits.clear()
        for terminal, message in zip(terminals, messages, strict=True):
            terminal.send(message.encode() + b"\r")

    def answers(*whose: int) -> list[str]:
        return [terminals[number].receive().decode()[:3] for number in whose]

    with database.connection() as other:
        other.execute(select(ItemRow.id).where(ItemRow.barcode == BOOKS[0]).with_for_update())
        send(*(take_back(book) for book in BOOKS[:3]))
        assert answers(1, 2) == ["101", "101"]
    assert answers(0) == ["101"]
    send(*(lend(card, book) for card, book in zip((ALICE, BO, BO), BOOKS[:3], strict=True)))
    assert (answers(0, 1, 2), len(commits)) == (["121"] * 3, 1)
    assert audit.verify(database).broken is None


@pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
def test_who_only_asks_does_not_wait_for_who_writes(connect: Connect, database: Database) -> None:
    lends, looks = connect("trusted"), connect("trusted")
    with database.connection():
        lends.send(lend(ALICE, BOOKS[0]).encode() + b"\r")
        for _ in range(5):
            assert looks.ask("9900802.00").fixed["online"] == "Y"
            assert looks.item(BOOKS[1]).get(F.TITLE) == "Book 2"
    assert lends.receive().decode()[:3] == "121"
