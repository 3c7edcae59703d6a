"""Patrons as every other domain sees them: finding one, checking a PIN, adding one.

What the desk does with them (cards, blocks, membership) is in `desk.py`, what a person may ask of the library about
their own data in `privacy.py`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from typing import Literal, NamedTuple

from sqlalchemy.orm import Session

from server import hashing
from server.patrons import policy, repository
from server.patrons.errors import CardTakenError, ExternalTakenError, UnknownPatronError
from server.patrons.models import PatronRow

CardState = Literal["active", "lost", "replaced", "withdrawn"]

NO_PIN = "!"
"""In place of a hash: no PIN is right until the desk sets one."""


@dataclass(frozen=True, slots=True)
class Block:
    """Why a patron may not borrow; `until` is the instant it ends by itself, None: when somebody lifts it."""

    id: int
    reason: str
    note: str
    created_at: datetime
    created_by: str
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Patron:
    """A patron as other domains see one.

    `card` is the number asked for, or the newest one; `card_state` is that card's. `expires_on` is the last day the
    membership is good. `blocks` are those that nobody has lifted: ask `blocked_at`, since some end by themselves.
    """

    id: int
    card: str
    card_state: CardState
    name: str
    language: str | None
    expires_on: date | None
    patron_class: str
    born_on: date | None
    branch: str
    external: str | None
    email: str
    phone: str
    address: str
    channels: tuple[str, ...]
    guardian_id: int | None
    keeps_history: bool
    note: str
    created_at: datetime
    anonymised_at: datetime | None
    blocks: tuple[Block, ...] = ()

    def blocks_at(self, now: datetime) -> tuple[Block, ...]:
        """The blocks that count at an instant."""
        return tuple(block for block in self.blocks if block.until is None or now < block.until)

    def blocked_at(self, now: datetime) -> bool:
        """Whether any block counts at an instant."""
        return any(block.until is None or now < block.until for block in self.blocks)


class Borrower(NamedTuple):
    """As much of a patron as lending has to know, by a card; made for every loan."""

    id: int
    card: str
    card_state: CardState
    name: str
    language: str | None
    expires_on: date | None
    patron_class: str
    blocked_until: tuple[datetime | None, ...] = ()
    """Of every block that nobody has lifted."""

    def blocked_at(self, now: datetime) -> bool:
        """Whether any block counts at an instant."""
        return any(until is None or now < until for until in self.blocked_until)


@dataclass(frozen=True, slots=True)
class NewPatron:
    """What a patron begins with. The PIN comes hashed, since hashing is slow and can be done beforehand."""

    card: str
    name: str
    pin_hash: str = NO_PIN
    language: str | None = None
    expires_on: date | None = None
    patron_class: str = "adult"
    born_on: date | None = None
    branch: str = "main"
    external: str | None = None
    email: str = ""
    phone: str = ""
    address: str = ""
    channels: tuple[str, ...] = ()
    guardian_id: int | None = None
    keeps_history: bool = False
    note: str = ""


def find(session: Session, card: str) -> Patron | None:
    """By any card, good or ended (see `card_state`)."""
    return next(_values(repository.find(session, card)), None)


def borrower(session: Session, card: str, *, lock: bool = False) -> Borrower | None:
    """The same for lending; `lock` makes other transactions about this patron wait."""
    rows = repository.borrowing(session, card, lock=lock)
    if not rows:
        return None
    open_blocks = [row.until for row in rows if row.block_id is not None]
    return Borrower._make((*rows[0][:-2], tuple(open_blocks)))


def find_by_id(session: Session, patron_id: int) -> Patron | None:
    """By key, with the newest card."""
    return next(_values(repository.by_id(session, [patron_id])), None)


def find_many(session: Session, patron_ids: Sequence[int]) -> dict[int, Patron]:
    """By keys, with their newest cards; unknown keys are left out."""
    return {patron.id: patron for patron in _values(repository.by_id(session, list(patron_ids)))}


def cards_among(session: Session, numbers: Sequence[str]) -> set[str]:
    """Those of these numbers that are cards, good or ended."""
    found: set[str] = set()
    for start in range(0, len(numbers), repository.IN_ONE_QUESTION):
        found |= repository.cards_among(session, numbers[start : start + repository.IN_ONE_QUESTION])
    return found


def check_pin(session: Session, card: str, pin: str) -> Patron | None:
    """The patron, if the card is good and the PIN right; an unknown card takes as long as a wrong PIN.

    It counts no wrong answers: what faces people calls `auth.service.verify_pin`.
    """
    stored = repository.pin_hash(session, card)
    right = hashing.matches(stored or hashing.NOBODY, pin)
    return find(session, card) if right and stored else None


def set_pin(session: Session, patron_id: int, pin_hash: str) -> list[str]:
    """Replace the PIN; the numbers of all the patron's cards. Raises UnknownPatronError."""
    row = repository.row(session, patron_id, lock=True)
    if row is None or row.anonymised_at is not None:
        raise UnknownPatronError
    row.pin_hash = pin_hash
    session.flush()
    return [card.number for card in repository.cards(session, patron_id)]


def add(session: Session, new: NewPatron, at: datetime) -> int:
    """A new patron's key; raises CardTakenError, ExternalTakenError."""
    row = PatronRow(
        name=new.name, name_key=policy.name_key(new.name), pin_hash=new.pin_hash, language=new.language,
        expires_on=new.expires_on, patron_class=new.patron_class, born_on=new.born_on, branch=new.branch,
        external=new.external, email=new.email, email_key=policy.email_key(new.email), phone=new.phone,
        phone_key=policy.phone_key(new.phone), address=new.address, channels=json.dumps(list(new.channels)),
        guardian_id=new.guardian_id, keeps_history=new.keeps_history, note=new.note, created_at=at,
    )  # fmt: skip
    patron_id = repository.add(session, row)
    if patron_id is None:
        raise ExternalTakenError
    if not repository.add_card(session, patron_id, new.card, at):
        raise CardTakenError
    return patron_id


def any_exist(session: Session) -> bool:
    """Whether this library has patrons yet."""
    return repository.count(session) > 0


def wards_of(session: Session, guardian_id: int, today: date) -> list[Patron]:
    """The children whose guardian somebody is, as long as they are under age."""
    found = find_many(session, repository.wards(session, guardian_id))
    return [patron for patron in found.values() if policy.is_minor(patron.born_on, today)]


def may_act_for(session: Session, actor_id: int, card: str, today: date) -> bool:
    """Whether a patron may see and renew what is lent on a card: their own, or an under-age child's."""
    patron = find(session, card)
    if patron is None:
        return False
    return patron.id == actor_id or (patron.guardian_id == actor_id and policy.is_minor(patron.born_on, today))


def _values(rows: Iterable[repository.Facts]) -> Iterator[Patron]:
    for _, group in groupby(rows, key=lambda row: row.id):
        yield _value(list(group))


def _value(rows: list[repository.Facts]) -> Patron:
    row = rows[0]
    return Patron(
        id=row.id, card=row.number or "", card_state=row.end_reason or "active", name=row.name, language=row.language,
        expires_on=row.expires_on, patron_class=row.patron_class, born_on=row.born_on, branch=row.branch,
        external=row.external, email=row.email, phone=row.phone, address=row.address,
        channels=tuple(json.loads(row.channels)), guardian_id=row.guardian_id, keeps_history=row.keeps_history,
        note=row.note, created_at=row.created_at, anonymised_at=row.anonymised_at,
        blocks=tuple(
            Block(r.block_id, r.reason, r.block_note, r.blocked_at, created_by=r.blocked_by, until=r.until)
            for r in rows
            if r.block_id is not None
        ),
    )  # fmt: skip
