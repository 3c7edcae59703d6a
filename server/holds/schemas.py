"""Bodies of the holds endpoints."""

from __future__ import annotations

from datetime import date
from typing import Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from carrel.contracts.circulation import Overriding
from carrel.contracts.ids import BranchId, CardNumber, ItemBarcode, RequestId


class HoldRequest(Overriding):
    """Join the queue for a title, or for one item of it (`only_this`).

    The title is named by its number or by the barcode of any of its items. A reader signed in may leave the card out.
    Without `pickup` the item is to be fetched where the request is made.
    """

    request_id: RequestId
    card: CardNumber | None = None
    record: int | None = Field(default=None, ge=1, le=2**31 - 1)
    barcode: ItemBarcode | None = None
    only_this: bool = False
    pickup: BranchId | None = None
    expires_on: date | None = None

    @model_validator(mode="after")
    def _one_title(self) -> Self:
        if (self.record is None) == (self.barcode is None):
            raise ValueError("name either the title's number or an item's barcode")
        if self.only_this and self.barcode is None:
            raise ValueError("only_this needs the item's barcode")
        return self


class HoldResult(BaseModel):
    """What became of the wish; `available` says that a copy stands on a shelf for it already.

    `overridden` is what staff decided against.
    """

    request_id: RequestId
    status: Literal["ok", "refused"]
    code: str | None = None
    params: dict[str, str | int] = Field(default_factory=dict)
    title: str | None = None
    hold: int | None = None
    position: int | None = None
    pickup: str | None = None
    expires_on: date | None = None
    available: bool = False
    overridden: tuple[str, ...] = ()


class PauseRequest(BaseModel):
    """Be passed over, up to a day or until resumed."""

    model_config = ConfigDict(extra="forbid")

    until: date | None = None


class HoldResponse(BaseModel):
    """A hold; `position` is 0 when something is set aside, None when the hold has ended.

    `expected_on` is the day on which something will probably be ready for who waits; None when that cannot be told.
    """

    id: int
    record: int
    title: str
    author: str
    barcode: str | None
    pickup: str
    placed_at: AwareDatetime
    expires_on: date | None
    paused: bool
    paused_until: date | None
    state: str
    position: int | None
    expected_on: date | None = None
    ready_until: AwareDatetime | None
    ended_at: AwareDatetime | None


class HoldsResponse(BaseModel):
    """Holds, first placed first."""

    holds: list[HoldResponse]
