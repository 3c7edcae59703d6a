"""What the doctor says of the server's database and files."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from carrel.config import load
from carrel.doctor.finding import Finding
from server.audit import service as audit
from server.db import Database
from server.doctor import look
from server.lending import service as lending
from server.lending.policy import Calendar, LibraryPolicy, Name
from server.migrations.apply import head
from server.settings import ServerSettings
from tests.support.library import NOW, make_settings
from tests.support.ports import free_port


def verdicts(settings: ServerSettings) -> dict[str, Finding]:
    return {finding.check: finding for finding in look.look(settings.document)}


@pytest.fixture
def quiet(database_url: str, tmp_path: Path) -> ServerSettings:
    """Whose terminals' port is free."""
    made = make_settings(tmp_path, database_url)
    made.token_file.chmod(0o600)
    config = made.document.file
    config.write_text(config.read_text() + f"[server.sip2]\nport = {free_port()}\n")
    return ServerSettings(made.common, made.server, made.database_url, made.token_file, load(config, {}))


def test_a_library_in_order_is_well(quiet: ServerSettings) -> None:
    found = verdicts(quiet)
    assert {finding.verdict for finding in found.values()} == {"ok"}
    assert found["schema"].what == f"version {head()}"


@pytest.mark.parametrize(("branch", "verdict"), [("north", "ok"), ("main", "ok"), ("nroth", "warn")])
def test_a_terminal_of_a_branch_that_the_library_does_not_have_is_told(
    quiet: ServerSettings, branch: str, verdict: str
) -> None:
    config = quiet.document.file
    terminal = f'[[server.sip2.terminal]]\nid = "hall"\naddresses = ["10.0.0.1"]\nbranch = "{branch}"\n'
    terminal += f'bins = [{{ bin = "1", branch = "{branch}" }}]\n'
    config.write_text(config.read_text().replace("[server.sip2]", "[server.sip2]\nenabled = true") + terminal)
    database = Database(quiet.database_url)
    with database.writing() as session:
        lending.set_policy(session, LibraryPolicy(branches=("north",)), actor="tests", at=NOW)
    database.close()
    (found,) = [one for one in look.look(load(config, {})) if one.check == "terminals"]
    assert found.verdict == verdict
    assert (found.what.endswith(": hall: nroth"), "[[server.sip2.terminal]]" in found.mend) == (verdict == "warn",) * 2


@pytest.mark.parametrize(("revision", "verdict"), [("v0003", "warn"), ("v9999", "bad")])
def test_tables_of_another_version_are_told(
    revision: str, verdict: str, quiet: ServerSettings, database_url: str
) -> None:
    database = Database(make_url(database_url))
    with database.writing() as session:
        session.execute(text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision})
    database.close()
    assert verdicts(quiet)["schema"].verdict == verdict


def test_tables_of_another_program_are_bad(quiet: ServerSettings, database_url: str) -> None:
    database = Database(make_url(database_url))
    with database.writing() as session:
        session.execute(text("DROP TABLE alembic_version"))
    database.close()
    assert verdicts(quiet)["schema"].verdict == "bad"


def test_a_clock_behind_what_was_written_last_is_bad(quiet: ServerSettings, database_url: str) -> None:
    database = Database(make_url(database_url))
    with database.writing() as session:
        at = datetime(2999, 1, 1, tzinfo=UTC)
        audit.record(session, actor="user:x", action="session.start", target="account:1", at=at)
    database.close()
    assert verdicts(quiet)["clock"].verdict == "bad"


def test_a_calendar_without_an_open_day_is_told(quiet: ServerSettings, database: Database) -> None:
    closed = Calendar(("mon", "tue", "wed"), closed_weekdays_by_branch={"main": ("thu", "fri", "sat", "sun")})
    with database.writing() as session:
        named = LibraryPolicy(branch_names={"main": Name("Main library")})
        lending.set_policy(session, named, actor="user:admin", at=NOW)
        lending.set_calendar(session, closed, actor="user:admin", at=NOW)
    told = verdicts(quiet)["calendar"]
    assert (told.verdict, told.what.split(" does ")[0]) == ("warn", "Main library")


@pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
class TestFiles:
    def test_a_token_that_others_may_read_is_bad(self, quiet: ServerSettings) -> None:
        quiet.token_file.chmod(0o644)
        assert verdicts(quiet)["token"].mend.startswith("chmod 600")

    def test_a_token_file_without_a_token_is_bad_and_none_is_well(self, quiet: ServerSettings) -> None:
        quiet.token_file.write_text("x")
        assert verdicts(quiet)["token"].verdict == "bad"
        quiet.token_file.unlink()
        assert verdicts(quiet)["token"].verdict == "ok"

    def test_a_restore_that_was_cut_off_is_bad(self, quiet: ServerSettings) -> None:
        mark = quiet.common.var / "restore-unfinished"
        mark.parent.mkdir(exist_ok=True)
        mark.touch()
        assert "--force` again" in verdicts(quiet)["restore"].mend

    def test_an_influxdb_that_is_away_is_bad(self, quiet: ServerSettings, tmp_path: Path) -> None:
        config = quiet.document.file
        config.write_text(config.read_text() + f'[telemetry.influx]\nurl = "http://127.0.0.1:{free_port()}"\n')
        found = {finding.check: finding for finding in look.look(load(config, {}))}
        assert found["influx"].verdict == "bad"


def test_a_database_that_does_not_answer_is_bad_and_its_password_is_not_told(tmp_path: Path) -> None:
    made = make_settings(tmp_path, f"postgresql://carrel:secret@127.0.0.1:{free_port()}/x")
    (found,) = look.database(made)
    assert found.verdict == "bad"
    assert "secret" not in found.what + found.mend
