"""Bodies of the exports' endpoints."""

from __future__ import annotations

from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from carrel.contracts.ids import RoomId
from server.exports.policy import Resolution, State
from server.rooms.history import Metric

MOST_ROOMS = 200


class ExportRequest(BaseModel):
    """What to export: from <= time < to. `excel` puts a byte order mark first, by which Excel knows UTF-8."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    rooms: Annotated[list[RoomId], Field(min_length=1, max_length=MOST_ROOMS)]
    metrics: Annotated[list[Metric], Field(min_length=1)]
    start: AwareDatetime = Field(alias="from")
    end: AwareDatetime = Field(alias="to")
    resolution: Resolution = "1h"
    excel: bool = False


class ExportResponse(BaseModel):
    """An export and how far it is; `file` is its address once it is done.

    `code` says why one failed, or what one that waits again waits for: history_unavailable, disk_full,
    file_not_written, export_too_large, worker_lost, internal_error.
    """

    id: str
    state: State
    rows: int
    done_pct: float
    code: str
    size: int
    file: str | None
    rooms: list[str]
    metrics: list[str]
    start: AwareDatetime = Field(serialization_alias="from")
    end: AwareDatetime = Field(serialization_alias="to")
    resolution: Resolution
    created_at: AwareDatetime
    expires_at: AwareDatetime


class ExportsResponse(BaseModel):
    """The newest first."""

    exports: list[ExportResponse]
