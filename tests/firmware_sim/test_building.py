"""Physics of the virtual building: directions and sizes that a person would expect."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.building import Building, NotThereError, Room, crowd_share, lamps_on
from firmware_sim.weather import SEASONS, Sky, humidity_ratio

LOCAL = timezone(timedelta(hours=8))
NOON = datetime(2026, 8, 28, 12, 0, tzinfo=LOCAL)
NIGHT = datetime(2026, 8, 28, 2, 0, tzinfo=LOCAL)


def _pair(start: datetime = NOON) -> tuple[Building, Building]:
    return Building(start), Building(start)


def _reading(building: Building) -> Room:
    return building.rooms["reading-room"]


def test_rooms_are_those_of_the_demo_library() -> None:
    assert list(Building(NOON).rooms) == ["reading-room", "stacks", "out"]


def test_air_conditioning_cools_towards_its_setpoint_and_stops_there() -> None:
    building = Building(NOON)
    building.set("reading-room", temp=30.0)
    _reading(building).ac_on, _reading(building).ac_setpoint = True, 25.0
    building.step(600)
    assert _reading(building).temp < 29.3
    building.step(6 * 3600)
    assert 24.5 < _reading(building).temp < 25.6


def test_air_conditioning_dries_damp_air() -> None:
    with_ac, without = _pair()
    for building in (with_ac, without):
        building.set("reading-room", temp=28.0, rh=75.0)
    _reading(with_ac).ac_on = True
    with_ac.step(3600)
    without.step(3600)
    dry, damp = _reading(with_ac), _reading(without)
    assert humidity_ratio(dry.temp, dry.rh) < 0.9 * humidity_ratio(damp.temp, damp.rh)


def test_heater_warms_and_its_electricity_is_a_third_of_its_heat() -> None:
    warm, cold = _pair(NIGHT)
    _reading(warm).heater_on = True
    for building in (warm, cold):
        building.step(3600)
    assert _reading(warm).temp > _reading(cold).temp + 3
    assert _reading(warm).energy.heating == pytest.approx(20 / 3)
    assert _reading(cold).energy.heating == 0


def test_dehumidifier_dries_the_air_and_warms_it() -> None:
    dried, damp = _pair(NIGHT)
    for building in (dried, damp):
        building.set("reading-room", temp=22.0, rh=65.0)
    _reading(dried).dehumidifier_on = True
    for building in (dried, damp):
        building.step(3600)
    assert _reading(dried).rh < _reading(damp).rh - 5
    assert _reading(dried).temp > _reading(damp).temp + 0.5
    assert _reading(dried).energy.drying == pytest.approx(1.9)


def test_readers_make_the_air_stuffy_and_the_fan_freshens_it_for_its_electricity() -> None:
    stuffy, fresh = _pair()
    _reading(fresh).vent_pct = 50.0
    for building in (stuffy, fresh):
        building.step(4 * 3600)
    assert _reading(stuffy).co2 > 1000 > _reading(fresh).co2 > 420
    assert _reading(fresh).energy.fan == pytest.approx(4 * 0.3)


def test_air_conditioner_s_electricity_follows_its_load() -> None:
    building = Building(NOON)
    building.set("reading-room", temp=30.0)
    _reading(building).ac_on, _reading(building).ac_setpoint = True, 5.0
    building.step(1800)
    assert _reading(building).energy.cooling == pytest.approx(24 / 3 / 2)


def test_seasons_are_warm_and_damp_in_summer_and_cool_and_dry_in_winter() -> None:
    july, january = (SEASONS.air(datetime(2026, month, 20, 15, 0, tzinfo=LOCAL)) for month in (7, 1))
    assert 30 < july[0] < 36
    assert 5 < january[0] < 12
    assert july[1] > 3 * january[1]


def test_building_takes_another_climate() -> None:
    class Frost:
        def air(self, when: datetime) -> tuple[float, float]:
            return -20.0, 0.0005

        def sky(self, when: datetime) -> Sky:
            return Sky(0.0, 0.0, 0.0, 0.0)

    building = Building(NOON, Frost())
    building.step(600)
    assert building.rooms["out"].temp == -20.0
    assert building.rooms["out"].lux == 0


def test_closed_curtain_darkens_at_once_and_keeps_the_sun_s_heat_out() -> None:
    closed, opened = _pair()
    bright = _reading(closed).lux
    _reading(closed).curtain_closed_pct = 100.0
    closed.step(0)
    assert _reading(closed).lux < 0.25 * bright
    closed.step(3 * 3600)
    opened.step(3 * 3600)
    assert _reading(closed).temp < _reading(opened).temp - 0.3


def test_ventilation_pulls_the_room_towards_the_outdoor_air() -> None:
    vented, shut = _pair(NIGHT)
    for building in (vented, shut):
        building.set("reading-room", temp=30.0)
    _reading(vented).vent_pct = 100.0
    vented.step(3600)
    shut.step(3600)
    assert _reading(vented).temp < _reading(shut).temp - 1.0
    assert _reading(vented).rh > _reading(shut).rh


def test_set_state_stays_for_a_while_and_physics_goes_on() -> None:
    building = Building(NOON)
    for room in ("reading-room", "stacks"):
        building.set(room, temp=38.0, rh=70.0)
    building.step(600)
    for room in ("reading-room", "stacks"):
        assert building.rooms[room].temp == pytest.approx(38.0, abs=0.5)
        assert building.rooms[room].rh == pytest.approx(70.0, abs=2.5)
    _reading(building).vent_pct = 100.0
    building.step(12 * 3600)
    assert _reading(building).temp < 34.0


def test_temperature_alone_leaves_the_humidity() -> None:
    building = Building(NOON)
    building.set("reading-room", temp=31.0)
    assert _reading(building).rh == 52.0


def test_daylight_that_was_set_holds_until_auto_and_the_curtain_shades_it() -> None:
    building = Building(NOON)
    natural = _reading(building).lux
    building.set("reading-room", lux=3000)
    assert _reading(building).lux == pytest.approx(3080)
    building.step(4 * 3600)
    assert _reading(building).lux == pytest.approx(3080)
    _reading(building).curtain_closed_pct = 100.0
    building.step(0)
    assert _reading(building).lux == pytest.approx(3000 * 0.15 + 80)
    building.set("reading-room", lux="auto")
    _reading(building).curtain_closed_pct = 0.0
    building.step(0)
    assert _reading(building).lux != pytest.approx(3080)
    assert natural > 500


def test_lamps_add_at_most_80_lux_at_the_sensor_and_burn_in_opening_hours() -> None:
    building = Building(NOON)
    building.set("reading-room", lux=0)
    assert _reading(building).lux == 80
    building.step(12 * 3600)
    assert _reading(building).lux == 0
    assert [hour for hour in range(24) if lamps_on(NOON.replace(hour=hour))] == list(range(8, 21))


def test_outdoor_station_can_be_set_and_fades_back_into_the_weather() -> None:
    changed, natural = _pair()
    changed.set("out", temp=5.0, rh=40.0)
    changed.step(60)
    natural.step(60)
    assert changed.rooms["out"].temp == pytest.approx(5.0, abs=0.5)
    assert changed.rooms["out"].rh == pytest.approx(40.0, abs=2)
    for building in (changed, natural):
        building.step(48 * 3600)
    assert changed.rooms["out"].temp == pytest.approx(natural.rooms["out"].temp, abs=0.1)


def test_outdoor_daylight_lights_the_rooms() -> None:
    building = Building(NIGHT)
    assert _reading(building).lux == 0
    building.set("out", lux=50_000)
    assert building.rooms["out"].lux == pytest.approx(50_000)
    assert _reading(building).lux == pytest.approx(0.035 * 50_000)
    building.set("out", lux="auto")
    assert building.rooms["out"].lux == 0


def test_sun_rises_stands_high_at_noon_and_sets() -> None:
    building, lux = Building(NIGHT.replace(hour=0)), []
    for _ in range(24):
        lux.append(building.rooms["out"].lux)
        building.step(3600)
    assert lux[2] == lux[22] == 0
    assert lux[12] > lux[8] > lux[6] > 0
    assert 40_000 < lux[12] < 110_000
    assert building.clock == NIGHT.replace(hour=0) + timedelta(days=1)


def test_reading_room_gets_warm_and_stacks_stay_steady_on_a_day_without_control() -> None:
    building = Building(NIGHT.replace(hour=0))
    building.step(16 * 3600)
    assert 28 < _reading(building).temp < 35
    assert 21 < building.rooms["stacks"].temp < 24


def test_library_is_empty_at_night_and_fullest_in_the_afternoon() -> None:
    assert crowd_share(NIGHT) == 0
    assert max(range(24), key=lambda hour: crowd_share(NOON.replace(hour=hour))) == 15


@pytest.mark.parametrize("wrong", [{"temp": 81.0}, {"rh": -1.0}, {"lux": float("nan")}, {"temp": float("inf")}])
def test_impossible_states_are_refused_and_change_nothing(wrong: dict[str, float]) -> None:
    building = Building(NOON)
    before = _reading(building).observe()
    with pytest.raises(ValueError, match="outside"):
        building.set("reading-room", **wrong)
    assert _reading(building).observe() == before


def test_readers_are_set_by_hand_until_the_timetable_has_them_again() -> None:
    building = Building(NOON)
    usual = building.rooms["reading-room"].people
    building.set_people("reading-room", 40)
    building.step(60)
    assert building.rooms["reading-room"].observe()["people"] == 40
    building.set_people("reading-room", None)
    assert building.rooms["reading-room"].people == pytest.approx(usual, abs=1)
    with pytest.raises(ValueError, match=r"people=601 is outside 0..600"):
        building.set_people("reading-room", 601)
    with pytest.raises(NotThereError, match="no room for people 'out'; there are: reading-room, stacks"):
        building.set_people("out", 1)


def test_unknown_room_names_the_rooms() -> None:
    with pytest.raises(NotThereError) as refused:
        Building(NOON).set("attic", temp=20)
    assert str(refused.value) == "no room 'attic'; there are: reading-room, stacks, out"


@given(
    temp=st.floats(-20, 60),
    rh=st.floats(0, 100),
    vent=st.floats(0, 100),
    curtain=st.floats(0, 100),
    ac=st.booleans(),
    steps=st.lists(st.floats(0, 7200), max_size=8),
)
def test_no_state_drives_the_rooms_out_of_this_world(
    temp: float, rh: float, vent: float, curtain: float, ac: bool, steps: list[float]
) -> None:
    building = Building(datetime(2026, 8, 28, tzinfo=UTC))
    building.set("reading-room", temp=temp, rh=rh)
    room = _reading(building)
    room.vent_pct, room.curtain_closed_pct, room.ac_on = vent, curtain, ac
    for dt_s in steps:
        building.step(dt_s)
        assert min(temp, 15.0) - 6 < room.temp < max(temp, 45.0) + 6
        assert 0 <= room.rh <= 100
        assert 0 <= room.lux < 20_000
