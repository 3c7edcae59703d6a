"""A hold as a value."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Literal
from zoneinfo import ZoneInfo

from carrel.clock import end_of_day, local_date

State = Literal["waiting", "in_transit", "ready", "fulfilled", "cancelled", "expired"]


@dataclass(frozen=True, slots=True)
class Hold:
    """A hold as other domains see one; `item_id` is set when only this item will do."""

    id: int
    patron_id: int | None
    record_id: int
    item_id: int | None
    pickup: str
    placed_at: datetime
    expires_on: date | None
    paused: bool
    paused_until: date | None
    state: State
    filled_item_id: int | None
    ready_at: datetime | None
    ready_until: datetime | None
    closed_at: datetime | None
    loan_id: int | None

    @property
    def open(self) -> bool:
        """Whether the patron still waits or has something set aside."""
        return self.closed_at is None

    def paused_on(self, today: date) -> bool:
        """Whether the patron is passed over; a pause is over on its day, whether or not a night has come since."""
        return self.paused and (self.paused_until is None or today < self.paused_until)

    def outlived(self, today: date) -> bool:
        """Whether the patron waits no longer, although no night has ended the hold yet."""
        return self.state == "waiting" and self.expires_on is not None and self.expires_on < today

    def as_of(self, now: datetime, zone: ZoneInfo) -> Hold:
        """As it is told at an instant: what is outlived has ended with its last day, though no night has come yet."""
        if self.expires_on is None or not self.outlived(local_date(now, zone)):
            return self
        return replace(self, state="expired", closed_at=end_of_day(self.expires_on, zone).astimezone(UTC))

    def waits(self, today: date) -> bool:
        """Whether the patron is to be served today."""
        return self.state == "waiting" and not self.outlived(today) and not self.paused_on(today)

    def takes(self, item_id: int) -> bool:
        """Whether this item would do."""
        return self.item_id in (None, item_id)
