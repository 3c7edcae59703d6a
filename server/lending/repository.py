"""All SQL of the lending domain."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Executable, Row, Table, bindparam, delete, insert, literal_column, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from server.db.transaction import hot, kind_of
from server.lending.models import AnswerRow, RuleRow, SettingRow

_ONLY = 1
_ANSWERS = cast(Table, AnswerRow.__table__)
_INSERTS: dict[str, Callable[..., Any]] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
"""Both databases know ON CONFLICT, each through its own class."""
_SETTINGS = cast(Table, SettingRow.__table__)
TOKEN = select(_SETTINGS.c.token).where(_SETTINGS.c.id == literal_column(str(_ONLY))).scalar_subquery()
"""A column for those who read it along with what they need anyway."""
_TOKEN = hot(select(TOKEN.label("token")))
_STORE = (
    update(_ANSWERS)
    .where(AnswerRow.actor == bindparam("by"), AnswerRow.request_id == bindparam("key"))
    .values(answer=bindparam("told"))
)


def _claim(dialect: str) -> Executable:
    query = _INSERTS[dialect](_ANSWERS)
    again = query.on_conflict_do_update(
        index_elements=[AnswerRow.actor, AnswerRow.request_id],
        set_={"digest": query.excluded.digest, "answer": "", "at": query.excluded.at},
        where=AnswerRow.at < bindparam("forget"),
    )
    return cast(Executable, again.returning(AnswerRow.actor))


_CLAIM = {dialect: _claim(dialect) for dialect in _INSERTS}


def token(session: Session) -> str | None:
    """Of the present state of rules, policy and calendar; None in a library that has none of its own yet."""
    return session.scalar(_TOKEN)


def lock_settings(session: Session) -> None:
    """Make others who change the settings wait."""
    session.execute(select(_SETTINGS.c.id).with_for_update())


def settings(session: Session) -> SettingRow | None:
    """The one row."""
    return session.get(SettingRow, _ONLY, populate_existing=True)


def rules(session: Session) -> list[RuleRow]:
    """All rules, in the order of what they are for."""
    order = (RuleRow.patron_class, RuleRow.item_type, RuleRow.branch)
    return list(session.scalars(select(RuleRow).order_by(*order)))


def claim_settings(session: Session, row: dict[str, Any]) -> bool:
    """Store the row of a library that has none; False when another server was faster."""
    query = _INSERTS[kind_of(session)](SettingRow.__table__).on_conflict_do_nothing()
    return session.execute(query.returning(SettingRow.id), {"id": _ONLY, **row}).first() is not None


def change_settings(session: Session, row: dict[str, Any]) -> None:
    """Change some columns of the one row."""
    session.execute(update(SettingRow).where(SettingRow.id == _ONLY).values(**row))


def replace_rules(session: Session, rows: Iterable[dict[str, Any]]) -> None:
    """These rules and no others."""
    session.execute(delete(RuleRow))
    if new := list(rows):
        session.execute(insert(RuleRow), new)


def find_answer(session: Session, actor: str, request_id: str) -> Row[str, str] | None:
    """What this caller was answered to this request."""
    query = select(AnswerRow.digest, AnswerRow.answer)
    return session.execute(query.where(AnswerRow.actor == actor, AnswerRow.request_id == request_id)).one_or_none()


def claim_answer(session: Session, key: tuple[str, str], *, digest: str, at: datetime, forget: datetime) -> bool:
    """Take a `request_id`, after another transaction that holds it; False when it was answered since `forget`."""
    row = {"actor": key[0], "request_id": key[1], "digest": digest, "answer": "", "at": at, "forget": forget}
    return session.execute(_CLAIM[kind_of(session)], row).first() is not None


def store_answer(session: Session, key: tuple[str, str], answer: str) -> None:
    """What the claimed request was answered."""
    session.execute(_STORE, {"by": key[0], "key": key[1], "told": answer})


def forget_answers(session: Session, before: datetime) -> None:
    """Drop answers that nobody will ask for again."""
    session.execute(delete(AnswerRow).where(AnswerRow.at < before))
