"""Refusals of printing."""

from __future__ import annotations

from server.errors import DomainError


class LabelGridError(DomainError):
    """The labels do not lie on a sheet."""

    code = "label_grid"
    status = 422
    title = "These labels do not fit on a sheet of A4 (210 x 297 mm). Measure the sheet again."


class LabelStartError(DomainError):
    """The first free label is beyond the sheet, which has `labels`."""

    code = "label_start"
    status = 422
    title = "The sheet has fewer labels than that. Give the number of its first free one."


class LabelEmptyError(DomainError):
    """`copies` have no call number, so their spine labels would say nothing."""

    code = "label_empty"
    status = 422
    title = "Some copies have no call number, so there is nothing to print. Write their call numbers first."


class LabelLettersError(DomainError):
    """The call numbers of `copies` have letters that the fonts of labels lack: nobody could read them."""

    code = "label_letters"
    status = 422
    title = "Some call numbers have letters that labels cannot show. Write them in Latin or Chinese letters."


class LabelTooSmallError(DomainError):
    """`barcode` would need narrower or lower bars than scanners read."""

    code = "label_too_small"
    status = 422
    title = "A barcode does not fit on these labels: its bars would be too narrow or too low. Take larger labels."


class LabelOverfullError(DomainError):
    """The call number of `barcode` does not fit even in the smallest letters; a part of it may be another book's."""

    code = "label_overfull"
    status = 422
    title = "A call number does not fit on these labels. Take larger labels, or shorten it."


class UnknownItemsError(DomainError):
    """`barcodes` are in no item."""

    code = "unknown_items"
    status = 404
    title = "Some of these barcodes belong to no copy."
