"""The work lists' page, for staff. Every form works without scripts."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Form, Path, Query
from starlette.responses import Response

from carrel.web.words import refusal
from server.deps import CoreDep, public
from server.errors import DomainError
from server.lending import service as lending
from server.lending.names import Names
from server.pages.reader.search_views import place as place_name
from server.pages.shell import Visit, VisitDep
from server.pages.worklists import words as list_words
from server.tasks import lists, service
from server.tasks.schemas import TaskResponse

router = APIRouter(include_in_schema=False, dependencies=[public()])

SHOWN = 200
Kind = lists.AnyKind
TaskId = Annotated[int, Path(ge=1, le=2**31 - 1)]


@router.get("/worklists")
def worklists(visit: VisitDep, core: CoreDep, list: Annotated[Kind | None, Query()] = None) -> Response:
    """One list; without a name the first that has something on it."""
    return visit.to_sign_in() if visit.staff() is None else _page(visit, core, list)


@router.post("/worklists/{task_id}/resolve")
def resolve(
    task_id: TaskId,
    visit: VisitDep,
    core: CoreDep,
    *,
    resolution: Annotated[str, Form(pattern=r"^[a-z][a-z_]{0,39}$")] = "done",
    note: Annotated[str, Form(max_length=500)] = "",
    list: Annotated[Kind | None, Form()] = None,
) -> Response:
    """Take something off its list."""
    caller = visit.staff()
    if caller is None:
        return visit.to_sign_in()
    try:
        with core.database.writing() as session:
            service.resolve(
                session, task_id, resolution=resolution, note=note.strip(), actor=caller.subject, at=core.clock.now()
            )
    except DomainError as error:
        return _page(visit, core, list, refused=refusal(visit.words, error.code, error.params))
    return _page(visit, core, list, told=visit.words.gettext("It is off the list."))


def _page(visit: Visit, core: CoreDep, kind: Kind | None, *, told: str = "", refused: str = "") -> Response:
    now = core.clock.now()
    with core.database.reading() as session:
        names = Names(lending.current(session).policy, visit.language)
        counts = lists.counts(session, now=now, zone=visit.words.zone)
        chosen: Any = kind or next((name for name in list_words.LISTS if counts.get(name)), None)
        tasks = [] if chosen is None else lists.find(
            session, chosen, branch=None, resolved=False, now=now, zone=visit.words.zone, limit=SHOWN
        )  # fmt: skip
    return visit.page(
        "worklists/worklists.html", status=409 if refused else 200, counts=counts, chosen=chosen, tasks=tasks,
        told=told, refused=refused, lw=list_words, until=_until, now=now, names=names,
        place=partial(place_name, core.settings.common, language=visit.language),
    )  # fmt: skip


def _until(task: TaskResponse) -> datetime | None:
    """How long a hold is kept."""
    text = task.detail.get("until")
    return datetime.fromisoformat(text) if isinstance(text, str) else None
