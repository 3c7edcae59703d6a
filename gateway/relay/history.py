"""Readings on their way out of the gateway, put together: log, spool, and a forwarder where there is an InfluxDB."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Literal

from carrel.clock import Clock
from carrel.contracts.health import LinkErrorCode, LinkHealth
from carrel.sections import TelemetryConfig
from gateway.relay.influx import make_forwarder
from gateway.relay.lines import Lines
from gateway.relay.spool import INFLUX, SERVER, Spool
from gateway.relay.telemetry import TELEMETRY, TelemetryLog
from gateway.relay.uplink import Identity
from gateway.store import Store


class History:
    """`log` takes readings, `spool` holds them for the uplink."""

    def __init__(
        self,
        config: TelemetryConfig,
        who: Identity,
        *,
        store: Store,
        clock: Clock,
        on_health: Callable[[LinkHealth], None],
    ) -> None:
        """`on_health` hears of the connection to InfluxDB, and of the log once it has trouble."""
        self._clock = clock
        self._on_health = on_health
        self.spool = Spool(store, (SERVER, INFLUX) if config.influx.url else (SERVER,))
        self.log = TelemetryLog(self.spool, self._stored, on_trouble=self._trouble)
        self.on_stored: Callable[[], None] = lambda: None
        """Called after each write, in the event loop."""
        self.forwarder = None
        if config.influx.url:
            lines = Lines(who.branch, who.gateway)
            self.forwarder = make_forwarder(config.influx, self.spool, lines, clock=clock, on_health=on_health)

    def work(self) -> list[tuple[str, Callable[[], Coroutine[Any, Any, None]]]]:
        """What must run, by name."""
        forwarding = [("InfluxDB", self.forwarder.run)] if self.forwarder else []
        return [("telemetry", self.log.run), *forwarding]

    def _stored(self) -> None:
        self.on_stored()
        if self.forwarder:
            self.forwarder.wake()

    def _trouble(self, text: str, what: LinkErrorCode) -> None:
        state: Literal["degraded", "up"] = "degraded" if text else "up"
        now = self._clock.now()
        code = what if text else None
        self._on_health(LinkHealth(link=TELEMETRY, kind="log", state=state, since=now, last_error=text, code=code))
