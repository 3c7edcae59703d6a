"""Which store `[telemetry]` asks for."""

from __future__ import annotations

from datetime import timedelta

from carrel.sections import TelemetryConfig
from server.deps import Core
from server.telemetry.database import DatabaseStore
from server.telemetry.influx import InfluxClient, InfluxStore
from server.telemetry.store import Kept, TelemetryStore


def open_store(core: Core) -> TelemetryStore:
    """The store; InfluxDB's health is among the server's checks, and lending goes on without it."""
    common = core.settings.common
    embedded = DatabaseStore(core.database)
    if common.telemetry.store == "embedded":
        return embedded
    client = InfluxClient(common.telemetry.influx)
    core.checks.add("history", client.probe, required=False)
    return InfluxStore(client, common.library.branch, embedded)


def kept_of(config: TelemetryConfig) -> Kept:
    """How long what is kept."""
    return Kept(timedelta(days=config.raw_days), timedelta(days=config.five_minute_days))
