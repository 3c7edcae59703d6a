"""What the doctor says of an SQLite file."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from carrel.doctor import sqlite


@pytest.fixture
def file(tmp_path: Path) -> Path:
    with closing(sqlite3.connect(tmp_path / "a.db")) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("CREATE TABLE t (x TEXT)")
        db.executemany("INSERT INTO t VALUES (?)", [("x" * 1000,)] * 200)
        db.commit()
    return tmp_path / "a.db"


def test_a_whole_file_is_well_and_so_is_none(file: Path) -> None:
    assert sqlite.examine("database", file).verdict == "ok"
    assert sqlite.examine("database", file.with_name("none.db")).verdict == "ok"


def test_damage_is_found_and_the_file_left_alone(file: Path) -> None:
    with file.open("r+b") as opened:
        opened.seek(3 * 4096)
        opened.write(b"\xff" * 8192)
    before = file.read_bytes()
    found = sqlite.examine("database", file)
    assert found.verdict == "bad"
    assert "carrel restore" in found.mend
    assert file.read_bytes() == before


def test_what_is_no_database_is_bad(tmp_path: Path) -> None:
    (tmp_path / "a.db").write_text("hello " * 1000)
    assert sqlite.examine("database", tmp_path / "a.db").verdict == "bad"


def test_an_empty_file_is_bad_for_what_it_held_is_gone(file: Path) -> None:
    file.write_bytes(b"")
    found = sqlite.examine("database", file)
    assert (found.verdict, "0 bytes" in found.what, "carrel restore" in found.mend) == ("bad", True, True)


@pytest.mark.parametrize(("newest", "verdict"), [(7, "ok"), (6, "bad")])
def test_a_file_of_a_newer_program_is_bad(file: Path, newest: int, verdict: str) -> None:
    with closing(sqlite3.connect(file)) as db:
        db.execute("PRAGMA user_version = 7")
    assert sqlite.examine("gateway", file, newest=newest).verdict == verdict


def test_a_long_log_warns(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "LONG_WAL_BYTES", 10)
    with closing(sqlite3.connect(file)) as db:
        db.execute("INSERT INTO t VALUES ('y')")
        db.commit()
        assert sqlite.examine("database", file).verdict == "warn"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_file_that_may_not_be_written_is_bad(file: Path) -> None:
    file.chmod(0o400)
    assert sqlite.examine("database", file).verdict == "bad"
