"""Bodies of the auth endpoints."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, StringConstraints

from server.deps import Instant

Name = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f]+$")
]
AccountName = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[A-Za-z][A-Za-z0-9._-]{1,63}$")]
PersonName = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")
]
StaffRole = Literal["librarian", "duty_staff", "administrator"]
MachineRole = Literal["kiosk", "gateway", "integration"]
Secret = Annotated[str, StringConstraints(min_length=1, max_length=256)]


class SignInRequest(BaseModel):
    """An account's name and password, or a patron's card number and PIN."""

    model_config = ConfigDict(extra="forbid")

    user: Name
    password: Secret


class WhoResponse(BaseModel):
    """Who is signed in."""

    user: str
    role: str
    name: str
    expires: AwareDatetime | None


class SignInResponse(WhoResponse):
    """The new session; the token also comes as a cookie."""

    token: str


class SessionResponse(BaseModel):
    """One of the caller's sessions; `agent` is what the browser calls itself."""

    id: str
    started_at: AwareDatetime
    expires_at: AwareDatetime
    agent: str
    current: bool


class SessionsResponse(BaseModel):
    """The running ones, newest first."""

    sessions: list[SessionResponse]


class PasswordChange(BaseModel):
    """The present password and the one wanted."""

    model_config = ConfigDict(extra="forbid")

    present: Secret
    new: Secret


class PinChange(BaseModel):
    """The present PIN and the one wanted."""

    model_config = ConfigDict(extra="forbid")

    present: Secret
    new: Secret


class PinReset(BaseModel):
    """The PIN to set; without one, six random digits."""

    model_config = ConfigDict(extra="forbid")

    pin: Secret | None = None


class PinResetResponse(BaseModel):
    """The new PIN, told this once."""

    pin: str


class AccountRequest(BaseModel):
    """A new colleague."""

    model_config = ConfigDict(extra="forbid")

    user: AccountName
    name: PersonName
    role: StaffRole
    password: Secret


class AccountChange(BaseModel):
    """What to change; fields left out stay."""

    model_config = ConfigDict(extra="forbid")

    name: PersonName | None = None
    role: StaffRole | None = None
    disabled: bool | None = None


class PasswordReset(BaseModel):
    """The password that an administrator sets."""

    model_config = ConfigDict(extra="forbid")

    password: Secret


class AccountResponse(BaseModel):
    """A colleague; in the audit log `user:NAME`, and `account:ID` where it tells of sessions."""

    id: int
    user: str
    name: str
    role: str
    disabled_at: AwareDatetime | None


class AccountsResponse(BaseModel):
    """All colleagues, by name."""

    accounts: list[AccountResponse]


class TokenRequest(BaseModel):
    """A new token; without `expires_at` it is good until it is revoked."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    role: MachineRole
    expires_at: Instant | None = None


class TokenResponse(BaseModel):
    """What is known of a token; `last_used_at` is right to the hour."""

    id: int
    name: str
    role: str
    created_at: AwareDatetime
    created_by: str
    expires_at: AwareDatetime | None
    last_used_at: AwareDatetime | None


class TokensResponse(BaseModel):
    """All that are not revoked."""

    tokens: list[TokenResponse]


class NewTokenResponse(TokenResponse):
    """The token itself, told this once."""

    token: str
