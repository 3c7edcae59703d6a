"""What the desk does with patrons: register, edit, renew, cards, blocks. Every change is audited."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from pydantic import BaseModel
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from carrel.web.i18n import Language, in_language
from server.audit import service as audit
from server.catalogue import service as catalogue
from server.lending import journal
from server.patrons import policy, repository
from server.patrons.errors import (
    BirthdayError,
    CardIsBarcodeError,
    CardTakenError,
    ChannelError,
    DuplicatePatronError,
    ExternalTakenError,
    GuardianError,
    NoCardError,
    PastBlockError,
    UnknownBlockError,
    UnknownClassError,
    UnknownPatronError,
)
from server.patrons.models import BlockRow, CardRow, PatronClassRow, PatronRow
from server.patrons.schemas import BlockPlaced
from server.patrons.service import Block, CardState, NewPatron, Patron, add, find_by_id, find_many
from server.prose import number

PAGE = 50


@dataclass(frozen=True, slots=True)
class NewBlock:
    """A block to place; `until` is the instant it ends by itself."""

    reason: str
    note: str = ""
    until: datetime | None = None


class BlockAsked(BaseModel):
    """Whom to block and how, as a request's repeat is compared with it."""

    patron_id: int
    reason: str
    note: str
    until: datetime | None
    request_id: str | None


@dataclass(frozen=True, slots=True)
class PatronClass:
    """A kind of patron; `membership_days` None: a membership without an end."""

    code: str
    name_zh: str
    name_en: str
    membership_days: int | None


@dataclass(frozen=True, slots=True)
class PastBlock(Block):
    """A block with its end."""

    lifted_at: datetime | None
    lifted_by: str | None


@dataclass(frozen=True, slots=True)
class Card:
    """A card that was handed out."""

    number: str
    state: CardState
    issued_at: datetime
    ended_at: datetime | None


def register(
    session: Session, new: NewPatron, *, actor: str, at: datetime, today: date, sure: bool = False, free: bool = False
) -> Patron:
    """A new patron; `sure` says that it is nobody of those alike, `free` that the card's number is no barcode. Raises
    the domain's refusals."""
    if not sure:
        repository.queue_up(session)
        if found := duplicates(session, new):
            raise DuplicatePatronError(patrons=len(found))
    _check_birthday(new.born_on, today)
    _check_class(session, new.patron_class)
    _check_channels(new.channels, new.email)
    if new.guardian_id is not None:
        _check_guardian(session, None, new.guardian_id, today)
    if not free:
        _check_no_barcode(session, new.card)
    patron_id = add(session, new, at)
    audit.record(
        session, actor=actor, action="patron.register", target=_target(patron_id), at=at,
        detail={"class": new.patron_class, "branch": new.branch},
    )  # fmt: skip
    return _known(session, patron_id)


def duplicates(session: Session, new: NewPatron | Patron) -> list[Patron]:
    """Who may be the same person: same name and birthday, or same telephone number or e-mail address.

    A child shares a guardian's telephone and address, so the guardian and the guardian's other children are no
    duplicates for that.
    """
    keys = repository.Keys(policy.name_key(new.name), policy.email_key(new.email), policy.phone_key(new.phone))
    found = [row.id for row in repository.alike(session, keys) if _same_person(row, new, keys)]
    return list(find_many(session, found).values())


def search(session: Session, typed: str, *, after: int = 0, limit: int = PAGE) -> list[Patron]:
    """Patrons in the order of their keys, from `after` on: part of a name, or how a card, number or e-mail begins."""
    typed = typed.strip()
    digits = policy.phone_key(typed)
    keys = repository.Keys(
        name=policy.name_key(typed),
        email=policy.email_key(typed) if "@" in typed else "",
        phone=digits if len(digits) >= 5 else "",
    )
    ids = repository.search(session, keys, number(typed), after=after, limit=limit)
    found = find_many(session, ids)
    return [found[patron_id] for patron_id in ids]


def edit(session: Session, patron_id: int, changes: dict[str, Any], *, actor: str, at: datetime, today: date) -> Patron:
    """Change fields of NewPatron other than card and PIN. The audit log tells which fields, never what they hold."""
    row = _row(session, patron_id)
    _check_birthday(changes.get("born_on"), today)
    if "patron_class" in changes:
        _check_class(session, changes["patron_class"])
    if changes.get("guardian_id") is not None:
        _check_guardian(session, patron_id, changes["guardian_id"], today)
    email = changes.get("email", row.email)
    _check_channels(changes.get("channels", json.loads(row.channels)), email)
    changed = sorted(name for name, value in changes.items() if _stored(name, value) != getattr(row, name))
    _set(row, changes)
    try:
        with session.begin_nested():
            session.flush()
    except IntegrityError:
        raise ExternalTakenError from None
    if changed:
        audit.record(
            session, actor=actor, action="patron.edit", target=_target(patron_id), at=at, detail={"fields": changed}
        )
    return _known(session, patron_id)


def renew(session: Session, patron_id: int, *, actor: str, at: datetime, today: date) -> Patron:
    """Prolong the membership by what the patron's class gives."""
    row = _row(session, patron_id)
    kind = repository.get_class(session, row.patron_class)
    row.expires_on = policy.renewed_until(row.expires_on, kind.membership_days if kind else None, today)
    until = row.expires_on.isoformat() if row.expires_on else None
    audit.record(
        session, actor=actor, action="patron.renew", target=_target(patron_id), at=at, detail={"expires_on": until}
    )
    session.flush()
    return _known(session, patron_id)


def blocks_of(session: Session, patron_id: int) -> list[PastBlock]:
    """All blocks a patron ever had, newest first."""
    return [
        PastBlock(row.id, row.reason, row.note, row.created_at, created_by=row.created_by, until=row.until,
                  lifted_at=row.lifted_at, lifted_by=row.lifted_by)
        for row in repository.blocks(session, patron_id)
    ]  # fmt: skip


def cards_of(session: Session, patron_id: int) -> list[Card]:
    """All cards a patron ever had, newest first."""
    return [_card(row) for row in repository.cards(session, patron_id)]


def end_card(session: Session, patron_id: int, reason: CardState, *, actor: str, at: datetime) -> None:
    """The good card is lost or withdrawn: nobody uses it any more. Raises NoCardError."""
    _row(session, patron_id)
    if not _end_card(session, patron_id, reason, at):
        raise NoCardError
    audit.record(session, actor=actor, action="card.end", target=_target(patron_id), at=at, detail={"reason": reason})


def replace_card(
    session: Session, patron_id: int, number: str, *, actor: str, at: datetime, free: bool = False
) -> None:  # fmt: skip
    """Hand out a new card; the good one, if there is any, ends as replaced; `free` says that the number is no barcode.
    Raises CardTakenError, CardIsBarcodeError."""
    _row(session, patron_id)
    if not free:
        _check_no_barcode(session, number)
    _end_card(session, patron_id, "replaced", at)
    if not repository.add_card(session, patron_id, number, at):
        raise CardTakenError
    audit.record(session, actor=actor, action="card.issue", target=_target(patron_id), at=at)


def block(
    session: Session, patron_id: int, new: NewBlock, *, actor: str, at: datetime, request_id: str | None = None
) -> int:
    """Place a block; its key. Raises PastBlockError when it would not last beyond `at`, RequestIdReusedError."""
    asked = BlockAsked(patron_id=patron_id, **asdict(new), request_id=request_id)

    def work() -> BlockPlaced:
        return BlockPlaced(id=_place(session, patron_id, new, actor=actor, at=at))

    return journal.once(session, actor, asked, now=at, answer=BlockPlaced, work=work).id


def lift(session: Session, patron_id: int, block_id: int, *, actor: str, at: datetime) -> None:
    """End a block. Raises UnknownBlockError."""
    _row(session, patron_id)
    row = repository.block(session, block_id)
    if row is None or row.patron_id != patron_id or row.lifted_at is not None:
        raise UnknownBlockError
    row.lifted_at, row.lifted_by = at, actor[:80]
    audit.record(
        session, actor=actor, action="patron.unblock", target=_target(patron_id), at=at, detail={"block": block_id}
    )
    session.flush()


def classes(session: Session) -> list[PatronClass]:
    """All kinds of patrons, by code."""
    return [PatronClass(row.code, row.name_zh, row.name_en, row.membership_days) for row in repository.classes(session)]


def class_names(session: Session, language: Language) -> dict[str, str]:
    """What the kinds of patrons are called, by code."""
    return {kind.code: in_language(language, (kind.name_en, kind.name_zh)) for kind in classes(session)}


def put_class(session: Session, kind: PatronClass, *, actor: str, at: datetime) -> None:
    """Add a kind of patron, or change what it is called and how long its membership lasts."""
    row = PatronClassRow(
        code=kind.code, name_zh=kind.name_zh, name_en=kind.name_en, membership_days=kind.membership_days
    )
    repository.put_class(session, row)
    audit.record(
        session, actor=actor, action="patron_class.put", target=f"patron_class:{kind.code}", at=at,
        detail={"membership_days": kind.membership_days},
    )  # fmt: skip


def _place(session: Session, patron_id: int, new: NewBlock, *, actor: str, at: datetime) -> int:
    _row(session, patron_id)
    if new.until is not None and new.until <= at:
        raise PastBlockError
    block_id = repository.add_block(
        session,
        BlockRow(
            patron_id=patron_id, reason=new.reason, note=new.note, created_at=at, created_by=actor[:80], until=new.until
        ),
    )
    audit.record(
        session, actor=actor, action="patron.block", target=_target(patron_id), at=at,
        detail={"block": block_id, "reason": new.reason},
    )  # fmt: skip
    return block_id


def _row(session: Session, patron_id: int) -> PatronRow:
    """Locked, so that the desk and the shelves agree on who changes a patron."""
    row = repository.row(session, patron_id, lock=True)
    if row is None or row.anonymised_at is not None:
        raise UnknownPatronError
    return row


def _known(session: Session, patron_id: int) -> Patron:
    found = find_by_id(session, patron_id)
    assert found is not None
    return found


def _target(patron_id: int) -> str:
    return f"patron:{patron_id}"


def _same_person(row: PatronRow, new: NewPatron | Patron, keys: repository.Keys) -> bool:
    family = new.guardian_id is not None and new.guardian_id in (row.id, row.guardian_id)
    if keys.name and row.name_key == keys.name and (row.born_on == new.born_on):
        return True
    same_line = bool(keys.phone) and row.phone_key == keys.phone
    return not family and (same_line or (bool(keys.email) and row.email_key == keys.email))


def _stored(name: str, value: Any) -> Any:
    return json.dumps(list(value)) if name == "channels" else value


def _set(row: PatronRow, changes: dict[str, Any]) -> None:
    for name, value in changes.items():
        setattr(row, name, _stored(name, value))
    row.name_key = policy.name_key(row.name)
    row.email_key = policy.email_key(row.email)
    row.phone_key = policy.phone_key(row.phone)


def _end_card(session: Session, patron_id: int, reason: str, at: datetime) -> bool:
    for row in repository.cards(session, patron_id):
        if row.ended_at is None:
            row.ended_at, row.end_reason = at, reason
            session.flush()
            return True
    return False


def _card(row: CardRow) -> Card:
    state: Any = row.end_reason or "active"
    return Card(row.number, state, row.issued_at, row.ended_at)


def _check_no_barcode(session: Session, number: str) -> None:
    if catalogue.items_by_barcode(session, [number]):
        raise CardIsBarcodeError


def _check_birthday(born_on: date | None, today: date) -> None:
    if born_on is not None and born_on > today:
        raise BirthdayError


def _check_class(session: Session, code: str) -> None:
    if repository.get_class(session, code) is None:
        raise UnknownClassError


def _check_channels(channels: Any, email: str) -> None:
    if "email" in channels and not email:
        raise ChannelError


def _check_guardian(session: Session, patron_id: int | None, guardian_id: int, today: date) -> None:
    guardian = find_by_id(session, guardian_id)
    if guardian is None or guardian.anonymised_at is not None or guardian_id == patron_id:
        raise GuardianError
    if policy.is_minor(guardian.born_on, today):
        raise GuardianError
