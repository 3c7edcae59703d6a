"""Common base of every message on the wire."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Contract(BaseModel):
    """A frozen message; unknown fields are refused, so a changed wire is seen at once."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)
