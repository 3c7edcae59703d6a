"""Writing the audit log, reading it, and checking that nobody tampered with it.

What is recorded is kept with the session and chained once, as the transaction's last writing before it commits: one
lock, one look at the chain's end and one INSERT for a transaction of any size. What a rolled back savepoint recorded
is forgotten with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import event
from sqlalchemy.orm import Session, SessionTransaction

from server.audit import policy, repository
from server.audit.policy import Verdict
from server.audit.values import Entry, Sealed, Wanted
from server.db import Database
from server.db.transaction import at_end

PAGE = 100
EXPORTED = 10_000
_PENDING = "carrel_audit"


class _Pending(NamedTuple):
    """An entry and the savepoints within which it was recorded."""

    entry: Entry
    savepoints: tuple[SessionTransaction, ...]


def record(
    session: Session,
    *,
    actor: str,
    action: str,
    target: str,
    at: datetime,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Have this written when the session's transaction commits.

    `actor` is a principal's subject or a part of the program (`nightly`), `action` lower_snake words of a domain
    (`patron.block`), `target` a kind and a key (`patron:12`). No names, card numbers or secrets anywhere.
    """
    entry = Entry(actor[:80], action, target[:120], at, policy.canonical(detail))
    session.info.setdefault(_PENDING, []).append(_Pending(entry, _savepoints(session)))
    at_end(session, _chain)


def verify(database: Database, noted: str | None = None) -> Verdict:
    """Check the whole chain; `noted` is a row's `SEQ:HASH` kept elsewhere, which finds out if the end was cut off."""
    with database.reading() as session:
        return policy.verify(repository.every(session), noted)


def about_patron(session: Session, patron_id: int) -> list[dict[str, Any]]:
    """What was done to a patron's record, for the patron; who did it is not theirs to know."""
    rows = repository.page(session, Wanted(target=f"patron:{patron_id}"), EXPORTED)
    return [{"at": row.entry.at, "action": row.entry.action} for row in rows]


def page(session: Session, wanted: Wanted, limit: int = PAGE) -> list[Sealed]:
    """The newest rows that are wanted, newest first; the next page is `before` the last one's `seq`."""
    return repository.page(session, wanted, limit)


def _savepoints(session: Session) -> tuple[SessionTransaction, ...]:
    found = []
    inner = session.get_nested_transaction()
    while inner is not None and inner.nested:
        found.append(inner)
        inner = inner.parent
    return tuple(found)


def _chain(session: Session) -> None:
    """Append what was recorded; everything else is locked before the chain, so that nobody waits in a circle."""
    pending: list[_Pending] = session.info.pop(_PENDING)
    entries = [one.entry for one in pending]
    if entries:
        repository.append(session, entries)


@event.listens_for(Session, "after_soft_rollback")
def _forget(session: Session, ended: SessionTransaction) -> None:
    """What was undone was not done."""
    pending: list[_Pending] | None = session.info.get(_PENDING)
    if pending is None:
        return
    session.info[_PENDING] = [one for one in pending if ended.nested and ended not in one.savepoints]
