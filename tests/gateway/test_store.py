"""The gateway's memory on a real disk, also one that refuses."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sqlite3
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from gateway import store as module
from gateway.store import Store, StoreError
from tests.support.clock import NOON


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "var" / "gateway.db"


@pytest.fixture
def store(file: Path) -> Iterator[Store]:
    opened = Store(file)
    yield opened
    opened.close()


def fill_the_disk(store: Store) -> None:
    """SQLite's own limit makes it raise what a full disk makes it raise."""
    store._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    pages = store._db.execute("PRAGMA page_count").fetchone()[0]
    store._db.execute(f"PRAGMA max_page_count = {pages}")


def mend_the_disk(store: Store) -> None:
    store._db.execute("PRAGMA max_page_count = 1000000")


def test_what_was_saved_is_there_after_a_restart(file: Path) -> None:
    store = Store(file)
    store.save("panel", {"state": "报警"})
    store.close()
    again = Store(file)
    assert again.load("panel") == {"state": "报警"}
    assert again.load("nothing") is None
    again.close()


def test_each_start_is_a_session_of_its_own(file: Path) -> None:
    numbers = []
    for _ in range(3):
        store = Store(file)
        numbers.append(store.session)
        store.close()
    assert numbers == [numbers[0], numbers[0] + 1, numbers[0] + 2]


def test_a_new_file_does_not_take_up_the_session_numbers_of_the_old_one(file: Path) -> None:
    old = Store(file)
    old.close()
    file.unlink()
    fresh = Store(file)
    assert fresh.session >= old.session > 1_000_000
    fresh.close()


def test_a_value_and_its_events_are_written_both_or_neither(store: Store) -> None:
    store.save_with_events("panel", 1, [("alarm", "a"), ("alarm", "b")])
    assert [(row.kind, row.body) for row in store.events_after(0)] == [("alarm", "a"), ("alarm", "b")]
    with pytest.raises(sqlite3.Error):
        store.save_with_events("panel", 2, [("alarm", "c"), ("alarm", None)])  # type: ignore[list-item]  # not allowed
    assert store.load("panel") == 1
    assert len(store.events_after(0)) == 2


def test_confirmed_events_go_and_sequence_numbers_are_never_given_twice(file: Path) -> None:
    store = Store(file)
    store.save_with_events("panel", 1, [("alarm", "a"), ("alarm", "b")])
    first, second = (row.seq for row in store.events_after(0))
    store.confirm_events(first)
    assert [row.seq for row in store.events_after(0)] == [second]
    store.confirm_events(second)
    store.close()
    again = Store(file)
    again.save_with_events("panel", 2, [("alarm", "c")])
    assert again.events_after(0)[0].seq > second
    again.close()


def test_events_come_in_portions(store: Store) -> None:
    store.save_with_events("panel", 1, [("alarm", str(n)) for n in range(5)])
    first = store.events_after(0, limit=3)
    assert [row.body for row in first] == ["0", "1", "2"]
    assert [row.body for row in store.events_after(first[-1].seq)] == ["3", "4"]


def test_one_event_can_be_discarded(store: Store) -> None:
    store.save_with_events("panel", 1, [("alarm", "a"), ("alarm", "b")])
    store.discard_event(store.events_after(0)[0].seq)
    assert [row.body for row in store.events_after(0)] == ["b"]


def test_an_answer_is_kept_while_a_repeat_may_come(store: Store) -> None:
    late = NOON + timedelta(hours=2)
    store.remember_answer("short", "1", now=NOON, expires=NOON)
    store.remember_answer("long", "2", now=NOON, expires=late)
    assert (store.answer("short"), store.answer("long"), store.answer("other")) == ("1", "2", None)
    store.remember_answer("x", "3", now=NOON + timedelta(minutes=11), expires=NOON)
    assert (store.answer("short"), store.answer("long")) == (None, "2")
    store.remember_answer("y", "4", now=late + timedelta(minutes=11), expires=late)
    assert store.answer("long") is None


def test_an_answer_to_a_command_without_end_is_kept_for_a_day(store: Store) -> None:
    store.remember_answer("eternal", "1", now=NOON, expires=NOON.replace(year=9999))
    assert store.answer("eternal") == "1"
    store.remember_answer("x", "2", now=NOON + timedelta(days=1, minutes=11), expires=NOON)
    assert store.answer("eternal") is None


def test_answers_are_bounded_in_number(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ANSWERS_LIMIT", 3)
    for n in range(6):
        now = NOON + timedelta(seconds=n)
        store.remember_answer(f"c{n}", str(n), now=now, expires=now)
    assert [store.answer(f"c{n}") for n in range(6)] == [None, None, None, "3", "4", "5"]


def test_a_clock_set_back_keeps_answers(store: Store) -> None:
    store.remember_answer("first", "1", now=NOON, expires=NOON)
    store.remember_answer("second", "2", now=NOON - timedelta(hours=5), expires=NOON)
    assert (store.answer("first"), store.answer("second")) == ("1", "2")


def test_a_full_disk_raises_and_does_no_harm(store: Store) -> None:
    store.save("panel", "before")
    fill_the_disk(store)
    for _ in range(3):
        with pytest.raises(sqlite3.Error, match="full"):
            store.save("journal", "x" * 200_000)
    assert store.load("panel") == "before"
    assert store.load("journal") is None
    mend_the_disk(store)
    store.save("panel", "after")
    assert store.load("panel") == "after"


class FullAtCommit:
    """A connection whose next COMMIT fails as on a full disk, with the transaction still open."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self.db, self.full = db, True

    def execute(self, query: str, *values: object) -> sqlite3.Cursor:
        if query == "COMMIT" and self.full:
            self.full = False
            raise sqlite3.OperationalError("database or disk is full")
        return self.db.execute(query, *values)

    def __getattr__(self, name: str) -> object:
        return getattr(self.db, name)


def test_a_commit_that_fails_does_not_block_the_next_transaction(store: Store) -> None:
    store.save("panel", 1)
    store._db = FullAtCommit(store._db)  # type: ignore[assignment]  # a real disk fills when it likes
    with pytest.raises(sqlite3.OperationalError, match="full"):
        store.save("panel", 2)
    assert store.load("panel") == 1
    store.save("panel", 3)
    assert store.load("panel") == 3


@pytest.mark.parametrize("damage", [b"this is no database, but a text", b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_damaged_file_is_one_sentence_with_what_to_do(file: Path, damage: bytes) -> None:
    file.parent.mkdir()
    file.write_bytes(damage * 10)
    with pytest.raises(StoreError, match=r"cannot use .*gateway\.db: .+; move the file away to begin afresh"):
        Store(file)
    file.unlink()
    Store(file).close()


def test_a_damaged_value_of_our_own_is_one_sentence_too(file: Path) -> None:
    Store(file).close()
    with sqlite3.connect(file) as db:
        db.execute("UPDATE memory SET value = '{'")
    db.close()
    with pytest.raises(StoreError, match="move the file away"):
        Store(file)


def test_a_store_of_a_newer_version_is_left_alone(file: Path) -> None:
    Store(file).close()
    with sqlite3.connect(file) as db:
        db.execute("PRAGMA user_version=99")
    db.close()
    with pytest.raises(StoreError, match=r"a newer Carrel \(store version 99\)"):
        Store(file)


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "var").write_text("a file where a folder should be")
    with pytest.raises(StoreError, match="cannot use"):
        Store(tmp_path / "var" / "gateway.db")


def test_a_second_gateway_is_kept_off(store: Store, file: Path) -> None:
    with pytest.raises(StoreError, match="another gateway is using it"):
        Store(file)
    store.close()
    Store(file).close()


def _write_and_be_killed(file: Path) -> None:
    store = Store(file)
    store.save_with_events("panel", "alarm", [("alarm", "smoke")])
    os.kill(os.getpid(), signal.SIGKILL)


def test_what_was_saved_survives_kill_9_and_the_file_is_free_again(file: Path) -> None:
    writer = multiprocessing.get_context("fork").Process(target=_write_and_be_killed, args=(file,))
    writer.start()
    writer.join(20)
    assert writer.exitcode == -signal.SIGKILL
    store = Store(file)
    assert store.load("panel") == "alarm"
    assert [row.body for row in store.events_after(0)] == ["smoke"]
    store.close()


def test_threads_may_use_it_at_once(store: Store) -> None:
    def work(n: int) -> None:
        for m in range(20):
            store.save(f"{n}/{m}", m)
            store.save_with_events("panel", m, [("alarm", f"{n}/{m}")])

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(store.events_after(0, limit=100)) == 80
    assert all(store.load(f"{n}/19") == 19 for n in range(4))


def test_a_closed_store_raises_what_a_failing_one_raises(file: Path) -> None:
    store = Store(file)
    store.close()
    with pytest.raises(sqlite3.Error):
        store.save("panel", 1)
