"""What a person may ask: everything that is held about them, and to be forgotten.

Other domains hold things about patrons too. Each tells by a `Holder` how to export and forget them and what is still
open; the composition root lists the holders, so that no domain looks into another's tables.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from server.audit import service as audit
from server.patrons import repository
from server.patrons.desk import blocks_of, cards_of
from server.patrons.errors import StillHeldError, UnknownPatronError
from server.patrons.service import NO_PIN, Patron, find_by_id

NAMELESS = "*"
"""What stands where a name was."""


def _nothing(_session: Session, _patron_id: int) -> Any:
    return None


def _none_open(_session: Session, _patron_id: int) -> int:
    return 0


def _keep(_session: Session, _patron_id: int, _at: datetime) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Holder:
    """A domain that holds something about patrons.

    `export` tells what (as JSON), `still_open` counts what must be settled before a patron may be forgotten, and
    `forget` takes the person out of what is kept for statistics. `name` is a plural: `loans`, `fees`, `holds`.
    """

    name: str
    export: Callable[[Session, int], Any] = _nothing
    still_open: Callable[[Session, int], int] = _none_open
    forget: Callable[[Session, int, datetime], None] = _keep


def export(session: Session, patron_id: int, holders: Sequence[Holder], *, actor: str, at: datetime) -> dict[str, Any]:
    """Everything held about a person; that it was asked for is audited. Raises UnknownPatronError."""
    patron = _known(session, patron_id)
    audit.record(session, actor=actor, action="patron.export", target=f"patron:{patron_id}", at=at)
    own = {name: value for name, value in asdict(patron).items() if name not in ("blocks", "card_state")}
    return {
        "exported_at": at,
        "patron": own,
        "cards": [asdict(card) for card in cards_of(session, patron_id)],
        "blocks": [asdict(block) for block in blocks_of(session, patron_id)],
        **{holder.name: holder.export(session, patron_id) for holder in holders},
    }


def anonymise(session: Session, patron_id: int, holders: Sequence[Holder], *, actor: str, at: datetime) -> None:
    """Forget a person for good; class and branch stay for statistics. Raises StillHeldError, which counts what is open.

    The patron is locked first: what would be lent meanwhile waits, and then finds no card.
    """
    repository.row(session, patron_id, lock=True)
    _known(session, patron_id)
    held = {holder.name: count for holder in holders if (count := holder.still_open(session, patron_id))}
    if held:
        raise StillHeldError(**held)
    for holder in holders:
        holder.forget(session, patron_id, at)
    repository.forget(
        session,
        patron_id,
        {
            "name": NAMELESS, "name_key": "", "pin_hash": NO_PIN, "language": None, "expires_on": None,
            "born_on": None, "external": None, "email": "", "email_key": "", "phone": "", "phone_key": "",
            "address": "", "channels": "[]", "guardian_id": None, "keeps_history": False, "note": "",
            "anonymised_at": at,
        },
    )  # fmt: skip
    audit.record(session, actor=actor, action="patron.anonymise", target=f"patron:{patron_id}", at=at)


def _known(session: Session, patron_id: int) -> Patron:
    patron = find_by_id(session, patron_id)
    if patron is None or patron.anonymised_at is not None:
        raise UnknownPatronError
    return patron
