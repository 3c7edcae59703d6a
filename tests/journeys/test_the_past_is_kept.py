"""What was measured can be asked for later: over the API, as a file, and as the report of a month."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from statistics import fmean
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from sqlalchemy import make_url

from carrel.contracts.telemetry import Quantity, TelemetryPoint
from server.db import Database
from server.telemetry.database import DatabaseStore
from tests.support.programs import Library, wait_for

pytestmark = [pytest.mark.process, pytest.mark.timeout(180)]

SHANGHAI = ZoneInfo("Asia/Shanghai")
COLD_C, WARM_C = 4.0, 28.0
STORED_WITHIN_S = 60.0
Span = tuple[datetime, datetime]


# ---------------------------------------------------------------- minutes
@pytest.fixture(scope="module")
def spell(running: Library) -> Span:
    """A cold and then a warm minute outdoors, from beginning to end."""
    begin = datetime.now(UTC)
    for celsius, rh in ((COLD_C, 45), (WARM_C, 75)):
        running.sim("set", "out", f"temp={celsius}", f"rh={rh}")
        wait_for(
            f"about {celsius} degrees are in the history",
            lambda wanted=celsius: any(abs(value - wanted) < 1 for value in measured(running, begin)),
            STORED_WITHIN_S,
        )
    wait_for(
        "humidity is there too", lambda: past(running, (begin, datetime.now(UTC)), metric="rh")["mean"], STORED_WITHIN_S
    )
    return begin, datetime.now(UTC)


def measured(running: Library, begin: datetime) -> list[float]:
    """Outdoor temperatures since then, to the second."""
    found: list[float] = past(running, (begin, datetime.now(UTC)), buckets=1000)["mean"]
    return found


def past(running: Library, span: Span, **query: Any) -> dict[str, Any]:
    words = {"metric": "temp", "from": span[0].isoformat(), "to": span[1].isoformat(), **query}
    answer = running.client().get("/rooms/out/history", params=words)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_the_history_tells_least_mean_and_greatest_however_finely_it_is_asked(running: Library, spell: Span) -> None:
    fine = past(running, spell, buckets=1000)
    whole = past(running, spell, buckets=1)

    assert fine["unit"] == "°C"
    assert all(later - earlier >= 1000 * fine["bucket_s"] for earlier, later in pairwise(fine["t"]))
    (least,), (mean,), (greatest,), (count,) = (whole[name] for name in ("min", "mean", "max", "n"))
    assert (least, greatest, count) == (min(fine["min"]), max(fine["max"]), sum(fine["n"]))
    weighted = sum(m * n for m, n in zip(fine["mean"], fine["n"], strict=True)) / count
    assert mean == pytest.approx(weighted, abs=0.01)
    assert least < COLD_C + 1 < mean < WARM_C - 1 < greatest


def test_dew_point_follows_and_what_is_out_of_reach_is_refused(running: Library, spell: Span) -> None:
    dew = past(running, spell, buckets=1, metric="dew_point")
    (value,) = dew["mean"]
    assert value < past(running, spell, buckets=1)["mean"][0], "air is never warmer than saturated"
    backwards = {"metric": "temp", "from": spell[1].isoformat(), "to": spell[0].isoformat()}
    assert running.client().get("/rooms/out/history", params=backwards).status_code == 422


# ---------------------------------------------------------------- a file
def test_staff_takes_it_along_as_a_file(running: Library, spell: Span) -> None:
    staff = running.client("librarian", "librarian-demo")
    raw = exported(staff, spell, resolution="raw", metrics=["temp"])
    assert list(raw[0]) == ["time [Asia/Shanghai]", "time [UTC]", "room", "device", "metric", "value", "unit"]
    values = [float(row["value"]) for row in raw]
    whole = past(running, spell, buckets=1)
    assert (len(values), round(min(values), 3), round(max(values), 3)) == (whole["n"][0], *whole["min"], *whole["max"])
    assert fmean(values) == pytest.approx(whole["mean"][0], abs=0.001)
    for row in raw:
        local, utc = (datetime.fromisoformat(row[f"time [{zone}]"]) for zone in ("Asia/Shanghai", "UTC"))
        assert local == utc
        assert local.utcoffset() == timedelta(hours=8)
        assert spell[0] - timedelta(milliseconds=1) <= utc < spell[1]

    coarse = exported(staff, spell, resolution="5min", metrics=["temp", "dew_point"])
    assert sum(int(row["temp values"]) for row in coarse) >= len(values), "its buckets are whole"
    assert all(float(row["dew_point mean [°C]"]) <= float(row["temp max [°C]"]) for row in coarse)


def exported(staff: httpx.Client, span: Span, **wish: Any) -> list[dict[str, str]]:
    """Ask for a file, wait until it is made, fetch it and have it removed; its rows."""
    body = {"rooms": ["out"], "from": span[0].isoformat(), "to": span[1].isoformat(), **wish}
    asked = staff.post("/exports", json=body)
    assert asked.status_code == 202, asked.text
    address = f"/exports/{asked.json()['id']}"
    assert asked.headers["Location"].endswith(address)

    def finished() -> Any:
        found = staff.get(address).json()
        assert found["state"] in ("waiting", "running", "done"), found
        return found if found["state"] == "done" else None

    done = wait_for("the file is made", finished, 30)
    file = staff.get(f"{address}/file")
    assert file.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(file.text)))
    assert (done["done_pct"], done["rows"], done["size"]) == (100, len(rows), len(file.content))

    assert staff.delete(address).status_code == 204
    assert staff.get(address).status_code == 404
    return rows


def test_a_reader_may_not_take_files_or_see_reports(running: Library, spell: Span) -> None:
    wish = {"rooms": ["out"], "metrics": ["temp"], "from": spell[0].isoformat(), "to": spell[1].isoformat()}
    for caller, refusal in ((running.client("90000001", "0001"), 403), (running.client(), 401)):
        assert caller.post("/exports", json=wish).status_code == refusal
        assert caller.get("/exports").status_code == refusal
        assert caller.get("/reports/rooms").status_code == refusal


# ---------------------------------------------------------------- a month
def test_the_demo_that_has_just_begun_claims_nothing_about_its_month(running: Library) -> None:
    report = running.client("librarian", "librarian-demo").get("/reports/rooms").json()
    assert [room["id"] for room in report["rooms"]] == ["reading-room", "stacks"]
    for room in report["rooms"]:
        for name, figure in room["figures"].items():
            assert (figure["value"] is None) == (figure["coverage"] == 0), name
            assert figure["coverage"] <= 1, name
        assert {figure["value"] for figure in room["previous"].values()} == {None}
        assert {figure["coverage"] for figure in room["previous"].values()} == {0}


@pytest.fixture
def older(tmp_path: Path) -> Iterator[Library]:
    """A library that has known half of last month, as its server alone shows it."""
    library = Library(tmp_path)
    try:
        library.start("broker", "server")
        database = Database(make_url(f"sqlite:///{tmp_path}/var/server.db"))
        DatabaseStore(database).append(half_a_month(month_start(1)))
        database.close()
        yield library
    finally:
        library.stop()


def month_start(ago: int) -> datetime:
    """Midnight in Shanghai that this month, or one some months ago, began with."""
    first = datetime.now(SHANGHAI).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    for _ in range(ago):
        first = (first - timedelta(days=1)).replace(day=1)
    return first


def half_a_month(first: datetime) -> list[TelemetryPoint]:
    """Ten good days in the stacks, then five that were too warm; the air conditioner ran six hours of each of these."""
    points = []
    for hour in range(15 * 24):
        at = (first + timedelta(hours=hour, minutes=30)).astimezone(UTC)
        good = hour < 10 * 24
        for device, quantity, value in (
            ("stacks-th", Quantity.TEMP, 18.0 if good else 26.0),
            ("stacks-th", Quantity.RH, 50.0),
            ("stacks-ac", Quantity.ON, float(not good and hour % 24 < 6)),
        ):
            points.append(TelemetryPoint(ts=at, device=device, zone="stacks", quantity=quantity, value=value))
    return points


def test_the_report_of_last_month_says_how_much_it_knows_and_stands_beside_this_month(older: Library) -> None:
    staff = older.client("librarian", "librarian-demo")
    first, end = month_start(1), month_start(0)
    hours = (end - first) // timedelta(hours=1)
    known = 15 * 24 / hours

    report = staff.get("/reports/rooms", params={"month": f"{first:%Y-%m}", "room": "stacks"}).json()
    assert (report["period"]["hours"], report["period"]["complete"]) == (hours, True)
    (room,) = report["rooms"]
    figures = room["figures"]
    assert figures["temp_in_band"] == {"value": pytest.approx(100 * 10 / 15, abs=0.01), "unit": "%",
                                       "coverage": pytest.approx(known, abs=0.001)}  # fmt: skip
    assert figures["rh_in_band"]["value"] == 100
    assert figures["energy"]["value"] == pytest.approx(5 * 6 * 1.5, rel=0.01), "30 h at 1500 W"
    assert figures["mould_hours"]["value"] == 0
    assert figures["light_dose"] == {"value": None, "unit": "lx·h", "coverage": 0}, "no light was measured"

    now = staff.get("/reports/rooms", params={"room": "stacks"}).json()
    assert now["previous"]["month"] == report["period"]["month"]
    assert now["rooms"][0]["previous"]["temp_in_band"] == figures["temp_in_band"]
    assert now["rooms"][0]["figures"]["temp_in_band"]["value"] is None

    table = staff.get("/reports/rooms.csv", params={"month": f"{first:%Y-%m}", "room": "stacks"}).text
    assert "66.67" in table or "66.66" in table, table
