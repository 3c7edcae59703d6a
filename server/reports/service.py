"""Reports of rooms, computed from the history when they are asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from carrel.clock import Clock
from carrel.contracts.telemetry import Quantity
from carrel.sections import RoomConfig
from environment.config import ActuatorConfig, EnvironmentConfig
from environment.preservation.zone import Figure, HourRow, light_figures, zone_figures
from environment.schedule import window
from server.reports import policy
from server.reports.errors import UnknownMonthError
from server.reports.meter import Metered, by_counter, by_power
from server.reports.policy import HOUR, UNKNOWN, Month, Period, Values
from server.reports.running import Running, running
from server.rooms.errors import UnknownRoomError
from server.rooms.history import History
from server.rooms.plan import Plans, RoomPlan
from server.settings import ServerSettings
from server.telemetry.store import Source, Window
from server.telemetry.windows import to_ms

MOULD_CLASS: Final = "very"
"""Paper and leather, judged with caution."""
RUN_UP: Final = timedelta(days=366)
"""How far before a month its mould and the light of its year are followed."""
FINEST_S: Final = 300
FULL: Final[Mapping[Quantity, float]] = {Quantity.ON: 1.0, Quantity.LEVEL: 100.0, Quantity.POSITION: 100.0}
"""What a device reports at full output, by what it reports; a curtain takes power in moving only."""

FINISHED_KEPT: Final = timedelta(hours=1)
"""A month that is over is reckoned anew after this, as readings may come late."""
FINISHED_MOST: Final = 500

Figures = Mapping[str, Figure]
Basis = Literal["", "metered", "estimated", "both"]
"""What a figure of energy rests on: meters, or power and time; empty when there is none."""


@dataclass(frozen=True, slots=True)
class Told:
    """The figures of a month, and what that of energy rests on."""

    figures: Figures
    basis: Basis


@dataclass(frozen=True, slots=True)
class ActuatorReport:
    """One actuator: this month and the one before."""

    config: ActuatorConfig
    now: Figures
    before: Figures
    basis: Basis
    basis_before: Basis


@dataclass(frozen=True, slots=True)
class RoomReport:
    """One room: this month and the one before."""

    config: RoomConfig
    now: Figures
    before: Figures
    basis: Basis
    basis_before: Basis
    actuators: Sequence[ActuatorReport]


@dataclass(frozen=True, slots=True)
class Report:
    """The rooms asked for. `opening` tells whether the opening hours are known."""

    now: Period
    before: Period
    opening: bool
    rooms: Sequence[RoomReport]


@dataclass(frozen=True, slots=True)
class _RoomMonth:
    """A room's month, and that of each of its actuators."""

    made_at: datetime
    room: Told
    actuators: Sequence[Told]


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

    def __init__(self, settings: ServerSettings, plan: Plans, history: History, clock: Clock) -> None:
        library = settings.common.library
        self._plan = plan
        self._actuators = settings.document.section("environment", EnvironmentConfig).actuator
        self._zone = library.zone
        self._opening = [window(entry.start, entry.end, entry.days) for entry in library.opening]
        self._history = history
        self._store = history.store
        self._clock = clock
        self._finished: dict[tuple[str, Month], _RoomMonth] = {}

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
        rooms = [self._room(plan, period, before) for plan in self._chosen(room)]
        return Report(period, before, bool(self._opening), rooms)

    def _chosen(self, room: str | None) -> list[RoomPlan]:
        rooms = self._plan.rooms
        if room is None:
            return [plan for plan in rooms.values() if not plan.config.outdoor]
        if room not in rooms:
            raise UnknownRoomError(rooms=", ".join(rooms))
        return [rooms[room]]

    def _room(self, plan: RoomPlan, period: Period, before: Period) -> RoomReport:
        now, earlier = self._month(plan, period), self._month(plan, before)
        actuators = [
            ActuatorReport(config, told.figures, past.figures, told.basis, past.basis)
            for config, told, past in zip(self._of(plan), now.actuators, earlier.actuators, strict=True)
        ]
        return RoomReport(
            config=plan.config,
            now=now.room.figures,
            before=earlier.room.figures,
            basis=now.room.basis,
            basis_before=earlier.room.basis,
            actuators=actuators,
        )

    def _month(self, plan: RoomPlan, period: Period) -> _RoomMonth:
        """Reckoned, or as it was reckoned lately when the month is over."""
        key, now = (plan.config.id, period.month), self._clock.now()
        known = self._finished.get(key)
        if period.complete and known is not None and timedelta() <= now - known.made_at < FINISHED_KEPT:
            return known
        found = self._reckoned(plan, period, now)
        if period.complete:
            if len(self._finished) >= FINISHED_MOST:
                self._finished.clear()
            self._finished[key] = found
        return found

    def _reckoned(self, plan: RoomPlan, period: Period, now: datetime) -> _RoomMonth:
        configs = self._of(plan)
        actuators = [self._actuator(config, period) for config in configs]
        climate = _climate(
            plan,
            self._course(plan, period),
            period,
            open_shares=policy.open_shares(period, self._opening, self._zone),
            year_start=period.month.year_start(self._zone),
        )
        energy, basis = _energy(configs, actuators)
        return _RoomMonth(now, Told({**climate, "energy": energy}, basis), actuators)

    def _of(self, plan: RoomPlan) -> list[ActuatorConfig]:
        return [actuator for actuator in self._actuators if actuator.zone == plan.config.id]

    def _course(self, plan: RoomPlan, period: Period) -> _Course:
        start = period.start - RUN_UP
        hours = (period.end - start) // HOUR
        temp, rh, lux = (
            self._means(plan, quantity, start, hours) for quantity in (Quantity.TEMP, Quantity.RH, Quantity.LUX)
        )
        return _Course(start, temp, rh, lux)

    def _means(self, plan: RoomPlan, quantity: Quantity, start: datetime, hours: int) -> Values:
        means: list[float | None] = [None] * hours
        if hours > 0:
            window_ = Window(start, start + hours * HOUR, 3600)
            first, hour_ms = to_ms(start), 3_600_000
            for bucket in self._history.measured(plan.config.id, quantity.value, window_):
                means[(bucket.ts - first) // hour_ms] = bucket.mean
        return means

    def _actuator(self, config: ActuatorConfig, period: Period) -> Told:
        """What its device told of it; a device that tells several quantities is judged by the first of FULL."""
        if not period.hours:
            return Told(SILENT, "")
        told = {one.quantity: one for one in self._store.sources(config.device) if one.zone == config.zone}
        span = Window(period.start, period.end, max(FINEST_S, self._store.finest_s(period.start)))
        source = next((told[quantity] for quantity in FULL if quantity in told), None)
        power_w = None if source is None or source.quantity is Quantity.POSITION else config.power_w
        ran = SILENT
        if source is not None:
            found = running(
                self._store.aggregate([source], span),
                span,
                self._store.before(source, period.start),
                scale=FULL[source.quantity],
                switch=config.type == "switch",
            )
            ran = _ran(found, period.hours, power_w, output=source.quantity is not Quantity.POSITION)
        meter = self._metered(told, span)
        if meter is not None:
            share = min(1.0, meter.known_h / period.hours)
            return Told({**ran, "energy": Figure(meter.kwh, share)}, "metered")
        return Told(ran, "estimated" if ran["energy"].value is not None else "")

    def _metered(self, told: Mapping[Quantity, Source], span: Window) -> Metered | None:
        """By the device's own meter, else by the power that it reports; None when it told neither in the month."""
        for quantity, reckon in ((Quantity.ENERGY, by_counter), (Quantity.POWER, by_power)):
            if quantity in told:
                buckets = self._store.aggregate([told[quantity]], span)
                if buckets:
                    return reckon(buckets, span, self._store.before(told[quantity], span.start))
        return None


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


def _energy(configs: Sequence[ActuatorConfig], told: Sequence[Told]) -> tuple[Figure, Basis]:
    """Of the actuators that have a meter or whose power is known, and what it rests on."""
    parts = [one for config, one in zip(configs, told, strict=True) if config.power_w is not None or one.basis]
    bases = {one.basis for one in parts if one.basis}
    basis: Basis = "both" if len(bases) > 1 else next(iter(bases), "")
    return policy.together([one.figures["energy"] for one in parts]), basis


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
        "temp_season": policy.largest_season(course.temp[:end], first),
        "rh_season": policy.largest_season(course.rh[:end], first),
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
