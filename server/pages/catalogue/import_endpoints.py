"""Files of MARC records on pages: tried first, then imported, with a report of what was wrong."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.responses import RedirectResponse, Response

from carrel.web.i18n import N_
from server.catalogue.imports import endpoints as uploads
from server.catalogue.imports import service, worker
from server.catalogue.imports.policy import Overlay
from server.deps import public
from server.errors import DomainError
from server.pages.catalogue.desk import HERE, Desk, DeskDep, Fields
from server.pages.catalogue.forms import Draft

router = APIRouter(include_in_schema=False, dependencies=[public()])

IMPORT = f"{HERE}/import"
ImportId = Annotated[str, Path(max_length=64)]
LINES_SHOWN = 200
FORM = ("format", "encoding", "overlay", "match", "items", "branch", "new_branches", "pool")
AT_FIELD = {"import_file": "file", "import_mapping": "items", "unknown_branch": "branch"}
OVERLAYS: tuple[Overlay, ...] = ("skip", "merge", "replace")
DONE = {
    "stopped": N_("The import is stopped. What it had stored by then stays in the catalogue."),
    "untried": N_("The trial is stopped. Nothing was stored."),
    "forgotten": N_("The report is forgotten. The catalogue stays as it is."),
}
"""What became of an import that is no longer in the list."""
WRONG_CHOICE = N_("One of the choices is not possible. Please choose again.")


class Begun(BaseModel):
    """The import that was begun."""

    id: str


@router.get(IMPORT)
def imports(desk: DeskDep, done: Annotated[str, Query(max_length=16)] = "") -> Response:
    """The form for a file, and the imports of the last 30 days."""
    return desk.visit.to_sign_in() if desk.visit.librarian() is None else _form(desk, done=done)


@router.post(IMPORT)
async def upload(desk: DeskDep, request: Request) -> Response:
    """Take a file in; it is tried, not imported. The file is read when it is known who sends it."""
    if (caller := desk.visit.librarian()) is None:
        return desk.visit.to_sign_in()
    texts: dict[str, str] = {}
    try:
        async with uploads.uploaded(request) as form:
            texts = {name: str(form.get(name, "")) for name in FORM}
            job = await uploads.store(form, desk.core, subject=caller.subject, dry_run=True)
    except DomainError as error:
        field = AT_FIELD.get(error.code)
        errors = {field: error.code} if field else {}
        refused = "" if field else desk.refusal(error)
        return await run_in_threadpool(_form, desk, Draft(texts, errors), refused=refused, status=error.status)
    except RequestValidationError:
        refused = desk.words.gettext(WRONG_CHOICE)
        return await run_in_threadpool(_form, desk, Draft(texts), refused=refused, status=422)
    return RedirectResponse(f"{IMPORT}/{job.id}", 303)


@router.get(f"{IMPORT}/{{import_id}}")
def one(desk: DeskDep, import_id: ImportId) -> Response:
    """How far an import is, and its report."""
    return desk.visit.to_sign_in() if desk.visit.librarian() is None else _report(desk, import_id)


@router.post(f"{IMPORT}/{{import_id}}/run")
def run(desk: DeskDep, import_id: ImportId, told: Fields) -> Response:
    """Import for real what was tried."""
    if (caller := desk.visit.librarian()) is None:
        return desk.visit.to_sign_in()
    wanted = str(dict(told).get("overlay", ""))
    overlay = next((known for known in OVERLAYS if known == wanted), OVERLAYS[0])

    def work() -> Begun:
        return Begun(id=worker.carry_out(desk.core, session, import_id, overlay=overlay, subject=caller.subject).id)

    try:
        with desk.core.database.writing() as session:
            begun = desk.once(session, caller, told, answer=Begun, work=work)
    except DomainError as error:
        if error.status == 404:
            raise
        return _report(desk, import_id, refused=desk.refusal(error), status=error.status)
    return RedirectResponse(f"{IMPORT}/{begun.id}", 303)


@router.post(f"{IMPORT}/{{import_id}}/cancel")
def cancel(desk: DeskDep, import_id: ImportId) -> Response:
    """Stop an import, or forget its report."""
    if (caller := desk.visit.librarian()) is None:
        return desk.visit.to_sign_in()
    with desk.core.database.writing() as session:
        job = service.find(session, import_id)
        service.cancel(session, import_id, subject=caller.subject, now=desk.core.clock.now())
    done = "forgotten" if job.state in ("done", "failed") else "untried" if job.options.dry_run else "stopped"
    return RedirectResponse(f"{IMPORT}?done={done}", 303)


def _form(
    desk: Desk, draft: Draft | None = None, *, refused: str = "", status: int = 200, done: str = ""
) -> Response:  # fmt: skip
    with desk.core.database.reading() as session:
        jobs, names = service.listed(session), desk.names(session)
    told = desk.words.gettext(DONE[done]) if done in DONE else ""
    return desk.page(
        "imports.html", status=status, jobs=jobs, draft=draft or Draft({}), refused=refused, done=told, names=names,
        branches=[one for one in names.policy.branches if one != desk.own_branch], own=desk.own_branch,
    )  # fmt: skip


def _report(desk: Desk, import_id: str, *, refused: str = "", status: int = 200) -> Response:
    with desk.core.database.reading() as session:
        job = service.find(session, import_id)
        lines = service.report_lines(session, import_id, LINES_SHOWN + 1)
    kept = worker.file_of(worker.folder_of(desk.core), import_id).is_file()
    context: dict[str, Any] = {
        "job": job, "lines": lines[:LINES_SHOWN], "more": len(lines) > LINES_SHOWN, "refused": refused,
        "ready": job.state == "done" and job.options.dry_run and kept, "overlays": OVERLAYS,
    }  # fmt: skip
    return desk.page("import.html", status=status, **context)
