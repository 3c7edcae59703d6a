"""One RFID pad: keeps looking at what lies there, and writes the security state (AFI) of items.

The pad outlives its reader: the link attaches an open one, runs `settle` until the line fails, and detaches it.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace

from gateway.stations.pad_state import PadItem, PadProblem, PadProblemCode, PadState, judge
from rfid.afi import AfiPolicy
from rfid.errors import ReaderGone
from rfid.iso28560.model import Decoded
from rfid.reader import Reader, SystemInfo, TagError, TagSeen
from rfid.reading import read_tag

__all__ = ["Pad", "PadItem", "PadProblem", "PadProblemCode", "PadState", "Repair", "SecurityResult"]

log = logging.getLogger(__name__)

_WRITE_RETRIES = 3  # of a write whose read-back differs
_READ_TRIES = 3  # of a tag that is in the inventory but does not give its content
_UID_PREFIX = "E0"  # ISO 15693-3: every UID begins so; another one is noise that passed its checksum


@dataclass(frozen=True, slots=True)
class SecurityResult:
    """Whether the tag now carries the wanted state, read back; `code` is a lower_snake reason when it does not."""

    uid: str
    on_loan: bool
    ok: bool
    code: str | None = None
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class Repair:
    """A tag whose security state is still to be written (`done` False) or was written at last (True)."""

    uid: str
    on_loan: bool
    done: bool


def _ignore_repair(repair: Repair) -> None:
    """Stand in where nobody keeps a repair list."""
    log.debug("repair of tag %s: done=%s", repair.uid, repair.done)


class Pad:
    """What lies on one pad, and its tags' security state. Callbacks must return at once and never raise."""

    def __init__(
        self,
        name: str,
        *,
        owner: str,
        afi: AfiPolicy,
        on_change: Callable[[PadState], None],
        on_repair: Callable[[Repair], None] = _ignore_repair,
        poll_interval_s: float = 0.1,
    ) -> None:
        self.name = name
        self.ghosts = 0
        self._owner = owner
        self._afi = afi
        self._on_change = on_change
        self._on_repair = on_repair
        self._poll_interval_s = poll_interval_s
        self._reader: Reader | None = None
        self._state = PadState()
        self._repairs: dict[str, bool] = {}
        self._writers = 0
        self._no_writers = asyncio.Event()
        self._no_writers.set()
        self._known: dict[str, Decoded | TagError] = {}
        self._misses: dict[str, int] = {}
        self._previous: frozenset[str] | None = None
        self._settled: frozenset[str] | None = None

    @property
    def state(self) -> PadState:
        """The latest state told to `on_change`."""
        return self._state

    def attach(self, reader: Reader) -> None:
        """Use this reader from now on; the pad is `checking` until it has settled."""
        self._reader = reader
        self._forget()
        self._publish(PadState(checking=True, online=True))

    def detach(self) -> None:
        """Let go of the reader: the pad is offline and shows nothing."""
        self._reader = None
        self._forget()
        self._publish(PadState())

    def recheck(self) -> None:
        """Read everything on the pad anew, as when a patron says that the number is wrong."""
        self._forget()
        self._publish(replace(self._state, checking=self._state.online))

    def request_repair(self, uid: str, on_loan: bool) -> None:
        """Put a tag on this pad's repair list: it is written as soon as it lies here, or now if it does."""
        self._repairs[uid] = on_loan
        self._settled = None  # makes the next inventory look at the list

    async def settle(self) -> None:
        """Watch the field with the attached reader until cancelled; raises the reader's ConnectionError."""
        if self._reader is None:
            raise ReaderGone(f"pad {self.name} has no reader")
        reader = self._reader
        while True:
            while self._writers:  # an event's waiter wakes even when the next write has begun meanwhile
                await self._no_writers.wait()
            await self._look(reader)
            await asyncio.sleep(0 if self._state.checking else self._poll_interval_s)

    async def set_security(self, uid: str, on_loan: bool) -> SecurityResult:
        """Write the tag's AFI and read it back; a tag that could not be written goes on the repair list."""
        self._writers += 1
        self._no_writers.clear()
        try:
            result = await self._write_and_check(uid, on_loan)
        finally:
            self._writers -= 1
            if not self._writers:
                self._no_writers.set()
        self._note_repair(result)
        return result

    async def _write_and_check(self, uid: str, on_loan: bool) -> SecurityResult:
        wanted = self._afi.wanted(on_loan=on_loan)
        code, attempt = "reader_offline", 0
        for attempt in range(1, 2 + _WRITE_RETRIES):
            reader = self._reader
            if reader is None:
                return SecurityResult(uid, on_loan, ok=False, code="reader_offline", attempts=attempt - 1)
            try:
                error = await reader.write_afi(uid, wanted)
                info = await reader.system_info(uid)
            except ConnectionError as lost:  # the link's own task sees the loss too and reconnects
                log.debug("pad %s lost its reader while writing: %s", self.name, lost)
                return SecurityResult(uid, on_loan, ok=False, code="reader_offline", attempts=attempt)
            if isinstance(info, SystemInfo) and info.uid == uid and info.afi == wanted:
                return SecurityResult(uid, on_loan, ok=True, attempts=attempt)
            code = _failure(error, info)
        return SecurityResult(uid, on_loan, ok=False, code=code, attempts=attempt)

    def _note_repair(self, result: SecurityResult) -> None:
        if not result.ok:
            self._repairs[result.uid] = result.on_loan
        elif self._repairs.pop(result.uid, None) is None:
            return
        self._on_repair(Repair(result.uid, result.on_loan, done=result.ok))

    async def _look(self, reader: Reader) -> None:
        """Take one inventory; a set of tags counts when it is the same in two running."""
        seen = {tag.uid: tag for tag in await reader.inventory() if self._is_real(tag)}
        uids = frozenset(seen)
        same_as_before, self._previous = uids == self._previous, uids
        if not same_as_before:
            if uids != self._settled:
                self._publish(replace(self._state, checking=True))
            return
        if uids == self._settled and not self._state.checking:
            return
        if not await self._read_new(reader, seen):
            self._previous = None
        if self._previous is None:  # also when `recheck` or `detach` came in while we read
            return
        self._settled = uids
        self._publish(judge(self._known, self._owner))
        for uid in [uid for uid in self._repairs if uid in uids]:
            await self.set_security(uid, self._repairs[uid])

    async def _read_new(self, reader: Reader, seen: dict[str, TagSeen]) -> bool:
        """Bring the known contents in line with the tags seen; False when a tag is to be looked for again."""
        for uid in [uid for uid in self._known if uid not in seen]:
            del self._known[uid]
        self._misses = {uid: count for uid, count in self._misses.items() if uid in seen}
        for uid, tag in seen.items():
            if uid in self._known:
                continue
            content = await read_tag(reader, tag)
            if isinstance(content, TagError):
                self._misses[uid] = self._misses.get(uid, 0) + 1
                if self._misses[uid] < _READ_TRIES:
                    return False
            self._known[uid] = content
        return True

    def _is_real(self, tag: TagSeen) -> bool:
        real = tag.uid.startswith(_UID_PREFIX)
        self.ghosts += not real
        return real

    def _forget(self) -> None:
        self._known = {}
        self._misses = {}
        self._previous = None
        self._settled = None

    def _publish(self, state: PadState) -> None:
        if state != self._state:
            self._state = state
            self._on_change(state)


def _failure(error: TagError | None, info: SystemInfo | TagError) -> str:
    if isinstance(info, TagError):
        return info.fault.value
    return error.fault.value if error is not None else "read_back_differs"
