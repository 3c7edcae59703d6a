"""The kiosk's imperative shell: feeds the pure session, carries out its effects, tells the page of changes."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any

from carrel.clock import Clock
from carrel.contracts.circulation import ItemResult, PatronStanding
from gateway.stations.kiosk.events import (
    Answered,
    AskPreview,
    AskStanding,
    CallLibrarian,
    Effect,
    Event,
    GiveUp,
    Lend,
    PadSeen,
    Previewed,
    PrintReceipt,
    Recheck,
    Secured,
    ServerSeen,
    SetSecurity,
    StandingKnown,
    TakeBack,
    Ticked,
    Touch,
    Touched,
)
from gateway.stations.kiosk.pending import Pending, PendingRequests, Repairs
from gateway.stations.kiosk.service import Lending
from gateway.stations.kiosk.session import step
from gateway.stations.kiosk.state import Rules, Session
from gateway.stations.pad import Pad, PadState, Repair
from gateway.store import Store

log = logging.getLogger(__name__)

GIVE_UP_S = 20.0
"""How long a return waits for its answer before the patron is told to leave the items here."""
ASK_AGAIN_S, ASK_AGAIN_LATER_S = 0.5, 5.0
SERVER_CHECK_S = 2.0
MISSES_ALLOWED = 1
"""A server that misses one check may only be busy; a patron's session does not end for that."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long things may take, in seconds."""

    give_up_s: float = GIVE_UP_S
    ask_again_s: float = ASK_AGAIN_S
    ask_again_later_s: float = ASK_AGAIN_LATER_S
    server_check_s: float = SERVER_CHECK_S
    tick_s: float = 1.0


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a desk works with. `call_librarian(kiosk)` raises a notice."""

    lending: Lending
    store: Store
    clock: Clock
    call_librarian: Callable[[str], None]


class Desk:
    """One kiosk. All methods belong to the event loop."""

    def __init__(
        self, rules: Rules, around: Surroundings, changed: Callable[[], None], patience: Patience | None = None
    ) -> None:
        """`changed()` is called after every change of the session."""
        self.rules = rules
        self._around = around
        self._changed = changed
        self._patience = patience or Patience()
        self._pending = PendingRequests(rules.kiosk, around.store)
        self._repairs = Repairs(rules.kiosk, around.store)
        self._in_order = asyncio.Lock()  # a request left behind is settled before a newer one is asked
        self._waiting: dict[str, tuple[Pending, asyncio.Timeout]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.session = Session(rules.language, around.clock.now())
        self.pad: Pad | None = None
        self.print_receipt: Callable[[PrintReceipt], Awaitable[None]] = _print_nothing

    async def run(self) -> None:
        """Watch server and clock until cancelled; first finish what a kill interrupted."""
        for uid, on_loan in self._repairs.load().items():
            self._request_repair(uid, on_loan)
        for left in self._pending.load():
            self._spawn(self._finish(left))
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._watch_server())
                group.create_task(self._watch_clock())
        finally:
            for task in list(self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def pad_changed(self, state: PadState) -> None:
        """The pad sees something else."""
        self.take(PadSeen(state))

    def repaired(self, repair: Repair) -> None:
        """A tag on the repair list was written, or once more could not be."""
        try:
            if repair.done:
                self._repairs.done(repair.uid)
            else:
                self._repairs.add({repair.uid: repair.on_loan})
        except sqlite3.Error as error:
            log.error("repair list of kiosk %s is not written: %s", self.rules.kiosk, error)
        self.take(Secured(repair.uid, repair.done))

    def touch(self, touch: Touch) -> None:
        """A touch on the page."""
        self.take(Touched(touch))

    def take(self, event: Event) -> None:
        """Give the session an event and start what it asks for. Never raises."""
        before = self.session
        try:
            done = step(self.rules, before, event, self._around.clock.now())
            for effect in done.effects:
                if isinstance(effect, GiveUp):
                    self._give_up(effect)  # noted before anybody is told
                else:
                    self._spawn(self._perform(effect))
            self.session = done.session
            if done.session != before or isinstance(event, Ticked):
                self._changed()
        except Exception:
            log.exception("kiosk %s: fault while taking a %s", self.rules.kiosk, type(event).__name__)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _perform(self, effect: Effect) -> None:
        """Carry out an effect; a fault of ours must not leave the patron waiting for ever."""
        try:
            await self._carry_out(effect)
        except Exception:
            log.exception("kiosk %s: fault in %s", self.rules.kiosk, type(effect).__name__)
            failed = _failure_of(effect)
            if failed is not None:
                self.take(failed)

    async def _carry_out(self, effect: Effect) -> None:
        match effect:
            case AskStanding():
                self.take(await self._standing(effect.card))
            case AskPreview():
                results = await self._around.lending.preview(effect.card, sorted(effect.barcodes))
                self.take(Previewed(effect.card, effect.barcodes, results))
            case Lend() | TakeBack():
                await self._change(effect)
            case SetSecurity():
                self.take(Secured(effect.uid, await self._secure(effect.uid, effect.on_loan)))
            case PrintReceipt():
                await self.print_receipt(effect)
            case Recheck():
                self._recheck()
            case CallLibrarian():
                self._around.call_librarian(self.rules.kiosk)

    def _recheck(self) -> None:
        if self.pad is not None:
            self.pad.recheck()

    def _give_up(self, effect: GiveUp) -> None:
        """Raises sqlite3.Error when it cannot be noted."""
        if effect.request_id in self._waiting:
            pending, patience = self._waiting[effect.request_id]
            self._pending.mark_undo(pending)
            patience.reschedule(asyncio.get_running_loop().time())

    async def _standing(self, card: str) -> StandingKnown:
        found = await self._around.lending.standing(card)
        return StandingKnown(card, found) if isinstance(found, PatronStanding) else StandingKnown(card, None, found)

    async def _secure(self, uid: str, on_loan: bool) -> bool:
        return self.pad is not None and (await self.pad.set_security(uid, on_loan)).ok

    async def _change(self, request: Lend | TakeBack) -> None:
        """Ask until answered, or until the patron waits no longer; then go on asking without her."""
        pending = self._pending.keep(request)
        results = await self._while_waited_for(request, pending)
        if results is None or self.session.request_id != request.request_id:
            pending = self._pending.mark_undo(pending)
            self.take(Answered(request.request_id, None))
            await self._finish(pending)
            return
        self._settle(pending)
        self.take(Answered(request.request_id, results))

    async def _while_waited_for(self, request: Lend | TakeBack, pending: Pending) -> tuple[ItemResult, ...] | None:
        """The answer; None when the session gave a checkout up, or a return has waited long enough."""
        limit = self._patience.give_up_s if isinstance(request, TakeBack) else None
        try:
            async with asyncio.timeout(limit) as patience:
                self._waiting[request.request_id] = pending, patience
                async with self._in_order:
                    return await self._ask_until_answered(pending, self._patience.ask_again_s)
        except TimeoutError:
            return None
        finally:
            del self._waiting[request.request_id]

    async def _ask_until_answered(self, pending: Pending, pause_s: float) -> tuple[ItemResult, ...]:
        while True:
            lending = self._around.lending
            if pending.card is not None:
                results = await lending.checkout(pending.request_id, pending.card, pending.items)
            else:
                results = await lending.checkin(pending.request_id, pending.items)
            if results is not None:
                return results
            await asyncio.sleep(pause_s)

    async def _finish(self, pending: Pending) -> None:
        """Settle a request whose answer nobody saw: either its tags are written at the next sight of them, or, when
        the patron was told that nothing was lent, what the server lent after all is taken back."""
        async with self._in_order:
            results = await self._ask_until_answered(pending, self._patience.ask_again_later_s)
            lent = [r.barcode for r in results if r.status == "ok" and r.security == "on_loan"]
            if pending.undo and lent:
                items = {code: pending.items[code] for code in lent if code in pending.items}
                back = Pending(f"{pending.request_id}-undo", None, items)
                results = await self._ask_until_answered(back, self._patience.ask_again_later_s)
            self._repair(results, pending.items)
            self._settle(pending)
        log.warning("request %s, interrupted earlier, is settled: %d items", pending.request_id, len(results))

    def _settle(self, pending: Pending) -> None:
        try:
            self._pending.settle(pending)
        except sqlite3.Error as error:  # asked once more after a restart, with the same answer
            log.error("request %s is settled, but that is not written: %s", pending.request_id, error)

    def _repair(self, results: tuple[ItemResult, ...], items: Mapping[str, tuple[str, ...]]) -> None:
        due = {
            uid: result.security == "on_loan"
            for result in results
            if result.status == "ok" and result.security is not None
            for uid in items.get(result.barcode, ())
        }
        self._repairs.add(due)
        for uid, on_loan in due.items():
            self._request_repair(uid, on_loan)

    def _request_repair(self, uid: str, on_loan: bool) -> None:
        if self.pad is not None:
            self.pad.request_repair(uid, on_loan)

    async def _watch_server(self) -> None:
        misses = 0
        while True:
            misses = 0 if await self._around.lending.alive() else misses + 1
            if misses in (0, MISSES_ALLOWED + 1) and (misses == 0) != self.session.server_up:
                log.warning("kiosk %s: the server %s", self.rules.kiosk, "does not answer" if misses else "answers")
                self.take(ServerSeen(up=not misses))
            await asyncio.sleep(self._patience.server_check_s)

    async def _watch_clock(self) -> None:
        while True:
            await asyncio.sleep(self._patience.tick_s)
            self.take(Ticked())


def _failure_of(effect: Effect) -> Event | None:
    """What the session hears when an effect could not be carried out at all."""
    match effect:
        case AskStanding():
            return StandingKnown(effect.card, None, "server_timeout")
        case AskPreview():
            return Previewed(effect.card, effect.barcodes, None)
        case Lend() | TakeBack():
            return Answered(effect.request_id, None)
        case SetSecurity():
            return Secured(effect.uid, ok=False)
        case _:
            return None


async def _print_nothing(receipt: PrintReceipt) -> None:
    log.debug("no printer for a receipt of %d items", len(receipt.lent))
