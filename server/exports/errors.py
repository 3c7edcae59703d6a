"""Refusals of exports, and what they fail with."""

from __future__ import annotations

from server.errors import DomainError


class UnknownExportError(DomainError):
    """Never was, cancelled, or removed after its day."""

    code = "unknown_export"
    status = 404
    title = "There is no such export. Exports are removed after a day."


class ExportNotReadyError(DomainError):
    """`state` says how far it is."""

    code = "export_not_ready"
    status = 409
    title = "The file of this export is not finished."


class ExportGoneError(DomainError):
    """The row is there, the file is not."""

    code = "export_gone"
    status = 410
    title = "The file of this export is no longer there. Make a new one."


class TooManyExportsError(DomainError):
    """`most` are allowed to wait or run."""

    code = "too_many_exports"
    status = 409
    title = "Too many exports are being made. Wait until one is finished, or cancel one."


class BadSpanError(DomainError):
    """A time range that makes no sense."""

    code = "bad_range"
    status = 422
    title = "The range must end after it begins and be no longer than 20 years."


class NotRawError(DomainError):
    """`metrics` names them."""

    code = "metric_not_raw"
    status = 422
    title = "These metrics are computed from means and have no raw values. Choose another resolution."


class TooLargeError(Exception):
    """The file would grow beyond what is allowed."""
