"""`/api/v1/audit`: who did what and when. For administrators."""

from __future__ import annotations

import json
from typing import Annotated

from fastapi import APIRouter, Query

from server.audit import service
from server.audit.schemas import AuditEntry, AuditResponse
from server.audit.values import Wanted
from server.deps import Instant, Principal, ReadSession, Role, require

router = APIRouter(prefix="/api/v1/audit", tags=["administration"])

Words = Annotated[str | None, Query(max_length=120, pattern=r"^[^\x00-\x1f]+$")]


@router.get("")
def entries(
    session: ReadSession,
    _who: Annotated[Principal, require(Role.ADMINISTRATOR)],
    *,
    actor: Words = None,
    target: Annotated[Words, Query(description="`patron:12`, or a kind alone: `patron:`")] = None,
    action: Words = None,
    since: Instant | None = None,
    until: Instant | None = None,
    before: Annotated[int | None, Query(ge=1, le=2**62)] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = service.PAGE,
) -> AuditResponse:
    """The newest entries that fit."""
    wanted = Wanted(actor, target, action, since=since, until=until, before=before)
    found = service.page(session, wanted, limit)
    told = [
        AuditEntry(
            seq=row.seq, at=row.entry.at, actor=row.entry.actor, action=row.entry.action, target=row.entry.target,
            detail=json.loads(row.entry.detail), hash=row.hash,
        )
        for row in found
    ]  # fmt: skip
    return AuditResponse(entries=told, next=found[-1].seq if len(found) == limit else None)
