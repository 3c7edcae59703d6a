"""The weather over the virtual building: humid summers and cool winters at 31 degrees north, from a small model.

Sun position from declination and hour angle; clear-sky beam after Meinel (1353 W/m2 x 0.7 ^ airmass^0.678);
slow clouds. Another climate, such as a file of measured hours, can take the model's place.
"""

import math
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

LATITUDE_DEG: Final = 31.0
FACADE_AZIMUTH_DEG: Final = 200.0  # windows look south, a little west
LUX_PER_WATT: Final = 110.0
PRESSURE_PA: Final = 101_325.0
_WARMEST_DAY: Final = 205
_CALM_H: Final = 6.0  # time constant with which weather that was set by hand returns to the model


def humidity_ratio(temp: float, rh: float) -> float:
    """Kilograms of water per kilogram of dry air at `temp` degC and `rh` percent (Magnus formula)."""
    vapour_pa = rh / 100 * 611.2 * math.exp(17.62 * temp / (243.12 + temp))
    return 0.622 * vapour_pa / (PRESSURE_PA - vapour_pa)


def relative_humidity(temp: float, ratio: float) -> float:
    """Percent, 0..100, of air at `temp` degC holding `ratio` kg/kg; wetter air than saturated reads 100."""
    vapour_pa = PRESSURE_PA * ratio / (0.622 + ratio)
    return min(100.0, max(0.0, 100 * vapour_pa / (611.2 * math.exp(17.62 * temp / (243.12 + temp)))))


@dataclass(frozen=True, slots=True)
class Sky:
    """Sunshine in W/m2: on the ground (ghi), along the beam (dni), on the facade from the beam alone and from all."""

    ghi: float
    dni: float
    facade_beam: float
    facade: float

    def scaled(self, factor: float) -> "Sky":
        """The same sky, brighter or darker."""
        return Sky(self.ghi * factor, self.dni * factor, self.facade_beam * factor, self.facade * factor)


def sun_at(solar: datetime, latitude_deg: float) -> tuple[float, float]:
    """Sine of the sun's height, and the cosine of its angle to the facade (0 when behind it), at a solar time."""
    declination = math.radians(23.45 * math.sin(math.tau * (284 + solar.timetuple().tm_yday) / 365))
    latitude, angle = math.radians(latitude_deg), math.radians(15 * (_hour(solar) - 12))
    height_sin = math.sin(latitude) * math.sin(declination) + (
        math.cos(latitude) * math.cos(declination) * math.cos(angle)
    )
    # The sun's direction in a frame of south, west, up; the facade looks along its azimuth.
    south = math.sin(latitude) * math.cos(declination) * math.cos(angle) - math.cos(latitude) * math.sin(declination)
    west = math.cos(declination) * math.sin(angle)
    turned = math.radians(FACADE_AZIMUTH_DEG - 180)
    return height_sin, max(0.0, south * math.cos(turned) + west * math.sin(turned))


def sky_at(when: datetime) -> Sky:
    """Sunshine at a local time, taken as solar time."""
    height_sin, facade_cos = sun_at(when, LATITUDE_DEG)
    if height_sin <= 0.01:
        return Sky(0.0, 0.0, 0.0, 0.0)
    cloud = _cloud(when)
    dni = 1353 * 0.7 ** ((1 / height_sin) ** 0.678) * (1 - 0.8 * cloud)
    diffuse = (45 + 120 * cloud) * math.sqrt(height_sin)
    beam = dni * facade_cos
    ghi = dni * height_sin + diffuse
    return Sky(ghi, dni, beam, beam + 0.5 * diffuse + 0.1 * ghi)


class Climate(Protocol):
    """Where the weather comes from."""

    def air(self, when: datetime) -> tuple[float, float]:
        """Temperature in degC and humidity ratio in kg/kg at a local time."""
        ...

    def sky(self, when: datetime) -> Sky:
        """Sunshine at a local time."""
        ...


class Seasons:
    """The model of this module: warm and damp in summer, cool in winter; nothing in it is measured."""

    def air(self, when: datetime) -> tuple[float, float]:
        """Coolest before dawn, warmest at 15:00, a slow swing over five days; the warmest day is in late July."""
        day, hour = when.timetuple().tm_yday, _hour(when)
        swing = math.sin(math.tau * (day % 5) / 5 + math.tau * hour / 120)
        summer = math.cos(math.tau * (day - _WARMEST_DAY) / 365)
        temp = 16.5 + 12.1 * summer + 4.5 * math.cos(math.tau * (hour - 15) / 24) + 1.2 * swing
        daily = 0.0008 * swing + 0.0004 * math.cos(math.tau * (hour - 9) / 24)
        return temp, (0.0094 + 0.0058 * summer) * (1 + daily / 0.0142)

    def sky(self, when: datetime) -> Sky:
        """Sun and slow clouds."""
        return sky_at(when)


SEASONS: Final = Seasons()


class Weather:
    """Outdoor air and sun; what is set by hand fades into the climate within hours, daylight stays until `auto`."""

    def __init__(self, climate: Climate = SEASONS) -> None:
        self._climate = climate
        self._temp_offset = 0.0
        self._ratio_factor = 1.0
        self.daylight: float | None = None

    def air(self, when: datetime) -> tuple[float, float]:
        """Temperature in degC and relative humidity in percent."""
        temp, ratio = self._climate.air(when)
        temp += self._temp_offset
        return temp, relative_humidity(temp, ratio * self._ratio_factor)

    def sky(self, when: datetime) -> Sky:
        """Sunshine; with daylight set by hand, the climate's sky scaled to it (diffuse light when there is no sun)."""
        sky = self._climate.sky(when)
        if self.daylight is None:
            return sky
        ghi = self.daylight / LUX_PER_WATT
        return sky.scaled(ghi / sky.ghi) if sky.ghi > 1.0 else Sky(ghi, 0.0, 0.0, 0.5 * ghi)

    def set_air(self, when: datetime, temp: float, rh: float) -> None:
        """Make the air this now."""
        model_temp, model_ratio = self._climate.air(when)
        self._temp_offset = temp - model_temp
        self._ratio_factor = humidity_ratio(temp, rh) / model_ratio

    def step(self, dt_s: float) -> None:
        """Let what was set by hand fade."""
        keep = math.exp(-dt_s / (_CALM_H * 3600))
        self._temp_offset *= keep
        self._ratio_factor = 1 + (self._ratio_factor - 1) * keep


def _cloud(when: datetime) -> float:
    """Cloud cover 0..0.7: slow waves that do not repeat from day to day."""
    hours = when.timetuple().tm_yday * 24 + _hour(when)
    return 0.35 * (1 + math.sin(hours / 1.7) * math.sin(hours / 5.3 + 1))


def _hour(when: datetime) -> float:
    return when.hour + when.minute / 60 + when.second / 3600
