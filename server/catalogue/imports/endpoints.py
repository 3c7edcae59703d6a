"""`/api/v1/imports` and `/api/v1/catalogue/export`: MARC files in and out. For those who catalogue."""

from __future__ import annotations

import asyncio
import hashlib
import io
import os
import shutil
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import asdict, replace
from pathlib import Path as FilePath
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import StreamingResponse
from pydantic import TypeAdapter, ValidationError
from starlette.datastructures import FormData, UploadFile

from server.catalogue.errors import ImportFileError, RecordsTooLongError
from server.catalogue.imports import exporting, report, service
from server.catalogue.imports.policy import Options
from server.catalogue.imports.schemas import ImportDetailResponse, ImportResponse, ImportsResponse
from server.catalogue.imports.service import Import, Source
from server.catalogue.imports.worker import file_of, folder_of
from server.catalogue.marc.encodings import Encoding
from server.catalogue.marc.problems import Language
from server.catalogue.marc.reading import Container
from server.catalogue.marc.record import MarcFormat
from server.deps import DESK, Core, CoreDep, Principal, ReadSession, WriteSession, require
from server.http.middleware import MAX_UPLOAD_BYTES

router = APIRouter(prefix="/api/v1", tags=["catalogue"])

Desk = Annotated[Principal, require(*DESK)]
ImportId = Annotated[str, Path(pattern="^[0-9a-f]{32}$")]

PREFIX = "/api/v1/imports"
_OPTIONS = TypeAdapter(Options)
_FIELDS = {
    "file": {"type": "string", "format": "binary", "description": "MARC 21 or CNMARC, ISO 2709 or MARCXML"},
    "dry_run": {"type": "boolean", "default": False},
    "format": {"enum": ["marc21", "cnmarc"], "description": "left out: what the file looks like"},
    "encoding": {"enum": ["utf-8", "gb18030", "marc-8"], "description": "left out: what each record looks like"},
    "overlay": {"enum": ["skip", "replace", "merge"], "default": "skip"},
    "match": {"enum": ["both", "control_number", "isbn", "none"], "default": "both"},
    "items": {"type": "string", "description": "holdings mapping: 852, 905, 952 or 952:barcode=p,call_number=o"},
    "branch": {"type": "string", "description": "whose copies these are; left out: the library's own branch"},
    "new_branches": {
        "type": "boolean",
        "default": False,
        "description": "copies may be of branches that no copy is of yet, unless the policy names branches",
    },
    "pool": {"type": "boolean", "default": False, "description": "keep aside, for looking up ISBNs"},
}
_BODY = {
    "requestBody": {
        "required": True,
        "content": {"multipart/form-data": {"schema": {"type": "object", "required": ["file"], "properties": _FIELDS}}},
    }
}


@router.post("/imports", status_code=202, openapi_extra=_BODY)
async def create(request: Request, response: Response, core: CoreDep, principal: Desk) -> ImportResponse:
    """Import a file in the background; ask for its state at the address in `Location`."""
    async with uploaded(request) as form:
        job = await store(form, core, subject=principal.subject)
    response.headers["Location"] = f"{PREFIX}/{job.id}"
    return _told(job)


@asynccontextmanager
async def uploaded(request: Request) -> AsyncIterator[FormData]:
    """The body, read after it is known who calls; its file is on the disk."""
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise ImportFileError(most_mib=MAX_UPLOAD_BYTES >> 20)
    async with request.form(max_files=1, max_fields=20) as form:
        yield form


async def store(form: FormData, core: Core, *, subject: str, dry_run: bool = False) -> Import:
    """Ask for the import of the form's file, `dry_run` whatever the form says; raises ImportFileError,
    RequestValidationError and the service's refusals."""
    options = _options(form, core)
    if dry_run:
        options = replace(options, dry_run=True)
    upload = form.get("file")
    if not isinstance(upload, UploadFile) or not upload.size:
        raise ImportFileError(most_mib=MAX_UPLOAD_BYTES >> 20)
    return await asyncio.to_thread(_store, core, upload, options, subject=subject)


def _options(form: FormData, core: Core) -> Options:
    given = {name: value for name, value in form.items() if name in _FIELDS and isinstance(value, str) and value}
    given.setdefault("branch", core.settings.common.library.branch)
    try:
        return _OPTIONS.validate_python(given)
    except ValidationError as error:
        from_form = [{"loc": ("body", *e["loc"]), "msg": e["msg"], "type": e["type"]} for e in error.errors()]
        raise RequestValidationError(from_form) from error


def _store(core: Core, upload: UploadFile, options: Options, *, subject: str) -> Import:
    """The file is in its place before the import is known of, whose worker may be quick. Raises UnknownBranchError."""
    folder = folder_of(core)
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f"{uuid.uuid4().hex}.part"
    try:
        digest = _write(part, upload)
        source = Source(upload.filename or "upload", digest, upload.size or 0, "upload")
        with core.database.writing() as session:
            service.check_branch(session, options, own=core.settings.common.library.branch)
            job = service.create(session, source, options, subject=subject, now=core.clock.now())
            part.replace(file_of(folder, job.id))
    finally:
        part.unlink(missing_ok=True)
    return job


def _write(part: FilePath, upload: UploadFile) -> str:
    upload.file.seek(0)
    with part.open("wb") as file:
        shutil.copyfileobj(upload.file, file)
        file.flush()
        os.fsync(file.fileno())
    with part.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@router.get("/imports")
def imports(session: ReadSession, _principal: Desk) -> ImportsResponse:
    """Everybody's imports of the last 30 days."""
    return ImportsResponse(imports=[_told(job) for job in service.listed(session)])


@router.get("/imports/{import_id}")
def one(import_id: ImportId, session: ReadSession, _principal: Desk) -> ImportDetailResponse:
    """How far it is, and what was wrong."""
    job = service.find(session, import_id)
    return ImportDetailResponse(**_told(job).model_dump(), problems=service.problems(session, import_id))


@router.get("/imports/{import_id}/report", responses={200: {"content": {"text/csv": {}}}}, response_class=Response)
def report_of(
    import_id: ImportId,
    session: ReadSession,
    _principal: Desk,
    language: Annotated[Language, Query()] = "en",
) -> Response:
    """What was wrong with which record, and what to do: a line each, as CSV."""
    job = service.find(session, import_id)
    file = io.StringIO()
    report.write(session, job, file, language)
    headers = {"Content-Disposition": f'attachment; filename="import-{job.created_at:%Y%m%d-%H%M}.csv"'}
    return Response(file.getvalue().encode("utf-8-sig"), media_type="text/csv; charset=utf-8", headers=headers)


@router.delete("/imports/{import_id}", status_code=204)
def cancel(import_id: ImportId, session: WriteSession, core: CoreDep, principal: Desk) -> None:
    """Stop an import, or forget its report; records that it has stored stay."""
    service.cancel(session, import_id, subject=principal.subject, now=core.clock.now())


@router.get(
    "/catalogue/export",
    responses={200: {"content": {"application/marc": {}, "application/marcxml+xml": {}}}},
    response_class=StreamingResponse,
)
def export(
    core: CoreDep,
    session: ReadSession,
    _principal: Desk,
    *,
    container: Annotated[Container, Query()] = "marcxml",
    format: Annotated[MarcFormat | None, Query()] = None,  # the name in the address
    encoding: Annotated[Encoding, Query()] = "utf-8",
    leave_out: Annotated[bool, Query(description="leave out records too long for ISO 2709")] = False,
) -> StreamingResponse:
    """The whole catalogue as a MARC file; records leave as they came, but for what people have corrected."""
    wanted = exporting.Wanted(container, format, encoding)
    format_ = exporting.format_of(session, wanted)
    long = [] if leave_out else exporting.too_long(session, wanted, format_)
    if long:
        raise RecordsTooLongError(records=", ".join(map(str, long[:20])), count=len(long))

    def body() -> Iterator[bytes]:
        with core.database.reading() as reading:
            yield from exporting.file(reading, wanted, format_)

    name = f"carrel-{core.clock.now():%Y%m%d}-{format_}.{'xml' if container == 'marcxml' else 'mrc'}"
    media = "application/marcxml+xml" if container == "marcxml" else "application/marc"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(body(), media_type=media, headers=headers)


def _told(job: Import) -> ImportResponse:
    options: dict[str, Any] = asdict(job.options)
    return ImportResponse(
        **{name: options[name] for name in ("dry_run", "format", "encoding", "overlay", "match", "pool")},
        **asdict(job.counts),
        id=job.id,
        file_name=job.file_name,
        state=job.state,
        code=job.code,
        done_pct=round(100 * job.done, 1),
        item_mapping=job.options.items,
        created_at=job.created_at,
        finished_at=job.finished_at,
        report=f"{PREFIX}/{job.id}/report",
    )
