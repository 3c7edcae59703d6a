"""Refusals of the catalogue domain."""

from __future__ import annotations

from server.errors import DomainError


class UnknownRecordError(DomainError):
    """No such bibliographic record."""

    code = "unknown_record"
    status = 404
    title = "There is no such title in the catalogue."


class UnknownItemError(DomainError):
    """No such item."""

    code = "unknown_item"
    status = 404
    title = "There is no item with this barcode."
