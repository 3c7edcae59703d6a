"""`carrel catalogue`, as a process of its own."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.engine import make_url

from server.catalogue.cli import main
from server.catalogue.models import ImportRow, RecordRow
from server.db import Database
from tests.support.marc import DREAM, EMMA, iso2709, many

RECORDS = 5_000


@pytest.fixture
def home(tmp_path: Path, empty_url: str) -> Path:
    (tmp_path / "config.toml").write_text(f'[server]\ndatabase = "{empty_url}"\n', encoding="utf-8")
    return tmp_path


@pytest.fixture
def alone(tmp_path: Path) -> Path:
    """Where the database makes no difference."""
    (tmp_path / "config.toml").write_text('[server]\ndatabase = "sqlite:///s.db"\n', encoding="utf-8")
    return tmp_path


def start(home: Path, *words: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "carrel.cli", "catalogue", "--config", str(home / "config.toml"), *words]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=dict(os.environ))


def run(home: Path, *words: str) -> tuple[int, str, str]:
    with start(home, *words) as process:
        out, err = process.communicate(timeout=120)
        return process.returncode, out, err


def test_an_import_that_is_killed_goes_on_and_accounts_for_every_record_once(home: Path, empty_url: str) -> None:
    file = home / "big.mrc"
    file.write_bytes(many(RECORDS // 2) + b"junk" + many(RECORDS // 2) + iso2709(DREAM))
    database = Database(make_url(empty_url))
    with start(home, "import", str(file)) as process:
        while process.poll() is None:
            with database.reading() as session:
                if (session.scalar(select(ImportRow.read)) or 0) >= 500:
                    break
        process.send_signal(signal.SIGKILL)
    code, out, err = run(home, "import", str(file), "--report", str(home / "report.csv"))
    assert (code, err.count("going on after record")) == (1, 1), err
    assert f"{RECORDS + 2} records read: {RECORDS // 2 + 1} new, 0 updated, {RECORDS // 2} skipped, 1 failed" in out
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(RecordRow)) == RECORDS // 2 + 1
        twice = "SELECT count(*) FROM (SELECT 1 FROM record GROUP BY control_number HAVING count(*) > 1) AS twice"
        assert session.scalar(text(twice)) == 0
        assert session.scalar(select(func.count()).select_from(ImportRow)) == 1
    database.close()
    assert (home / "report.csv").read_text(encoding="utf-8-sig").count("no_leader") == 1


def test_out_and_in_again_and_a_table_of_classes(alone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, out = alone / "in.mrc", alone / "out.xml"
    file.write_bytes(iso2709(DREAM) + iso2709([*EMMA, ("500", "  $a😀")]))
    assert run(alone, "import", str(file), "--dry-run")[1].startswith("2 records read: 2 would be new")
    assert run(alone, "import", str(file))[0] == 0
    assert run(alone, "export", str(out), "--xml") == (0, "", "")
    assert "紅樓夢" in out.read_text(encoding="utf-8")
    code, said, _ = run(alone, "import", str(out), "--overlay", "replace", "--format", "marc21", "--encoding", "utf-8")
    assert (code, said.split(";")[0]) == (0, "2 records read: 0 new, 0 updated, 2 skipped, 0 failed")
    assert main(["export", str(alone / "out.mrc"), "--encoding", "marc-8", "--config", str(alone / "config.toml")]) == 0
    assert capsys.readouterr().err == "1 records have characters that MARC-8 lacks, written as &#x...;\n"
    (alone / "classes.csv").write_text("code,caption_zh,caption_en\nI2,中国文学,Chinese literature\n", encoding="utf-8")
    assert run(alone, "classes", str(alone / "classes.csv"))[1] == "1 classes imported\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_export_that_is_ended_leaves_the_file_that_was_there(
    alone: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    file, before = alone / "out.mrc", signal.getsignal(number)
    file.write_bytes(b"the last one")

    def told_to_end(*_given: object) -> Iterator[bytes]:
        yield b"half"
        assert list(alone.glob("*.part")), "something is there to be cleared up"
        os.kill(os.getpid(), number)
        yield b"a file"

    monkeypatch.setattr("server.catalogue.imports.exporting.file", told_to_end)
    assert main(["export", str(file), "--config", str(alone / "config.toml")]) == 128 + number
    assert capsys.readouterr().err == "\ncarrel catalogue export: ended; nothing was changed\n"
    assert (file.read_bytes(), list(alone.glob("*.part"))) == (b"the last one", [])
    assert signal.getsignal(number) is before


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["import", "nowhere.mrc"], "carrel catalogue: nowhere.mrc: No such file"),
        (["import", "empty.mrc"], "empty.mrc: this is no MARC file: export the titles as ISO 2709 or MARCXML"),
        (["import", "wide.xml", "--dry-run"], "wide.xml: this is in UTF-16: save it as UTF-8"),
        (["import", "config.toml", "--items", "x"], "holdings mapping cannot be read"),
        (["export", "."], "cannot write .: name a file, in a folder that is there"),
        (["export", "no/x.mrc"], "cannot write no/x.mrc: name a file"),
        (["classes", "config.toml"], "table of classes cannot be read"),
        (["classes", "wrong.csv"], "wrong.csv, line 2 (caption): The table of classes cannot be read"),
    ],
)
def test_wrong_input_is_one_sentence(alone: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], said: str) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[3]))
    monkeypatch.chdir(alone)
    (alone / "empty.mrc").touch()
    (alone / "wrong.csv").write_text("code,caption_zh,caption_en\nI2,,\n", encoding="utf-8")
    (alone / "wide.xml").write_text("<collection/>", encoding="utf-16")
    code, out, err = run(alone, *words)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert said in err
    assert list(alone.glob("*.part")) == []


def test_the_configuration_may_be_named_after_the_command_too(alone: Path) -> None:
    assert main(["reindex", "--config", str(alone / "config.toml")]) == 0
    assert (alone / "s.db").exists()
