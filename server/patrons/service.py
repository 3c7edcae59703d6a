"""Patrons: finding them, checking their PIN, adding them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from server import hashing
from server.patrons import repository
from server.patrons.models import PatronRow


@dataclass(frozen=True, slots=True)
class Patron:
    """A patron as other domains see one. `expires_on` is the last day the card is good."""

    id: int
    card: str
    name: str
    language: str | None
    expires_on: date | None
    blocked: bool


def get(session: Session, patron_id: int) -> Patron | None:
    """By key."""
    return _value(repository.get(session, patron_id))


def find(session: Session, card: str, *, lock: bool = False) -> Patron | None:
    """By card; `lock` makes other transactions about this patron wait."""
    return _value(repository.find(session, card, lock=lock))


def check_pin(session: Session, card: str, pin: str) -> Patron | None:
    """The patron, if the PIN is right; an unknown card takes as long as a wrong PIN."""
    row = repository.find(session, card)
    right = hashing.matches(row.pin_hash if row else hashing.NOBODY, pin)
    return _value(row) if right else None


def add(
    session: Session,
    card: str,
    pin_hash: str,
    *,
    name: str,
    language: str | None = None,
    expires_on: date | None = None,
    blocked: bool = False,
) -> int:
    """A new patron's key; the PIN comes hashed, since hashing is slow and can be done beforehand."""
    row = PatronRow(card=card, pin_hash=pin_hash, name=name, language=language, expires_on=expires_on, blocked=blocked)
    repository.add(session, row)
    return row.id


def any_exist(session: Session) -> bool:
    """Whether this library has patrons yet."""
    return repository.count(session) > 0


def _value(row: PatronRow | None) -> Patron | None:
    if row is None:
        return None
    return Patron(row.id, row.card, row.name, language=row.language, expires_on=row.expires_on, blocked=row.blocked)
