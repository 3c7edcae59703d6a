"""Readings -> InfluxDB: one request at a time from the spool; its cursor moves only on what the server has taken.

While InfluxDB is away nothing is held in memory and nothing is lost that the spool keeps.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal, TypeVar

from carrel.clock import Clock
from carrel.contracts.health import LinkErrorCode, LinkHealth
from carrel.sections import InfluxConfig
from gateway.relay.delivery import AwayError, UnwillingError, Write, deliver
from gateway.relay.lines import Lines
from gateway.relay.spool import INFLUX, Refused, Spool

T = TypeVar("T")
State = Literal["connecting", "up", "degraded", "down"]

log = logging.getLogger(__name__)

BATCH = 2000
"""Lines in a request. More would be a little cheaper, and keep others longer off the disk while a backlog is sent."""
GATHER_S = 5.0
"""Readings are gathered so long before they are sent: a request for each would cost both sides more."""
FIRST_RETRY_S, LAST_RETRY_S = 1.0, 60.0
MEND_S = 300.0
"""Between attempts when a person must mend something first."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What one step did: rows that are done with, and those among them that the server refused."""

    rows: int
    refused: tuple[Refused, ...] = ()


class Forwarder:
    """`run` ends only by cancellation, and then at once, whatever a request is waiting for."""

    def __init__(
        self,
        spool: Spool,
        lines: Lines,
        write: Write,
        *,
        clock: Clock,
        on_health: Callable[[LinkHealth], None],
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`on_health` is called in the event loop whenever the connection's health changes."""
        self._spool = spool
        self._lines = lines
        self._write = write
        self._clock = clock
        self._on_health = on_health
        self._pause = pause
        self._new = asyncio.Event()
        self._delay_s = FIRST_RETRY_S
        self._health = LinkHealth(link=INFLUX, kind="influxdb", state="connecting", since=clock.now())

    def wake(self) -> None:
        """There are new readings in the spool."""
        self._new.set()

    async def run(self) -> None:
        """Send what waits, then what comes."""
        self._on_health(self._health)
        while True:
            self._new.clear()
            try:
                sent = await in_thread_of_its_own(self._step)
            except UnwillingError as error:
                self._trouble(str(error), "influx_unwilling")
                await self._pause(MEND_S)
            except AwayError as error:
                await self._retry(str(error), "influx_away", error.retry_after_s)
            except sqlite3.Error as error:
                await self._retry(f"the gateway's own disk: {error}", "not_written")
            except Exception as error:
                log.exception("sending readings to InfluxDB failed")
                await self._retry(f"unexpected {type(error).__name__}: {error}", "unexpected")
            else:
                self._delay_s = FIRST_RETRY_S
                self._went_well(sent)
                if sent.rows < BATCH:
                    await self._new.wait()
                    await self._pause(GATHER_S)

    async def _retry(self, message: str, code: LinkErrorCode, at_least_s: float = 0.0) -> None:
        self._trouble(message, code)
        await self._pause(max(self._delay_s, at_least_s))
        self._delay_s = min(2 * self._delay_s, LAST_RETRY_S)

    def _step(self) -> Sent:
        """Send one batch and move the cursor; waits for disk and network, so in a thread."""
        rows = self._spool.waiting(INFLUX, BATCH)
        if not rows:
            return Sent(0)
        lines = [self._lines.line(row) for row in rows]
        reasons = deliver(lines, self._write)
        refused = tuple(Refused(rows[n].seq, lines[n], reasons[n]) for n in sorted(reasons))
        self._spool.confirm(INFLUX, rows[-1].seq, refused)
        return Sent(len(rows), refused)

    def _went_well(self, sent: Sent) -> None:
        if sent.refused:
            self._tell_refused(sent.refused)
        elif sent.rows:
            if self._health.state == "down":
                log.warning("InfluxDB takes readings again")
            self._set("up", "", None)

    def _tell_refused(self, refused: tuple[Refused, ...]) -> None:
        first = refused[0]
        log.error(
            "InfluxDB refused %d reading(s), which it will not get: %s: %s", len(refused), first.line, first.reason
        )
        count = self._health.bad_frames + len(refused)
        message = f"{count} readings refused, lastly {first.line}: {first.reason}"
        self._set("degraded", message, "readings_refused", bad_frames=count)

    def _trouble(self, message: str, code: LinkErrorCode) -> None:
        if self._health.state != "down" or self._health.last_error != message:
            log.warning("InfluxDB gets no readings, they wait here: %s", message)
        self._set("down", message, code)

    def _set(self, state: State, message: str, code: LinkErrorCode | None, *, bad_frames: int | None = None) -> None:
        before = self._health
        back = before.state == "down" and state != "down"
        self._health = LinkHealth(
            link=INFLUX,
            kind="influxdb",
            state=state,
            since=before.since if state == before.state else self._clock.now(),
            last_error=message or before.last_error,
            code=code or before.code,
            reconnects=before.reconnects + back,
            bad_frames=before.bad_frames if bad_frames is None else bad_frames,
        )
        if self._health != before:
            self._on_health(self._health)


async def in_thread_of_its_own(call: Callable[[], T]) -> T:
    """Await a blocking call that is simply left behind at a cancellation: the pool's threads would hold up the end."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def settle(set_it: Callable[[], None]) -> None:
        if not done.done():
            set_it()

    def work() -> None:
        try:
            result = call()
        except Exception as error:
            _soon(loop, settle, lambda error=error: done.set_exception(error))
        else:
            _soon(loop, settle, lambda: done.set_result(result))

    threading.Thread(target=work, name="influx", daemon=True).start()
    return await done


def _soon(loop: asyncio.AbstractEventLoop, call: Callable[..., None], *args: object) -> None:
    try:
        loop.call_soon_threadsafe(call, *args)
    except RuntimeError:  # the loop has ended; nobody waits for the result
        log.debug("a request to InfluxDB outlived the gateway")


def make_forwarder(
    config: InfluxConfig, spool: Spool, lines: Lines, *, clock: Clock, on_health: Callable[[LinkHealth], None]
) -> Forwarder:
    """For a configured server."""
    from gateway.relay.influx_http import make_write  # noqa: PLC0415  # its client costs 31 MB, often for nothing

    return Forwarder(spool, lines, make_write(config), clock=clock, on_health=on_health)
