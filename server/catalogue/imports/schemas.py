"""Bodies of the imports' endpoints."""

from __future__ import annotations

from pydantic import AwareDatetime, BaseModel

from server.catalogue.imports.policy import Match, Overlay, State
from server.catalogue.marc.encodings import Encoding
from server.catalogue.marc.record import MarcFormat


class ImportResponse(BaseModel):
    """An import and how far it is: read = new + updated + skipped + failed.

    `problems` counts what was wrong, by code; `report` has a line for each. `code` says why the import as a whole
    failed: no_records, utf_16, file_gone, worker_lost, internal_error.
    """

    id: str
    file_name: str
    state: State
    code: str
    done_pct: float
    read: int
    new: int
    updated: int
    skipped: int
    failed: int
    items: int
    dry_run: bool
    format: MarcFormat | None
    encoding: Encoding | None
    overlay: Overlay
    match: Match
    item_mapping: str
    pool: bool
    created_at: AwareDatetime
    finished_at: AwareDatetime | None
    report: str


class ImportDetailResponse(ImportResponse):
    """With what was wrong."""

    problems: dict[str, int]


class ImportsResponse(BaseModel):
    """The newest first."""

    imports: list[ImportResponse]
