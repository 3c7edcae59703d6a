"""Reports over the API, from values in the store, on both databases."""

import csv
import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient

from carrel.config import load
from carrel.contracts.telemetry import Quantity, TelemetryPoint
from carrel.sections import InfluxConfig
from server.app import create_app
from server.db import Database
from server.deps import Role
from server.reports.policy import ACTUATOR_UNITS, ROOM_UNITS
from server.settings import read_settings
from server.telemetry.database import DatabaseStore
from server.telemetry.windows import to_ms
from tests.support.influx import Influx1, running_influx1
from tests.support.library import ManualClock, colleague, make_settings, reader

ADDRESS = "/api/v1/reports/rooms"
MARCH = datetime(2026, 2, 28, 16, tzinfo=UTC)  # midnight in Shanghai
BUILDING = """
[[room]]
id = "stacks"
name = "Stacks"
temp = [14.0, 22.0]
rh = [40.0, 60.0]
[[room]]
id = "attic"
name = "Attic"
[[room]]
id = "out"
name = "Outdoors"
outdoor = true
[[environment.sensor]]
id = "t"
zone = "stacks"
metric = "temp"
device = "th"
[[environment.sensor]]
id = "h"
zone = "stacks"
metric = "rh"
device = "th"
[[environment.sensor]]
id = "l"
zone = "stacks"
metric = "lux"
device = "lux"
[[environment.actuator]]
id = "ac"
type = "switch"
zone = "stacks"
device = "ac-1"
power_w = 1500
[[environment.actuator]]
id = "vent"
type = "level"
zone = "stacks"
device = "vent-1"
power_w = 200
[[environment.actuator]]
id = "curtain"
type = "level"
zone = "stacks"
device = "curtain-1"
"""
OPENING = 'opening = [{ from = "09:00", to = "21:00", days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] }]'


def building(folder: Path, url: str, *, opening: bool = True) -> Any:
    make_settings(folder, url)
    file = folder / "config.toml"
    text = file.read_text(encoding="utf-8") + BUILDING
    file.write_text(text.replace("[library]\n", f"[library]\n{OPENING}\n" if opening else "[library]\n"), "utf-8")
    return read_settings(load(file, {}))


@pytest.fixture
def clock() -> ManualClock:
    """Midnight after ten days of March."""
    return ManualClock(MARCH + timedelta(days=10, minutes=20))


@pytest.fixture
def client(database_url: str, tmp_path: Path, clock: ManualClock) -> Iterator[TestClient]:
    with TestClient(create_app(building(tmp_path, database_url), clock), raise_server_exceptions=False) as talking:
        talking.headers.update(colleague(talking, Role.LIBRARIAN))
        yield talking


@pytest.fixture
def store(database: Database) -> DatabaseStore:
    return DatabaseStore(database)


def points(device: str, quantity: Quantity, values: dict[datetime, float]) -> list[TelemetryPoint]:
    return [TelemetryPoint(ts=at, device=device, zone="stacks", quantity=quantity, value=v) for at, v in values.items()]


def climate(start: datetime, hours: int, *, temp: float, rh: float, lux: float = 100.0) -> list[TelemetryPoint]:
    moments = [start + timedelta(hours=hour, minutes=30) for hour in range(hours)]
    return [
        *points("th", Quantity.TEMP, dict.fromkeys(moments, temp)),
        *points("th", Quantity.RH, dict.fromkeys(moments, rh)),
        *points("lux", Quantity.LUX, dict.fromkeys(moments, lux)),
    ]


def ask(client: TestClient, **query: str) -> Any:
    answer = client.get(ADDRESS, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def figures(client: TestClient, which: str = "figures", **query: str) -> Any:
    return ask(client, room="stacks", **query)["rooms"][0][which]


def test_a_library_without_history_says_that_it_knows_nothing(client: TestClient) -> None:
    body = ask(client)
    assert [room["id"] for room in body["rooms"]] == ["stacks", "attic"]
    assert body["period"] == {
        "month": "2026-03",
        "from": "2026-02-28T16:00:00Z",
        "to": "2026-03-10T16:00:00Z",
        "hours": 240,
        "complete": False,
    }
    assert (body["previous"]["month"], body["previous"]["complete"]) == ("2026-02", True)
    for room in body["rooms"]:
        told = [room["figures"], room["previous"], *(a["figures"] for a in room["actuators"])]
        assert {f["value"] for part in told for f in part.values()} == {None}
        assert {f["coverage"] for part in told for f in part.values()} == {0}


def test_every_figure_has_its_unit(client: TestClient) -> None:
    (room,) = ask(client, room="stacks")["rooms"]
    assert {name: figure["unit"] for name, figure in room["figures"].items()} == dict(ROOM_UNITS)
    assert {name: f["unit"] for name, f in room["actuators"][0]["previous"].items()} == dict(ACTUATOR_UNITS)


def test_a_month_is_judged_by_its_hours_beside_the_month_before(client: TestClient, store: DatabaseStore) -> None:
    store.append(climate(MARCH - timedelta(days=28), 14 * 24, temp=18.0, rh=45.0, lux=50.0))
    store.append(climate(MARCH, 120, temp=20.0, rh=50.0))
    store.append(climate(MARCH + timedelta(hours=120), 120, temp=25.0, rh=50.0))
    now = figures(client)
    assert now["temp_in_band"] == {"value": 50.0, "unit": "%", "coverage": 1.0}
    assert now["rh_in_band"]["value"] == 100.0
    assert now["both_in_band_open"]["value"] == 50.0
    assert now["temp_deviation"]["value"] == pytest.approx(5 * 23 / 24, abs=1e-6)
    assert now["twpi"]["value"] == pytest.approx(2 / (1 / 44.624 + 1 / 24.28), abs=0.01)
    assert now["emc"]["value"] == pytest.approx((9.27 + 9.13) / 2, abs=0.01)
    assert (now["mould_index"]["value"], now["mould_hours"]["value"]) == (0, 0)
    assert now["light_dose"]["value"] == 24_000
    assert now["light_year"]["value"] == 24_000 + 14 * 24 * 50
    before = figures(client, "previous")
    assert before["temp_in_band"] == {"value": 100.0, "unit": "%", "coverage": 0.5}
    assert before["twpi"]["value"] == pytest.approx(65.65, abs=0.01)
    assert before["light_dose"]["value"] == 14 * 24 * 50
    assert before["light_year_end"]["value"] == pytest.approx(50 * 8760)


def test_the_month_before_is_the_same_seen_from_either_side(client: TestClient, store: DatabaseStore) -> None:
    store.append(climate(MARCH - timedelta(days=40), 50 * 24, temp=24.0, rh=88.0))
    assert figures(client, "previous", month="2026-03") == figures(client, month="2026-02")


def test_mould_goes_on_from_month_to_month(client: TestClient, store: DatabaseStore) -> None:
    store.append(climate(MARCH - timedelta(days=28), 28 * 24, temp=22.0, rh=95.0))
    assert figures(client, "previous")["mould_index"]["value"] == pytest.approx(3.297, abs=0.001)
    assert figures(client, "previous")["mould_hours"]["value"] == 28 * 24
    assert figures(client)["mould_index"]["value"] is None  # nothing known of March: not even that it stayed
    store.append(climate(MARCH, 240, temp=20.0, rh=50.0))
    assert 3.0 < figures(client)["mould_index"]["value"] < 3.297


def test_energy_is_estimated_from_power_and_time(client: TestClient, store: DatabaseStore) -> None:
    moments = [MARCH + timedelta(hours=hour) for hour in range(240)]
    store.append(points("ac-1", Quantity.ON, {at: float(at.hour % 2 == 0) for at in moments}))
    store.append(points("vent-1", Quantity.LEVEL, dict.fromkeys(moments, 50.0)))
    store.append(points("curtain-1", Quantity.POSITION, {at: 100.0 if at.hour < 12 else 0.0 for at in moments}))
    (room,) = ask(client, room="stacks")["rooms"]
    ac, vent, curtain = room["actuators"]
    assert ac["figures"]["running"] == {"value": 120.0, "unit": "h", "coverage": 1.0}
    assert ac["figures"]["energy"]["value"] == 180.0
    assert ac["figures"]["switches_per_day"]["value"] == pytest.approx(23.9)
    assert vent["figures"]["energy"]["value"] == pytest.approx(24.0)
    assert vent["figures"]["switches_per_day"]["value"] == 0
    assert curtain["figures"]["energy"]["value"] is None
    assert curtain["figures"]["running"]["value"] is None
    assert curtain["figures"]["switches_per_day"]["value"] == pytest.approx(2.0, abs=0.1)
    assert room["figures"]["energy"] == {"value": pytest.approx(204.0), "unit": "kWh", "coverage": 1.0}
    assert room["previous"]["energy"]["value"] is None


def test_energy_is_metered_where_a_device_has_a_meter_and_it_is_said_which(
    client: TestClient, store: DatabaseStore
) -> None:
    moments = [MARCH + timedelta(hours=hour) for hour in range(240)]
    store.append(points("ac-1", Quantity.ON, dict.fromkeys(moments, 1.0)))
    store.append(points("ac-1", Quantity.ENERGY, {at: 500.0 + n * 0.5 for n, at in enumerate(moments)}))
    store.append(points("vent-1", Quantity.LEVEL, dict.fromkeys(moments, 50.0)))
    store.append(points("curtain-1", Quantity.POWER, dict.fromkeys(moments, 10.0)))
    (room,) = ask(client, room="stacks")["rooms"]
    ac, vent, curtain = room["actuators"]
    assert (ac["energy_basis"], ac["figures"]["energy"]["value"]) == ("metered", 119.5)
    assert ac["figures"]["energy"]["coverage"] == pytest.approx(1.0, abs=0.01)
    assert ac["figures"]["running"]["value"] == 240.0
    assert (vent["energy_basis"], vent["figures"]["energy"]["value"]) == ("estimated", pytest.approx(24.0))
    assert (curtain["energy_basis"], curtain["figures"]["energy"]["value"]) == ("metered", pytest.approx(2.4))
    assert {one["previous_energy_basis"] for one in room["actuators"]} == {""}
    assert (room["energy_basis"], room["previous_energy_basis"]) == ("both", "")
    assert room["figures"]["energy"]["value"] == pytest.approx(119.5 + 24.0 + 2.4)
    table = client.get(f"{ADDRESS}.csv", params={"room": "stacks"}).text
    rows = list(csv.DictReader(io.StringIO(table, newline="")))
    assert [row["basis"] for row in rows if row["figure"] == "energy"] == ["both", "metered", "estimated", "metered"]
    assert {row["basis"] for row in rows if row["figure"] != "energy"} == {""}


def test_a_season_is_judged_by_thirty_days_beside_the_year(client: TestClient, store: DatabaseStore) -> None:
    store.append(climate(MARCH - timedelta(days=200), 190 * 24, temp=20.0, rh=50.0))
    store.append(climate(MARCH - timedelta(days=10), 20 * 24, temp=14.0, rh=50.0))
    now = figures(client)
    mean_of_year = (190 * 20.0 + 20 * 14.0) / 210
    mean_of_30_days = (10 * 20.0 + 20 * 14.0) / 30
    assert now["temp_season"]["value"] == pytest.approx(mean_of_year - mean_of_30_days, abs=1e-6)
    assert (now["temp_season"]["unit"], now["rh_season"]["value"]) == ("K", pytest.approx(0, abs=1e-9))
    assert now["temp_season"]["coverage"] == pytest.approx(210 / 365, abs=0.001)


def test_what_was_measured_before_a_sensor_was_carried_away_stays_in_the_rooms_report(
    client: TestClient, store: DatabaseStore
) -> None:
    moments = [MARCH + timedelta(hours=hour, minutes=30) for hour in range(100)]
    store.append(points("carried", Quantity.TEMP, dict.fromkeys(moments, 20.0)))
    assert figures(client)["temp_in_band"] == {"value": 100.0, "unit": "%", "coverage": pytest.approx(100 / 240)}


def test_a_month_that_is_over_is_reckoned_anew_after_an_hour(
    client: TestClient, store: DatabaseStore, clock: ManualClock
) -> None:
    store.append(climate(MARCH - timedelta(days=20), 24, temp=20.0, rh=50.0))
    assert figures(client, "previous")["light_dose"]["value"] == 2400
    store.append(climate(MARCH - timedelta(days=15), 24, temp=20.0, rh=50.0))
    assert figures(client, "previous")["light_dose"]["value"] == 2400
    assert figures(client, month="2026-02")["light_dose"]["value"] == 2400
    clock.at += timedelta(hours=1)
    assert figures(client, "previous")["light_dose"]["value"] == 4800


@pytest.fixture
def influx1() -> Iterator[Influx1]:
    with running_influx1() as running:
        yield running


def test_the_same_report_comes_out_of_influxdb(
    client: TestClient, store: DatabaseStore, influx1: Influx1, tmp_path: Path, database_url: str, clock: ManualClock
) -> None:
    """A second server that reads a real InfluxDB 1.6 which holds what the first one's database holds."""
    moments = [MARCH - timedelta(days=3) + timedelta(minutes=10 * n) for n in range(13 * 144)]
    told = [
        *climate(MARCH - timedelta(days=3), 12 * 24, temp=20.0, rh=50.0),
        *points("ac-1", Quantity.ON, {at: float(at.hour % 3 == 0) for at in moments}),
        *points("ac-1", Quantity.ENERGY, {at: 500.0 + n * 0.05 for n, at in enumerate(moments)}),
        *points("vent-1", Quantity.LEVEL, {at: 50.0 + at.hour for at in moments}),
    ]
    store.append(told)
    lines = "\n".join(
        f"{p.quantity.value},branch=main,gateway=gw-1,zone={p.zone},device={p.device} value={p.value!r} {to_ms(p.ts)}"
        for p in told
    )
    influx1.query('CREATE DATABASE "carrel"')
    written = httpx.post(
        f"{influx1.config.url}/write", params={"db": "carrel", "precision": "ms"}, content=lines, trust_env=False
    )
    written.raise_for_status()
    (tmp_path / "other").mkdir()
    settings = building(tmp_path / "other", database_url)
    influx = InfluxConfig(url=influx1.config.url, api="v1", database="carrel")
    telemetry = settings.common.telemetry.model_copy(update={"store": "influx", "influx": influx})
    common = replace(settings.common, telemetry=telemetry)
    with TestClient(create_app(replace(settings, common=common), clock)) as other:
        other.headers.update(colleague(other, Role.LIBRARIAN))
        assert other.app.state.rooms.past.store.__class__.__name__ == "InfluxStore"  # type: ignore[attr-defined]
        found, expected = ask(other, room="stacks"), ask(client, room="stacks")
    assert expected["rooms"][0]["figures"]["energy"]["value"] > 0
    assert _rounded(found) == _rounded(expected)


def _rounded(told: Any) -> Any:
    """Sums that were added up in another order differ in the last digit."""
    if isinstance(told, dict):
        return {name: _rounded(value) for name, value in told.items()}
    if isinstance(told, list):
        return [_rounded(value) for value in told]
    return round(told, 4) if isinstance(told, float) else told


def test_without_opening_hours_only_all_hours_are_told(
    database_url: str, tmp_path: Path, clock: ManualClock, store: DatabaseStore
) -> None:
    store.append(climate(MARCH, 24, temp=20.0, rh=50.0))
    with TestClient(create_app(building(tmp_path, database_url, opening=False), clock)) as client:
        client.headers.update(colleague(client, Role.DUTY_STAFF))
        assert ask(client)["opening_hours_known"] is False
        now = figures(client)
    assert now["temp_in_band"]["value"] == 100.0
    assert now["temp_in_band_open"] == {"value": None, "unit": "%", "coverage": 0.0}


def test_the_first_hour_of_a_month_is_no_fault(client: TestClient, clock: ManualClock, store: DatabaseStore) -> None:
    store.append(climate(MARCH - timedelta(days=2), 49, temp=20.0, rh=50.0))
    clock.at = MARCH + timedelta(minutes=10)
    body = ask(client, room="stacks")
    assert body["period"]["hours"] == 0
    known = {name for name, figure in body["rooms"][0]["figures"].items() if figure["value"] is not None}
    assert known == {"light_year", "light_year_end"}


def test_january_stands_beside_december_with_the_light_of_its_own_year(
    client: TestClient, clock: ManualClock, store: DatabaseStore
) -> None:
    january = datetime(2025, 12, 31, 16, tzinfo=UTC)
    store.append(climate(january - timedelta(hours=48), 72, temp=20.0, rh=50.0))
    clock.at = january + timedelta(hours=24)
    assert figures(client)["light_year"]["value"] == 2400
    assert figures(client, "previous")["light_year"]["value"] == 4800


@pytest.mark.parametrize("month", ["2026-04", "2026-13", "march", "2026-3", "0000-01", "9999-12"])
def test_a_month_that_there_is_not_is_refused(client: TestClient, month: str) -> None:
    answer = client.get(ADDRESS, params={"month": month})
    assert answer.status_code == 422
    assert (answer.json()["code"], answer.json()["params"]) == ("unknown_month", {"newest": "2026-03"})
    assert "YYYY-MM" in answer.json()["title"]


def test_a_room_that_there_is_not_is_refused(client: TestClient) -> None:
    answer = client.get(ADDRESS, params={"room": "cellar"})
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_room")


def test_the_outdoor_station_is_told_of_only_when_asked_for(client: TestClient) -> None:
    assert [room["id"] for room in ask(client, room="out")["rooms"]] == ["out"]


def test_reports_are_for_staff(client: TestClient) -> None:
    for address in (ADDRESS, f"{ADDRESS}.csv"):
        assert client.get(address, headers={"Authorization": ""}).status_code == 401
        assert client.get(address, headers=reader(client)).status_code == 403


def test_the_table_holds_every_figure_once(client: TestClient, store: DatabaseStore) -> None:
    store.append(climate(MARCH, 120, temp=20.0, rh=50.0))
    answer = client.get(f"{ADDRESS}.csv", params={"month": "2026-03", "room": "stacks"})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="rooms-2026-03.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.text, newline="")))
    assert [row["figure"] for row in rows] == [*ROOM_UNITS, *[*ACTUATOR_UNITS] * 3]
    assert {row["month"] for row in rows} == {"2026-03"}
    first = rows[0]
    assert (first["room"], first["figure"], first["unit"], first["value"]) == ("stacks", "temp_in_band", "%", "100.0")
    assert (first["coverage_percent"], first["previous_value"], first["previous_coverage_percent"]) == (
        "50.0",
        "",
        "0.0",
    )


def test_a_spreadsheet_can_be_told_that_it_is_utf_8(client: TestClient) -> None:
    assert client.get(f"{ADDRESS}.csv", params={"excel": "true"}).content.startswith(b"\xef\xbb\xbfmonth,")
    assert client.get(f"{ADDRESS}.csv", params={"month": "never"}).json()["code"] == "unknown_month"
