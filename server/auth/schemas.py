"""Bodies of the auth endpoints."""

from __future__ import annotations

from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, StringConstraints

Name = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f]+$")
]
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
