"""Five days of the study, so that what docs/closed-loop.md says cannot rot."""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from environment.rulebook.lint import lint
from firmware_sim.building import Room
from firmware_sim.weather import SEASONS, relative_humidity
from tests.study import closed_loop
from tests.study.climate import COLUMNS, VARIABLE, MeasuredYear, WeatherFileError, climate_for
from tests.study.loop import ZONE, Period, load_rules
from tests.study.measures import BANDS, Figures, Tally
from tests.study.report import MODES, Results, markdown, missed, verdicts

measured = pytest.mark.skipif(not os.environ.get(VARIABLE), reason=f"{VARIABLE} names no weather file")


@pytest.fixture(scope="module")
def july() -> Results:
    return closed_loop.study(SEASONS, {7: Period(datetime(2025, 7, 14, tzinfo=ZONE), 5, 2)}, seed=1)


def _figures(results: Results, mode: str, room: str) -> Figures:
    return results[7, mode][room].figures


def test_five_days_of_july_reach_every_target_in_both_rooms(july: Results) -> None:
    assert missed(july) == []


def test_rules_keep_the_air_fit_for_readers_and_the_light_off_the_shelves(july: Results) -> None:
    rules, naive = _figures(july, "rules", "reading-room"), _figures(july, "naive", "reading-room")
    assert rules.air_open == 100
    assert rules.lux > naive.lux
    assert _figures(july, "rules", "stacks").light_klxh < _figures(july, "baseline", "stacks").light_klxh


def test_the_same_seed_gives_the_same_figures_and_another_seed_others() -> None:
    period = {7: Period(datetime(2025, 7, 14, tzinfo=ZONE), 1, 0)}
    first, again, other = (closed_loop.study(SEASONS, period, seed)[7, "rules"]["stacks"] for seed in (1, 1, 2))
    assert first.figures == again.figures != other.figures


@measured
def test_five_days_of_a_measured_january_reach_every_target_in_both_rooms() -> None:
    climate, _ = climate_for(None)
    assert missed(closed_loop.study(climate, {1: Period(datetime(2025, 1, 14, tzinfo=ZONE), 5, 2)}, seed=1)) == []


@pytest.mark.parametrize("room", BANDS)
def test_the_rules_that_we_hand_out_have_nothing_to_remark(room: str) -> None:
    assert list(lint(load_rules(closed_loop.ROOT / f"docs/rules/{room}.toml"))) == []


def test_a_missed_target_is_named_and_marked(july: Results) -> None:
    swapped = {(7, "rules"): july[7, "naive"], (7, "naive"): july[7, "naive"], (7, "baseline"): july[7, "baseline"]}
    found = missed(swapped)
    assert any("reading room, July: joint time in band" in line for line in found)
    assert "stacks, July: switches at most a fifth of bare thresholds: 100.0 %" in found
    assert markdown(swapped).count("(**missed**)") == len(found)
    modes = {mode: _figures(july, mode, "stacks") for mode in MODES}
    assert all(verdict.holds for verdict in verdicts(modes))


def test_the_page_keeps_its_words_and_gets_figures_and_a_plot(july: Results, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n{closed_loop.BEGIN}\nold\n{closed_loop.END}\nafter\n", encoding="utf-8")
    closed_loop.write(page, "new", july)
    closed_loop.write(page, "newer", july)
    assert page.read_text() == f"before\n{closed_loop.BEGIN}\n\nnewer\n\n{closed_loop.END}\nafter\n"
    assert (tmp_path / "img/page.svg").read_text().count("<polyline") == 8


def test_night_widens_the_band_of_temperature_and_not_of_humidity() -> None:
    tally = Tally(BANDS["reading-room"])
    room = Room("reading-room", temp=28.0, rh=50.0)
    tally.minute(room, is_open=False)
    tally.minute(room, is_open=True)
    room.rh = 61.0
    tally.minute(room, is_open=False)
    assert (tally.hits["joint"], tally.hits["joint_open"], tally.hits["joint_day_band"]) == (1, 0, 0)


def test_a_year_from_a_file_is_read_between_the_middles_of_its_hours(tmp_path: Path) -> None:
    file = _year(tmp_path / "year.csv")
    year = MeasuredYear(file)
    temp, ratio = year.air(datetime(2025, 7, 1, 12, 0, tzinfo=ZONE))
    assert temp == pytest.approx(12.0)  # halfway between the hours that end at 12 and at 13
    assert relative_humidity(temp, ratio) == pytest.approx(100, abs=0.5)
    assert year.air(datetime(2025, 1, 1, 0, 15, tzinfo=ZONE))[0] == pytest.approx(6.25)  # wraps to the year's last hour
    assert year.sky(datetime(2025, 7, 1, 12, 0, tzinfo=ZONE)).ghi == pytest.approx(500)
    assert year.sky(datetime(2025, 7, 1, 12, 0, tzinfo=ZONE)).facade > 0


def test_a_file_that_is_none_and_one_with_missing_hours_are_refused_in_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert closed_loop.main(["--weather", str(tmp_path / "none.csv")]) == 2
    assert "there is no weather file" in capsys.readouterr().err
    short = tmp_path / "short.csv"
    short.write_text(",".join(COLUMNS) + "\n" + ",".join("1" for _ in COLUMNS) + "\n")
    with pytest.raises(WeatherFileError, match="1 different hours instead of 8760"):
        MeasuredYear(short)
    short.write_text("a,b\n1,2\n")
    with pytest.raises(WeatherFileError, match="needs the columns month"):
        MeasuredYear(short)


def test_without_a_named_file_the_study_says_that_it_runs_on_a_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    climate, source = climate_for(None)
    assert climate is SEASONS
    assert "no weather file was named" in source


def _year(path: Path) -> Path:
    """Each hour is as warm as its number from the day's start, foggy, and has 500 W/m2 at all times."""
    first, rows = datetime(2025, 1, 1, tzinfo=ZONE), [",".join(COLUMNS)]
    for n in range(365 * 24):
        start = first + timedelta(hours=n)
        hour = start.hour + 1
        rows.append(f"{start.month},{start.day},{hour},500,300,200,{start.hour + 0.5},{start.hour + 0.5},1013.25")
    path.write_text("\n".join(rows) + "\n")
    return path
