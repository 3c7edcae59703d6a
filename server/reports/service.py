"""Reports of rooms, computed from the history when they are asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from carrel.clock import Clock
from carrel.contracts.telemetry import Quantity
from carrel.sections import RoomConfig
from environment.config import ActuatorConfig, EnvironmentConfig
from environment.preservation.zone import Figure, HourRow, light_figures, zone_figures
from environment.schedule import window
from server.reports import policy
from server.reports.errors import UnknownMonthError
from server.reports.policy import HOUR, UNKNOWN, Month, Period, Values
from server.reports.running import Running, running
from server.rooms.errors import UnknownRoomError
from server.rooms.plan import Plans, RoomPlan
from server.settings import ServerSettings
from server.telemetry.store import Source, TelemetryStore, Window

MOULD_CLASS: Final = "very"
"""Paper and leather, judged with caution."""
RUN_UP: Final = timedelta(days=366)
"""How far before a month its mould and the light of its year are followed."""
FINEST_S: Final = 300
FULL: Final[Mapping[Quantity, float]] = {Quantity.ON: 1.0, Quantity.LEVEL: 100.0, Quantity.POSITION: 100.0}
"""What a device reports at full output, by what it reports; a curtain takes power in moving only."""

Figures = Mapping[str, Figure]


@dataclass(frozen=True, slots=True)
class ActuatorReport:
    """One actuator: this month and the one before."""

    config: ActuatorConfig
    now: Figures
    before: Figures


@dataclass(frozen=True, slots=True)
class RoomReport:
    """One room: this month and the one before."""

    config: RoomConfig
    now: Figures
    before: Figures
    actuators: Sequence[ActuatorReport]


@dataclass(frozen=True, slots=True)
class Report:
    """The rooms asked for. `opening` tells whether the opening hours are known."""

    now: Period
    before: Period
    opening: bool
    rooms: Sequence[RoomReport]


@dataclass(frozen=True, slots=True)
class _Course:
    """The hourly means of a room from long before the months of a report until its end."""

    start: datetime
    temp: Values
    rh: Values
    lux: Values

    def at(self, moment: datetime) -> int:
        """The number of the hour that begins then."""
        return (moment - self.start) // HOUR

    def rows(self, first: int, end: int) -> list[HourRow]:
        """The hours first..end, numbered from 0."""
        hours = zip(self.temp[first:end], self.rh[first:end], self.lux[first:end], strict=True)
        return [HourRow(hour, *means) for hour, means in enumerate(hours)]


class Reports:
    """Of one server process; `app.state.reports`."""

    def __init__(self, settings: ServerSettings, plan: Plans, store: TelemetryStore, clock: Clock) -> None:
        library = settings.common.library
        self._plan = plan
        self._actuators = settings.document.section("environment", EnvironmentConfig).actuator
        self._zone = library.zone
        self._opening = [window(entry.start, entry.end, entry.days) for entry in library.opening]
        self._store = store
        self._clock = clock

    def newest(self) -> Month:
        """The month that is under way."""
        return policy.month_of(self._clock.now(), self._zone)

    def rooms(self, month: str | None = None, room: str | None = None) -> Report:
        """The report of a month (as 2026-11; the present one if none is named), of one room or of all indoor rooms.

        Raises UnknownMonthError and UnknownRoomError.
        """
        newest = self.newest()
        wanted = newest if month is None else policy.parse_month(month)
        if wanted is None or wanted > newest:
            raise UnknownMonthError(newest=str(newest))
        now = self._clock.now()
        period, before = (policy.period_of(one, now, self._zone) for one in (wanted, wanted.previous))
        shares = {one.month: policy.open_shares(one, self._opening, self._zone) for one in (period, before)}
        rooms = [self._room(plan, period, before, shares) for plan in self._chosen(room)]
        return Report(period, before, bool(self._opening), rooms)

    def _chosen(self, room: str | None) -> list[RoomPlan]:
        rooms = self._plan.rooms
        if room is None:
            return [plan for plan in rooms.values() if not plan.config.outdoor]
        if room not in rooms:
            raise UnknownRoomError(rooms=", ".join(rooms))
        return [rooms[room]]

    def _room(
        self, plan: RoomPlan, period: Period, before: Period, shares: Mapping[Month, Sequence[float]]
    ) -> RoomReport:
        course = self._course(plan, period)
        actuators = [
            ActuatorReport(actuator, self._actuator(actuator, period), self._actuator(actuator, before))
            for actuator in self._actuators
            if actuator.zone == plan.config.id
        ]
        configs = [one.config for one in actuators]
        now, earlier = (
            _climate(plan, course, one, open_shares=shares[one.month], year_start=one.month.year_start(self._zone))
            for one in (period, before)
        )
        return RoomReport(
            config=plan.config,
            now={**now, **_energy(configs, [one.now for one in actuators])},
            before={**earlier, **_energy(configs, [one.before for one in actuators])},
            actuators=actuators,
        )

    def _course(self, plan: RoomPlan, period: Period) -> _Course:
        start = period.start - RUN_UP
        hours = (period.end - start) // HOUR
        temp, rh, lux = (
            self._means(plan, quantity, start, hours) for quantity in (Quantity.TEMP, Quantity.RH, Quantity.LUX)
        )
        return _Course(start, temp, rh, lux)

    def _means(self, plan: RoomPlan, quantity: Quantity, start: datetime, hours: int) -> Values:
        sources = [Source(device, plan.config.id, quantity) for device in sorted(plan.sensors.get(quantity, ()))]
        means: list[float | None] = [None] * hours
        if sources:
            for bucket in self._store.aggregate(sources, Window(start, start + hours * HOUR, 3600)):
                means[(bucket.start - start) // HOUR] = bucket.mean
        return means

    def _actuator(self, config: ActuatorConfig, period: Period) -> Figures:
        """What its device told of it; a device that tells several quantities is judged by the first of FULL."""
        told = {one.quantity: one for one in self._store.sources(config.device) if one.zone == config.zone}
        source = next((told[quantity] for quantity in FULL if quantity in told), None)
        if source is None or not period.hours:
            return SILENT
        span = Window(period.start, period.end, max(FINEST_S, self._store.finest_s(period.start)))
        ran = running(
            self._store.aggregate([source], span),
            span,
            self._store.before(source, period.start),
            scale=FULL[source.quantity],
            switch=config.type == "switch",
        )
        power_w = None if source.quantity is Quantity.POSITION else config.power_w
        return _ran(ran, period.hours, power_w, output=source.quantity is not Quantity.POSITION)


SILENT: Final[Figures] = {"running": UNKNOWN, "energy": UNKNOWN, "switches_per_day": UNKNOWN}


def _ran(ran: Running, hours: int, power_w: float | None, *, output: bool) -> Figures:
    if not ran.known_h:
        return SILENT
    known = min(1.0, ran.known_h / hours)
    return {
        "running": Figure(ran.full_h, known) if output else UNKNOWN,
        "energy": UNKNOWN if power_w is None else Figure(ran.full_h * power_w / 1000.0, known),
        "switches_per_day": Figure(ran.changes * 24.0 / ran.known_h, known),
    }


def _energy(actuators: Sequence[ActuatorConfig], figures: Sequence[Figures]) -> Figures:
    """Of the actuators whose power is known."""
    parts = [one["energy"] for config, one in zip(actuators, figures, strict=True) if config.power_w is not None]
    return {"energy": policy.together(parts)}


def _climate(
    plan: RoomPlan, course: _Course, period: Period, *, open_shares: Sequence[float], year_start: datetime
) -> Figures:
    first, end = course.at(period.start), course.at(period.end)
    mould = zone_figures(course.rows(0, first), first, MOULD_CLASS).mould
    zone = zone_figures(course.rows(first, end), period.hours, MOULD_CLASS, mould)
    year = course.at(year_start)
    light_year, light_year_end = light_figures(course.rows(year, end), end - year)
    return {
        **_comfort(plan, course.temp[first:end], course.rh[first:end], open_shares),
        "temp_deviation": policy.largest_deviation(course.temp[:end], first),
        "rh_deviation": policy.largest_deviation(course.rh[:end], first),
        "twpi": zone.twpi,
        "emc": zone.emc_mean,
        "mould_index": zone.mould_index,
        "mould_hours": zone.hours_over_critical,
        "light_dose": zone.light_dose,
        "light_year": light_year,
        "light_year_end": light_year_end,
    }


def _comfort(plan: RoomPlan, temp: Values, rh: Values, open_shares: Sequence[float]) -> Figures:
    bands = plan.config.temp, plan.config.rh
    always = [1.0] * len(temp)
    return {
        f"{name}_in_band{suffix}": policy.in_band([one for one, _ in pairs], [band for _, band in pairs], weights)
        for name, pairs in (
            ("temp", [(temp, bands[0])]),
            ("rh", [(rh, bands[1])]),
            ("both", [(temp, bands[0]), (rh, bands[1])]),
        )
        for suffix, weights in (("", always), ("_open", open_shares))
    }
