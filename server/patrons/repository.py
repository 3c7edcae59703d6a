"""All SQL of the patrons domain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, bindparam, exists, func, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from server.db.transaction import hot, kind_of
from server.patrons.models import BlockRow, CardRow, PatronClassRow, PatronRow

_patron, _card, _block = PatronRow.__table__, CardRow.__table__, BlockRow.__table__
_other_card = _card.alias()

_FACTS = (
    select(
        *(_patron.c[name] for name in (
            "id", "name", "language", "expires_on", "patron_class", "born_on", "branch", "external", "email", "phone",
            "address", "channels", "guardian_id", "keeps_history", "note", "created_at", "anonymised_at",
        )),
        _card.c.number, _card.c.end_reason,
        _block.c.id.label("block_id"), _block.c.reason, _block.c.note.label("block_note"),
        _block.c.created_at.label("blocked_at"), _block.c.created_by.label("blocked_by"), _block.c.until,
    )
    .order_by(_patron.c.id, _block.c.id)
)  # fmt: skip

_OPEN_BLOCKS = (_block.c.patron_id == _patron.c.id) & _block.c.lifted_at.is_(None)
_NEWEST_CARD = (
    select(func.max(_other_card.c.id))
    .where(_other_card.c.patron_id == _patron.c.id)
    .correlate(_patron)
    .scalar_subquery()
)

_WITH_CARD = _card.join(_patron, _card.c.patron_id == _patron.c.id).outerjoin(_block, _OPEN_BLOCKS)
FIND = hot(_FACTS.select_from(_WITH_CARD).where(_card.c.number == bindparam("card")))
BORROWING = hot(
    select(
        _patron.c.id, _card.c.number, func.coalesce(_card.c.end_reason, "active").label("card_state"),
        *(_patron.c[name] for name in ("name", "language", "expires_on", "patron_class")),
        _block.c.until, _block.c.id.label("block_id"),
    )
    .select_from(_WITH_CARD)
    .where(_card.c.number == bindparam("card"))
)  # fmt: skip
BORROWING_AND_LOCKED = hot(BORROWING.with_for_update(of=_patron, key_share=True))
"""Rows that name the patron, as a fee does that a return charges, do not wait for this lock, nor it for them."""
BY_ID = _FACTS.select_from(_patron.outerjoin(_card, _card.c.id == _NEWEST_CARD).outerjoin(_block, _OPEN_BLOCKS)).where(
    _patron.c.id.in_(bindparam("ids", expanding=True))
)
"""Made once, since every loan asks; of the tables themselves, so what a session has changed is flushed first."""

Facts = Row[*tuple[Any, ...]]

IN_ONE_QUESTION = 500
"""Keys asked for at once: both databases limit a statement's parameters."""


@dataclass(frozen=True, slots=True)
class Keys:
    """What people are compared by; an empty one is not compared."""

    name: str = ""
    email: str = ""
    phone: str = ""


def find(session: Session, card: str) -> Sequence[Facts]:
    """One row per open block (at least one) of whoever has or had this card."""
    return session.execute(FIND, {"card": card}).all()


def borrowing(session: Session, card: str, *, lock: bool = False) -> Sequence[Any]:
    """The same with what lending asks for only: the service's Borrower, then a block.

    `lock` holds the patron until the transaction ends, so that loans are counted one by one.
    """
    return session.execute(BORROWING_AND_LOCKED if lock else BORROWING, {"card": card}).all()


def by_id(session: Session, patron_ids: Sequence[int]) -> list[Facts]:
    """One row per patron and open block, with the newest card."""
    rows: list[Facts] = []
    for start in range(0, len(patron_ids), IN_ONE_QUESTION):
        rows += session.execute(BY_ID, {"ids": patron_ids[start : start + IN_ONE_QUESTION]}).all()
    return rows


def row(session: Session, patron_id: int, *, lock: bool = False) -> PatronRow | None:
    """The row itself, to change it."""
    return session.get(PatronRow, patron_id, with_for_update={"key_share": True} if lock else None)


def pin_hash(session: Session, card: str) -> str | None:
    """Behind a card that is good."""
    query = select(PatronRow.pin_hash).join(CardRow, CardRow.patron_id == PatronRow.id)
    return session.scalar(query.where(CardRow.number == card, CardRow.ended_at.is_(None)))


def queue_up(session: Session) -> None:
    """Let those who look for duplicates before they add a patron follow each other, until the transaction ends."""
    if kind_of(session) == "postgresql":  # SQLite's writers queue anyway
        session.execute(select(func.pg_advisory_xact_lock(func.hashtext("patron"))))


def add(session: Session, patron: PatronRow) -> int | None:
    """Store a new patron; the key, or None when the external number is another's."""
    try:
        with session.begin_nested():
            session.add(patron)
    except IntegrityError:
        return None
    return patron.id


def add_card(session: Session, patron_id: int, number: str, at: datetime) -> bool:
    """Whether the number was free; the patron's other card must have ended."""
    try:
        with session.begin_nested():
            session.add(CardRow(patron_id=patron_id, number=number, issued_at=at))
    except IntegrityError:
        return False
    return True


def cards(session: Session, patron_id: int) -> list[CardRow]:
    """All that were handed out, newest first."""
    return list(session.scalars(select(CardRow).where(CardRow.patron_id == patron_id).order_by(CardRow.id.desc())))


def cards_among(session: Session, numbers: Sequence[str]) -> set[str]:
    """Those of these numbers, of which there may be as many as a statement takes, that a card has or had."""
    return set(session.scalars(select(CardRow.number).where(CardRow.number.in_(numbers))))


def add_block(session: Session, block: BlockRow) -> int:
    """Store a block; the key."""
    session.add(block)
    session.flush()
    return block.id


def block(session: Session, block_id: int) -> BlockRow | None:
    """By key."""
    return session.get(BlockRow, block_id)


def blocks(session: Session, patron_id: int) -> list[BlockRow]:
    """All there ever were, newest first."""
    return list(session.scalars(select(BlockRow).where(BlockRow.patron_id == patron_id).order_by(BlockRow.id.desc())))


def wards(session: Session, guardian_id: int) -> list[int]:
    """Whose guardian somebody is."""
    return list(
        session.scalars(select(PatronRow.id).where(PatronRow.guardian_id == guardian_id).order_by(PatronRow.id))
    )


def alike(session: Session, keys: Keys) -> list[PatronRow]:
    """Who has one of these names, addresses or numbers."""
    pairs = ((PatronRow.name_key, keys.name), (PatronRow.email_key, keys.email), (PatronRow.phone_key, keys.phone))
    same = [column == key for column, key in pairs if key]
    if not same:
        return []
    return list(session.scalars(select(PatronRow).where(or_(*same)).order_by(PatronRow.id).limit(50)))


def search(session: Session, keys: Keys, card: str, *, after: int, limit: int) -> list[int]:
    """Keys of patrons whose name contains, or whose card, number or address begins with what was typed."""
    ways: list[ColumnElement[bool]] = []
    if keys.name:
        ways.append(PatronRow.name_key.contains(keys.name, autoescape=True))
    if keys.email:
        ways.append(PatronRow.email_key.startswith(keys.email, autoescape=True))
    if keys.phone:
        ways.append(PatronRow.phone_key.startswith(keys.phone, autoescape=True))
    if card:
        ways.append(exists().where(CardRow.patron_id == PatronRow.id, CardRow.number.startswith(card, autoescape=True)))
    query = select(PatronRow.id).where(PatronRow.anonymised_at.is_(None), PatronRow.id > after)
    if ways:
        query = query.where(or_(*ways))
    return list(session.scalars(query.order_by(PatronRow.id).limit(limit)))


def id_of_external(session: Session, external: str) -> int | None:
    """The patron whom another system knows by this number."""
    return session.scalar(select(PatronRow.id).where(PatronRow.external == external))


def count(session: Session) -> int:
    """How many there are."""
    return session.scalar(select(func.count()).select_from(PatronRow)) or 0


def forget(session: Session, patron_id: int, values: dict[str, Any]) -> None:
    """Overwrite what is known of a patron, unname the cards, empty the notes of blocks."""
    session.execute(update(PatronRow).where(PatronRow.id == patron_id).values(**values))
    session.execute(update(PatronRow).where(PatronRow.guardian_id == patron_id).values(guardian_id=None))
    session.execute(update(BlockRow).where(BlockRow.patron_id == patron_id).values(note=""))
    for card in cards(session, patron_id):
        session.delete(card)


def classes(session: Session) -> list[PatronClassRow]:
    """All kinds of patrons."""
    return list(session.scalars(select(PatronClassRow).order_by(PatronClassRow.code)))


def get_class(session: Session, code: str) -> PatronClassRow | None:
    """By code."""
    return session.get(PatronClassRow, code)


def put_class(session: Session, made: PatronClassRow) -> None:
    """Store a kind of patron, new or changed."""
    session.merge(made)
