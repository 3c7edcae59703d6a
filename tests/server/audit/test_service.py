"""The audit log on both databases: one chain, whoever writes, and nobody changes it."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import event, func, select, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from server.audit import service
from server.audit.models import AuditRow
from server.audit.values import Wanted
from server.db import Database
from tests.support.library import NOW


def note(session: Session, target: str = "patron:1", **more: object) -> None:
    given = {"actor": "user:librarian", "action": "patron.edit", "at": NOW} | more
    service.record(session, target=target, **given)  # type: ignore[arg-type]


def targets(database: Database) -> list[str]:
    with database.reading() as session:
        return [row.entry.target for row in reversed(service.page(session, Wanted(actor="user:librarian"), 1000))]


@pytest.fixture
def log(empty_url: str):  # type: ignore[no-untyped-def]
    opened = Database(make_url(empty_url))
    yield opened
    opened.close()


def test_what_is_recorded_is_there_after_the_commit_and_in_order(log: Database) -> None:
    with log.writing() as session:
        for number in range(3):
            note(session, f"patron:{number}", detail={"n": number, "名": "值"})
    assert targets(log) == ["patron:0", "patron:1", "patron:2"]
    verdict = service.verify(log)
    assert (verdict.checked, verdict.head.seq, verdict.broken) == (3, 3, None)


def test_a_transaction_that_records_nothing_writes_nothing(log: Database) -> None:
    with log.writing() as session:
        session.execute(text("SELECT 1"))
    assert service.verify(log).checked == 0


def test_what_is_undone_was_not_done(log: Database) -> None:
    def fail() -> None:
        with log.writing() as session:
            note(session)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert service.verify(log).checked == 0


def test_a_rolled_back_savepoint_takes_its_entries_along_and_no_others(log: Database) -> None:
    with log.writing() as session:
        note(session, "patron:1")
        with session.begin_nested():
            note(session, "patron:2")
        undone = session.begin_nested()
        note(session, "patron:3")
        with session.begin_nested():
            note(session, "patron:4")
        undone.rollback()
        note(session, "patron:5")
    assert targets(log) == ["patron:1", "patron:2", "patron:5"]


def test_a_transaction_chains_all_that_it_recorded_at_once(log: Database) -> None:
    said: list[str] = []
    event.listen(log.engine, "before_cursor_execute", lambda _c, _cur, sql, *_: said.append(sql.split()[0]))
    with log.writing() as session:
        for number in range(5):
            note(session, f"patron:{number}")
    assert said == ["INSERT" if log.engine.dialect.name == "sqlite" else "SELECT"]


def test_many_who_write_at_once_make_one_chain(log: Database) -> None:
    gate = threading.Barrier(8)

    def write(number: int) -> None:
        gate.wait()
        for turn in range(5):
            with log.writing() as session:
                note(session, f"patron:{number}-{turn}")
                note(session, f"patron:{number}-{turn}-again")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(8)))
    verdict = service.verify(log)
    assert (verdict.checked, verdict.broken) == (80, None)
    found = targets(log)
    assert all(found[n + 1] == found[n] + "-again" for n in range(0, 80, 2))


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE audit_entry SET actor = 'user:nobody' WHERE seq = 2",
        "DELETE FROM audit_entry WHERE seq = 3",
        "DELETE FROM audit_entry",
    ],
)
def test_the_database_refuses_to_change_the_log(log: Database, tampering: str) -> None:
    with log.writing() as session:
        for number in range(3):
            note(session, f"patron:{number}")
    with pytest.raises(DBAPIError, match="append-only"), log.writing() as session:
        session.execute(text(tampering))
    assert service.verify(log).checked == 3


def test_a_row_cannot_be_replaced_or_the_table_emptied(log: Database) -> None:
    with log.writing() as session:
        note(session)
    if log.engine.dialect.name == "sqlite":
        columns = "seq, at, 'user:x', action, target, detail, prev, hash"
        how = f"INSERT OR REPLACE INTO audit_entry SELECT {columns} FROM audit_entry"
    else:
        how = "TRUNCATE audit_entry"
    with pytest.raises(DBAPIError, match="append-only"), log.writing() as session:
        session.execute(text(how))
    assert targets(log) == ["patron:1"]


def test_somebody_who_takes_the_guards_away_is_found_out(log: Database) -> None:
    with log.writing() as session:
        for number in range(3):
            note(session, f"patron:{number}")
    with log.writing() as session:
        if log.engine.dialect.name == "sqlite":
            session.execute(text("DROP TRIGGER audit_entry_no_update"))
        else:
            session.execute(text("ALTER TABLE audit_entry DISABLE TRIGGER ALL"))
        session.execute(text("UPDATE audit_entry SET target = 'patron:9' WHERE seq = 2"))
    verdict = service.verify(log)
    assert (verdict.checked, verdict.broken) == (1, "row 2 (patron.edit of patron:9) was changed after it was written")


def test_pages_go_back_in_time_and_filters_narrow_them(log: Database) -> None:
    with log.writing() as session:
        for number in range(6):
            note(session, f"patron:{number}", at=NOW + timedelta(hours=number), action="patron.block")
        note(session, "item:1", actor="nightly", at=NOW + timedelta(hours=9))
    with log.reading() as session:
        assert [row.seq for row in service.page(session, Wanted(), 3)] == [7, 6, 5]
        assert [row.seq for row in service.page(session, Wanted(before=5), 3)] == [4, 3, 2]
        assert [row.seq for row in service.page(session, Wanted(actor="nightly"))] == [7]
        assert [row.seq for row in service.page(session, Wanted(target="patron:3"))] == [4]
        assert [row.seq for row in service.page(session, Wanted(target="item:"))] == [7]
        assert [row.seq for row in service.page(session, Wanted(action="patron.edit"))] == [7]
        some = Wanted(since=NOW + timedelta(hours=2), until=NOW + timedelta(hours=4))
        assert [row.seq for row in service.page(session, some)] == [4, 3]


def test_overlong_names_are_cut_to_what_the_table_holds(log: Database) -> None:
    with log.writing() as session:
        note(session, "patron:" + "1" * 200, actor="user:" + "x" * 200)
    with log.reading() as session:
        assert session.scalar(select(func.length(AuditRow.target))) == 120
    assert service.verify(log).broken is None
