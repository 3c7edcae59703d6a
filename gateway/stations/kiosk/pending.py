"""What a kiosk must not forget: the requests it is waiting on, and the tags that are still to be written.

After a kill the same question is asked again. Nothing is lost and nothing doubled, as the server answers a repeated
request_id with its first answer. Methods that write raise sqlite3.Error when the disk refuses.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from gateway.stations.kiosk.events import Lend, TakeBack
from gateway.store import Store

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Pending:
    """A checkout (with card) or checkin sent and not yet answered. `undo`: the patron was told that it failed."""

    request_id: str
    card: str | None
    items: Mapping[str, tuple[str, ...]]
    undo: bool = False


class PendingRequests:
    """Those of one kiosk: usually none or one, more when a server stays away."""

    def __init__(self, kiosk: str, store: Store) -> None:
        self._name = f"kiosk_pending/{kiosk}"
        self._store = store
        self._open: dict[str, Pending] = {}

    def load(self) -> tuple[Pending, ...]:
        """What was under way when the gateway ended, oldest first."""
        self._open = {}
        for row in self._store.load(self._name) or []:
            try:
                pending = _pending(row)
            except (KeyError, TypeError, AttributeError) as error:
                log.error("a request left by an earlier run cannot be read: %r", error)
            else:
                self._open[pending.request_id] = pending
        return tuple(self._open.values())

    def keep(self, request: Lend | TakeBack) -> Pending:
        """On the disk before it is asked."""
        card = request.card if isinstance(request, Lend) else None
        return self._save(Pending(request.request_id, card, request.items))

    def mark_undo(self, pending: Pending) -> Pending:
        """The patron was told that nothing was lent."""
        return self._save(replace(pending, undo=True))

    def settle(self, pending: Pending) -> None:
        """It is answered and dealt with."""
        self._write({id_: kept for id_, kept in self._open.items() if id_ != pending.request_id})

    def _save(self, pending: Pending) -> Pending:
        self._write({**self._open, pending.request_id: pending})
        return pending

    def _write(self, open_: dict[str, Pending]) -> None:
        rows = [
            {
                "request_id": pending.request_id,
                "card": pending.card,
                "items": {barcode: list(uids) for barcode, uids in pending.items.items()},
                "undo": pending.undo,
            }
            for pending in open_.values()
        ]
        self._store.save(self._name, rows)
        self._open = open_


class Repairs:
    """Tags whose security state is still to be written (UID -> on loan): whoever lays them on the pad finishes it."""

    def __init__(self, kiosk: str, store: Store) -> None:
        self._name = f"kiosk_repairs/{kiosk}"
        self._store = store
        self._due: dict[str, bool] = {}

    def load(self) -> Mapping[str, bool]:
        """What was left when the gateway ended."""
        kept = self._store.load(self._name)
        self._due = {str(uid): bool(on_loan) for uid, on_loan in kept.items()} if isinstance(kept, dict) else {}
        return dict(self._due)

    def add(self, tags: Mapping[str, bool]) -> None:
        """These are to be written."""
        self._write({**self._due, **tags})

    def done(self, uid: str) -> None:
        """This one is written."""
        self._write({kept: on_loan for kept, on_loan in self._due.items() if kept != uid})

    def _write(self, due: dict[str, bool]) -> None:
        if due != self._due:
            self._store.save(self._name, due)
            self._due = due


def _pending(row: Mapping[str, Any]) -> Pending:
    items = {str(barcode): tuple(uids) for barcode, uids in row["items"].items()}
    return Pending(row["request_id"], row["card"], items, bool(row["undo"]))
