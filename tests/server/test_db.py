"""Transactions and instants, on both databases."""

import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any, cast

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, event, func, insert, select, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import IntegrityError, OperationalError, StatementError
from sqlalchemy.orm import Session

from server.auth.models import WrongSecret
from server.catalogue.models import ClassRow
from server.circulation.models import LoanRow
from server.db import Database
from server.db.transaction import at_end, hot
from tests.support.postgres import Cluster

CLASSES = cast(Table, ClassRow.__table__)
ADD_CLASS = hot(insert(CLASSES))
CAPTIONS = {"caption_zh": "甲", "caption_en": "a"}


@pytest.fixture
def on_postgres(postgres: Cluster, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """An empty one, whose writers' connections never rest for long."""
    monkeypatch.setattr("server.db.transaction.RESTED_S", math.inf)
    postgres.run("CREATE DATABASE alone")
    database = Database(make_url(postgres.url("alone")))
    yield database
    database.close()
    postgres.run("DROP DATABASE alone")


def cut_off(postgres: Cluster) -> None:
    """All connections of that one, and wait until they are gone."""
    postgres.run("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = 'alone'")


def count(database: Database) -> int:
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(WrongSecret)) or 0


def test_a_writing_block_commits_when_it_ends_well(database: Database) -> None:
    with database.writing() as session:
        session.add(WrongSecret(subject="x", at=datetime.now(UTC)))
    assert count(database) == 1


def test_a_writing_block_that_raises_leaves_nothing(database: Database) -> None:
    def fail() -> None:
        with database.writing() as session:
            session.add(WrongSecret(subject="x", at=datetime.now(UTC)))
            session.flush()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert count(database) == 0


def test_a_reading_block_never_writes(database: Database) -> None:
    with database.reading() as session:
        session.add(WrongSecret(subject="x", at=datetime.now(UTC)))
        session.flush()
    assert count(database) == 0


def test_instants_come_back_aware_in_utc(database: Database) -> None:
    at = datetime(2026, 3, 2, 12, 0, 0, 123456, tzinfo=timezone(timedelta(hours=8)))
    with database.writing() as session:
        session.add(WrongSecret(subject="x", at=at))
    with database.reading() as session:
        (back,) = session.scalars(select(WrongSecret.at))
    assert back == at
    assert back.tzinfo is UTC


def test_a_naive_instant_is_refused(database: Database) -> None:
    with pytest.raises(StatementError, match="naive datetime"), database.writing() as session:
        session.add(WrongSecret(subject="x", at=datetime(2026, 3, 2)))  # noqa: DTZ001  # that is the point


def test_foreign_keys_are_enforced(database: Database) -> None:
    now = datetime.now(UTC)
    with pytest.raises(IntegrityError), database.writing() as session:
        session.add(LoanRow(item_id=999, patron_id=1, checked_out_at=now, due_at=now))


def test_a_hot_statement_takes_many_rows_and_refuses_them_together(database: Database) -> None:
    rows = [CAPTIONS | {"code": f"A{n}"} for n in range(3)]
    with database.writing() as session:
        session.execute(ADD_CLASS, rows)
    with pytest.raises(IntegrityError), database.writing() as session:
        session.execute(ADD_CLASS, [rows[0] | {"code": "B"}, rows[0]])
    with database.reading() as session:
        assert list(session.scalars(select(ClassRow.code).order_by(ClassRow.code))) == ["A0", "A1", "A2"]


def test_hot_and_other_statements_share_a_transaction_and_its_savepoints(database: Database) -> None:
    ended: list[str] = []

    def look(session: Session) -> None:
        ended.extend(session.scalars(select(ClassRow.code)))

    with database.writing() as session:
        session.execute(ADD_CLASS, CAPTIONS | {"code": "hot"})
        undone = session.begin_nested()
        session.execute(ADD_CLASS, CAPTIONS | {"code": "undone"})
        undone.rollback()
        session.add(ClassRow(code="mapped", **CAPTIONS))
        at_end(session, look)
        at_end(session, look)
    assert sorted(ended) == ["hot", "mapped"]

    def fail() -> None:
        with database.writing() as session:
            session.execute(ADD_CLASS, CAPTIONS | {"code": "lost"})
            session.add(ClassRow(code="lost too", **CAPTIONS))
            session.flush()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with database.reading() as session:
        assert sorted(session.scalars(select(ClassRow.code))) == ["hot", "mapped"]


def test_sqlite_is_set_up_to_lose_nothing(tmp_path: Path) -> None:
    database = Database(make_url(f"sqlite:///{tmp_path}/new/folder/x.db"))
    with database.writing() as session:
        told = {
            name: session.scalar(text(f"PRAGMA {name}")) for name in ("journal_mode", "synchronous", "foreign_keys")
        }
        waits_ms = session.scalar(text("PRAGMA busy_timeout"))
    database.close()
    assert told == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
    assert waits_ms == 10_000


def test_a_sqlite_reader_does_not_wait_for_a_writer(tmp_path: Path) -> None:
    database = Database(make_url(f"sqlite:///{tmp_path}/x.db"))
    with database.writing() as writer:
        writer.execute(text("CREATE TABLE t (x INTEGER)"))
    with database.writing() as writer:
        writer.execute(text("INSERT INTO t VALUES (1)"))
        with database.reading() as reader:
            assert reader.scalar(text("SELECT count(*) FROM t")) == 0
    database.close()


def test_a_probe_says_what_is_wrong_without_secrets(database: Database) -> None:
    assert database.probe() is None
    away = Database(make_url("postgresql+psycopg://me:hidden@127.0.0.1:1/x"))
    assert away.probe() == "OperationalError"
    away.close()


def test_a_connection_in_use_while_the_database_is_closed_ends_with_its_use(database: Database) -> None:
    with database.reading() as session:
        driver: Any = session.connection().connection.driver_connection
        database.close()
        assert session.execute(text("SELECT 1")).scalar_one() == 1
    with pytest.raises(database.engine.dialect.loaded_dbapi.Error, match="closed"):
        driver.execute("SELECT 1")


def test_a_statement_whose_answer_nobody_reads_is_seen_by_the_next_and_its_failure_told(database: Database) -> None:
    codes = hot(select(CLASSES.c.code).order_by(CLASSES.c.code))

    def write(*new: str) -> list[str]:
        """What is there then; a transaction may well end with reading."""
        with database.writing() as session:
            for code in new:
                session.execute(ADD_CLASS, CAPTIONS | {"code": code})
            return [one.code for one in session.execute(codes)]

    def only_write(*new: str) -> None:
        with database.writing() as session:
            for code in new:
                session.execute(ADD_CLASS, CAPTIONS | {"code": code})

    assert write("a", "aa") == ["a", "aa"]
    assert write("b", "bb") == ["a", "aa", "b", "bb"]  # on the same connection
    for _ in range(2):
        with pytest.raises(IntegrityError):
            write("c", "a", "d")
        with pytest.raises(IntegrityError):
            only_write("c", "d", "a")
    only_write("e")
    with database.reading() as session:
        assert [one.code for one in session.execute(codes)] == ["a", "aa", "b", "bb", "e"]


@pytest.mark.postgres
def test_postgresql_is_waited_for_when_a_row_is_asked_for_and_at_the_end(on_postgres: Database, tmp_path: Path) -> None:
    """Two waits where BEGIN, four statements and COMMIT are sent: seen in libpq's own trace."""
    drivers: list[Any] = []
    event.listen(on_postgres.engine, "connect", lambda driver, _record: drivers.append(driver))
    table = Table("t", MetaData(), Column("n", Integer))
    with on_postgres.connection() as connection:
        table.create(connection)
    add, many = hot(insert(table)), hot(select(func.count().label("many")).select_from(table))

    def write() -> None:
        with on_postgres.writing() as session:
            session.execute(add, {"n": 1})
            assert session.execute(many).first() is not None
            session.execute(add, {"n": 2})
            session.execute(add, {"n": 3})

    write()
    (driver,) = drivers
    trace = tmp_path / "trace"
    with trace.open("w") as file:
        driver.pgconn.trace(file.fileno())
        write()
        driver.pgconn.untrace()
    lines = [line.split("\t") for line in trace.read_text().splitlines() if "\t" in line]
    sent = [line[3] for line in lines if line[1] == "F"]
    assert sent.count("Flush") + sent.count("Sync") == 2, sent


@pytest.mark.postgres
def test_a_writers_connection_that_died_is_replaced(
    on_postgres: Database, postgres: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = hot(select(func.now().label("now")))

    def write() -> None:
        with on_postgres.writing() as session:
            session.execute(one)

    write()
    cut_off(postgres)
    with pytest.raises(OperationalError):
        write()
    write()
    monkeypatch.setattr("server.db.transaction.RESTED_S", 0.0)
    cut_off(postgres)
    write()


@pytest.mark.postgres
def test_a_connection_that_died_while_it_rested_is_replaced(
    on_postgres: Database, postgres: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.db.postgresql.RESTED_S", 0.0)
    for _ in range(2):
        with on_postgres.reading() as session:
            assert session.scalar(text("SELECT 1")) == 1
        cut_off(postgres)
