"""Carries orders to the links: outputs of one module in one write, again until done, again after a reconnect."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain, repeat

from carrel.contracts.actuation import CommandStatus, DeviceOrder, Priority, SetOutput
from devices.events import OutputsRead
from devices.orders import Command, OrderResult, failed
from gateway.control.arbiter import Arbiter
from gateway.control.orders import target_of
from gateway.links.link import Link

log = logging.getLogger(__name__)

RETRY_AFTER_S = (0.5, 2.0, 5.0, 15.0, 30.0)
"""Wait before the second and further tries; the last one goes on for as long as the order is in force."""
LIFE_SAFETY_RETRY_S = 2.0
"""Life safety never waits longer than this, and is tried again even when the device refused."""
TELL_AFTER_TRIES = 2
ALARM_AFTER_TRIES = 3
MISSING_ALARM_AFTER_TRIES = 9
"""Some two minutes: a device that is being paired is not on the network yet."""


def _nobody(_output: str, _result: OrderResult) -> None:
    """Nobody wants to know."""


class Actuator:
    """Routes each order to its link. An order that a newer one has replaced is not tried again."""

    def __init__(
        self,
        arbiter: Arbiter,
        routes: Mapping[str, Link],
        *,
        retry_after_s: Sequence[float] = RETRY_AFTER_S,
        on_follow: Callable[[str, OrderResult], None] = _nobody,
    ) -> None:
        """`routes`: output -> link. `on_follow` hears of each output that did as ordered, and of each that failed
        three times or refused; not of a link that is down, as that has its own health."""
        self._arbiter = arbiter
        self._on_follow = on_follow
        self._routes = routes
        self._retry_after_s = retry_after_s
        self._tasks: set[asyncio.Task[None]] = set()
        self._turn = 0
        self._turns: dict[str, int] = {}

    def apply(self, orders: Iterable[DeviceOrder]) -> None:
        """Send orders at once, in the background."""
        for link, command in self._grouped(orders):
            self._turn += 1
            self._turns.update((target_of(order), self._turn) for order in _orders(command))
            task = asyncio.get_running_loop().create_task(self._carry_out(link, command, self._turn))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def link_up(self, name: str) -> None:
        """A link serves again: tell it everything in force."""
        self.apply(order for output, order in self._arbiter.winners().items() if self._serves(output, name))

    def output_up(self, output: str) -> None:
        """A device is within reach, perhaps for the first time: tell it the order in force."""
        order = self._arbiter.winner(output)
        if order is not None:
            self.apply([order])

    def outputs_read(self, seen: OutputsRead) -> None:
        """A module's outputs as read: those not as ordered (a power cut, a hand on the module) are set again."""
        wrong = []
        for name, on in seen.outputs.items():
            order = self._arbiter.winner(f"{seen.module}.{name}")
            if isinstance(order, SetOutput) and order.on != on:
                wrong.append(order)
        self.apply(wrong)

    async def close(self) -> None:
        """Give up what is under way."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _serves(self, output: str, link: str) -> bool:
        route = self._routes.get(output)
        return route is not None and route.name == link

    def _grouped(self, orders: Iterable[DeviceOrder]) -> list[tuple[Link, Command]]:
        """One command per device; outputs of a module together, as they must act together."""
        singles: list[tuple[Link, Command]] = []
        modules: dict[str, list[SetOutput]] = {}
        for order in orders:
            link = self._routes.get(target_of(order))
            if link is None:
                log.error("no link serves %s", target_of(order))
            elif isinstance(order, SetOutput):
                modules.setdefault(link.name, []).append(order)
            else:
                singles.append((link, order))
        return [(self._routes[group[0].output], tuple(group)) for group in modules.values()] + singles

    async def _carry_out(self, link: Link, command: Command, turn: int) -> None:
        """Try until it is done, cannot be, or something newer is in force."""
        pauses = chain(self._retry_after_s, repeat(self._retry_after_s[-1]))
        for tries, pause_s in enumerate(pauses, 1):
            result = await _execute(link, command)
            urgent = self._is_life_safety(command)
            self._tell_follow(command, result, tries)
            if not _worth_another_try(result, urgent=urgent):
                _tell_end(command, result, tries)
                return
            if tries == TELL_AFTER_TRIES:
                log.warning("order not carried out yet: %s: %s %s", command, result.code, result.detail)
            await asyncio.sleep(min(pause_s, LIFE_SAFETY_RETRY_S) if urgent else pause_s)
            left = self._in_force(command, turn)
            if left is None:
                return
            command = left

    def _tell_follow(self, command: Command, result: OrderResult, tries: int) -> None:
        limit = MISSING_ALARM_AFTER_TRIES if result.code == "device_missing" else ALARM_AFTER_TRIES
        refused = result.status is CommandStatus.REJECTED
        failing = result.status is CommandStatus.FAILED and result.code != "link_down" and tries >= limit
        if result.done or refused or failing:
            for order in _orders(command):
                self._on_follow(target_of(order), result)

    def _is_life_safety(self, command: Command) -> bool:
        return any(self._arbiter.holder(target_of(order)) is Priority.LIFE_SAFETY for order in _orders(command))

    def _in_force(self, command: Command, turn: int) -> Command | None:
        """What of a command nothing newer has replaced or repeated."""
        left = [
            order
            for order in _orders(command)
            if self._turns[target_of(order)] == turn and self._arbiter.winner(target_of(order)) == order
        ]
        if isinstance(command, tuple):
            return tuple(order for order in left if isinstance(order, SetOutput)) or None
        return command if left else None


def _orders(command: Command) -> tuple[DeviceOrder, ...]:
    return command if isinstance(command, tuple) else (command,)


async def _execute(link: Link, command: Command) -> OrderResult:
    try:
        return await link.execute(command)
    except Exception as error:  # a fault in a driver must not end an order that may be the siren
        log.exception("link %s failed on %s", link.name, command)
        return failed("unexpected", f"{type(error).__name__}: {error}")


def _worth_another_try(result: OrderResult, *, urgent: bool) -> bool:
    if result.status is CommandStatus.FAILED:
        return result.code != "link_down"  # a link that is down is told everything when it is back
    return urgent and result.status is CommandStatus.REJECTED


def _tell_end(command: Command, result: OrderResult, tries: int) -> None:
    if result.status is CommandStatus.REJECTED:
        log.warning("order refused: %s: %s %s", command, result.code, result.detail)
    elif result.done and tries > TELL_AFTER_TRIES:
        log.warning("order carried out at last: %s", command)
