"""What a month in a room is judged by: shares of minutes of the true climate, not of the sensed one."""

from __future__ import annotations

from dataclasses import dataclass, field

from environment.preservation.chemistry import ClimateSpan, twpi
from environment.preservation.mould import mould_critical_rh
from firmware_sim.building import Energy, Room

Span = tuple[float, float]
CO2_LIMIT_PPM = 1000.0


@dataclass(frozen=True)
class Band:
    """What a room should be held in; `night` is the temperature outside opening hours, for every mode alike."""

    temp: Span
    night: Span
    rh: Span
    lux: float


BANDS = {
    "reading-room": Band(temp=(20.0, 26.0), night=(16.0, 30.0), rh=(35.0, 60.0), lux=600.0),
    "stacks": Band(temp=(14.0, 22.0), night=(14.0, 22.0), rh=(35.0, 60.0), lux=200.0),
}


@dataclass
class Tally:
    """Counts minutes while a room lives."""

    band: Band
    minutes: int = 0
    open_minutes: int = 0
    hits: dict[str, int] = field(default_factory=dict)
    mould_minutes: int = 0
    lux_minutes: float = 0.0
    switches: int = 0
    climate: list[ClimateSpan] = field(default_factory=list)

    def minute(self, room: Room, *, is_open: bool) -> None:
        """Count one minute of this room."""
        band = self.band
        day = band.temp[0] <= room.temp <= band.temp[1]
        night = band.night[0] <= room.temp <= band.night[1]
        rh = band.rh[0] <= room.rh <= band.rh[1]
        temp = day if is_open else night
        self.minutes += 1
        self.open_minutes += is_open
        found = {
            "temp": temp,
            "rh": rh,
            "joint": temp and rh,
            "joint_day_band": day and rh,
            "joint_open": is_open and day and rh,
            "air_open": is_open and room.co2 <= CO2_LIMIT_PPM,
            "lux": room.lux <= band.lux,
        }
        for name, hit in found.items():
            self.hits[name] = self.hits.get(name, 0) + hit
        critical = mould_critical_rh(room.temp, "very")
        self.mould_minutes += critical is not None and room.rh >= critical
        self.lux_minutes += room.lux
        self.climate.append(ClimateSpan(1 / 60, room.temp, room.rh))


@dataclass(frozen=True)
class Figures:
    """A room's month in numbers: kWh, percent, hours, years."""

    cooling: float
    heating: float
    fan: float
    drying: float
    temp: float
    rh: float
    joint: float
    joint_open: float
    joint_day_band: float
    air_open: float
    lux: float
    light_klxh: float
    switches_per_day: float
    mould_hours: float
    twpi: float

    @property
    def kwh(self) -> float:
        """All of the plant; lamps burn alike in every mode and are left out."""
        return self.cooling + self.heating + self.fan + self.drying


def figures(tally: Tally, energy: Energy, before: Energy) -> Figures:
    """Sum a tally up; `before` is what the meters showed when it began."""
    share = {name: 100 * hits / tally.minutes for name, hits in tally.hits.items()}
    opened = 100 / max(1, tally.open_minutes)
    years = twpi(tally.climate)
    assert years is not None  # there was at least a minute
    return Figures(
        cooling=energy.cooling - before.cooling,
        heating=energy.heating - before.heating,
        fan=energy.fan - before.fan,
        drying=energy.drying - before.drying,
        temp=share["temp"],
        rh=share["rh"],
        joint=share["joint"],
        joint_open=tally.hits["joint_open"] * opened,
        joint_day_band=share["joint_day_band"],
        air_open=tally.hits["air_open"] * opened,
        lux=share["lux"],
        light_klxh=tally.lux_minutes / 60_000,
        switches_per_day=tally.switches / (tally.minutes / 1440),
        mould_hours=tally.mould_minutes / 60,
        twpi=years,
    )
