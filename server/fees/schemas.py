"""Bodies of the fees endpoints. Amounts are text with 2 places, such as "3.50"."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, PlainSerializer, StringConstraints

from carrel.contracts.ids import CardNumber, RequestId
from server.fees.policy import Kind

Money = Annotated[Decimal, PlainSerializer(lambda amount: f"{amount:.2f}", return_type=str)]
Amount = Annotated[str, StringConstraints(max_length=20)]
"""What a person or terminal typed; the policy says whether it is an amount."""
Words = Annotated[str, StringConstraints(max_length=200)]
Key = Annotated[int, Field(ge=1, le=2**31 - 1)]


class FeeResponse(BaseModel):
    """A fee and what is still owed of it."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    kind: str
    amount: Money
    owed: Money
    charged_at: AwareDatetime
    reason: str


class ChargedResponse(FeeResponse):
    """A fee charged just now, and what the patron owes with it; a repeat of its `request_id` gets the same answer."""

    balance: Money


class LineResponse(BaseModel):
    """A line of the ledger: charge, payment, waiver, refund, or reversal (a payment undone).

    Positive amounts raise what is owed.
    """

    model_config = ConfigDict(from_attributes=True)

    at: AwareDatetime
    entry: str
    kind: str
    amount: Money
    fee_id: int
    means: str
    reason: str


class FeesResponse(BaseModel):
    """What a patron owes, oldest first, and everything that was booked."""

    balance: Money
    fees: list[FeeResponse]
    ledger: list[LineResponse]


class ChargeBody(BaseModel):
    """A fee charged by hand; the same `request_id` charges once."""

    model_config = ConfigDict(extra="forbid")

    kind: Kind
    amount: Amount
    reason: Words = ""
    request_id: RequestId | None = None


class PaymentBody(BaseModel):
    """A payment by the patron with this card, or key; `fee_id` pays one fee only."""

    model_config = ConfigDict(extra="forbid")

    payment_id: RequestId
    amount: Amount
    means: Annotated[str, StringConstraints(pattern=r"^[a-z0-9_-]{1,20}$")] = "cash"
    card: CardNumber | None = None
    patron_id: Key | None = None
    fee_id: Key | None = None


class PaidPartResponse(BaseModel):
    """How much went to which fee."""

    model_config = ConfigDict(from_attributes=True)

    fee_id: int
    amount: Money


class PaidResponse(BaseModel):
    """A booked payment; a repeat of its `payment_id` gets the same answer."""

    model_config = ConfigDict(from_attributes=True)

    payment_id: str
    amount: Money
    balance: Money
    parts: list[PaidPartResponse]


class PaymentUndoBody(BaseModel):
    """Whose payment it was: the patron with this card, or key."""

    model_config = ConfigDict(extra="forbid")

    request_id: RequestId
    card: CardNumber | None = None
    patron_id: Key | None = None


class PaymentUndone(BaseModel):
    """What was taken back, and what the patron owes now."""

    payment_id: str
    amount: Money
    balance: Money


class WaiverBody(BaseModel):
    """Why a fee is forgiven; without `amount` all that is owed of it. The same `request_id` forgives once."""

    model_config = ConfigDict(extra="forbid")

    reason: Words
    amount: Amount | None = None
    request_id: RequestId | None = None


class WaivedResponse(BaseModel):
    """What was forgiven and what the patron still owes."""

    waived: Money
    balance: Money
