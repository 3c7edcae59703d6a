"""The plan of now: sensors that people named measure their room, other devices do not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from carrel.contracts.telemetry import DeviceInfo, DeviceList, DeviceState, Quantity
from carrel.sections import RoomConfig
from server.rooms.picture import Picture
from server.rooms.plan import Plan, PresentPlan, RoomPlan
from server.telemetry.store import Source

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
CONFIG = Plan(
    {
        "stacks": RoomPlan(RoomConfig(id="stacks", name="Stacks"), {Quantity.TEMP: frozenset({"stacks-th"})}),
        "hall": RoomPlan(RoomConfig(id="hall", name="Hall"), {}),
    },
    timedelta(minutes=15),
    simulated=True,
)


def plan(*devices: DeviceInfo, told: dict[str, DeviceState]) -> PresentPlan:
    """With these devices on a gateway that has told these states."""
    picture = Picture()
    picture.set_devices("gw-1", DeviceList(devices=devices))
    for device, state in told.items():
        picture.set_device("gw-1", device, state)
    return PresentPlan(CONFIG, picture)


def state(zone: str, **values: float) -> DeviceState:
    found = {Quantity(name): value for name, value in values.items()}
    return DeviceState(ts=NOW, seq=1, zone=zone, values=found, at=dict.fromkeys(found, NOW))


def sensor(id_: str, zone: str, kind: str = "sensor") -> DeviceInfo:
    return DeviceInfo(id=id_, zone=zone, kind=kind)


def test_with_nobody_named_it_is_the_plan_of_config_toml() -> None:
    assert plan(sensor("stacks-th", "stacks"), told={"stacks-th": state("stacks", temp=20.0)}).rooms is CONFIG.rooms


def test_a_named_sensor_measures_its_room_beside_those_of_config_toml() -> None:
    now = plan(sensor("desk-air", "stacks"), told={"desk-air": state("stacks", temp=20.0, co2=600.0, battery=90.0)})
    assert now.rooms["stacks"].sensors == {
        Quantity.TEMP: {"stacks-th", "desk-air"},
        Quantity.CO2: {"desk-air"},
    }
    assert Quantity.CO2 in now.rooms["stacks"].shown
    assert now.rooms["hall"].sensors == {}


def test_an_air_conditioners_thermometer_is_no_sensor_of_the_room() -> None:
    now = plan(sensor("hall-ac", "hall", "ac"), told={"hall-ac": state("hall", temp=20.0)})
    assert now.rooms["hall"].sensors == {}


def test_a_carried_sensor_measures_its_new_room_once_it_has_told_of_it() -> None:
    moved = sensor("desk-air", "hall")
    assert plan(moved, told={"desk-air": state("stacks", co2=600.0)}).rooms["hall"].sensors == {}
    assert plan(moved, told={"desk-air": state("hall", co2=600.0)}).rooms["hall"].sensors == {
        Quantity.CO2: {"desk-air"}
    }


def test_a_sensor_of_config_toml_that_was_carried_measures_its_new_room_and_no_longer_the_old() -> None:
    moved = sensor("stacks-th", "hall")
    silent = plan(moved, told={"stacks-th": state("stacks", temp=20.0)})
    assert (silent.rooms["stacks"].sensors, silent.rooms["hall"].sensors) == ({}, {})
    told = plan(moved, told={"stacks-th": state("hall", temp=20.0, rh=50.0)})
    assert told.rooms["hall"].sensors == {Quantity.TEMP: {"stacks-th"}}  # as config.toml says: not its humidity
    assert told.rooms["stacks"].sensors == {}


def test_the_past_of_a_room_is_what_was_measured_in_it_whatever_became_of_the_device() -> None:
    here = plan(sensor("carried", "hall"), sensor("stacks-ac", "stacks", "ac"), told={})
    stored = [
        Source(device, "stacks", quantity)
        for device, quantity in (
            ("stacks-th", Quantity.TEMP),
            ("stacks-th", Quantity.RH),  # config.toml wants its temperature only
            ("carried", Quantity.TEMP),
            ("gone", Quantity.TEMP),
            ("stacks-ac", Quantity.TEMP),
            ("old-ac", Quantity.TEMP),
            ("old-ac", Quantity.SETPOINT),
        )
    ]
    assert [source.device for source in here.measured(stored, Quantity.TEMP)] == ["stacks-th", "carried", "gone"]
    assert here.measured(stored, Quantity.RH) == []
