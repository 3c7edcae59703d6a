"""Bodies of the lending endpoints."""

from __future__ import annotations

from datetime import date

from pydantic import BaseModel, ConfigDict, Field

from server.lending.policy import Calendar, LibraryPolicy, Rule


class LendingResponse(BaseModel):
    """Everything the library lends by."""

    policy: LibraryPolicy
    rules: list[Rule]
    calendar: Calendar
    closed_years: dict[str, date] = Field(
        description="Branches that by the calendar do not open for a year, and from when on: a mistake in it."
    )


class RulesRequest(BaseModel):
    """The whole matrix, as it shall be."""

    model_config = ConfigDict(extra="forbid")

    rules: list[Rule] = Field(max_length=2000)
