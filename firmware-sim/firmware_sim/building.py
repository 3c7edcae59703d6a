"""Physics of the rooms: heat, moisture and daylight. Pure: time is handed in, nothing is read from anywhere.

Each room is a node of air and one of mass, with a humidity ratio of the air and a humidity of the material (books);
explicit Euler at steps of at most a minute.
"""

import itertools
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal

from firmware_sim.weather import LUX_PER_WATT, Sky, Weather, humidity_ratio, relative_humidity

OUTDOORS: Final = "out"
MAX_STEP_S: Final = 60.0
LIMITS: Final = {"temp": (-40.0, 80.0), "rh": (0.0, 100.0), "lux": (0.0, 150_000.0)}

_RHO: Final = 1.2  # kg/m3
_CP: Final = 1006.0  # J/(kg K)
_HFG: Final = 2.45e6  # J/kg
_COIL_RATIO: Final = humidity_ratio(10.0, 95.0)
_CONVECTIVE_SHARE: Final = 0.5
_AC_BAND_K: Final = 0.5
_FROST_GUARD_C: Final = 16.0  # background heating, below any setpoint that a rule asks for
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
    heat_w: float
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
    ac_w=24e3, ac_sensible=0.75, heat_w=20e3, people_max=60, base_w=300, lamps_w=2400, lamps_lux=80,
    books_kg_s=0.020, books_kg=140,
)  # fmt: skip
STACKS: Final = Fabric(
    volume_m3=1400, mass_j_k=160e6, air_mass_w_k=2200, wall_w_k=110, window_w_k=8,
    window_m2=4, window_g=0.35, daylight_factor=0.002, leak_ach=0.08, vent_ach=2.0,
    ac_w=9e3, ac_sensible=0.70, heat_w=8e3, people_max=1, base_w=50, lamps_w=800, lamps_lux=60,
    books_kg_s=0.060, books_kg=2400,
)  # fmt: skip
FABRICS: Final = {"reading-room": READING_ROOM, "stacks": STACKS}


@dataclass(slots=True)
class Room:
    """One room, or the air at the outdoor station. Virtual devices read and write these attributes.

    temp degC, rh percent, lux at the sensor, curtain 0 open..100 closed, vent 0..100.
    """

    id: str
    temp: float
    rh: float
    lux: float = 0.0
    curtain_closed_pct: float = 0.0
    ac_on: bool = False
    ac_setpoint: float = 25.0
    vent_pct: float = 0.0
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
        }


class Building:
    """All rooms and the weather, moved on by `step`."""

    def __init__(self, start: datetime) -> None:
        self.clock = start
        self._weather = Weather()
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
    air_kg_s = _RHO * fabric.volume_m3 * (fabric.leak_ach + fabric.vent_ach * room.vent_pct / 100) / 3600
    people = fabric.people_max * crowd
    ratio, out_ratio = humidity_ratio(room.temp, room.rh), humidity_ratio(out.temp, out.rh)
    ac_w = fabric.ac_w * _clip((room.temp - room.ac_setpoint) / _AC_BAND_K) if room.ac_on else 0.0
    latent = (1 - fabric.ac_sensible) * _clip((ratio - _COIL_RATIO) / 0.006)
    books_kg_s = fabric.books_kg_s * (room.books_rh - room.rh) / 100
    water_kg_s = air_kg_s * (out_ratio - ratio) + people * 0.055 / 3600 + books_kg_s - ac_w * latent / _HFG

    sun_w = fabric.window_m2 * fabric.window_g * sky.facade * (1 - 0.85 * room.curtain_closed_pct / 100)
    inner_w = fabric.base_w + 75 * people + (fabric.lamps_w if lit else 0.0)
    heat_w = fabric.heat_w * _clip((_FROST_GUARD_C - room.temp) / _AC_BAND_K)
    exchange_w = fabric.air_mass_w_k * (room.mass_temp - room.temp)
    leak_w = (fabric.window_w_k + air_kg_s * _CP) * (out.temp - room.temp)
    air_w = exchange_w + leak_w + _CONVECTIVE_SHARE * inner_w + 0.3 * sun_w + heat_w - ac_w * (1 - latent)
    wall_w = fabric.wall_w_k * (out.temp - room.mass_temp)
    mass_w = wall_w - exchange_w + (1 - _CONVECTIVE_SHARE) * inner_w + 0.7 * sun_w

    room.temp += air_w * dt_s / fabric.air_j_k
    room.mass_temp += mass_w * dt_s / fabric.mass_j_k
    room.books_rh -= books_kg_s * dt_s / fabric.books_kg * 100
    room.rh = relative_humidity(room.temp, max(1e-5, ratio + water_kg_s * dt_s / (_RHO * fabric.volume_m3)))


def _clip(share: float) -> float:
    return min(1.0, max(0.0, share))
