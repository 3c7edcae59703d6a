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

from server.lending import journal

FIELD = "request_id"
"""The form's hidden field."""
NUMBER = re.compile(r"[0-9A-Za-z._:-]{1,64}")

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
