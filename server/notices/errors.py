"""Refusals of the notices domain, and why a letter did not go out."""

from __future__ import annotations

from server.errors import DomainError


class UnknownNoticeError(DomainError):
    """No such notice."""

    code = "unknown_notice"
    status = 404
    title = "There is no such notice."


class NoticeNotFailedError(DomainError):
    """Only what has failed can be tried again."""

    code = "notice_not_failed"
    status = 409
    title = "This notice has not failed: it was sent, is no longer needed, or is still tried by itself."


class DeliveryError(Exception):
    """A letter was not taken. `final`: another attempt would not help."""

    def __init__(self, code: str, detail: str, *, final: bool = False) -> None:
        super().__init__(detail)
        self.code = code
        self.final = final
