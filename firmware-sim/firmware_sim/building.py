"""Physics of the rooms: heat, moisture and daylight. Pure: time is handed in, nothing is read from anywhere.

Each room is a node of air and one of mass, with a humidity ratio of the air and a humidity of the material (books);
explicit Euler at steps of at most a minute.
"""

import itertools
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal

from firmware_sim.weather import LUX_PER_WATT, SEASONS, Climate, Sky, Weather, humidity_ratio, relative_humidity

OUTDOORS: Final = "out"
MAX_STEP_S: Final = 60.0
LIMITS: Final = {"temp": (-40.0, 80.0), "rh": (0.0, 100.0), "lux": (0.0, 150_000.0)}

_RHO: Final = 1.2  # kg/m3
_CP: Final = 1006.0  # J/(kg K)
_HFG: Final = 2.45e6  # J/kg
_COIL_RATIO: Final = humidity_ratio(10.0, 95.0)
_CONVECTIVE_SHARE: Final = 0.5
_AC_BAND_K: Final = 0.5
_BACKGROUND_HEAT_C: Final = 16.0  # kept by a thermostat of its own, below any setpoint that a rule asks for
_HEAT_BAND_K: Final = 0.5
_BREATH_M3_H: Final = 0.018  # carbon dioxide of one sitting person
_OUTDOOR_CO2_PPM: Final = 420.0
_J_PER_KWH: Final = 3.6e6
_OPEN_HOUR: Final = 8.0
_CLOSE_HOUR: Final = 21.0


class NotThereError(KeyError):
    """Something asked for by name does not exist; the message names what does."""

    def __init__(self, kind: str, name: str, existing: Iterable[str]) -> None:
        super().__init__(f"no {kind} {name!r}; there are: {', '.join(existing) or 'none'}")

    def __str__(self) -> str:
        return str(self.args[0])


@dataclass(frozen=True, slots=True)
class Fabric:
    """What a room is made of; W/K, J/K, m2, m3, W, kg/s as the names of the physics say."""

    volume_m3: float
    mass_j_k: float
    air_mass_w_k: float
    wall_w_k: float
    window_w_k: float
    window_m2: float
    window_g: float
    daylight_factor: float
    leak_ach: float
    vent_ach: float
    ac_w: float
    ac_sensible: float
    ac_cop: float
    heat_w: float
    heat_cop: float
    fan_w: float
    dry_kg_s: float
    dry_w: float
    people_max: float
    base_w: float
    lamps_w: float
    lamps_lux: float
    books_kg_s: float
    books_kg: float

    @property
    def air_j_k(self) -> float:
        """Heat capacity of air and furniture: five times the air's."""
        return 5 * _RHO * _CP * self.volume_m3


READING_ROOM: Final = Fabric(
    volume_m3=1200, mass_j_k=40e6, air_mass_w_k=1500, wall_w_k=160, window_w_k=65,
    window_m2=36, window_g=0.40, daylight_factor=0.035, leak_ach=0.35, vent_ach=4.0,
    ac_w=24e3, ac_sensible=0.75, ac_cop=3.0, heat_w=20e3, heat_cop=3.0, fan_w=600, dry_kg_s=0.0012, dry_w=1900,
    people_max=60, base_w=300, lamps_w=2400, lamps_lux=80,
    books_kg_s=0.020, books_kg=140,
)  # fmt: skip
STACKS: Final = Fabric(
    volume_m3=1400, mass_j_k=160e6, air_mass_w_k=2200, wall_w_k=110, window_w_k=8,
    window_m2=4, window_g=0.35, daylight_factor=0.002, leak_ach=0.08, vent_ach=2.0,
    ac_w=9e3, ac_sensible=0.70, ac_cop=3.0, heat_w=8e3, heat_cop=3.0, fan_w=350, dry_kg_s=0.0005, dry_w=800,
    people_max=1, base_w=50, lamps_w=800, lamps_lux=60,
    books_kg_s=0.060, books_kg=2400,
)  # fmt: skip
FABRICS: Final = {"reading-room": READING_ROOM, "stacks": STACKS}


@dataclass(slots=True)
class Energy:
    """Electricity used so far, in kWh by device."""

    cooling: float = 0.0
    heating: float = 0.0
    fan: float = 0.0
    drying: float = 0.0
    lamps: float = 0.0


@dataclass(slots=True)
class Room:
    """One room, or the air at the outdoor station. Virtual devices read and write these attributes.

    temp degC, rh percent, lux at the sensor, co2 ppm, curtain 0 open..100 closed, vent 0..100.
    """

    id: str
    temp: float
    rh: float
    lux: float = 0.0
    curtain_closed_pct: float = 0.0
    ac_on: bool = False
    ac_setpoint: float = 25.0
    vent_pct: float = 0.0
    heater_on: bool = False
    dehumidifier_on: bool = False
    background_heat_c: float = _BACKGROUND_HEAT_C
    co2: float = _OUTDOOR_CO2_PPM
    people: float = 0.0
    people_set: float | None = None  # readers in the room, when set by hand
    siren: bool = False
    energy: Energy = field(default_factory=Energy)
    mass_temp: float = field(init=False)
    books_rh: float = field(init=False)
    daylight: float | None = field(default=None, init=False)  # lux with the curtain open, when set by hand

    def __post_init__(self) -> None:
        self.mass_temp = self.temp
        self.books_rh = self.rh

    def observe(self) -> dict[str, float | bool]:
        """What an onlooker sees, rounded."""
        return {
            "temp": round(self.temp, 2),
            "rh": round(self.rh, 2),
            "lux": round(self.lux, 1),
            "curtain_closed_pct": round(self.curtain_closed_pct, 1),
            "ac_on": self.ac_on,
            "ac_setpoint": round(self.ac_setpoint, 2),
            "vent_pct": round(self.vent_pct, 1),
            "people": round(self.people, 1),
            "co2": round(self.co2),
            "dehumidifier_on": self.dehumidifier_on,
            "siren": self.siren,
        }


class Building:
    """All rooms and the weather, moved on by `step`."""

    def __init__(self, start: datetime, climate: Climate = SEASONS) -> None:
        self.clock = start
        self._weather = Weather(climate)
        temp, rh = self._weather.air(start)
        self.rooms = {
            "reading-room": Room("reading-room", 24.5, 52.0),
            "stacks": Room("stacks", 21.5, 50.0),
            OUTDOORS: Room(OUTDOORS, temp, rh),
        }
        self._refresh(self._weather.sky(start))

    def step(self, dt_s: float) -> None:
        """Let `dt_s` seconds of building time pass; at 0 only light follows the curtains."""
        while dt_s > 0:
            part_s = min(dt_s, MAX_STEP_S)
            dt_s -= part_s
            self._advance(part_s)
        self._refresh(self._weather.sky(self.clock))

    def set(
        self,
        room: str,
        *,
        temp: float | None = None,
        rh: float | None = None,
        lux: float | Literal["auto"] | None = None,
    ) -> None:
        """Set a room's present state; physics goes on from it. NotThereError, ValueError with the allowed range.

        `temp` alone leaves the relative humidity as it is. `lux` is the daylight with the curtain open, until "auto".
        """
        place = self.room(room)
        for name, value in (("temp", temp), ("rh", rh), ("lux", lux)):
            if isinstance(value, float | int):
                _check(name, value)
        place.temp = place.temp if temp is None else float(temp)
        place.rh = place.rh if rh is None else float(rh)
        if room == OUTDOORS and (temp is not None or rh is not None):
            self._weather.set_air(self.clock, place.temp, place.rh)
        place.mass_temp = place.mass_temp if temp is None else place.temp
        place.books_rh = place.books_rh if rh is None else place.rh
        if lux is not None:
            place.daylight = None if lux == "auto" else float(lux)
            if room == OUTDOORS:
                self._weather.daylight = place.daylight
        self._refresh(self._weather.sky(self.clock))

    def set_people(self, room: str, count: float | None) -> None:
        """Readers in a room, until None gives them back to the timetable. NotThereError, ValueError with the range."""
        most = {name: 10 * fabric.people_max for name, fabric in FABRICS.items()}
        if room not in most:
            raise NotThereError("room for people", room, most)
        if count is not None and not 0 <= count <= most[room]:
            raise ValueError(f"people={count:g} is outside 0..{most[room]:g}")
        self.rooms[room].people_set = count
        self._refresh(self._weather.sky(self.clock))

    def room(self, name: str) -> Room:
        """The room of this name, or NotThereError."""
        try:
            return self.rooms[name]
        except KeyError:
            raise NotThereError("room", name, self.rooms) from None

    def _advance(self, dt_s: float) -> None:
        self.clock += timedelta(seconds=dt_s)
        self._weather.step(dt_s)
        sky = self._weather.sky(self.clock)
        out = self.rooms[OUTDOORS]
        out.temp, out.rh = self._weather.air(self.clock)
        crowd, lit = crowd_share(self.clock), lamps_on(self.clock)
        for name, fabric in FABRICS.items():
            _advance_room(self.rooms[name], fabric, out, sky=sky, crowd=crowd, lit=lit, dt_s=dt_s)

    def _refresh(self, sky: Sky) -> None:
        """Light follows sun, curtain and lamps at once."""
        out = self.rooms[OUTDOORS]
        out.lux = LUX_PER_WATT * sky.ghi
        lit = lamps_on(self.clock)
        for name, fabric in FABRICS.items():
            self.rooms[name].people = _people(self.rooms[name], fabric, crowd_share(self.clock))
            self.rooms[name].lux = _lux(self.rooms[name], fabric, sky, lit=lit)


def crowd_share(when: datetime) -> float:
    """How full the library is, 0..1: fills from opening, a lunch dip, fullest in the afternoon, empty when closed."""
    hour = when.hour + when.minute / 60
    if not _OPEN_HOUR <= hour < _CLOSE_HOUR:
        return 0.0
    points = ((8.0, 0.05), (10.5, 0.6), (12.5, 0.35), (15.0, 0.8), (18.0, 0.45), (21.0, 0.1))
    for (left, low), (right, high) in itertools.pairwise(points):
        if hour < right:
            return low + (high - low) * (hour - left) / (right - left)
    return 0.0


def lamps_on(when: datetime) -> bool:
    """Lamps burn in opening hours."""
    return _OPEN_HOUR <= when.hour + when.minute / 60 < _CLOSE_HOUR


def _check(name: str, value: float) -> None:
    low, high = LIMITS[name]
    if not low <= value <= high:
        raise ValueError(f"{name}={value:g} is outside {low:g}..{high:g}")


def _lux(room: Room, fabric: Fabric, sky: Sky, *, lit: bool) -> float:
    closed = room.curtain_closed_pct / 100
    lamps = fabric.lamps_lux if lit else 0.0
    if room.daylight is not None:
        return room.daylight * (1 - 0.85 * closed) + lamps
    diffuse = fabric.daylight_factor * LUX_PER_WATT * sky.ghi * (1 - 0.85 * closed)
    # The beam share is scaled by the daylight factor, so that a slit in the stacks is no shop window.
    beam = 0.02 * LUX_PER_WATT * sky.facade_beam * (1 - closed) * fabric.daylight_factor / READING_ROOM.daylight_factor
    return diffuse + beam + lamps


def _advance_room(room: Room, fabric: Fabric, out: Room, *, sky: Sky, crowd: float, lit: bool, dt_s: float) -> None:
    room.people = _people(room, fabric, crowd)
    lamps_w = fabric.lamps_w if lit else 0.0
    air_ach = fabric.leak_ach + fabric.vent_ach * room.vent_pct / 100
    air_kg_s = _RHO * fabric.volume_m3 * air_ach / 3600
    ratio, out_ratio = humidity_ratio(room.temp, room.rh), humidity_ratio(out.temp, out.rh)
    ac_w = fabric.ac_w * _clip((room.temp - room.ac_setpoint) / _AC_BAND_K) if room.ac_on else 0.0
    latent = (1 - fabric.ac_sensible) * _clip((ratio - _COIL_RATIO) / 0.006)
    dry_kg_s = fabric.dry_kg_s * _clip((ratio - 0.004) / 0.006) if room.dehumidifier_on else 0.0
    dry_w = fabric.dry_w if room.dehumidifier_on else 0.0
    background = _clip((room.background_heat_c - room.temp) / _HEAT_BAND_K)
    heat_w = fabric.heat_w * (1.0 if room.heater_on else background)
    books_kg_s = fabric.books_kg_s * (room.books_rh - room.rh) / 100
    water_kg_s = air_kg_s * (out_ratio - ratio) + room.people * 0.055 / 3600 + books_kg_s
    water_kg_s -= ac_w * latent / _HFG + dry_kg_s

    sun_w = fabric.window_m2 * fabric.window_g * sky.facade * (1 - 0.85 * room.curtain_closed_pct / 100)
    inner_w = fabric.base_w + 75 * room.people + lamps_w
    exchange_w = fabric.air_mass_w_k * (room.mass_temp - room.temp)
    leak_w = (fabric.window_w_k + air_kg_s * _CP) * (out.temp - room.temp)
    plant_w = heat_w + dry_w + dry_kg_s * _HFG - ac_w * (1 - latent)
    air_w = exchange_w + leak_w + _CONVECTIVE_SHARE * inner_w + 0.3 * sun_w + plant_w
    wall_w = fabric.wall_w_k * (out.temp - room.mass_temp)
    mass_w = wall_w - exchange_w + (1 - _CONVECTIVE_SHARE) * inner_w + 0.7 * sun_w

    room.temp += air_w * dt_s / fabric.air_j_k
    room.mass_temp += mass_w * dt_s / fabric.mass_j_k
    room.books_rh -= books_kg_s * dt_s / fabric.books_kg * 100
    room.rh = relative_humidity(room.temp, max(1e-5, ratio + water_kg_s * dt_s / (_RHO * fabric.volume_m3)))
    breath_ppm_h = 1e6 * room.people * _BREATH_M3_H / fabric.volume_m3
    room.co2 += (air_ach * (_OUTDOOR_CO2_PPM - room.co2) + breath_ppm_h) * dt_s / 3600
    _count(
        room.energy,
        dt_s,
        ac_w / fabric.ac_cop,
        heat_w / fabric.heat_cop,
        fabric.fan_w * room.vent_pct / 100,
        dry_w,
        lamps_w,
    )


def _count(energy: Energy, dt_s: float, *power_w: float) -> None:
    """Add each device's power over the step, in the order of Energy's fields."""
    cooling, heating, fan, drying, lamps = (watt * dt_s / _J_PER_KWH for watt in power_w)
    energy.cooling += cooling
    energy.heating += heating
    energy.fan += fan
    energy.drying += drying
    energy.lamps += lamps


def _people(room: Room, fabric: Fabric, crowd: float) -> float:
    return fabric.people_max * crowd if room.people_set is None else room.people_set


def _clip(share: float) -> float:
    return min(1.0, max(0.0, share))
