"""Rules run on the library's own history."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from carrel.cli import main
from carrel.config import ConfigError, load
from carrel.contracts.telemetry import Quantity, TelemetryPoint
from environment.config import EnvironmentConfig
from environment.rulebook.dry_run import Input
from environment.state import Sample
from server.db import Database
from server.migrations.apply import upgrade
from server.rules import history
from server.rules.history import Period
from server.rules.replay import Voice, period_of, run
from server.settings import read_settings
from server.telemetry.database import DatabaseStore
from server.telemetry.store import Kept
from tests.support.ports import free_port

SHANGHAI = ZoneInfo("Asia/Shanghai")
MIDNIGHT = datetime(2026, 3, 1, 16, tzinfo=UTC)  # in Shanghai the second of March begins
CONFIG = EnvironmentConfig.model_validate(
    {
        "sensor": [
            {"id": "t", "zone": "r", "metric": "temp", "device": "th-1"},
            {"id": "window", "zone": "r", "metric": "flag", "device": "window-1"},
        ],
        "actuator": [{"id": "ac", "type": "switch", "zone": "r", "device": "ac-1"}],
        "rule": [
            {
                "id": "hot",
                "zone": "r",
                "when": {"metric": "temp", "above": 26, "hysteresis": 1},
                "actuators": ["ac"],
                "set": 1,
            }
        ],
    }
)


def at(hours: float) -> datetime:
    return MIDNIGHT + timedelta(hours=hours)


def fill(store: DatabaseStore, days: int = 1) -> None:
    """Every minute a value: 24 °C, but 28 °C from 12 to 15 o'clock."""
    minutes = range(days * 1440)
    store.append(
        [
            TelemetryPoint(
                ts=at(minute / 60),
                device="th-1",
                zone="r",
                quantity=Quantity.TEMP,
                value=28.0 if 720 <= minute % 1440 < 900 else 24.0,
            )
            for minute in minutes
        ]
    )


class Heard:
    """What a run said."""

    def __init__(self) -> None:
        self.results: list[str] = []
        self.progress: list[str] = []
        self.voice = Voice(self.results.append, self.progress.append)


def test_commands_and_a_summary_in_the_librarys_time(database: Database) -> None:
    store, heard = DatabaseStore(database), Heard()
    fill(store, 2)
    run(store, CONFIG, Period(MIDNIGHT, at(48)), zone=SHANGHAI, voice=heard.voice)
    assert heard.results[:4] == [
        "2026-03-02 12:00:00  ac  1  hot",
        "2026-03-02 15:00:00  ac  0  default",
        "2026-03-03 12:00:00  ac  1  hot",
        "2026-03-03 15:00:00  ac  0  default",
    ]
    assert heard.results[4:] == [
        "",
        "2 days",
        "ac: 4 commands, 2.0 a day; away from its default for 6.0 h",
        "hot: condition active for 6.0 h",
    ]
    assert heard.progress == ["2026-03-02: 1440 values", "2026-03-03: 1440 values"]


def test_a_run_that_begins_in_the_middle_knows_what_was_measured_before(database: Database) -> None:
    store, heard = DatabaseStore(database), Heard()
    fill(store)
    run(store, CONFIG, Period(at(12.505), at(13)), zone=SHANGHAI, voice=heard.voice)
    assert heard.results[0] == "2026-03-02 12:30:18  ac  1  hot"


def test_where_only_means_are_left_they_are_taken_when_their_time_is_over(database: Database) -> None:
    store, heard = DatabaseStore(database), Heard()
    fill(store, 2)
    kept = Kept(raw=timedelta(days=7), five_minutes=timedelta(days=90))
    while store.trim(at(24 * 20), kept, 1000):
        pass
    run(store, CONFIG, Period(MIDNIGHT, at(24)), zone=SHANGHAI, voice=heard.voice)
    assert heard.results[:2] == ["2026-03-02 12:05:00  ac  1  hot", "2026-03-02 15:05:00  ac  0  default"]
    assert heard.progress == [
        "of this time only means of 5 minutes are left: short peaks are lost, "
        "and a sensor counts as silent after 600 s",
        "2026-03-02: 288 values",
    ]


def test_many_values_of_a_day_are_read_in_pages(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    store = DatabaseStore(database)
    fill(store)
    monkeypatch.setattr(history, "AT_ONCE", 100)
    period = Period(MIDNIGHT, at(24))
    found: list[Input] = list(history.read(store, CONFIG, period, lambda _day, _count: None))
    assert len(found) == 1440
    assert [entry.at for entry in found] == sorted({entry.at for entry in found})
    assert found[0].event == Sample(MIDNIGHT, "t", 24.0)


def test_without_history_it_says_so(database: Database) -> None:
    heard = Heard()
    run(DatabaseStore(database), CONFIG, Period(MIDNIGHT, at(5)), zone=SHANGHAI, voice=heard.voice)
    assert heard.progress[-1] == "there is no history of these sensors in that time"
    assert heard.results[2] == "ac: 0 commands, 0.0 a day; away from its default for 0.0 h"


def test_dates_are_the_librarys_own_and_the_future_is_left_out() -> None:
    period = period_of("2026-03-02", "2026-03-09", SHANGHAI, now=at(30))
    assert period == Period(MIDNIGHT, at(30))
    assert period_of("2026-03-01T16:00:00+00:00", "2026-03-02T01:30", SHANGHAI, now=at(30)) == Period(MIDNIGHT, at(1.5))


@pytest.mark.parametrize(
    ("start", "end", "sentence"),
    [
        ("yesterday", "2026-03-02", "--stored FROM: write a local date or time"),
        ("2026-03-02", "2026-03-02", "FROM must lie before TO"),
        ("2027-03-02", "2027-03-05", "FROM must lie before TO and before now"),
    ],
)
def test_a_time_that_makes_no_sense_is_a_sentence(start: str, end: str, sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        period_of(start, end, SHANGHAI, now=at(30))


LIBRARY = """
[library]
timezone = "Asia/Shanghai"
[server]
database = "sqlite:///server.db"
[[room]]
id = "r"
name = "Room"
[environment]
[[environment.sensor]]
id = "t"
zone = "r"
metric = "temp"
device = "th-1"
[[environment.actuator]]
id = "ac"
type = "switch"
zone = "r"
device = "ac-1"
"""
RULES = """
[[environment.rule]]
id = "hot"
zone = "r"
when = { metric = "temp", above = 26.0, hysteresis = 1.0 }
actuators = ["ac"]
set = 1
"""


def test_the_command_reads_the_librarys_database(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config, rules = tmp_path / "config.toml", tmp_path / "rules.toml"
    config.write_text(LIBRARY, encoding="utf-8")
    rules.write_text(RULES, encoding="utf-8")
    database = Database(read_settings(load(config)).database_url)
    upgrade(database)
    fill(DatabaseStore(database))
    database.close()
    command = ["dry-run", "rules", str(rules), "--stored", "2026-03-02", "2026-03-03", "--config", str(config)]
    assert main(command) == 0
    out, err = capsys.readouterr()
    assert out.startswith("2026-03-02 12:00:00  ac  1  hot\n")
    assert err == "carrel dry-run: 2026-03-02: 1440 values\n"


def test_a_history_that_is_elsewhere_and_silent_is_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    elsewhere = f'[telemetry]\nstore = "influx"\n[telemetry.influx]\nurl = "http://127.0.0.1:{free_port()}"\n'
    config = tmp_path / "config.toml"
    config.write_text(LIBRARY + RULES + elsewhere, encoding="utf-8")
    (tmp_path / "server.db").touch()
    command = ["dry-run", "rules", str(config), "--stored", "2026-03-02", "2026-03-03", "--config", str(config)]
    assert main(command) == 2
    assert "carrel dry-run: The database that keeps the history does not answer" in capsys.readouterr().err


def test_a_library_without_a_database_is_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "config.toml"
    config.write_text(LIBRARY + RULES, encoding="utf-8")
    command = ["dry-run", "rules", str(config), "--stored", "2026-03-02", "2026-03-03", "--config", str(config)]
    assert main(command) == 2
    assert "there is no history yet" in capsys.readouterr().err
    (tmp_path / "server.db").write_bytes(b"no database" * 100)
    assert main(command) == 2
    assert "history cannot be read" in capsys.readouterr().err
