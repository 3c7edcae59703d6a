"""What a restore refuses, and that nothing is changed then."""

import fcntl
import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from server.backup import making, reading, rebuilding, restoring
from server.backup.errors import BackupError
from server.backup.manifest import NAME
from server.db import Database
from tests.server.conftest import EMPTY, STOCKED, Databases
from tests.support.drill import MADE, Place, back_up, bring_back, empty_place, parts_of, silent
from tests.support.library import make_settings
from tests.support.tree import ROOT


@pytest.fixture
def file(house: Place, tmp_path: Path) -> Path:
    """A backup."""
    back_up(house, tmp_path / "b")
    return tmp_path / "b"


def altered(file: Path, change: Callable[[dict[str, Any], dict[str, bytes]], None]) -> Path:
    """A copy whose manifest and parts somebody has edited."""
    with ZipFile(file) as old:
        parts = {name: old.read(name) for name in old.namelist()}
    manifest = json.loads(parts.pop(NAME))
    change(manifest, parts)
    new = file.with_name("altered")
    with ZipFile(new, "w") as into:
        for name, content in {**parts, NAME: json.dumps(manifest).encode()}.items():
            into.writestr(name, content)
    return new


def resealed(name: str, edit: Callable[[bytes], bytes]) -> Callable[[dict[str, Any], dict[str, bytes]], None]:
    """Edits a part and makes its hash fit: what only a look at the rows finds out."""

    def change(manifest: dict[str, Any], parts: dict[str, bytes]) -> None:
        parts[name] = edit(parts[name])
        entry = next(part for part in manifest["parts"] if part["name"] == name)
        entry |= {"size": len(parts[name]), "sha256": sha256(parts[name]).hexdigest()}

    return change


@pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
def test_a_file_that_was_cut_off_or_altered_anywhere_is_refused_or_yields_the_same(file: Path) -> None:
    whole = file.read_bytes()
    with reading.opened(file) as archive:
        good = {part.name: b"".join(archive.chunks(part)) for part in archive.manifest.parts}
    refused = 0
    copies = [whole[: len(whole) * n // 20] for n in range(20)]
    for at in range(0, len(whole), max(1, len(whole) // 60)):
        copies.append(whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :])
    for copy in copies:
        file.write_bytes(copy)
        try:
            with reading.opened(file) as archive:
                assert {part.name: b"".join(archive.chunks(part)) for part in archive.manifest.parts} == good
        except BackupError:
            refused += 1
    assert refused > len(copies) // 2


@pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
class TestTheManifest:
    def test_a_part_of_other_content_is_refused(self, file: Path) -> None:
        def change(_manifest: dict[str, Any], parts: dict[str, bytes]) -> None:
            parts["tables/loan.jsonl"] = parts["tables/loan.jsonl"].replace(b"2026", b"2027")

        with (
            pytest.raises(BackupError, match=r"'tables/loan.jsonl' is not what was backed up"),
            reading.opened(altered(file, change)),
        ):
            pass

    def test_files_that_it_does_not_name_are_refused(self, file: Path) -> None:
        def change(_manifest: dict[str, Any], parts: dict[str, bytes]) -> None:
            parts["../../etc/passwd"] = b"x"

        with (
            pytest.raises(BackupError, match="other files than its manifest names"),
            reading.opened(altered(file, change)),
        ):
            pass

    def test_a_newer_schema_is_refused_with_what_to_install(self, file: Path) -> None:
        new = altered(file, lambda manifest, _: manifest.update(revision="v9999", program="7.0"))
        with pytest.raises(BackupError, match=r"newer than this program's: install Carrel 7\.0"), reading.opened(new):
            pass

    def test_another_programs_archive_is_refused(self, databases: Databases, tmp_path: Path) -> None:
        with ZipFile(tmp_path / "x", "w") as zipped:
            zipped.writestr("a", b"a")
        with pytest.raises(BackupError, match="no whole backup"), reading.opened(tmp_path / "x"):
            pass


def test_rows_that_do_not_fit_leave_the_library_that_is_there(
    file: Path, databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = Place(tmp_path / "new", databases.create(STOCKED))
    new.folder.mkdir()
    make_settings(new.folder, new.url)
    monkeypatch.setenv("CARREL_SERVER__DATABASE", new.url)
    before = parts_of(new, tmp_path / "c")
    cut = altered(file, resealed("tables/patron.jsonl", lambda rows: rows.split(b"\n", 1)[1]))
    with pytest.raises(Exception, match=r"rows|refer|foreign key"):
        bring_back(cut, new, force=True)
    assert parts_of(new, tmp_path / "c") == before
    assert not new.site.unfinished.exists()
    assert [p.name for p in new.folder.rglob("*.restoring*")] == []


def test_a_library_that_is_there_is_not_replaced_by_mistake(
    file: Path, databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = empty_place(tmp_path / "new", databases.create(STOCKED), monkeypatch)
    with pytest.raises(BackupError, match="there is a library here already"):
        bring_back(file, new)
    assert not new.config.exists()


CUT = """
import os, sys
from server.backup import rebuilding
fill = rebuilding._fill
def cut(*words):
    fill(*words)
    os._exit(9)
rebuilding._fill = cut
from carrel.cli import main
main(sys.argv[1:])
"""


def test_a_power_cut_in_the_middle_leaves_the_library_that_is_there(
    file: Path, house: Place, databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = Place(tmp_path / "new", databases.create(STOCKED))
    new.folder.mkdir()
    make_settings(new.folder, new.url)
    monkeypatch.setenv("CARREL_SERVER__DATABASE", new.url)
    before = parts_of(new, tmp_path / "c")
    words = [sys.executable, "-c", CUT, "restore", str(file), "--config", str(new.config), "--force"]
    cut = subprocess.run(words, cwd=ROOT, capture_output=True, check=False, timeout=60)
    assert cut.returncode == 9, cut.stderr
    assert parts_of(new, tmp_path / "c") == before
    bring_back(file, new, force=True)
    assert parts_of(new, tmp_path / "c") == parts_of(house, tmp_path / "d")
    assert [p.name for p in new.folder.rglob("*.restoring*")] == []


@pytest.mark.postgres
@pytest.mark.parametrize("databases", ["postgresql"], indirect=True)
class TestOnPostgresql:
    def test_tables_of_another_program_are_never_touched(
        self, file: Path, databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        new = empty_place(tmp_path / "new", databases.create(), monkeypatch)
        with new.database() as database, database.writing() as session:
            session.execute(text("CREATE TABLE theirs (id integer)"))
        with pytest.raises(BackupError, match=r"tables of another program \(theirs\)"):
            bring_back(file, new, force=True)

    def test_other_programs_that_are_connected_are_noticed(
        self, file: Path, databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        new = empty_place(tmp_path / "new", databases.create(EMPTY), monkeypatch)
        with new.database() as other, other.reading() as session:
            session.execute(text("SELECT 1"))
            with pytest.raises(BackupError, match="other programs are connected"):
                bring_back(file, new)


@pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
class TestPrograms:
    @pytest.fixture
    def new(self, databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
        return empty_place(tmp_path / "new", databases.create(), monkeypatch)

    @pytest.mark.parametrize(("lock", "name"), [("run_lock", "carrel run"), ("gateway_lock", "the gateway")])
    def test_one_that_runs_is_named(self, lock: str, name: str, file: Path, new: Place) -> None:
        (new.folder / "config.toml").write_text(f'[server]\ndatabase = "{new.url}"\n')
        held = getattr(new.site, lock)
        held.parent.mkdir(parents=True, exist_ok=True)
        with held.open("ab") as opened:
            fcntl.flock(opened, fcntl.LOCK_EX)
            with pytest.raises(BackupError, match=f"at work on this library: {name}. End that first"):
                bring_back(file, new)
        bring_back(file, new)

    def test_a_server_that_listens_is_noticed(self, file: Path, new: Place, monkeypatch: pytest.MonkeyPatch) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            monkeypatch.setenv("CARREL_SERVER__PORT", str(listening.getsockname()[1]))
            with pytest.raises(BackupError, match="where the server listens"):
                bring_back(file, new)

    def test_a_configuration_that_is_there_stays_and_the_backups_lies_beside_it(self, file: Path, new: Place) -> None:
        own = f'[server]\ndatabase = "{new.url}"\n'
        new.config.write_text(own)
        bring_back(file, new)
        assert new.config.read_text() == own
        assert "token_file" in new.config.with_name("config.toml.from-backup").read_text()

    def test_a_cut_at_the_moves_is_marked(self, file: Path, new: Place, monkeypatch: pytest.MonkeyPatch) -> None:
        def cut(*_: object) -> None:
            raise OSError("cut")

        with monkeypatch.context() as patch:
            patch.setattr(rebuilding, "put", cut)
            with pytest.raises(OSError, match="cut"):
                bring_back(file, new)
        assert (new.folder / "var" / "restore-unfinished").exists()
        bring_back(file, new, force=True)
        assert not new.site.unfinished.exists()


@pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
class TestMaking:
    def test_a_full_disk_leaves_the_old_backup(self, file: Path, house: Place) -> None:
        old = file.read_bytes()
        limited = (
            "import resource, signal, sys\n"
            "from carrel.cli import main\n"
            "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
            "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
            "sys.exit(main(sys.argv[1:]))\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", limited, "backup", str(file), "--config", str(house.config)],
            capture_output=True, text=True, check=False, cwd=ROOT, timeout=60,
            env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'firmware-sim'}"},
        )  # fmt: skip
        assert done.returncode == 1
        assert "carrel backup:" in done.stderr
        assert file.read_bytes() == old
        assert [p.name for p in file.parent.glob(".*")] == []

    def test_what_an_earlier_one_left_behind_is_written_over(self, house: Place, tmp_path: Path) -> None:
        (tmp_path / ".b.part").write_bytes(b"x" * 1_000_000)
        (tmp_path / ".b.copy").write_bytes(b"x")
        back_up(house, tmp_path / "b")
        with reading.opened(tmp_path / "b") as archive:
            assert archive.manifest.made_at == MADE
        assert [p.name for p in tmp_path.glob(".*")] == []

    @pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo], ids=["folder", "fifo"])
    def test_what_is_no_file_is_left_alone(self, house: Place, tmp_path: Path, make: Callable[[Path], None]) -> None:
        make(tmp_path / "b")
        before = (tmp_path / "b").lstat().st_ino
        (tmp_path / "link").symlink_to("b")
        for name in ("b", "link"):
            told: list[str] = []
            with pytest.raises(BackupError, match="name a file"):
                making.make(house.site, tmp_path / name, now=MADE, tell=told.append)
            assert told == [], "before any work"
        assert (tmp_path / "b").lstat().st_ino == before
        assert [p.name for p in tmp_path.glob(".*")] == []

    @pytest.mark.parametrize("old", [b"old", None])
    def test_a_link_stays_one_and_its_target_is_the_backup(
        self, house: Place, tmp_path: Path, old: bytes | None
    ) -> None:
        (tmp_path / "disk").mkdir()
        target, link = tmp_path / "disk" / "b", tmp_path / "link"
        if old is not None:
            target.write_bytes(old)
        link.symlink_to("disk/b")
        back_up(house, link)
        assert link.is_symlink()
        with reading.opened(target) as archive:
            assert archive.manifest.made_at == MADE
        assert [p.name for folder in (tmp_path, target.parent) for p in folder.glob(".*")] == []

    def test_two_to_one_name_do_not_mix(self, house: Place, tmp_path: Path) -> None:
        with making.written_aside(tmp_path / "b"), pytest.raises(BackupError, match="another process"):
            back_up(house, tmp_path / "b")

    def test_a_library_that_never_ran_is_told_so(self, databases: Databases, tmp_path: Path) -> None:
        make_settings(tmp_path, f"sqlite:///{tmp_path}/none.db")
        with pytest.raises(BackupError, match="no library to back up yet"):
            back_up(Place(tmp_path, f"sqlite:///{tmp_path}/none.db"), tmp_path / "b")
        assert sorted(p.name for p in tmp_path.iterdir() if p.suffix != ".toml") == ["token"]


def test_an_older_backup_is_brought_up_to_date(
    databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = Place(tmp_path / "old", databases.create())
    old.folder.mkdir()
    make_settings(old.folder, old.url)
    with old.database() as database, database.changing_tables() as connection:
        rebuilding.upgrade_within(connection, "v0005")
        connection.execute(
            text("INSERT INTO patron (id, card, name, pin_hash, blocked) VALUES (7, '90000007', 'Wang Wei', 'x', :no)"),
            {"no": False},
        )
    assert back_up(old, tmp_path / "b").revision == "v0005"
    new = empty_place(tmp_path / "new", databases.create(), monkeypatch)
    with reading.opened(tmp_path / "b") as archive:
        outcome = restoring.restore(archive, new.config, force=False, tell=silent)
    assert outcome.counts["patron"] == 1
    with new.database() as database, database.reading() as session:
        cards = session.execute(text("SELECT number, patron_id FROM card")).all()
    assert [tuple(row) for row in cards] == [("90000007", 7)]


@pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
def test_a_log_of_the_replaced_database_is_not_played_into_the_new_one(
    file: Path, house: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "there.db"
    new = empty_place(tmp_path / "new", f"sqlite:///{target}", monkeypatch)
    killed = Database(make_url(new.url))
    with killed.writing() as session:
        session.execute(text("CREATE TABLE alembic_version (version_num TEXT)"))
    for name in ("there.db", "there.db-wal", "there.db-shm"):  # as after a power cut
        shutil.copy(tmp_path / name, tmp_path / f"kept-{name}")
    killed.close()
    for name in ("there.db", "there.db-wal", "there.db-shm"):
        shutil.move(tmp_path / f"kept-{name}", tmp_path / name)
    bring_back(file, new, force=True)
    assert parts_of(new, tmp_path / "c") == parts_of(house, tmp_path / "d")
