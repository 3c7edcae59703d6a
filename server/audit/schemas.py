"""Bodies of the audit endpoint."""

from __future__ import annotations

from typing import Any

from pydantic import AwareDatetime, BaseModel


class AuditEntry(BaseModel):
    """One thing done."""

    seq: int
    at: AwareDatetime
    actor: str
    action: str
    target: str
    detail: dict[str, Any]
    hash: str


class AuditResponse(BaseModel):
    """A page, newest first; `next` is the `before` of the next one, null on the last."""

    entries: list[AuditEntry]
    next: int | None
