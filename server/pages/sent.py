"""A form by its own number: one that comes twice, as by a double click or after a lost answer, is carried out once."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TypeVar

from fastapi import Request
from pydantic import BaseModel, ConfigDict
from sqlalchemy.orm import Session

from server.db import Database
from server.lending import journal

FIELD = "request_id"
"""The form's hidden field."""
NUMBER = re.compile(r"[0-9A-Za-z._:-]{1,64}")
ANYBODY = "secret_form"
"""Who sends a form that may have ended their own session."""

A = TypeVar("A", bound=BaseModel)


class Sent(BaseModel):
    """A form, by its own number."""

    model_config = ConfigDict(frozen=True)

    request_id: str
    address: str
    values: dict[str, str]


class Done(BaseModel):
    """That a form was carried out; nothing of it is kept."""


def fresh_id() -> str:
    """A request's own number: a form that is sent twice does its work once."""
    return uuid.uuid4().hex


def secret_once(  # each is told
    session: Session, request: Request, number: str, *, now: datetime, work: Callable[[], None]
) -> None:  # fmt: skip
    """Change what somebody signs in with, once. Of the form nothing is noted but its number: no secret, and no name,
    since it ends the session of whoever sends it."""

    def deed() -> Done:
        work()
        return Done()

    once(session, request, {FIELD: number}, actor=ANYBODY, now=now, answer=Done, work=deed)


def is_done(database: Database, number: str) -> bool:
    """Whether `secret_once` has carried out the form of this number."""
    with database.reading() as session:
        return journal.answered(session, ANYBODY, number) is not None


def once(  # each is told
    session: Session, request: Request, values: Mapping[str, str], *, actor: str, now: datetime, answer: type[A],
    work: Callable[[], A],
) -> A:  # fmt: skip
    """Do the work, unless this caller's form was carried out before; then its first answer.

    A form without a number is always a new one. Raises RequestIdReusedError.
    """
    number = values.get(FIELD, "")
    sent = Sent(
        request_id=number if NUMBER.fullmatch(number) else fresh_id(), address=request.url.path, values=dict(values)
    )
    return journal.once(session, actor, sent, now=now, answer=answer, work=work)
