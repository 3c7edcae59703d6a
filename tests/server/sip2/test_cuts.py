"""The server is killed and the database restarted while eight terminals lend: what was answered holds, all heals."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select
from sqlalchemy.engine import make_url

from server.audit import service as audit
from server.audit.models import AuditRow
from server.catalogue.models import ItemRow, RecordRow
from server.circulation.models import LoanRow
from server.db import Database
from server.migrations.apply import upgrade
from server.patrons.models import CardRow, PatronRow
from tests.server.conftest import Databases
from tests.support.library import NOW, make_settings
from tests.support.ports import free_port
from tests.support.postgres import Cluster, running_cluster
from tests.support.server_process import ServerProcess
from tests.support.sip2 import Client

pytestmark = [pytest.mark.process, pytest.mark.timeout(240)]

TERMINALS, BOOKS_EACH = 8, 6
FIRST_CARD, FIRST_BOOK = 70_000_001, 40_000_001
SAFE = ("fsync=off", "synchronous_commit=on", "full_page_writes=on", "max_connections=200")
"""A crash of PostgreSQL loses nothing that was committed; a crash of the machine is not tried."""
SIP2 = """
[server.sip2]
enabled = true
port = {port}
[[server.sip2.terminal]]
id = "self-1"
login = "self-1"
password = "s3cret"
pin = "trusted"
"""


@dataclass
class Shelf:
    """A terminal's own books: `lent` are out, as the library has said; for the `unknown` ones it did not answer."""

    number: int
    lent: set[str] = field(default_factory=set)
    unknown: set[str] = field(default_factory=set)
    answered: int = 0

    @property
    def card(self) -> str:
        return str(FIRST_CARD + self.number)

    @property
    def books(self) -> list[str]:
        first = FIRST_BOOK + self.number * BOOKS_EACH
        return [str(first + book) for book in range(BOOKS_EACH)]

    def move(self, client: Client, book: str) -> None:
        """Lend what is here, take back what is out or may be."""
        out = book in self.lent or book in self.unknown
        self.unknown.add(book)
        answer = client.checkin(book) if out else client.checkout(self.card, book)
        if answer.fixed["ok"] != "1":
            return  # the library is away: nobody knows
        self.unknown.discard(book)
        (self.lent.discard if out else self.lent.add)(book)
        self.answered += 1


class Hall:
    """Eight terminals that work until told otherwise; one whose line is cut stops."""

    def __init__(self, port: int, shelves: list[Shelf]) -> None:
        self.shelves = shelves
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._work, args=(port, shelf)) for shelf in shelves]
        for thread in self._threads:
            thread.start()

    def answered(self, more: int) -> None:
        """Wait until every terminal has had so many answers more."""
        wanted = [shelf.answered + more for shelf in self.shelves]
        deadline = time.monotonic() + 90
        while any(shelf.answered < most for shelf, most in zip(self.shelves, wanted, strict=True)):
            assert time.monotonic() < deadline, f"terminals that are not served: {self.shelves}"
            time.sleep(0.01)

    def close(self) -> None:
        """Let every terminal finish what it is at."""
        self._stop.set()
        for thread in self._threads:
            thread.join(60)
            assert not thread.is_alive()

    def _work(self, port: int, shelf: Shelf) -> None:
        chance, client = random.Random(shelf.number), Client(port, timeout_s=60).login()
        try:
            while not self._stop.is_set():
                shelf.move(client, chance.choice(shelf.books))
        except (EOFError, OSError):
            pass  # the line is cut
        finally:
            client.close()


@dataclass
class Site:
    """A library for all of them, and where its server listens."""

    url: str
    config: Path
    port: int
    sip2_port: int

    def server(self) -> ServerProcess:
        return ServerProcess(self.config, self.port)


def build(folder: Path, url: str) -> Site:
    """Patrons with a card each, and as many books as they may have."""
    books = range(TERMINALS * BOOKS_EACH)
    title = {"title": "伊索寓言", "title_key": "伊索寓言", "search_text": "伊索寓言"}
    place = {"branch": "main", "at_branch": "main", "location": "stacks", "call_number": "I545.74"}
    database = Database(make_url(url))
    upgrade(database)
    with database.writing() as session:
        for number in range(1, TERMINALS + 1):
            patron = {"id": number, "name": f"读者{number}", "pin_hash": "!", "created_at": NOW}
            card = {"number": str(FIRST_CARD + number - 1), "patron_id": number, "issued_at": NOW}
            session.execute(insert(PatronRow), patron)
            session.execute(insert(CardRow), card)
        session.execute(insert(RecordRow), {"id": 1, "created_at": NOW, "updated_at": NOW} | title)
        session.execute(insert(ItemRow), [{"barcode": str(FIRST_BOOK + n), "record_id": 1} | place for n in books])
    database.close()
    port, sip2_port = free_port(), free_port()
    file = make_settings(folder, url, port=port).document.file
    file.write_text(file.read_text(encoding="utf-8") + SIP2.format(port=sip2_port), encoding="utf-8")
    return Site(url, file, port, sip2_port)


@pytest.fixture
def site(tmp_path: Path, databases: Databases) -> Site:
    return build(tmp_path, databases.create())


@pytest.fixture
def own_cluster() -> Iterator[Cluster]:
    with running_cluster(SAFE) as cluster:
        yield cluster


def agrees(site: Site, shelves: list[Shelf]) -> None:
    """The database holds what was answered, each loan whole: the loan, its item's state, its lines in the audit log."""
    database = Database(make_url(site.url))
    with database.reading() as session:
        states = {item.barcode: (item.id, item.status) for item in session.scalars(select(ItemRow))}
        out = [loan.item_id for loan in session.scalars(select(LoanRow).where(LoanRow.checked_in_at.is_(None)))]
        lent, ended = (
            set(session.scalars(select(LoanRow.id).where(condition)))
            for condition in (LoanRow.id > 0, LoanRow.checked_in_at.is_not(None))
        )
        told = {
            action: session.execute(
                select(func.count(), func.count(AuditRow.target.distinct())).where(AuditRow.action == action)
            ).one()
            for action in ("loan.checkout", "loan.checkin")
        }
    for shelf in shelves:
        for book in shelf.books:
            id_, status = states[book]
            assert out.count(id_) == (1 if status == "on_loan" else 0), f"{book} is {status}"
            if book not in shelf.unknown:
                assert (status == "on_loan") == (book in shelf.lent), f"{book} was answered otherwise"
    assert tuple(told["loan.checkout"]) == (len(lent), len(lent))
    assert tuple(told["loan.checkin"]) == (len(ended), len(ended))
    assert audit.verify(database).broken is None
    database.close()


def test_a_server_killed_while_eight_terminals_lend_keeps_what_it_answered(site: Site) -> None:
    shelves = [Shelf(number) for number in range(TERMINALS)]
    for _ in range(3):
        server = site.server()
        hall = Hall(site.sip2_port, shelves)
        hall.answered(5)
        server.kill()
        hall.close()
        agrees(site, shelves)
    server = site.server()
    with_all = Hall(site.sip2_port, shelves)
    with_all.answered(2 * BOOKS_EACH)
    with_all.close()
    assert server.end() == 0
    agrees(site, shelves)


@pytest.mark.postgres
@pytest.mark.parametrize("how", ["orderly", "crash"])
def test_a_database_restarted_under_load_loses_nothing_and_the_terminals_go_on(
    how: str, own_cluster: Cluster, tmp_path: Path
) -> None:
    own_cluster.run("CREATE DATABASE library")
    site = build(tmp_path, own_cluster.url("library"))
    shelves = [Shelf(number) for number in range(TERMINALS)]
    server = site.server()
    hall = Hall(site.sip2_port, shelves)
    for _ in range(2):
        hall.answered(5)
        own_cluster.restart(crash=how == "crash")
    hall.answered(10)
    hall.close()
    agrees(site, shelves)
    assert server.end() == 0, "it was never restarted itself"
    assert "Traceback" not in server.log.read_text(encoding="utf-8")
