"""Bodies of the patrons endpoints."""

from __future__ import annotations

from datetime import date

from pydantic import BaseModel


class MeResponse(BaseModel):
    """What the library holds about the reader who asks."""

    card: str
    name: str
    language: str | None
    expires_on: date | None
    blocked: bool
