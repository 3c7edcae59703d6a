"""Refusals of the fees domain, as answers to whole requests."""

from __future__ import annotations

from server.errors import DomainError
from server.fees.policy import Refused


class UnknownFeeError(DomainError):
    """No such fee, or nothing is owed of it."""

    code = "unknown_fee"
    status = 404
    title = "There is no such open fee."


class PaymentAmountError(DomainError):
    """Not an amount that can be booked."""

    code = "payment_amount"
    status = 409
    title = "An amount is more than 0 and has at most 2 places, such as 3.50."


class OverpaidError(DomainError):
    """More than is owed."""

    code = "overpaid"
    status = 409
    title = "This is more than is owed. Nothing was booked."


class PaymentIdReusedError(DomainError):
    """The same `payment_id` came within a day for another patron or amount."""

    code = "payment_id_reused"
    status = 409
    title = "This payment_id was used for a different payment. Nothing was booked."


class ReasonRequiredError(DomainError):
    """A waiver says why."""

    code = "reason_required"
    status = 409
    title = "Say why."


def error_of(refused: Refused) -> DomainError:
    """The refusal of a decision as an error."""
    known = {
        kind.code: kind
        for kind in (UnknownFeeError, PaymentAmountError, OverpaidError, PaymentIdReusedError, ReasonRequiredError)
    }
    return known[refused.code](**refused.params)
