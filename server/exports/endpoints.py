"""`/api/v1/exports`: the history as CSV files, made in the background. For staff."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Response
from fastapi.responses import FileResponse

from server.deps import STAFF, CoreDep, Principal, ReadSession, WriteSession, require
from server.exports import service
from server.exports.errors import BadSpanError, NotRawError
from server.exports.policy import LONGEST, Wanted
from server.exports.schemas import ExportRequest, ExportResponse, ExportsResponse
from server.exports.service import Export
from server.exports.worker import folder_of
from server.rooms.endpoints import RoomsDep
from server.rooms.history import DERIVED

router = APIRouter(prefix="/api/v1/exports", tags=["exports"])

Staff = Annotated[Principal, require(*STAFF)]
ExportId = Annotated[str, Path(pattern="^[0-9a-f]{32}$")]


@router.post("", status_code=202)
def create(
    body: ExportRequest, response: Response, *, rooms: RoomsDep, core: CoreDep, session: WriteSession, principal: Staff
) -> ExportResponse:
    """Have a file made; ask for its state at the address in `Location`."""
    wanted = Wanted(
        rooms=tuple(dict.fromkeys(body.rooms)),
        metrics=tuple(dict.fromkeys(body.metrics)),
        start=body.start,
        end=body.end,
        resolution=body.resolution,
        excel=body.excel,
    )
    for room in wanted.rooms:
        rooms.past.sensors(room, wanted.metrics[0])  # raises UnknownRoomError
    if not wanted.start < wanted.end or wanted.end - wanted.start > LONGEST:
        raise BadSpanError
    derived = [metric for metric in wanted.metrics if metric in DERIVED]
    if derived and wanted.resolution == "raw":
        raise NotRawError(metrics=", ".join(derived))
    export = service.create(session, wanted, subject=principal.subject, now=core.clock.now())
    response.headers["Location"] = f"{router.prefix}/{export.id}"
    return _told(export)


@router.get("")
def exports(core: CoreDep, session: ReadSession, _principal: Staff) -> ExportsResponse:
    """Everybody's exports of the last day."""
    return ExportsResponse(exports=[_told(export) for export in service.listed(session, core.clock.now())])


@router.get("/{export}")
def one(export: ExportId, core: CoreDep, session: ReadSession, _principal: Staff) -> ExportResponse:
    """How far it is."""
    return _told(service.find(session, export, core.clock.now()))


@router.get("/{export}/file", response_class=FileResponse, responses={200: {"content": {"text/csv": {}}}})
def file(export: ExportId, core: CoreDep, session: ReadSession, _principal: Staff) -> FileResponse:
    """The finished file."""
    found = service.find(session, export, core.clock.now())
    wanted = found.wanted
    name = f"carrel-{wanted.start:%Y%m%d}-{wanted.end:%Y%m%d}-{wanted.resolution}.csv"
    path = service.finished_file(found, folder_of(core))
    return FileResponse(path, media_type="text/csv; charset=utf-8", filename=name)


@router.delete("/{export}", status_code=204)
def cancel(export: ExportId, core: CoreDep, session: WriteSession, _principal: Staff) -> None:
    """Stop making it, or remove it before its day is over."""
    service.cancel(session, export)
    service.file_of(folder_of(core), export).unlink(missing_ok=True)


def _told(export: Export) -> ExportResponse:
    wanted = export.wanted
    return ExportResponse(
        id=export.id,
        state=export.state,
        rows=export.rows,
        done_pct=export.done_permille / 10,
        code=export.code,
        size=export.size,
        file=f"{router.prefix}/{export.id}/file" if export.state == "done" else None,
        rooms=list(wanted.rooms),
        metrics=list(wanted.metrics),
        start=wanted.start,
        end=wanted.end,
        resolution=wanted.resolution,
        created_at=export.created_at,
        expires_at=export.expires_at,
    )
