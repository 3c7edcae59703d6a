"""Rooms over the whole way: values and actuators from the edge, history, manual control and how it ends."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from carrel.contracts import topics
from carrel.contracts.actuation import CommandResult, OverrideCancel, OverrideSet
from server.deps import Role
from server.rooms import overrides
from tests.support.acting_gateway import curtain, eventually, held, point
from tests.support.library import reader
from tests.support.spine import House

OVERRIDES = "/api/v1/rooms/reading-room/overrides"
CLOSE = {"actuator": "reading-curtain", "value": 100}


def value(house: House, metric: str = "temp") -> Any:
    return house.room()["values"][metric]  # type: ignore[index]


class TestValues:
    def test_before_anything_was_reported_every_value_is_unknown(self, house: House) -> None:
        room = house.room()
        unknown = {"value": None, "at": None, "age_s": None}
        assert room["values"] == {
            "temp": unknown | {"unit": "°C"}, "rh": unknown | {"unit": "%"}, "lux": unknown | {"unit": "lx"}
        }  # fmt: skip
        assert room["bands"] == {"temp": [20.0, 26.0]}
        assert (room["name"], room["name_zh"], room["actuators"]) == ("Reading room", "阅览室", [])

    def test_a_value_is_the_median_of_the_rooms_sensors_and_has_an_age(self, house: House) -> None:
        for device, temp in (("th-1", 21.0), ("th-2", 22.0), ("th-3", 35.0)):
            house.edge.report(device, temp=temp)
        eventually(lambda: value(house)["value"] == 22.0, "the median")
        house.clock.advance(seconds=90)
        assert value(house)["age_s"] == 90.0

    def test_a_device_that_is_no_sensor_of_the_room_does_not_count(self, house: House) -> None:
        house.edge.report("an-ac", temp=16.0)
        house.edge.report("th-1", temp=21.0)
        eventually(lambda: value(house)["value"] == 21.0, "the sensor's value")

    def test_a_sensor_silent_for_too_long_is_unknown_and_its_last_report_is_told(self, house: House) -> None:
        house.edge.report("th-1", temp=21.0)
        at = eventually(lambda: value(house)["at"])
        house.clock.advance(seconds=901)
        assert value(house) == {"value": None, "unit": "°C", "at": at, "age_s": 901.0}

    def test_a_restarted_gateway_that_has_heard_one_quantity_keeps_the_others(self, house: House) -> None:
        house.edge.report("th-1", temp=21.0, lux=5.0)
        house.edge.report("lux-1", lux=300.0)
        eventually(lambda: value(house, "lux")["value"] == 300.0)
        house.edge.report("th-1", battery=90.0)
        house.edge.report("lux-1", lux=301.0)
        eventually(lambda: value(house, "lux")["value"] == 301.0)
        assert value(house)["value"] == 21.0

    def test_actuators_and_devices_are_told_with_their_reasons(self, house: House) -> None:
        house.edge.devices("th-1", "th-2")
        house.edge.table(curtain(params={"metric": "lux", "threshold": 1000.0}))
        (actuator,) = eventually(lambda: house.room()["actuators"])  # type: ignore[misc]
        assert (actuator["actuator"], actuator["reason"], actuator["simulated"]) == (
            "reading-curtain", "default", False,
        )  # fmt: skip
        assert [device["id"] for device in house.room()["devices"]] == ["th-1", "th-2"]  # type: ignore[attr-defined]


class TestHistory:
    def stored(self, house: House, *values: float) -> datetime:
        """One value a minute, the last one now."""
        now = house.clock.now()
        rows = [point(now - timedelta(minutes=len(values) - 1 - n), v) for n, v in enumerate(values)]
        house.edge.batch(1, *rows)
        eventually(lambda: house.edge.acked(topics.TELEMETRY_ACK) == [len(values)], "the confirmation")
        return now

    def ask(self, house: House, room: str = "reading-room", **query: Any) -> Any:
        return house.client.get(f"/api/v1/rooms/{room}/history", params={"metric": "temp", **query})

    def test_it_comes_as_columns_of_buckets(self, house: House) -> None:
        now = self.stored(house, 20.0, 22.0, 27.0, 25.0)
        start = now - timedelta(minutes=3)
        query = {"from": start.isoformat(), "to": (now + timedelta(minutes=1)).isoformat(), "buckets": 2}
        assert self.ask(house, **query).json() == {
            "metric": "temp",
            "unit": "°C",
            "bucket_s": 120,
            "t": [int(start.timestamp() * 1000), int(start.timestamp() * 1000) + 120_000],
            "min": [20.0, 25.0],
            "mean": [21.0, 26.0],
            "max": [22.0, 27.0],
            "n": [2, 2],
        }

    def test_by_default_it_is_the_last_day(self, house: House) -> None:
        self.stored(house, 20.0, 21.0)
        house.clock.advance(hours=23)
        assert self.ask(house).json()["mean"] == [20.0, 21.0]
        house.clock.advance(hours=2)
        assert self.ask(house).json()["t"] == []

    def test_never_more_than_a_thousand_buckets(self, house: House) -> None:
        assert self.ask(house, buckets=1001).status_code == 422
        assert self.ask(house, buckets=1000).json()["bucket_s"] == 87

    @pytest.mark.parametrize(
        "query",
        [
            {"from": "2026-03-02T00:00:00Z", "to": "2026-03-02T00:00:00Z"},
            {"from": "2026-03-02T00:00:01Z", "to": "2026-03-02T00:00:00Z"},
            {"from": "2020-01-01T00:00:00Z"},
            {"from": "2026-03-02T00:00:00"},
            {"from": "yesterday"},
            {"to": "0001-01-01T00:00:00Z"},
            {"metric": "pressure"},
            {"metric": ""},
            {"buckets": 0},
        ],
    )
    def test_a_bad_range_is_refused(self, house: House, query: dict[str, Any]) -> None:
        answer = self.ask(house, **query)
        assert answer.status_code == 422
        assert answer.json()["code"] in ("bad_range", "malformed_request")

    def test_an_unknown_room_is_not_found_and_those_that_exist_are_named(self, house: House) -> None:
        answer = self.ask(house, room="cellar")
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown_room")
        assert answer.json()["params"] == {"rooms": "reading-room, stacks"}


@pytest.fixture
def controlled(house: House) -> House:
    """The gateway has told of the curtain, and takes wishes."""
    house.edge.table(curtain())
    house.edge.on_command = house.edge.result
    eventually(lambda: house.room()["actuators"], "the table")
    return house


def take(house: House, **body: Any) -> Any:
    return house.client.post(OVERRIDES, json={**CLOSE, **body}, headers=house.staff())


def record(house: House, id_: str) -> overrides.Override:
    with house.database.reading() as session:
        found = overrides.find(session, id_)
    assert found is not None
    return found


class TestManualControl:
    @pytest.mark.parametrize("role", [Role.LIBRARIAN, Role.DUTY_STAFF, Role.ADMINISTRATOR])
    def test_staff_take_control_and_the_gateway_hears_of_it(self, controlled: House, role: Role) -> None:
        answer = controlled.client.post(OVERRIDES, json=CLOSE, headers=controlled.staff(role))
        assert answer.status_code == 201, answer.text
        ((name, command),) = controlled.edge.commands
        assert name == controlled.edge.name(topics.COMMAND, "reading-curtain")
        assert isinstance(command, OverrideSet)
        assert (command.value, command.duration_s, command.by) == (100.0, 7200, role.value)
        until = (controlled.clock.now() + timedelta(hours=2)).isoformat().replace("+00:00", "Z")
        assert answer.json() == {
            "id": command.id, "actuator": "reading-curtain", "value": 100.0, "until": until, "status": "done"
        }  # fmt: skip

    def test_without_an_answer_it_is_on_its_way(self, controlled: House) -> None:
        controlled.edge.on_command = lambda _command: None
        answer = take(controlled)
        assert (answer.status_code, answer.json()["status"]) == (202, "sent")
        with controlled.database.reading() as session:
            newest = overrides.newest(session, controlled.clock.now())
            assert newest["reading-room", "reading-curtain"].id == answer.json()["id"]

    def test_a_late_answer_still_counts(self, controlled: House) -> None:
        controlled.edge.on_command = lambda _command: None
        id_ = take(controlled).json()["id"]
        controlled.clock.advance(seconds=61)
        eventually(lambda: record(controlled, id_).code == "no_answer", "giving up")
        controlled.edge.answer(controlled.edge.result(controlled.edge.commands[0][1]))
        eventually(lambda: record(controlled, id_).state == "in_force", "the late answer")

    def test_the_gateways_refusal_is_a_conflict_with_its_code(self, controlled: House) -> None:
        controlled.edge.on_command = lambda c: controlled.edge.result(c, "rejected", "value_out_of_range")
        answer = take(controlled)
        assert (answer.status_code, answer.json()["code"]) == (409, "value_out_of_range")

    def test_an_unknown_actuator_is_not_found_and_those_that_exist_are_named(self, controlled: House) -> None:
        answer = take(controlled, actuator="reading-door")
        assert (answer.status_code, answer.json()["params"]) == (404, {"actuators": "reading-curtain"})
        other = controlled.client.post("/api/v1/rooms/stacks/overrides", json=CLOSE, headers=controlled.staff())
        assert (other.status_code, other.json()["params"]) == (404, {"actuators": "none"})

    def test_before_any_gateway_was_heard_of_nothing_can_be_asked(self, house: House) -> None:
        answer = take(house)
        assert (answer.status_code, answer.json()["code"]) == (503, "gateway_offline")

    @pytest.mark.parametrize(
        "body",
        [
            {"value": 101},
            {"value": -1},
            {"value": "NaN"},
            {"duration_s": 0},
            {"duration_s": 43201},
            {"actuator": "A B"},
        ],
    )
    def test_a_malformed_wish_is_refused(self, controlled: House, body: dict[str, Any]) -> None:
        assert take(controlled, **body).status_code == 422
        assert controlled.edge.commands == []

    def test_readers_and_strangers_may_not(self, controlled: House) -> None:
        assert controlled.client.post(OVERRIDES, json=CLOSE).status_code == 401
        assert controlled.client.post(OVERRIDES, json=CLOSE, headers=reader(controlled.client)).status_code == 403
        assert controlled.client.delete("/api/v1/overrides/x").status_code == 401


class TestItsEnd:
    def begin(self, house: House) -> str:
        """Take control; the gateway lists it."""
        id_ = str(take(house).json()["id"])
        command = house.edge.commands[-1][1]
        assert isinstance(command, OverrideSet)
        house.edge.table(curtain(override=held(command, house.clock.now())))
        eventually(lambda: house.room()["actuators"][0]["override"], "the override")  # type: ignore[index]
        return id_

    def give_back(self, house: House, id_: str) -> Any:
        return house.client.delete(f"/api/v1/overrides/{id_}", headers=house.staff())

    def test_giving_back_ends_it(self, controlled: House) -> None:
        id_ = self.begin(controlled)
        assert self.give_back(controlled, id_).status_code == 204
        command = controlled.edge.commands[-1][1]
        assert isinstance(command, OverrideCancel)
        assert (command.override, command.actuator) == (id_, "reading-curtain")
        assert record(controlled, id_).end == "cancelled"
        again = self.give_back(controlled, id_)
        assert (again.status_code, again.json()["code"]) == (409, "override_ended")

    def test_giving_back_without_an_answer_is_on_its_way(self, controlled: House) -> None:
        id_ = self.begin(controlled)
        controlled.edge.on_command = lambda _command: None
        assert self.give_back(controlled, id_).status_code == 202

    def test_a_refusal_leaves_it_in_force(self, controlled: House) -> None:
        id_ = self.begin(controlled)
        controlled.edge.on_command = lambda c: controlled.edge.result(c, "rejected", "wrong_state")
        assert self.give_back(controlled, id_).json()["code"] == "wrong_state"
        assert record(controlled, id_).state == "in_force"

    def test_an_unknown_one_is_not_found(self, controlled: House) -> None:
        answer = self.give_back(controlled, "never-was")
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown_override")

    def test_time_ends_it(self, controlled: House) -> None:
        id_ = self.begin(controlled)
        controlled.clock.advance(hours=3)
        controlled.edge.table(curtain())
        eventually(lambda: record(controlled, id_).end == "expired", "the end")

    def test_another_one_ends_it(self, controlled: House) -> None:
        first = self.begin(controlled)
        controlled.clock.advance(seconds=1)
        second = self.begin(controlled)
        eventually(lambda: record(controlled, first).end == "replaced", "the end")
        assert record(controlled, second).state == "in_force"

    def test_an_older_table_does_not_end_it(self, controlled: House) -> None:
        id_ = str(take(controlled).json()["id"])
        controlled.edge.table(curtain(), ts=controlled.clock.now() - timedelta(seconds=1))
        controlled.edge.report("th-1", temp=33.0)
        eventually(lambda: value(controlled)["value"] == 33.0)
        assert record(controlled, id_).state == "in_force"

    def test_one_that_began_without_this_database_is_taken_up_and_can_be_given_back(self, controlled: House) -> None:
        now = controlled.clock.now()
        wish = OverrideSet(
            id="from-before", actuator="reading-curtain", value=50, duration_s=600, by="anna", expires=now
        )
        controlled.edge.table(curtain(override=held(wish, now)))

        def taken_up() -> bool:
            with controlled.database.reading() as session:
                return overrides.find(session, "from-before") is not None

        eventually(taken_up, "the record")
        assert record(controlled, "from-before").by == "anna"
        assert self.give_back(controlled, "from-before").status_code == 204


def test_a_repeat_of_an_answer_changes_nothing(controlled: House) -> None:
    id_ = take(controlled).json()["id"]
    command = controlled.edge.commands[0][1]
    refusal: CommandResult = controlled.edge.result(command, "rejected", "wrong_state")
    controlled.edge.answer(refusal)
    controlled.edge.report("th-1", temp=33.0)
    controlled.edge.batch(1, point(controlled.clock.now(), 1.0))
    eventually(lambda: controlled.edge.acked(topics.TELEMETRY_ACK), "what came after it")
    assert record(controlled, id_).state == "in_force"
