"""Runs rules on the library's own history and tells what they would have done."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from carrel.config import ConfigError
from carrel.contracts.telemetry import Quantity
from carrel.system_clock import SystemClock
from environment.config import ActuatorConfig, EnvironmentConfig
from environment.engine import Engine
from environment.rulebook.dry_run import Move, Span, Summary, simulate, summed
from environment.rulebook.dry_run import moves as moves_of
from server.auth.service import Identifier
from server.db import Database
from server.deps import Core
from server.health import Checks
from server.rules import history
from server.rules.history import Period
from server.settings import ServerSettings
from server.telemetry.factory import open_store
from server.telemetry.store import TelemetryStore

REPORTED = (Quantity.POSITION, Quantity.LEVEL, Quantity.ON)
MOST_MOVES = 2000
"""Commands that are told; more are counted only."""
LEVEL_TOLERANCE = 5.0
"""What a level reports beside its target without having been moved: 5 % is within a covering's own."""


@dataclass(frozen=True, slots=True)
class Doing:
    """What an actuator did in a period: (instant, value) of its changes, their number, hours away from its default."""

    course: Sequence[tuple[datetime, float]]
    changes: int
    away_h: float


@dataclass(frozen=True, slots=True)
class Compared:
    """An actuator as the rules would have moved it, beside what it reported; None where it never reported."""

    actuator: ActuatorConfig
    would: Doing
    did: Doing | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What rules would have done: `values` measurements were there; `finest_s` is 0 for raw values."""

    period: Period
    values: int
    finest_s: int
    moves: Sequence[Move]
    compared: Sequence[Compared]


@dataclass(frozen=True, slots=True)
class Voice:
    """Where lines go: results, and progress."""

    result: Callable[[str], None]
    progress: Callable[[str], None]


def replay(settings: ServerSettings, config: EnvironmentConfig, period: Period, voice: Voice) -> None:
    """Tell commands and summary. Raises what the telemetry store raises."""
    database = Database(settings.database_url)
    try:
        core = Core(settings, database, SystemClock(), checks=Checks(), identify=Identifier("", database))
        run(open_store(core), config, period, zone=settings.common.library.zone, voice=voice)
    finally:
        database.close()


def outcome(store: TelemetryStore, config: EnvironmentConfig, period: Period, *, zone: ZoneInfo) -> Outcome:
    """Run rules on a store, beside what happened. Raises what the store raises."""
    coarse = history.fit_to_rows(store, config, period)
    counts: list[int] = []
    span = Span(period.start, period.end, timedelta(seconds=config.tick_s))
    inputs = history.read(store, coarse.config, period, lambda _day, found: counts.append(found))
    moves = list(moves_of(simulate(Engine(coarse.config, zone), inputs, span)))
    compared = [
        Compared(
            actuator,
            _doing(actuator, [(m.at, float(m.value)) for m in moves if m.actuator == actuator.id], period),
            _did(store, actuator, period),
        )
        for actuator in config.actuator
    ]
    return Outcome(period, sum(counts), coarse.finest_s, moves[:MOST_MOVES], compared)


def _doing(
    actuator: ActuatorConfig, found: Sequence[tuple[datetime, float]], period: Period, *, begins: float | None = None
) -> Doing:
    """`begins` is where it stood before the period; left out, at its default."""
    course = [(period.start, float(actuator.default) if begins is None else begins)]
    tolerance = LEVEL_TOLERANCE if actuator.type == "level" else 0.0
    for at, value in found:
        if abs(value - course[-1][1]) > tolerance:
            course.append((at, value))
    ends = [at for at, _ in course[1:]] + [period.end]
    away = sum(
        (until - at).total_seconds()
        for (at, value), until in zip(course, ends, strict=True)
        if abs(value - actuator.default) > tolerance
    )
    return Doing(course, len(course) - 1, away / 3600)


def _did(store: TelemetryStore, actuator: ActuatorConfig, period: Period) -> Doing | None:
    source = next((s for s in store.sources(actuator.device) if s.quantity in REPORTED), None)
    if source is None:
        return None
    before = store.before(source, period.start)
    told = list(history.values_of(store, source, period))
    if before is None and not told:
        return None
    begins = before.value if before else told[0].value
    return _doing(actuator, [(value.at, value.value) for value in told], period, begins=begins)


def period_of(start: str, end: str, zone: ZoneInfo, *, now: datetime) -> Period:
    """From local times or dates; what is still to come is left out. Raises ConfigError."""
    period = Period(_local("FROM", start, zone), min(_local("TO", end, zone), now))
    if period.start >= period.end:
        raise ConfigError(f"--stored {start} {end}: FROM must lie before TO and before now")
    return period


def run(store: TelemetryStore, config: EnvironmentConfig, period: Period, *, zone: ZoneInfo, voice: Voice) -> None:
    """Run rules on a store; `zone` is that of the schedules and of the times told."""
    coarse = history.fit_to_rows(store, config, period)
    if coarse.finest_s:
        voice.progress(
            f"of this time only means of {coarse.finest_s // 60} minutes are left: short peaks are lost, and a sensor "
            f"counts as silent after {coarse.config.stale_after_s:g} s"
        )
    values = 0

    def told(day: Period, found: int) -> None:
        nonlocal values
        values += found
        voice.progress(f"{day.start.astimezone(zone):%Y-%m-%d}: {found} values")

    span = Span(period.start, period.end, timedelta(seconds=config.tick_s))
    inputs = history.read(store, coarse.config, period, told)
    summary = Summary()
    for move in summed(simulate(Engine(coarse.config, zone), inputs, span), coarse.config, summary):
        voice.result(f"{move.at.astimezone(zone):%Y-%m-%d %H:%M:%S}  {move.actuator}  {move.value}  {move.reason}")
    if not values:
        voice.progress("there is no history of these sensors in that time")
    for line in _lines(summary, config, period):
        voice.result(line)


def _lines(summary: Summary, config: EnvironmentConfig, period: Period) -> Iterable[str]:
    days = (period.end - period.start) / timedelta(days=1)
    yield ""
    yield f"{days:g} days"
    for actuator in config.actuator:
        count = summary.switches[actuator.id]
        away = summary.away_s[actuator.id] / 3600
        yield f"{actuator.id}: {count} commands, {count / days:.1f} a day; away from its default for {away:.1f} h"
    for rule in config.rule:
        yield f"{rule.id}: condition active for {summary.active_s[rule.id] / 3600:.1f} h"


def _local(name: str, text: str, zone: ZoneInfo) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigError(
            f"--stored {name}: write a local date or time such as 2026-07-01 or 2026-07-01T08:00"
        ) from None
    return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)
