"""`/api/v1/tasks`: the lists of what only people can do."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query

from carrel.contracts.ids import BranchId
from server.deps import STAFF, CoreDep, Principal, ReadSession, WriteSession, require
from server.tasks import lists, service
from server.tasks.schemas import CountsResponse, ResolveRequest, TaskResponse, TasksResponse

router = APIRouter(prefix="/api/v1/tasks", tags=["tasks"])

Staff = Annotated[Principal, require(*STAFF)]
Limit = Annotated[int, Query(ge=1, le=1000)]
TaskId = Annotated[int, Path(ge=1, le=2**31 - 1)]


@router.get("")
def tasks(
    session: ReadSession,
    core: CoreDep,
    _principal: Staff,
    kind: lists.AnyKind | None = None,
    branch: BranchId | None = None,
    *,
    state: Literal["open", "resolved"] = "open",
    limit: Limit = 200,
) -> TasksResponse:
    """One list, oldest first: `pull_list`, `hold_shelf`, `no_copy` and `transit` show what is so now, the others what
    was noted.

    `no_copy` is who waits for what no copy can serve any longer. On `pull_list` and `hold_shelf`, `barred` in
    `detail` is why the reader who waits could not borrow at present, if so.

    Without a kind, everything that was noted.
    """
    found = lists.find(
        session, kind, branch=branch, resolved=state == "resolved", now=core.clock.now(),
        zone=core.settings.common.library.zone, limit=limit,
    )  # fmt: skip
    return TasksResponse(tasks=found)


@router.get("/counts")
def counts(session: ReadSession, core: CoreDep, _principal: Staff) -> CountsResponse:
    """How much is on each list."""
    now, zone = core.clock.now(), core.settings.common.library.zone
    return CountsResponse(counts=lists.counts(session, now=now, zone=zone))


@router.post("/{task_id}/resolve")
def resolve(
    task_id: TaskId, body: ResolveRequest, session: WriteSession, core: CoreDep, *, principal: Staff
) -> TaskResponse:
    """Take something off its list."""
    task = service.resolve(
        session, task_id, resolution=body.resolution, note=body.note, actor=principal.subject, at=core.clock.now()
    )
    return lists.show(session, [task])[0]
