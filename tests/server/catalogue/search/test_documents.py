"""The index says what records and items say, from the same moment on."""

from collections.abc import Iterator
from datetime import UTC, datetime
from threading import Event, Thread
from types import SimpleNamespace

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import func, select, text, update
from sqlalchemy.engine import make_url

from server.catalogue import service as catalogue
from server.catalogue.models import ItemRow, RecordRow
from server.catalogue.search import documents
from server.catalogue.search.documents import bring_up_to_date, class_letter, index_records, reindex, year_of
from server.catalogue.search.models import SearchDocumentRow
from server.catalogue.search.service import Wanted, find
from server.catalogue.service import NewItem, NewRecord
from server.db import Database
from server.migrations import apply
from server.migrations.apply import upgrade
from tests.server.conftest import Databases

NOW = datetime(2026, 3, 2, tzinfo=UTC)


@pytest.fixture
def empty(empty_url: str) -> Iterator[Database]:
    opened = Database(make_url(empty_url))
    yield opened
    opened.close()


@pytest.fixture
def record(empty: Database) -> int:
    with empty.writing() as session:
        return catalogue.add_record(session, NewRecord("红楼梦", "曹雪芹", isbn="702000220X"), at=NOW)


def found(database: Database, query: str) -> list[int]:
    with database.reading() as session:
        return list(find(session, Wanted(query, 100)).ids)


def change(database: Database, record: int, **values: object) -> None:
    with database.writing() as session:
        session.execute(update(RecordRow).where(RecordRow.id == record).values(**values))
        index_records(session, [record])


def test_a_changed_record_is_found_by_what_it_says_now(empty: Database, record: int) -> None:
    change(empty, record, title="石头记", author_alt="Cao Xueqin")
    assert (found(empty, "红楼"), found(empty, "石头"), found(empty, "cao")) == ([], [record], [record])
    assert found(empty, "9787020002207") == [record]


def test_an_item_is_found_by_its_call_number(empty: Database, record: int) -> None:
    with empty.writing() as session:
        catalogue.add_item(session, record, NewItem("1", call_number="I242.4/9"))
    assert found(empty, "i242.4/9") == [record]


@pytest.mark.parametrize("why", ["suppressed", "pool"])
def test_what_readers_may_not_see_is_not_found(empty: Database, record: int, why: str) -> None:
    change(empty, record, **{why: True})
    assert found(empty, "红楼") == found(empty, "") == []
    change(empty, record, **{why: False})
    assert found(empty, "红楼") == found(empty, "") == [record]


def test_a_record_that_is_deleted_leaves_the_index(empty: Database, record: int) -> None:
    with empty.writing() as session:
        session.execute(text("DELETE FROM record_isbn"))
        session.delete(session.get_one(RecordRow, record))
        index_records(session, [record])
    assert found(empty, "红楼") == []
    assert rows(empty, "search_document") == 0


def test_what_is_undone_was_never_indexed(empty: Database, record: int) -> None:
    def fail() -> None:
        with empty.writing() as session:
            catalogue.add_record(session, NewRecord("石头记"), at=NOW)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert (found(empty, "石头"), found(empty, "")) == ([], [record])


def test_what_has_not_changed_is_not_written(empty: Database, record: int, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[object] = []
    monkeypatch.setattr(documents, "engine_of", lambda _s: SimpleNamespace(store=lambda _s, some: written.extend(some)))
    change(empty, record, summary="not indexed")
    assert written == []


def test_reindexing_makes_good_what_went_by_the_index(
    empty: Database, record: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(documents, "AT_ONCE", 2)
    with empty.writing() as session:
        more = [catalogue.add_record(session, NewRecord(f"Book {n}"), at=NOW) for n in range(4)]
        session.execute(update(RecordRow).where(RecordRow.id == record).values(title="石头记"))
        session.execute(text(f"DELETE FROM search_document WHERE record_id = {more[1]}"))
    assert found(empty, "石头") == []
    told: list[int] = []
    assert reindex(empty, told.append) == 5
    assert told == [2, 4, 5]
    assert found(empty, "石头") == [record]
    assert sorted(found(empty, "book")) == more


def test_other_rules_index_anew_when_the_server_starts(
    empty: Database, record: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with empty.writing() as session:
        session.execute(update(RecordRow).where(RecordRow.id == record).values(title="石头记"))
    bring_up_to_date(empty)
    assert (found(empty, "石头"), found(empty, "红楼")) == ([], [record])
    monkeypatch.setattr(documents, "RULES", documents.RULES + 1)
    bring_up_to_date(empty)
    assert (found(empty, "石头"), found(empty, "红楼")) == ([record], [])


def test_records_from_before_there_was_an_index_are_indexed(databases: Databases) -> None:
    database = Database(make_url(databases.create()))
    with database.changing_tables() as connection:
        config = Config()
        config.set_main_option("script_location", apply.__file__.removesuffix("/apply.py"))
        config.set_main_option("path_separator", "os")
        config.attributes["connection"] = connection
        command.upgrade(config, "v0003")
        connection.execute(text(
            "INSERT INTO record (id, title, author, year, edition, language, isbn, class_number, call_number,"
            " title_key, search_text) VALUES (7, '紅樓夢', 'Cao', '1982', '', 'zh', '702000220X', '', 'I2', '', '')"
        ))  # fmt: skip
        connection.execute(text(
            "INSERT INTO item (id, barcode, record_id, location, call_number, status, for_loan)"
            " VALUES (3, '30', 7, '', 'I242.4/1', 'in_stock', true)"
        ))  # fmt: skip
    upgrade(database)
    bring_up_to_date(database)
    for query in ("红楼梦", "cao", "978-7-02-000220-7", "i242.4/1"):
        assert found(database, query) == [7]
    with database.reading() as session:
        assert session.scalar(select(ItemRow.record_id)) == 7
    database.close()


def test_two_who_add_items_at_once_both_have_them_indexed(empty: Database, record: int) -> None:
    added = Event()

    def second() -> None:
        added.wait(10)
        with empty.writing() as session:
            catalogue.add_item(session, record, NewItem("2", call_number="B2"))

    thread = Thread(target=second)
    thread.start()
    with empty.writing() as session:
        catalogue.add_item(session, record, NewItem("1", call_number="A1"))
        added.set()
        while thread.is_alive() and not waits(empty):
            pass
    thread.join()
    assert found(empty, "a1") == found(empty, "b2") == [record]


def waits(database: Database) -> bool:
    """Whether a transaction waits for another: on SQLite it does so from its beginning."""
    if database.engine.dialect.name == "sqlite":
        return True
    with database.reading() as session:
        return bool(session.scalar(text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")))


@pytest.mark.parametrize(
    ("text_", "year"),
    [
        ("1982", 1982),
        ("[c1987]", 1987),
        ("２００１年", 2001),
        ("民國四十一年 (1952)", 1952),
        ("清", None),
        ("12345", None),
    ],
)
def test_a_year_is_read_from_a_date_as_catalogued(text_: str, year: int | None) -> None:
    assert year_of(text_) == year


@pytest.mark.parametrize(
    ("number", "letter"), [("I242.4", "I"), ("ｔp312", "T"), ("823.8", "800"), ("", ""), ("考", "")]
)
def test_a_main_class_is_a_letter_or_a_hundred(number: str, letter: str) -> None:
    assert class_letter(number) == letter


def rows(database: Database, table: str) -> int:
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(text(table))) or 0


def test_the_index_holds_one_entry_a_document(empty: Database, record: int) -> None:
    for _ in range(3):
        reindex(empty)
    with empty.reading() as session:
        assert session.scalar(select(func.count()).select_from(SearchDocumentRow)) == 1
    assert found(empty, "红") == [record]
