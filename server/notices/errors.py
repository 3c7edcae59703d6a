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
    title = "This notice cannot be sent again: it was sent, or is no longer needed."


class NoticeOnItsWayError(DomainError):
    """What was handed over cannot be taken back."""

    code = "notice_on_its_way"
    status = 409
    title = "This notice was sent, or is being sent just now."


class NoChannelError(DomainError):
    """The configuration names nothing that takes letters of this kind."""

    code = "notice_channel"
    status = 409
    title = "The library has no such channel: config.toml names no mail server, or no webhook."


class NotAnAddressError(DomainError):
    """Mail goes to addresses."""

    code = "notice_address"
    status = 422
    title = "This is not an e-mail address."


class DeliveryError(Exception):
    """A letter was not taken. `final`: another attempt would not help."""

    def __init__(self, code: str, detail: str, *, final: bool = False) -> None:
        super().__init__(detail)
        self.code = code
        self.final = final
