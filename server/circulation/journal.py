"""The request journal: a repeated request is not carried out again but gets its first answer."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from carrel.contracts.circulation import BatchResult, CheckinRequest, CheckoutRequest, ItemResult, RenewalRequest
from server.circulation import repository
from server.circulation.errors import RequestIdReusedError
from server.circulation.models import AnswerRow

KEPT = timedelta(days=30)
"""Longer than any outage after which a kiosk may still repeat itself."""

Request = CheckoutRequest | CheckinRequest | RenewalRequest


def once(
    session: Session, actor: str, request: Request, *, now: datetime, work: Callable[[], list[ItemResult]]
) -> BatchResult:
    """Do the work, unless this caller's request was done before; raises RequestIdReusedError."""
    digest = hashlib.sha256(f"{type(request).__name__} {request.model_dump_json()}".encode()).hexdigest()
    repository.forget_answers(session, now - KEPT)
    row = AnswerRow(actor=actor, request_id=request.request_id, digest=digest, at=now)
    known = repository.find_answer(session, actor, request.request_id)
    if known is None and not repository.claim_answer(session, row):
        known = repository.find_answer(session, actor, request.request_id)
    if known is not None:
        if known.digest != digest:
            raise RequestIdReusedError
        return BatchResult.model_validate_json(known.answer)
    result = BatchResult(request_id=request.request_id, results=tuple(work()))
    row.answer = result.model_dump_json()
    return result
