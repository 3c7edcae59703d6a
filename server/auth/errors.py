"""Refusals of the auth domain."""

from __future__ import annotations

from server.errors import DomainError


class WrongSignInError(DomainError):
    """Which of the two was wrong is not told."""

    code = "wrong_sign_in"
    status = 401
    title = "The name or card, or the password or PIN, is wrong."


class SignInLockedError(DomainError):
    """Too many wrong answers; `seconds` until the next try."""

    code = "sign_in_locked"
    status = 429
    title = "Too many wrong passwords or PINs: try again later."

    @property
    def headers(self) -> dict[str, str]:
        """When to come back (RFC 9110 section 10.2.3)."""
        return {"Retry-After": str(self.params.get("seconds", 900))}
