"""Runs rules on the library's own history and tells what they would have done."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from carrel.config import ConfigError
from carrel.system_clock import SystemClock
from environment.config import EnvironmentConfig
from environment.engine import Engine
from environment.rulebook.dry_run import Span, Summary, simulate, summed
from server.auth.service import Identifier
from server.db import Database
from server.deps import Core
from server.health import Checks
from server.rules import history
from server.rules.history import Period
from server.settings import ServerSettings
from server.telemetry.factory import open_store
from server.telemetry.store import TelemetryStore


@dataclass(frozen=True, slots=True)
class Voice:
    """Where lines go: results, and progress."""

    result: Callable[[str], None]
    progress: Callable[[str], None]


def replay(settings: ServerSettings, config: EnvironmentConfig, period: Period, voice: Voice) -> None:
    """Tell commands and summary. Raises what the telemetry store raises."""
    database = Database(settings.database_url)
    try:
        core = Core(settings, database, SystemClock(), checks=Checks(), identify=Identifier(""))
        run(open_store(core), config, period, zone=settings.common.library.zone, voice=voice)
    finally:
        database.close()


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
