"""Lending over REST: the same messages serve kiosk, desk and phone."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, Field, StringConstraints, field_serializer, model_validator

from carrel.contracts.base import Contract
from carrel.contracts.ids import BranchId, CardNumber, Count, ItemBarcode, RequestId

Code = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Reason = Annotated[str, StringConstraints(strip_whitespace=True, max_length=500)]


class ItemRef(Contract):
    """An item, by its barcode. `parts` tells how many parts of a set were seen, where somebody counted them."""

    barcode: ItemBarcode
    parts: Annotated[int, Field(ge=0, le=255)] | None = None


class Overriding(Contract):
    """What staff decide against: the codes of refusals, and why. Only the desk may; it is audited."""

    overrides: Annotated[frozenset[Code], Field(max_length=20)] = frozenset()
    reason: Reason = ""

    @field_serializer("overrides")
    def _in_order(self, codes: frozenset[str]) -> list[str]:
        """A request that comes again is known by its text, which a set would write in any order."""
        return sorted(codes)

    @model_validator(mode="after")
    def _reasoned(self) -> Self:
        if self.overrides and not self.reason:
            raise ValueError("an override needs a reason")
        return self


class CheckoutRequest(Overriding):
    """Lend items to the patron with `card` (a reader signed in may leave it out: it is theirs).

    `implicit_return`: an item that is still on loan to somebody else is taken back first; the desk only.
    """

    request_id: RequestId
    card: CardNumber | None = None
    items: tuple[ItemRef, ...] = Field(min_length=1, max_length=50)
    implicit_return: bool = False
    branch: BranchId | None = None


class CheckinRequest(Contract):
    """Take items back; no card is needed. `returned_at` is for what came back earlier, as through a book drop.

    `accept_not_on_loan`: an item that was not on loan is no refusal; it is here, and goes where it belongs.
    `accept_incomplete`: a set of which a part is missing is taken back, and put on the staff's list.
    """

    request_id: RequestId
    items: tuple[ItemRef, ...] = Field(min_length=1, max_length=50)
    returned_at: AwareDatetime | None = None
    accept_not_on_loan: bool = False
    accept_incomplete: bool = False
    branch: BranchId | None = None


class RenewalRequest(Overriding):
    """Renew loans of the patron with `card`, or of the reader signed in."""

    request_id: RequestId
    card: CardNumber | None = None
    items: tuple[ItemRef, ...] = Field(min_length=1, max_length=50)
    branch: BranchId | None = None


class RenewAllRequest(Overriding):
    """Renew every loan of the patron with `card`, or of the reader signed in."""

    request_id: RequestId
    card: CardNumber | None = None
    branch: BranchId | None = None


class UndoRequest(Contract):
    """Undo what was done last with each item. With a `card`, only a loan of that patron is made undone."""

    request_id: RequestId
    items: tuple[ItemRef, ...] = Field(min_length=1, max_length=50)
    card: CardNumber | None = None
    branch: BranchId | None = None


class LossRequest(Contract):
    """End loans of items that will not come back; the patron is charged for them."""

    request_id: RequestId
    items: tuple[ItemRef, ...] = Field(min_length=1, max_length=50)
    reason: Reason = ""


class ItemResult(Contract):
    """What became of one item; a refusal carries a stable lower_snake code.

    `route` says where a returned item goes (`route_to`: the branch), `fee` what was charged with it, `loan` the loan's
    number, `overridden` what staff decided against.
    """

    barcode: ItemBarcode
    status: Literal["ok", "refused"]
    code: str | None = None
    params: dict[str, str | int] = Field(default_factory=dict)
    title: str | None = None
    due: AwareDatetime | None = None
    security: Literal["in_stock", "on_loan"] | None = None
    route: Literal["hold", "transit", "shelf", "staff"] | None = None
    route_to: str | None = None
    fee: Decimal | None = None
    loan: int | None = None
    overridden: tuple[str, ...] = ()


class BatchResult(Contract):
    """One result per item, in the order asked. The same request_id gives the same answer again."""

    request_id: RequestId
    results: tuple[ItemResult, ...]


class PreviewRequest(Contract):
    """What would happen to these items at a checkout (with card) or a checkin (without)."""

    card: CardNumber | None = None
    items: tuple[ItemRef, ...] = Field(min_length=1, max_length=50)


class PatronStanding(Contract):
    """As much of a patron as a kiosk may show. `code` says why nothing may be borrowed, if so."""

    card: CardNumber
    shown_name: str
    language: str | None = None
    loans: int
    quota_left: int
    pin_required: bool = False
    code: str | None = None


class ReplayItem(ItemRef):
    """An item that was lent or taken back offline, with the due date that was promised."""

    due: AwareDatetime | None = None


class ReplayRow(Contract):
    """A row of an offline journal: what happened at a kiosk at `at`. `request_id` is the online attempt's, if any."""

    kiosk: BranchId
    counter: Count | None = None
    at: AwareDatetime
    kind: Literal["checkout", "checkin", "renewal"]
    card: Annotated[str, StringConstraints(max_length=64)] | None = None
    items: tuple[ReplayItem, ...] = Field(min_length=1, max_length=50)
    request_id: RequestId | None = None
    branch: BranchId | None = None

    @model_validator(mode="after")
    def _named(self) -> Self:
        if self.counter is None and self.request_id is None:
            raise ValueError("a row needs a counter or a request_id, so that it counts once")
        if self.kind != "checkin" and not self.card:
            raise ValueError("this kind of row needs a card")
        return self


class ReplayRequest(Contract):
    """Rows of offline journals; they are carried out by their own times, however they are ordered here."""

    rows: tuple[ReplayRow, ...] = Field(min_length=1, max_length=500)


class ReplayRowResult(Contract):
    """What became of a row. `repeated`: it had come before, and this is the first answer.

    `conflicts` are the codes under which the row is on the staff's list; the row is recorded all the same, unless its
    card or item is unknown.
    """

    kiosk: BranchId
    counter: Count | None = None
    request_id: RequestId | None = None
    status: Literal["recorded", "repeated"]
    results: tuple[ItemResult, ...]
    conflicts: tuple[str, ...] = ()


class ReplayResult(Contract):
    """One result per row, in the order asked."""

    rows: tuple[ReplayRowResult, ...]
