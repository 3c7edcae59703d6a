"""Refusals of the auth domain."""

from __future__ import annotations

from server.errors import DomainError


class WrongSignInError(DomainError):
    """Which of the two was wrong is not told."""

    code = "wrong_sign_in"
    status = 401
    title = "The name or card, or the password or PIN, is wrong."


class LockedError(DomainError):
    """Too many wrong answers; `seconds` until the next try."""

    status = 429

    @property
    def headers(self) -> dict[str, str]:
        """When to come back (RFC 9110 section 10.2.3)."""
        return {"Retry-After": str(self.params.get("seconds", 900))}


class SignInLockedError(LockedError):
    """At the sign-in form."""

    code = "sign_in_locked"
    title = "Too many wrong passwords or PINs: try again later."


class PinLockedError(LockedError):
    """Where a card and its PIN are asked for."""

    code = "pin_locked"
    title = "Too many wrong PINs: try again later, or ask a librarian for a new PIN."


class WrongPinError(DomainError):
    """The card has another PIN, or is not good."""

    code = "wrong_pin"
    status = 403
    title = "The PIN is wrong."


class WrongPasswordError(DomainError):
    """The present password is another one."""

    code = "wrong_password"
    status = 403
    title = "The present password is wrong."


class WeakSecretError(DomainError):
    """A new password or PIN that will not do; the code says why."""

    title = "Choose another one: this is too short or too easy to guess."

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__()


class UnknownAccountError(DomainError):
    """No colleague has this name."""

    code = "unknown_account"
    status = 404
    title = "There is no account of this name."


class AccountTakenError(DomainError):
    """A name is given once, for ever, since the audit log knows people by it."""

    code = "account_taken"
    title = "There is an account of this name. It can be enabled again; for somebody else choose another name."


class LastAdministratorError(DomainError):
    """Nobody could manage accounts any more."""

    code = "last_administrator"
    title = "This is the last administrator. Make somebody else administrator first."


class UnknownTokenError(DomainError):
    """No such token, or revoked before."""

    code = "unknown_token"
    status = 404
    title = "There is no such token, or it was revoked before."


class TokenTakenError(DomainError):
    """Two tokens of one name could not be told apart."""

    code = "token_taken"
    title = "There is a token of this name. Revoke it first, or choose another name."
