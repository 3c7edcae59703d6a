"""Bodies of the circulation endpoints that are not contracts shared with the edge."""

from __future__ import annotations

from pydantic import AwareDatetime, BaseModel


class LoanResponse(BaseModel):
    """One of the reader's loans; `code` says why it cannot be renewed, if so."""

    barcode: str
    title: str
    author: str
    call_number: str
    checked_out: AwareDatetime
    due: AwareDatetime
    overdue: bool
    renewals: int
    renewals_left: int
    renewable: bool
    code: str | None = None


class LoansResponse(BaseModel):
    """All of the reader's open loans, due soonest first."""

    loans: list[LoanResponse]
    quota_left: int
