"""Lending over REST: the same messages serve kiosk, desk and phone."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime, Field

from carrel.contracts.base import Contract
from carrel.contracts.ids import CardNumber, ItemBarcode, RequestId


class ItemRef(Contract):
    """An item, by its barcode."""

    barcode: ItemBarcode


class CheckoutRequest(Contract):
    """Lend items to the patron with `card` (a reader signed in may leave it out: it is theirs)."""

    request_id: RequestId
    card: CardNumber | None = None
    items: tuple[ItemRef, ...] = Field(min_length=1, max_length=50)


class CheckinRequest(Contract):
    """Take items back; no card is needed."""

    request_id: RequestId
    items: tuple[ItemRef, ...] = Field(min_length=1, max_length=50)


class RenewalRequest(Contract):
    """Renew loans of the patron with `card`, or of the reader signed in."""

    request_id: RequestId
    card: CardNumber | None = None
    items: tuple[ItemRef, ...] = Field(min_length=1, max_length=50)


class ItemResult(Contract):
    """What became of one item; a refusal carries a stable lower_snake code."""

    barcode: ItemBarcode
    status: Literal["ok", "refused"]
    code: str | None = None
    params: dict[str, str | int] = Field(default_factory=dict)
    title: str | None = None
    due: AwareDatetime | None = None
    security: Literal["in_stock", "on_loan"] | None = None


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
