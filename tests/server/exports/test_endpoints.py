"""Exports over the whole way: asked for, made in the background, fetched, cancelled, removed."""

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from carrel.contracts.telemetry import Quantity
from server.exports import service
from server.exports.policy import MOST_UNFINISHED, Wanted
from tests.support.acting_gateway import eventually, point
from tests.support.library import reader
from tests.support.spine import House

EXPORTS = "/api/v1/exports"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = {"from": "2026-03-01T12:00:00Z", "to": "2026-03-01T13:00:00Z"}


BAD: list[tuple[dict[str, Any], str]] = [
    ({"rooms": ["cellar"]}, "unknown_room"),
    ({"rooms": []}, "malformed_request"),
    ({"metrics": ["pressure"]}, "malformed_request"),
    ({"metrics": ["temp", "dew_point"]}, "metric_not_raw"),
    ({"to": "2026-03-01T12:00:00Z"}, "bad_range"),
    ({"from": "1990-01-01T00:00:00Z"}, "bad_range"),
    ({"resolution": "2h"}, "malformed_request"),
    ({"to": "2026-03-01T12:00:00"}, "malformed_request"),
]


def ask(house: House, **body: Any) -> Any:
    wanted = {"rooms": ["reading-room"], "metrics": ["temp"], **HOUR, "resolution": "raw", **body}
    return house.client.post(EXPORTS, json=wanted, headers=house.staff())


def state(house: House, export: Any) -> Any:
    return house.client.get(f"{EXPORTS}/{export['id']}", headers=house.staff()).json()


def finished(house: House, **body: Any) -> Any:
    """The export once it is done."""
    answer = ask(house, **body)
    assert answer.status_code == 202, answer.text
    assert answer.headers["location"] == f"{EXPORTS}/{answer.json()['id']}"
    return eventually(lambda: (s := state(house, answer.json()))["state"] == "done" and s, "the file")


def fetched(house: House, export: Any) -> bytes:
    answer = house.client.get(export["file"], headers=house.staff())
    assert answer.status_code == 200, answer.text
    return bytes(answer.content)


def rows(house: House, **body: Any) -> list[list[str]]:
    return list(csv.reader(io.StringIO(fetched(house, finished(house, **body)).decode("utf-8"))))


@pytest.fixture
def measured(house: House) -> House:
    """Two sensors, a value every quarter of an hour, and one of humidity."""
    store = house.client.app.state.rooms.past.store  # type: ignore[attr-defined]
    temps = [point(NOON + timedelta(minutes=15 * n), 20.0 + n, device) for n in range(8) for device in ("th-1", "th-2")]
    store.append([*temps, point(NOON, 50.0, "th-1", Quantity.RH)])
    return house


class TestTheFile:
    def test_raw_values_come_with_local_time_offset_and_unit(self, measured: House) -> None:
        found = rows(measured)
        assert found[:2] == [
            ["time [Asia/Shanghai]", "time [UTC]", "room", "device", "metric", "value", "unit"],
            ["2026-03-01T20:00:00.000+08:00", "2026-03-01T12:00:00.000Z", "reading-room", "th-1", "temp", "20.0", "°C"],
        ]  # fmt: skip
        assert [(row[3], row[5]) for row in found[1:]] == [
            (device, f"{20 + n}.0") for device in ("th-1", "th-2") for n in range(4)
        ]

    def test_buckets_hold_all_sensors_of_the_room_and_units_stand_in_the_header(self, measured: House) -> None:
        found = rows(measured, resolution="1h", metrics=["temp", "lux"], to="2026-03-01T14:00:00Z")
        assert found == [
            ["time [Asia/Shanghai]", "time [UTC]", "room", "bucket [s]",
             "temp mean [°C]", "temp min [°C]", "temp max [°C]", "temp values",
             "lux mean [lx]", "lux min [lx]", "lux max [lx]", "lux values"],
            ["2026-03-01T20:00:00+08:00", "2026-03-01T12:00:00Z", "reading-room", "3600",
             "21.5", "20.0", "23.0", "8", "", "", "", "0"],
            ["2026-03-01T21:00:00+08:00", "2026-03-01T13:00:00Z", "reading-room", "3600",
             "25.5", "24.0", "27.0", "8", "", "", "", "0"],
        ]  # fmt: skip

    def test_a_day_is_the_librarys_own(self, measured: House) -> None:
        found = rows(measured, resolution="1d", **{"from": "2026-02-28T20:00:00+08:00"})
        assert [row[:4] + row[7:8] for row in found[1:]] == [
            ["2026-03-01T00:00:00+08:00", "2026-02-28T16:00:00Z", "reading-room", "86400", "8"]
        ]

    def test_excel_gets_a_byte_order_mark(self, measured: House) -> None:
        plain, excel = (fetched(measured, finished(measured, excel=excel)) for excel in (False, True))
        assert excel == b"\xef\xbb\xbf" + plain

    def test_it_tells_its_type_and_name_and_how_much_it_holds(self, measured: House) -> None:
        export = finished(measured, resolution="5min")
        assert (export["rows"], export["done_pct"], export["code"]) == (4, 100.0, "")
        answer = measured.client.get(export["file"], headers=measured.staff())
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        assert answer.headers["content-disposition"] == 'attachment; filename="carrel-20260301-20260301-5min.csv"'
        assert len(answer.content) == export["size"]

    def test_an_empty_time_is_a_header_alone(self, house: House) -> None:
        assert len(rows(house, rooms=["reading-room", "stacks"], resolution="1h")) == 1


class TestAsking:
    def test_what_cannot_be_made_is_refused(self, house: House) -> None:
        for body, code in BAD:
            answer = ask(house, **body)
            assert (answer.json()["code"], answer.status_code in (404, 422)) == (code, True), body

    def test_only_staff_may(self, house: House) -> None:
        for headers, status in (({}, 401), (reader(house.client), 403)):
            assert house.client.post(EXPORTS, json={}, headers=headers).status_code in (status, 422)
            assert house.client.get(EXPORTS, headers=headers).status_code == status
            assert house.client.get(f"{EXPORTS}/{'0' * 32}", headers=headers).status_code == status
            assert house.client.get(f"{EXPORTS}/{'0' * 32}/file", headers=headers).status_code == status
            assert house.client.delete(f"{EXPORTS}/{'0' * 32}", headers=headers).status_code == status

    def test_an_unknown_one_is_not_found(self, house: House) -> None:
        for id_, status in (("0" * 32, 404), ("..%2f..", 422)):
            assert house.client.get(f"{EXPORTS}/{id_}", headers=house.staff()).status_code in (status, 404)
        assert house.client.delete(f"{EXPORTS}/{'0' * 32}", headers=house.staff()).json()["code"] == "unknown_export"

    def test_there_are_never_too_many_at_a_time(self, house: House) -> None:
        with house.database.writing() as session:
            for n in range(MOST_UNFINISHED):
                far = house.clock.now() + timedelta(seconds=n)
                made = service.create(session, _wanted(), subject="user:1", now=far)
                service.claim(session, f"somebody-{n}", far)
        answer = ask(house)
        assert (answer.status_code, answer.json()["code"]) == (409, "too_many_exports")
        waiting = house.client.get(f"{EXPORTS}/{made.id}/file", headers=house.staff())
        assert (waiting.status_code, waiting.json()["code"]) == (409, "export_not_ready")


class TestItsEnd:
    def test_deleting_removes_the_file(self, measured: House) -> None:
        export = finished(measured)
        (file,) = (measured.settings.common.var / "exports").iterdir()
        assert measured.client.delete(f"{EXPORTS}/{export['id']}", headers=measured.staff()).status_code == 204
        assert not file.exists()
        assert state(measured, export)["code"] == "unknown_export"

    def test_a_file_that_somebody_removed_is_gone(self, measured: House) -> None:
        export = finished(measured)
        next((measured.settings.common.var / "exports").iterdir()).unlink()
        answer = measured.client.get(export["file"], headers=measured.staff())
        assert (answer.status_code, answer.json()["code"]) == (410, "export_gone")

    def test_after_a_day_it_is_gone(self, measured: House) -> None:
        export = finished(measured)
        assert [e["id"] for e in _listed(measured)] == [export["id"]]
        measured.clock.advance(hours=24)
        assert state(measured, export)["code"] == "unknown_export"
        assert _listed(measured) == []


def _listed(house: House) -> Any:
    return house.client.get(EXPORTS, headers=house.staff()).json()["exports"]


def _wanted() -> Wanted:
    return Wanted(("reading-room",), ("temp",), NOON, NOON + timedelta(hours=1), "raw")


@pytest.fixture(autouse=True)
def no_file_is_left_half_made(house: House) -> Iterator[None]:
    yield
    assert list((house.settings.common.var / "exports").glob("*.part")) == []
