"""A year of measured hours as the climate of the virtual building: a TMY3-style CSV, one row an hour."""

from __future__ import annotations

import csv
import math
import os
from datetime import datetime, timedelta
from pathlib import Path

from firmware_sim.weather import SEASONS, Climate, Sky, sun_at

VARIABLE = "CARREL_WEATHER"
COLUMNS = ("month", "day", "hour_ending", "ghi_wm2", "dni_wm2", "dhi_wm2", "temp_c", "dew_point_c", "pressure_hpa")
LATITUDE_DEG = 36.1  # Greensboro; the sun's path is all that depends on it
SOLAR_OFFSET = timedelta(minutes=-20)  # 4.95 degrees west of the zone's meridian


class WeatherFileError(Exception):
    """There is no weather file where one was named, or it is no such file; the message says what to do."""


class MeasuredYear:
    """Hourly values, straight lines between the middles of hours; the year wraps."""

    def __init__(self, path: Path) -> None:
        self.name = path.name
        try:
            with path.open(newline="", encoding="utf-8") as file:
                rows = [[float(row[column]) for column in COLUMNS] for row in csv.DictReader(file)]
        except FileNotFoundError:
            raise WeatherFileError(
                f"there is no weather file {path}: name another, or none to run on the simulator's own seasons"
            ) from None
        except (OSError, KeyError, ValueError) as error:
            raise WeatherFileError(
                f"{path} is not a weather file ({error!r}): it needs the columns {', '.join(COLUMNS)}"
            ) from error
        self._hours = {(int(month), int(day), int(hour) - 1): tuple(rest) for month, day, hour, *rest in rows}
        if len(self._hours) != 8760:
            raise WeatherFileError(f"{path} has {len(self._hours)} different hours instead of 8760")

    def air(self, when: datetime) -> tuple[float, float]:
        """Temperature in degC and humidity ratio in kg/kg."""
        left, right, share = self._around(when)
        temp, dew, pressure_hpa = (
            low + share * (high - low) for low, high in zip(left[3:], right[3:], strict=True)
        )  # fmt: skip
        vapour_hpa = 6.1094 * math.exp(17.625 * dew / (243.04 + dew))
        return temp, 0.621945 * vapour_hpa / (pressure_hpa - vapour_hpa)

    def sky(self, when: datetime) -> Sky:
        """Sunshine; the facade sees the beam at its angle, half of the sky and a tenth of the light from the ground."""
        left, right, share = self._around(when)
        ghi, dni, dhi = (low + share * (high - low) for low, high in zip(left[:3], right[:3], strict=True))
        if ghi <= 0:
            return Sky(0.0, 0.0, 0.0, 0.0)
        height_sin, facade_cos = sun_at(when + SOLAR_OFFSET, LATITUDE_DEG)
        beam = dni * facade_cos if height_sin > 0.01 else 0.0
        return Sky(ghi, dni, beam, beam + 0.5 * dhi + 0.1 * ghi)

    def _around(self, when: datetime) -> tuple[tuple[float, ...], tuple[float, ...], float]:
        """The hours whose middles lie before and after, and how far between them."""
        early = when - timedelta(minutes=30)
        late = early + timedelta(hours=1)
        return self._hour(early), self._hour(late), (early.minute * 60 + early.second) / 3600

    def _hour(self, when: datetime) -> tuple[float, ...]:
        return self._hours[when.month, when.day, when.hour]


def climate_for(path: Path | None) -> tuple[Climate, str]:
    """The measured year from the file named here or by CARREL_WEATHER; without a name our own model, said so."""
    named = path or (Path(os.environ[VARIABLE]) if os.environ.get(VARIABLE) else None)
    if named is None:
        return SEASONS, "firmware_sim.weather.Seasons (a model; no weather file was named)"
    return MeasuredYear(named), named.name
