"""The lists as staff see them: those that were noted, and those that show how things stand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Literal
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from carrel.clock import local_date
from server.catalogue import service as catalogue
from server.circulation import service as circulation
from server.holds import service as holds
from server.patrons import service as patrons
from server.tasks import service
from server.tasks.schemas import TaskResponse
from server.tasks.service import Task

AnyKind = Literal[
    "conflict",
    "unknown_row",
    "hold_shelf_expired",
    "lost",
    "incomplete",
    "notice",
    "pull_list",
    "hold_shelf",
    "no_copy",
    "transit",
]  # fmt: skip
"""`Kind` of the service, and what is read from holds and items."""


def find(
    session: Session, kind: AnyKind | None, *, branch: str | None, resolved: bool, now: datetime, zone: ZoneInfo,
    limit: int,
) -> list[TaskResponse]:  # fmt: skip
    """One list, or all that was noted."""
    if kind == "pull_list":
        return _judged(session, _pull_list(session, branch, local_date(now, zone))[:limit], now=now, zone=zone)
    if kind == "hold_shelf":
        return _judged(session, _hold_shelf(session, branch)[:limit], now=now, zone=zone)
    if kind == "no_copy":
        return _stranded(session, branch, local_date(now, zone))[:limit]
    if kind == "transit":
        return _transit(session, branch, now)[:limit]
    return show(session, service.find(session, kind=kind, branch=branch, resolved=resolved, limit=limit))


def counts(session: Session, *, now: datetime, zone: ZoneInfo) -> dict[str, int]:
    """How much is on each list."""
    shown = {
        "pull_list": len(holds.pull_list(session, local_date(now, zone))),
        "hold_shelf": len(holds.shelf(session)),
        "no_copy": len(holds.stranded(session, local_date(now, zone))),
        "transit": len(catalogue.items_with_status(session, "in_transit")),
    }
    return service.counts(session) | shown


def show(session: Session, tasks: Sequence[Task]) -> list[TaskResponse]:
    """Noted tasks with the items they are about."""
    items = catalogue.items_by_id(session, {task.item_id for task in tasks if task.item_id is not None})
    return [_noted(task, items.get(task.item_id or 0)) for task in tasks]


def _noted(task: Task, item: catalogue.Item | None) -> TaskResponse:
    told = TaskResponse(
        id=task.id, kind=task.kind, code=task.code, branch=task.branch, at=task.at, patron=task.patron_id,
        detail=task.detail, resolved_at=task.resolved_at, resolved_by=task.resolved_by, resolution=task.resolution,
        note=task.note,
    )  # fmt: skip
    return told if item is None else _with_item(told, item)


def _with_item(told: TaskResponse, item: catalogue.Item) -> TaskResponse:
    about = {
        "barcode": item.barcode, "title": item.title, "location": item.location, "call_number": item.call_number,
    }  # fmt: skip
    return told.model_copy(update=about)


def _pull_list(session: Session, branch: str | None, today: date) -> list[TaskResponse]:
    return [
        _with_item(
            TaskResponse(
                id=None, kind="pull_list", code="fetch", branch=pull.item.at_branch or pull.hold.pickup,
                at=pull.hold.placed_at, patron=pull.hold.patron_id,
                detail={"hold": pull.hold.id, "pickup": pull.hold.pickup},
            ),
            pull.item,
        )
        for pull in holds.pull_list(session, today, branch)
    ]  # fmt: skip


def _hold_shelf(session: Session, branch: str | None) -> list[TaskResponse]:
    shelf = holds.shelf(session, branch)
    items = catalogue.items_by_id(session, {hold.filled_item_id for hold in shelf if hold.filled_item_id is not None})
    return [
        _with_item(
            TaskResponse(
                id=None, kind="hold_shelf", code="ready", branch=hold.pickup, at=hold.ready_at or hold.placed_at,
                patron=hold.patron_id,
                detail={"hold": hold.id, "until": hold.ready_until.isoformat() if hold.ready_until else None},
            ),
            items[hold.filled_item_id or 0],
        )
        for hold in shelf
    ]  # fmt: skip


def _stranded(session: Session, branch: str | None, today: date) -> list[TaskResponse]:
    found = holds.stranded(session, today, branch)
    titles = catalogue.titles(session, sorted({hold.record_id for hold in found}))
    items = catalogue.items_by_id(session, {hold.item_id for hold in found if hold.item_id is not None})
    told = [
        TaskResponse(
            id=None, kind="no_copy", code="hold_no_copy", branch=hold.pickup, at=hold.placed_at, patron=hold.patron_id,
            title=titles[hold.record_id][0], detail={"hold": hold.id, "record": hold.record_id},
        )
        for hold in found
    ]  # fmt: skip
    return [
        task if hold.item_id is None else _with_item(task, items[hold.item_id])
        for task, hold in zip(told, found, strict=True)
    ]


def _judged(
    session: Session, waited_for: Sequence[TaskResponse], *, now: datetime, zone: ZoneInfo
) -> list[TaskResponse]:
    """With why somebody who waits could not borrow at present."""
    people = patrons.find_many(session, sorted({task.patron for task in waited_for if task.patron is not None}))
    why = {key: circulation.barred(session, patron, now=now, zone=zone) for key, patron in people.items()}
    return [
        task.model_copy(update={"detail": task.detail | {"barred": asdict(refused)}})
        if (refused := why.get(task.patron or 0))
        else task
        for task in waited_for
    ]


def _transit(session: Session, branch: str | None, now: datetime) -> list[TaskResponse]:
    return [
        _with_item(
            TaskResponse(
                id=None, kind="transit", code="on_its_way", branch=item.transit_to or "",
                at=item.last_seen_at or now, detail={"from": item.at_branch, "to": item.transit_to},
            ),
            item,
        )
        for item in catalogue.items_with_status(session, "in_transit")
        if branch in (None, item.transit_to, item.at_branch)
    ]  # fmt: skip
