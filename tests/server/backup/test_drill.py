"""The drill: a library is backed up while it lends, made anew in an empty place, compared, and lends on."""

import itertools
import re
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import inspect, select, text
from sqlalchemy.exc import DBAPIError

from gateway.store import Store
from server.app import create_app
from server.audit import service as audit
from server.backup import tables
from server.db import Base
from tests.server.conftest import EMPTY, Databases
from tests.support.counter import Counter
from tests.support.drill import Place, back_up, bring_back, empty_place, parts_of
from tests.support.library import BO, BOOKS, TOKEN, ManualClock, items, machine


@contextmanager
def lending_goes_on(place: Place) -> Iterator[threading.Event]:
    """A counter lends and takes back until the block ends; the event tells that it has begun."""
    ended, begun, trouble = threading.Event(), threading.Event(), []

    def work() -> None:
        with place.database() as database:
            counter = Counter(database, numbers=itertools.count(1000))
            while not ended.is_set():
                try:
                    counter.checkout(BO, BOOKS[5])
                    counter.checkin(BOOKS[5])
                except Exception as error:
                    trouble.append(error)
                    return
                finally:
                    begun.set()

    writer = threading.Thread(target=work)
    writer.start()
    try:
        yield begun
    finally:
        ended.set()
        writer.join(30)
    assert trouble == []


def test_a_backup_made_while_the_library_lends_comes_back_as_it_was(
    house: Place, databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "library.backup"
    with lending_goes_on(house) as begun:
        assert begun.wait(30)
        made = back_up(house, file)
    assert file.stat().st_mode & 0o777 == 0o600
    assert sorted(p.name for p in tmp_path.iterdir()) == ["library.backup", "old"]

    new = empty_place(tmp_path / "new", databases.create(), monkeypatch)
    outcome = bring_back(file, new)
    backed_up = {part.stem: (part.rows, part.sha256) for part in made.of("table")}
    assert parts_of(new, tmp_path / "again.backup") == backed_up
    assert outcome.counts == {name: rows for name, (rows, _) in backed_up.items()}
    assert backed_up["telemetry_point"][0] == 1500
    with new.database() as database, database.reading() as session:
        lent = session.execute(text("SELECT count(*) FROM loan")).scalar()
        told = session.execute(text("SELECT count(*) FROM audit_entry WHERE action = 'loan.checkout'")).scalar()
        assert lent == told > 2  # of one moment
    assert outcome.verdict.broken is None
    assert outcome.verdict.checked == backed_up["audit_entry"][0]
    assert not new.site.unfinished.exists()
    assert (new.folder / "token").read_text() == TOKEN
    assert (new.folder / "token").stat().st_mode & 0o777 == 0o600
    assert new.config.read_bytes() == house.config.read_bytes()
    assert (new.folder / "var/backups/zigbee/zigbee-20260301T000000000000Z.json").read_text() == "{}"
    with closing(sqlite3.connect(new.folder / "var" / "zigbee.db")) as radio:
        assert radio.execute("SELECT ieee FROM devices").fetchall() == [("00:11",)]
    store = Store(new.folder / "var" / "gateway.db")
    assert store.load("fire") == {"latched": True}
    store.close()


def test_a_restored_library_keeps_its_logs_and_lends_on(
    house: Place, databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    back_up(house, tmp_path / "b")
    new = empty_place(tmp_path / "new", databases.create(), monkeypatch)
    bring_back(tmp_path / "b", new)
    assert contents(new) == contents(house)
    assert shape(new) == shape(Place(tmp_path, databases.create(EMPTY)))
    with new.database() as database:
        for statement in ("DELETE FROM audit_entry", "UPDATE audit_entry SET actor = 'x'", "DELETE FROM fee_entry"):
            with pytest.raises(DBAPIError), database.writing() as session:
                session.execute(text(statement))
    with TestClient(create_app(new.site.settings, ManualClock())) as client:
        body = {"request_id": "after", "card": BO, "items": items(BOOKS[7])}
        lent = client.post("/api/v1/circulation/checkouts", json=body, headers=machine()).json()
        assert [result["status"] for result in lent["results"]] == ["ok"]
        found = client.get("/api/v1/records", params={"q": "Book 8"}).json()["records"]
        assert [record["title"] for record in found] == ["Book 8"]
        assert found[0]["items_available"] == 0
    with new.database() as database:
        assert audit.verify(database).broken is None


def contents(place: Place) -> dict[str, list[tuple[object, ...]]]:
    """Every row as the program itself reads it."""
    with place.database() as database, database.reading() as session:
        return {
            table.name: [tuple(row) for row in session.execute(select(table).order_by(*table.primary_key.columns))]
            for table in Base.metadata.sorted_tables
            if table.name != "background_job"
        }


def shape(place: Place) -> set[tuple[object, ...]]:
    """Tables, indexes, constraints and triggers as the database itself knows them."""
    sqlite = "SELECT type, name, sql FROM sqlite_master"
    constraints = (
        "SELECT conname, contype::text, condeferrable FROM pg_constraint WHERE connamespace = 'public'::regnamespace"
    )
    triggers = "SELECT tgname, tgrelid::regclass::text FROM pg_trigger WHERE NOT tgisinternal"
    with place.database() as database, database.reading() as session:
        queries = [sqlite] if database.engine.dialect.name == "sqlite" else [constraints, triggers]
        return {tuple(map(in_order, row)) for query in queries for row in session.execute(text(query))}


def in_order(value: object) -> object:
    """Tables made anew by a step name their constraints in any order, and one default is the moment of the step."""
    if not isinstance(value, str):
        return value
    return tuple(sorted(re.sub(r"DEFAULT '\d{4}-[^']*'", "", line).strip(" ,\t") for line in value.splitlines()))


@pytest.mark.postgres
@pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
def test_a_library_moves_from_one_kind_of_database_to_the_other_and_back(
    house: Place, prepared: dict, postgres: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:  # fmt: skip
    made = back_up(house, tmp_path / "first")
    there = Databases(tmp_path_factory.mktemp("other"), postgres)
    postgresql = empty_place(tmp_path / "middle", there.create(), monkeypatch)
    bring_back(tmp_path / "first", postgresql)
    assert parts_of(postgresql, tmp_path / "second") == {p.stem: (p.rows, p.sha256) for p in made.of("table")}
    back = empty_place(tmp_path / "last", Databases(tmp_path_factory.mktemp("back"), None).create(), monkeypatch)
    bring_back(tmp_path / "second", back)
    assert parts_of(back, tmp_path / "third") == {p.stem: (p.rows, p.sha256) for p in made.of("table")}


def test_tables_that_no_backup_holds_are_those_that_are_made_anew(house: Place) -> None:
    with house.database() as database, database.reading() as session:
        names = set(inspect(session.connection()).get_table_names())
        kept = {table.name for table in tables.tables(session.connection())}
    assert {name.partition("_")[0] for name in names - kept} == {"alembic", "background", "search"}
