"""A loan and its renewals as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple


class Loan(NamedTuple):
    """A loan as it is stored; money in minor units."""

    id: int
    item_id: int
    patron_id: int | None
    checked_out_at: datetime
    due_at: datetime
    renewals: int
    checked_in_at: datetime | None
    branch: str
    patron_class: str
    item_type: str
    channel: str
    fee_per_open_day: int
    grace_open_days: int
    grace_deducted: bool
    fee_cap: int | None
    ended: str | None
    ended_at: datetime | None
    lost_at: datetime | None


@dataclass(frozen=True, slots=True)
class Renewal:
    """A renewal: when it was, and what had been promised before; `due_before` is None where nobody kept it."""

    at: datetime
    due_before: datetime | None
    terms: Mapping[str, Any]
