"""What a terminal did while the library was away (no block = Y): recorded as it happened, conflicts go to the staff."""

from __future__ import annotations

from typing import Literal

from carrel.contracts.circulation import ItemResult, ReplayItem, ReplayRequest, ReplayRow
from server.circulation import replay as replaying
from server.sip2.message_log import shown
from server.sip2.wire.messages import F
from server.sip2.work.task import Task, same_id
from server.tasks import service as tasks

UNREADABLE = "-"
"""Stands for a barcode that is none in the refusal of one."""


def replay(
    task: Task, kind: Literal["checkout", "checkin", "renewal"], barcode: str, *, without: str = "unknown_item"
) -> ItemResult:
    """Record one transaction, once however often it is told; refused only for a card or an item nobody knows.

    `without` says why there is no barcode.
    """
    at = task.happened_at()
    if not barcode or (kind != "checkin" and not task.card):
        return _unreadable(task, "unknown_card" if barcode else without)
    promised = task.profile.instant(task.request.fixed.get("due", ""))
    returned = task.profile.instant(task.request.fixed.get("returned", ""))
    if returned is not None:
        at = min(at, returned)
    row = ReplayRow(
        kiosk=task.profile.id,
        at=at,
        kind=kind,
        card=task.card or None,
        items=(ReplayItem(barcode=barcode, due=promised),),
        request_id=same_id(kind, barcode, task.card, task.request.fixed["date"]),
        branch=task.profile.branch,
    )
    (told,) = replaying.replay(task.session, ReplayRequest(rows=(row,)), task.occasion).rows
    return told.results[0] if told.results else ItemResult(barcode=barcode, status="ok")


def _unreadable(task: Task, code: str) -> ItemResult:
    """No card or barcode of ours can look like this."""
    tell_staff(task, code)
    return ItemResult(barcode=task.barcode or UNREADABLE, status="refused", code=code)


def tell_staff(task: Task, code: str | None) -> None:
    """What happened while the library was away and cannot be recorded: staff get the message as it came."""
    if not task.offline:
        return
    tasks.add(
        task.session, "unknown_row", code or "unknown_item", branch=task.profile.branch, at=task.happened_at(),
        now=task.now, detail={
            "terminal": task.profile.id, "message": shown(task.request), "card": task.request.get(F.PATRON),
        },
    )  # fmt: skip
