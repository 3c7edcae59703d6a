"""The request journal: a repeated request is not carried out again but gets its first answer."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from pydantic import BaseModel
from sqlalchemy.orm import Session

from server.lending import repository
from server.lending.errors import RequestIdReusedError

KEPT = timedelta(days=30)
"""Longer than any outage after which a kiosk may still repeat itself."""


class Request(Protocol):
    """A body that names itself."""

    @property
    def request_id(self) -> str | None:
        """Chosen by the caller, once for each thing it wants done; None: done as often as it comes."""

    def model_dump_json(self, *, exclude_defaults: bool) -> str:
        """The body as JSON."""


A = TypeVar("A", bound=BaseModel)


def once(
    session: Session, actor: str, request: Request, *, now: datetime, answer: type[A], work: Callable[[], A]
) -> A:  # fmt: skip
    """Do the work, unless this caller's request was done before; raises RequestIdReusedError."""
    if request.request_id is None:
        return work()
    body = f"{type(request).__name__} {request.model_dump_json(exclude_defaults=True)}"
    digest = hashlib.sha256(body.encode()).hexdigest()
    if not repository.claim_answer(session, (actor, request.request_id), digest=digest, at=now, forget=now - KEPT):
        known = repository.find_answer(session, actor, request.request_id)
        if known is None or known.digest != digest:
            raise RequestIdReusedError
        return answer.model_validate_json(known.answer)
    result = work()
    repository.store_answer(session, (actor, request.request_id), result.model_dump_json())
    return result


def answered(session: Session, actor: str, request_id: str) -> str | None:
    """What this caller was answered to this request, as JSON; None when it never came or is forgotten."""
    known = repository.find_answer(session, actor, request_id)
    return known.answer if known else None


def forget(session: Session, now: datetime) -> None:
    """Drop answers that nobody will ask for again."""
    repository.forget_answers(session, now - KEPT)
