"""Keeps one link alive: tries again with growing pauses, counts what went wrong, tells how the link is."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime

from carrel.clock import Clock
from carrel.contracts.health import LinkErrorCode, LinkHealth
from devices.ending import end_if_told, told_to_end
from devices.events import BadFrame, Health, LinkUp, ModuleHealth
from gateway.links.link import Emit, Link, LinkState

FIRST_PAUSE_S = 0.2  # an unplugged cable is back in a second
MOST_PAUSE_S = 5.0
RECOVERED_AFTER_S = 10.0  # without a bad frame

log = logging.getLogger(__name__)


class Supervisor:
    """Runs a link for ever. Whatever a link raises ends its attempt, never the gateway."""

    def __init__(self, link: Link, *, emit: Emit, on_health: Callable[[LinkHealth], None], clock: Clock) -> None:
        self.link = link
        self._emit = emit
        self._on_health = on_health
        self._clock = clock
        self._state = LinkState.CONNECTING
        self._since: datetime = clock.now()
        self._last_error = ""
        self._code: LinkErrorCode | None = None
        self._reconnects = 0
        self._bad_frames = 0
        self._been_up = False
        self._told_lost = False
        self._pause_s = FIRST_PAUSE_S
        self._recovery: asyncio.TimerHandle | None = None
        self._published: LinkHealth | None = None

    @property
    def health(self) -> LinkHealth:
        """How the link is now."""
        return LinkHealth(
            link=self.link.name,
            kind=self.link.kind,
            state=self._state.value,
            since=self._since,
            last_error=self._last_error,
            code=self._code,
            reconnects=self._reconnects,
            bad_frames=self._bad_frames,
        )

    async def run(self) -> None:
        """Connect, serve, reconnect; ends only by cancellation."""
        self._publish()
        try:
            while True:
                await self._attempt()
                end_if_told()
                await asyncio.sleep(self._pause_s)
                self._pause_s = min(2 * self._pause_s, MOST_PAUSE_S)
        finally:
            self._forget_recovery()

    async def _attempt(self) -> None:
        try:
            await self.link.run(self._heard)
        except ConnectionError as error:
            self._lost(str(error) or type(error).__name__, getattr(error, "code", "link_lost"))
        except asyncio.CancelledError:
            if told_to_end():
                raise
            self._lost("a library gave up what it was waiting for")
        except Exception as error:
            if not self._told_lost:
                log.exception("link %s: unexpected error", self.link.name)
            self._lost(f"unexpected {type(error).__name__}: {error}")
        else:
            self._lost("the link ended by itself")

    def _heard(self, event: object) -> None:
        kind = type(event)
        if kind is LinkUp:
            self._up()
        elif kind is BadFrame:
            self._bad_frame()
        else:
            self._emit(event)
            if isinstance(event, ModuleHealth):
                self._module_health(event.state)

    def _up(self) -> None:
        self._pause_s = FIRST_PAUSE_S
        if self._been_up:
            self._reconnects += 1
        self._been_up = True
        if self._told_lost:
            log.warning("link %s is back", self.link.name)
        else:
            log.info("link %s is up", self.link.name)
        self._told_lost = False
        self._set(LinkState.UP)

    def _lost(self, reason: str, code: LinkErrorCode = "unexpected") -> None:
        self._forget_recovery()
        self._last_error, self._code = reason, code
        if not self._told_lost:
            log.warning("link %s lost: %s", self.link.name, reason)
            self._told_lost = True
        self._set(LinkState.DOWN)

    def _bad_frame(self) -> None:
        """Told once when it begins and once when it is over, however fast the frames come."""
        self._bad_frames += 1
        if self._state is LinkState.UP:
            self._set(LinkState.DEGRADED)
        if self._recovery is None and self._state is LinkState.DEGRADED:
            self._expect_recovery()

    def _expect_recovery(self) -> None:
        counted = self._bad_frames
        loop = asyncio.get_running_loop()
        self._recovery = loop.call_later(RECOVERED_AFTER_S, lambda: self._recovered(counted))

    def _recovered(self, counted: int) -> None:
        self._recovery = None
        if self._bad_frames != counted:
            self._expect_recovery()
        elif self._state is LinkState.DEGRADED:
            self._set(LinkState.UP)

    def _module_health(self, state: Health) -> None:
        if state is Health.DEGRADED and self._state is LinkState.UP:
            self._set(LinkState.DEGRADED)
        elif state is Health.OK and self._state is LinkState.DEGRADED and self._recovery is None:
            self._set(LinkState.UP)

    def _set(self, state: LinkState) -> None:
        if state is not self._state:
            self._since = self._clock.now()
            self._state = state
        self._publish()

    def _publish(self) -> None:
        health = self.health
        if health != self._published:
            self._published = health
            self._on_health(health)

    def _forget_recovery(self) -> None:
        if self._recovery is not None:
            self._recovery.cancel()
            self._recovery = None
