"""`carrel audit`, as somebody at the machine runs it."""

from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from carrel.cli import main
from server.audit import service
from server.db import Database
from server.migrations.apply import upgrade
from tests.support.library import NOW, make_settings
from tests.support.ports import free_port


@pytest.fixture
def config(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path}/library.db"
    make_settings(tmp_path, url)
    database = Database(make_url(url))
    upgrade(database)
    with database.writing() as session:
        for number in (1, 2, 3):
            service.record(session, actor="user:x", action="patron.edit", target=f"patron:{number}", at=NOW)
    database.close()
    return str(tmp_path / "config.toml")


def tamper(config: str, sql: str) -> None:
    database = Database(make_url(f"sqlite:///{Path(config).parent}/library.db"))
    with database.writing() as session:
        session.execute(text("DROP TRIGGER audit_entry_no_update"))
        session.execute(text("DROP TRIGGER audit_entry_no_delete"))
        session.execute(text(sql))
    database.close()


def test_a_whole_log_is_in_order(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", "verify", "--config", config]) == 0
    assert "in order: 3 rows checked, the last is 3:" in capsys.readouterr().out


def test_a_changed_row_is_named_and_the_exit_code_tells(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    tamper(config, "UPDATE audit_entry SET actor = 'user:y' WHERE seq = 2")
    assert main(["audit", "verify", "--config", config]) == 1
    told = capsys.readouterr().out
    assert "broken: row 2 (patron.edit of patron:2) was changed after it was written." in told
    assert "1 rows before it are in order" in told


@pytest.mark.parametrize(
    "change",
    [
        "at = 'garbage'",
        "at = 7",
        "actor = x'ff00'",
        "actor = CAST(x'ff00' AS TEXT)",
        "detail = x'7b7d'",
        "target = 1.5",
    ],
)
def test_a_row_that_holds_what_it_cannot_is_a_changed_one(
    config: str, capsys: pytest.CaptureFixture[str], change: str
) -> None:
    tamper(config, f"UPDATE audit_entry SET {change} WHERE seq = 2")
    assert main(["audit", "verify", "--config", config]) == 1
    told = capsys.readouterr().out
    assert told.startswith("broken: row 2 ")
    assert "was changed after it was written" in told
    assert "1 rows before it are in order" in told


@pytest.mark.parametrize("head", ["garbage", "3", "3:", f"x:{'0' * 64}", f"3:{'0' * 63}"])
def test_a_head_that_is_none_is_a_wrong_use(config: str, capsys: pytest.CaptureFixture[str], head: str) -> None:
    assert main(["audit", "verify", "--config", config, "--head", head]) == 2
    assert "write SEQ:HASH" in capsys.readouterr().err


@pytest.mark.parametrize("command", [["audit", "verify"], ["audit", "show"], ["account", "list"]])
def test_a_database_that_is_away_is_told_in_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    make_settings(tmp_path, f"postgresql+psycopg://carrel@127.0.0.1:{free_port()}/library")
    assert main([*command, "--config", str(tmp_path / "config.toml")]) == 1
    (told,) = capsys.readouterr().err.splitlines()
    assert told.startswith(f"carrel {command[0]}: the database cannot be ")
    assert "connection failed" in told


def test_a_log_that_was_cut_off_is_found_by_a_noted_row(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    main(["audit", "verify", "--config", config])
    noted = capsys.readouterr().out.splitlines()[0].rsplit(" ", 1)[1]
    assert main(["audit", "verify", "--config", config, "--head", noted]) == 0
    tamper(config, "DELETE FROM audit_entry WHERE seq = 3")
    assert main(["audit", "verify", "--config", config]) == 0
    assert main(["audit", "verify", "--config", config, "--head", noted]) == 1


def test_show_prints_the_newest_rows_oldest_first(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", "show", "--config", config, "--limit", "2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[5] for line in lines] == ["patron:2", "patron:3"]
    main(["audit", "show", "--config", config, "--target", "patron:1", "--actor", "user:x"])
    assert capsys.readouterr().out.split()[:6] == ["1", "2026-03-02", "04:30:00Z", "user:x", "patron.edit", "patron:1"]


def test_a_library_that_never_ran_is_told_in_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_settings(tmp_path, f"sqlite:///{tmp_path}/none.db")
    assert main(["audit", "verify", "--config", str(tmp_path / "config.toml")]) == 1
    assert "there is no audit log yet" in capsys.readouterr().err
    assert not (tmp_path / "none.db").exists(), "a look makes no library, which a restore would not replace"
    (tmp_path / "none.db").write_bytes(b"no database at all, but some bytes " * 200)
    assert main(["audit", "verify", "--config", str(tmp_path / "config.toml")]) == 1
    assert capsys.readouterr().err == "carrel audit: the database cannot be read: file is not a database\n"
    assert main(["audit"]) == 2
    assert main(["audit", "burn"]) == 2
