"""Backups on the disk: made by themselves, whole or not at all, seven kept, the newest good one found."""

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from carrel.contracts.actuation import SetLevel
from devices.orders import DONE
from devices.zigbee.network import backup, session
from devices.zigbee.network.backup import Backup, BackupError
from tests.support.field import Recorder, VirtualRadio, open_radio
from tests.support.zigbee_site import VENT, coordinator, named, placed, running, served, site

AT = datetime(2026, 11, 1, 3, 0, tzinfo=UTC)
NETWORK = {"metadata": {"format": "zigpy/open-coordinator-backup"}, "channel": 15}


def database(file: Path, rows: int = 3) -> Path:
    with sqlite3.connect(file) as db:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("CREATE TABLE device (n INTEGER)")
        db.executemany("INSERT INTO device VALUES (?)", ((n,) for n in range(rows)))
    db.close()
    return file


def count(file: Path) -> int:
    with sqlite3.connect(file) as db:
        found = db.execute("SELECT count(*) FROM device").fetchone()[0]
    db.close()
    return int(found)


def made(folder: Path, at: datetime = AT) -> Backup:
    return backup.make(NETWORK, [named("reading-lux")], database(folder / f"{at:%H%M%S}.db"), at)


def test_what_was_written_is_read_again_and_nobody_else_may_read_it(tmp_path: Path) -> None:
    wanted = made(tmp_path)
    file = backup.write(tmp_path / "backups", wanted)
    assert backup.read(file) == wanted
    assert file.stat().st_mode & 0o077 == 0
    assert backup.newest_at(tmp_path / "backups") == AT


def test_a_database_in_use_is_copied_with_what_its_log_holds(tmp_path: Path) -> None:
    file = database(tmp_path / "zigbee.db")
    using = sqlite3.connect(file)
    using.execute("INSERT INTO device VALUES (99)")
    using.commit()
    copied = backup.make(NETWORK, [], file, AT)
    using.close()
    backup.put_database(tmp_path / "again.db", copied, AT)
    assert count(tmp_path / "again.db") == 4


def test_the_last_seven_are_kept(tmp_path: Path) -> None:
    for day in range(9):
        backup.write(tmp_path / "backups", made(tmp_path, AT + timedelta(days=day, seconds=day)))
    kept = sorted(file.name for file in (tmp_path / "backups").iterdir())
    assert len(kept) == 7
    assert kept[0].startswith("zigbee-20261103")


def test_a_torn_or_alien_backup_is_passed_over(tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    good = backup.write(folder, made(tmp_path))
    later = made(tmp_path, AT + timedelta(hours=1))
    torn = backup.write(folder, later)
    torn.write_bytes(good.read_bytes()[:200])
    (folder / "zigbee-zzz.json").write_text('{"format": "something else"}')
    with pytest.raises(BackupError, match="choose another"):
        backup.read(torn)
    found = backup.newest(folder)
    assert found is not None
    assert found[0] == good


def test_a_backup_with_a_damaged_database_in_it_is_refused(tmp_path: Path) -> None:
    spoiled = Backup(AT, NETWORK, (), b"SQLite format 3\x00" + bytes(5000))
    with pytest.raises(BackupError, match="database is damaged"):
        backup.read(backup.write(tmp_path, spoiled))


def test_a_folder_without_backups_has_none(tmp_path: Path) -> None:
    assert backup.newest(tmp_path / "nothing") is None
    assert backup.newest_at(tmp_path / "nothing") is None


def test_a_database_that_is_replaced_is_kept_beside_with_its_log(tmp_path: Path) -> None:
    file = tmp_path / "zigbee.db"
    file.write_bytes(b"torn")
    (tmp_path / "zigbee.db-wal").write_bytes(b"log")
    aside = backup.put_database(file, made(tmp_path), AT)
    assert aside is not None
    assert aside.read_bytes() == b"torn"
    assert aside.with_name(aside.name + "-wal").read_bytes() == b"log"
    assert count(file) == 3


def test_a_write_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    file = tmp_path / "whole"
    file.write_bytes(b"before")
    (tmp_path / "whole.part").mkdir()
    with pytest.raises(OSError, match=r"whole\.part"):
        backup.save_whole(file, b"after")
    assert file.read_bytes() == b"before"


async def test_a_backup_is_made_at_the_start_and_after_each_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "SETTLE_S", 0.05)
    seen, link = Recorder(), coordinator(site(tmp_path, [named(VENT)]))
    folder = tmp_path / "backups"
    async with open_radio(tmp_path, devices=placed(VENT)), running(link, seen):
        await served(seen, VENT)
        await seen.until(lambda: link.state().backup_at is not None)
        first = backup.newest(folder)
        assert first is not None
        link.configure([named(VENT, zone="stacks")])
        await seen.until(lambda: backup.newest_at(folder) != first[1].created_at)
        newest = backup.newest(folder)
        assert newest is not None
        assert newest[1].devices[0].zone == "stacks"
        assert newest[1].network["coordinator_ieee"] == "00124b00ca77e100"


async def test_a_disk_that_refuses_a_backup_stops_nothing_and_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "backups").write_text("a file in the folder's place")
    seen, link = Recorder(), coordinator(site(tmp_path, [named(VENT)]))
    async with open_radio(tmp_path, devices=placed(VENT)) as home, running(link, seen):
        await served(seen, VENT)
        assert (await link.backup()).code == "not_written"
        assert "could not be backed up" in caplog.text
        assert isinstance(home, VirtualRadio)
        assert await link.execute(SetLevel(device=VENT, level_pct=30)) == DONE
