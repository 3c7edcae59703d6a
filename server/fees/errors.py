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
    """The same `payment_id` came for another patron or amount."""

    code = "payment_id_reused"
    status = 409
    title = "This payment_id was used for a different payment. Nothing was booked."


class UnknownPaymentError(DomainError):
    """The patron made no payment of this number."""

    code = "unknown_payment"
    status = 404
    title = "There is no such payment."


class PaymentUndoneError(DomainError):
    """The payment was made undone before."""

    code = "payment_undone"
    status = 409
    title = "This payment was undone. Book it anew if it was made after all."


class PaymentRefundedError(DomainError):
    """What was paid has been given back since, as for a lost item that was found."""

    code = "payment_refunded"
    status = 409
    title = "What was paid has been given back since. Nothing was changed."


class UndoTooLateError(DomainError):
    """The library's time for undoing is over."""

    code = "undo_too_late"
    status = 409
    title = "This was too long ago to be undone."


class TwoPatronsError(DomainError):
    """The card and the key in one request are two patrons'."""

    code = "two_patrons"
    status = 409
    title = "The card is not this patron's. Name one of the two. Nothing was booked."


class ReasonRequiredError(DomainError):
    """A waiver says why."""

    code = "reason_required"
    status = 409
    title = "Say why."


def error_of(refused: Refused) -> DomainError:
    """The refusal of a decision as an error."""
    known = {
        kind.code: kind
        for kind in (
            UnknownFeeError, PaymentAmountError, OverpaidError, PaymentIdReusedError, UnknownPaymentError,
            PaymentUndoneError, PaymentRefundedError, UndoTooLateError, ReasonRequiredError,
        )
    }  # fmt: skip
    return known[refused.code](**refused.params)
