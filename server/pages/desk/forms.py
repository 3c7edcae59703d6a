"""What the desk's forms send. Whatever can be left out is, so that a form is judged by what it says."""

from __future__ import annotations

import re
from typing import Annotated, Final, Literal

from pydantic import BaseModel, BeforeValidator, Field, StringConstraints

from carrel.contracts.circulation import Code, Reason
from carrel.contracts.ids import CardNumber, ItemBarcode, RequestId
from server.pages.sent import fresh_id
from server.prose import number

SCANNED: Final = re.compile(r"[0-9A-Za-z.*:/_-]{1,32}")
"""A card's number or an item's barcode."""

Done = Annotated[str, StringConstraints(max_length=300)]
Meant = BeforeValidator(lambda typed: number(typed) if isinstance(typed, str) else typed)
Barcode = Annotated[ItemBarcode | Literal[""], Meant]
Key = Annotated[int, Field(ge=1, le=2**31 - 1)]


class AtTheDesk(BaseModel):
    """What every form carries: whose card lies there, and what was done before."""

    card: CardNumber | Literal[""] = ""
    request_id: Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z._:-]{0,64}$")] = ""
    trail: Annotated[list[Done], Field(max_length=20)] = []

    @property
    def id(self) -> str:
        """The request's number; a form without one is always a new request."""
        return self.request_id or fresh_id()


class ScanForm(AtTheDesk):
    """Whatever was scanned or typed."""

    code: Annotated[str, Meant, StringConstraints(max_length=200)] = ""


class ItemForm(AtTheDesk):
    """Something about one item."""

    item: Barcode = ""


class ReturnForm(ItemForm):
    """An item that comes back; `parts` are those of a set that are there, if somebody counted them."""

    parts: Annotated[int, Field(ge=0, le=255)] | Literal[""] = ""


class Insisting(AtTheDesk):
    """The rules that staff decide against, with the reason; `given` are the reasons given for the rules before."""

    overrides: Annotated[list[Code], Field(max_length=20)] = []
    reason: Reason = ""
    given: Reason = ""

    @property
    def reasons(self) -> str:
        """All of them, as the audit log keeps them."""
        return "; ".join(dict.fromkeys(one for one in (self.given, self.reason) if one))[:500].strip()

    def against(self, overridable: frozenset[str]) -> tuple[str, ...]:
        """Those that staff may decide against at all; none without a reason, so that the refusal asks for one."""
        return tuple(code for code in self.overrides if code in overridable) if self.reason else ()


class InsistForm(Insisting):
    """Items to be lent or renewed. Without items: all that the reader has."""

    item: Annotated[list[ItemBarcode], Field(max_length=50)] = []
    implicit_return: bool = False


class HoldForm(Insisting):
    """An item whose title is wanted."""

    item: Barcode = ""


class PayForm(AtTheDesk):
    """A payment, on one fee or the oldest first."""

    amount: Annotated[str, Meant, StringConstraints(max_length=20)] = ""
    means: Literal["cash", "card", "mobile"] = "cash"
    fee: Key | Literal[""] = ""


class UnpayForm(AtTheDesk):
    """A payment that was a mistake, by its number."""

    payment: RequestId | Literal[""] = ""
