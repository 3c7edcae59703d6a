"""Bodies of the tasks endpoints."""

from __future__ import annotations

from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field


class TaskResponse(BaseModel):
    """Something for staff: `kind` is its list, `code` why it is there. What has no number goes away by being done."""

    id: int | None
    kind: str
    code: str
    branch: str
    at: AwareDatetime
    barcode: str | None = None
    title: str | None = None
    location: str | None = None
    call_number: str | None = None
    patron: int | None = None
    detail: dict[str, Any] = Field(default_factory=dict)
    resolved_at: AwareDatetime | None = None
    resolved_by: str = ""
    resolution: str = ""
    note: str = ""


class TasksResponse(BaseModel):
    """One list, or all that are stored."""

    tasks: list[TaskResponse]


class CountsResponse(BaseModel):
    """How much is on each list."""

    counts: dict[str, int]


class ResolveRequest(BaseModel):
    """What was done about it, in a word and perhaps a note."""

    model_config = ConfigDict(extra="forbid")

    resolution: str = Field(default="done", pattern=r"^[a-z][a-z_]{0,39}$")
    note: str = Field(default="", max_length=500)
