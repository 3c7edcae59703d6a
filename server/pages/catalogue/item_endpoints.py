"""Copies on pages: adding and correcting them, what happens to them apart from lending, and their labels."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import ValidationError
from sqlalchemy.orm import Session
from starlette.responses import Response

from server.catalogue import service as catalogue
from server.catalogue.editing import service as editing
from server.catalogue.editing.schemas import ActionBody, ItemBody
from server.catalogue.editing.service import By
from server.catalogue.policy import Trigger
from server.catalogue.service import NewItem
from server.deps import public
from server.errors import DomainError
from server.lending import service as lending
from server.pages import seen
from server.pages.catalogue import forms
from server.pages.catalogue import words as catalogue_words
from server.pages.catalogue.desk import HERE, Desk, DeskDep, Fields, Told
from server.pages.catalogue.forms import Draft
from server.pages.sent import Done
from server.printing import endpoints as printing
from server.printing.policy import GRIDS

router = APIRouter(include_in_schema=False, dependencies=[public()])

COPIES = "#copies"
AT_FIELD = {
    "unknown_branch": "branch", "barcode_taken": "barcode", "barcode_is_card": "barcode", "unknown_record": "record_id",
}  # fmt: skip


@router.post(f"{HERE}/records/{{record_id}}/items")
def add(desk: DeskDep, record_id: Annotated[int, Path(ge=1, le=2**31 - 1)], told: Fields) -> Response:
    """Add a copy; without a call number it has the title's."""
    if (caller := desk.visit.librarian()) is None:
        return desk.visit.to_sign_in()
    draft, body = forms.new_item(forms.sent(forms.ITEM, told), ready=("ready", "on") in told)
    if body is None:
        return desk.record(record_id, Told(item=draft), status=422)
    by = desk.by(caller)
    try:
        with desk.core.database.writing() as session:
            desk.once(session, caller, told, answer=Done, work=lambda: _added(desk, session, record_id, body, by=by))
    except DomainError as error:
        if error.status == 404:
            raise
        return desk.record(record_id, _refused(desk, draft, error), status=409)
    return desk.to_record(record_id, "added", COPIES)


@router.post(f"{HERE}/copies")
def save(desk: DeskDep, told: Fields) -> Response:
    """Correct a copy as far as the form has changed it: `original` is the barcode that it had."""
    if (caller := desk.visit.librarian()) is None:
        return desk.visit.to_sign_in()
    original = _original(told)
    draft = Draft(forms.sent(forms.ITEM, told))
    with desk.core.database.reading() as session:
        item = catalogue.get_item(session, original)
    try:
        with desk.core.database.writing() as session:
            before = forms.item_draft(catalogue.get_item(session, original))
            merged = seen.merge(draft.texts, dict(told).get(seen.FIELD), forms.shown(before))
            draft, body = forms.item_changes(merged.texts, before)
            draft = Draft(draft.texts, {**draft.errors, **merged.errors}, before.mark)
            if body is not None and not merged.clashes:
                lending.check_branch(lending.current(session), body.branch, own=desk.own_branch)
                changes = body.model_dump(exclude_unset=True)
                item = editing.update_item(session, original, changes, desk.by(caller))
    except DomainError as error:
        return desk.record(item.record_id, _refused(desk, draft, error, original), status=409)
    if merged.clashes:
        refused = desk.words.gettext(seen.REFUSED)
        return desk.record(item.record_id, Told(item=draft, item_of=original, refused=refused), status=409)
    if body is None:
        return desk.record(item.record_id, Told(item=draft, item_of=original), status=422)
    return desk.to_record(item.record_id, "changed", COPIES)


@router.post(f"{HERE}/copies/move")
def move(desk: DeskDep, told: Fields) -> Response:
    """What happens to a copy apart from lending; an empty note leaves the one it has."""
    if (caller := desk.visit.librarian()) is None:
        return desk.visit.to_sign_in()
    original, sent = _original(told), dict(told)
    with desk.core.database.reading() as session:
        item = catalogue.get_item(session, original)
    try:
        asked = ActionBody.model_validate({
            "action": sent.get("action"), "note": str(sent.get("note", "")) or None,
            "branch": sent.get("branch") if sent.get("action") == "send" else None,
        })  # fmt: skip
    except ValidationError:
        return desk.record(item.record_id, Told(item_of=original), status=422)

    def work() -> Done:
        if asked.branch is None:
            editing.move_item(session, original, Trigger(asked.action), desk.by(caller), note=asked.note)
        else:
            lending.check_branch(lending.current(session), asked.branch, own=desk.own_branch)
            editing.send_item(session, original, asked.branch, desk.by(caller), note=asked.note)
        return Done()

    try:
        with desk.core.database.writing() as session:
            desk.once(session, caller, told, answer=Done, work=work)
    except DomainError as error:
        refused = desk.refusal(error)
        return desk.record(item.record_id, Told(refused=refused, item_of=original), status=409)
    return desk.to_record(item.record_id, "moved", COPIES)


@router.get(f"{HERE}/labels")
def labels_form(desk: DeskDep) -> Response:
    """Barcodes of copies to be scanned, and the sheet."""
    if desk.visit.librarian() is None:
        return desk.visit.to_sign_in()
    return _labels(desk, Draft({"grid": "40", "start": "1", "kind": "spine", "barcodes": ""}))


@router.post(f"{HERE}/labels")
def labels(desk: DeskDep, told: Fields) -> Response:
    """Labels as PDF; what is wrong is told on the form."""
    if (caller := desk.visit.librarian()) is None:
        return desk.visit.to_sign_in()
    barcodes = [code for name, value in told if name == "barcodes" for code in str(value).split()]
    texts = {name: str(value).strip() for name, value in told} | {"barcodes": "\n".join(barcodes)}
    draft = Draft({name: texts.get(name, "") for name in ("grid", "start", "kind", "barcodes")})
    if not barcodes:
        return _labels(desk, Draft(draft.texts, {"barcodes": "wrong"}), status=422)
    if len(barcodes) > printing.MOST:
        many = desk.words.gettext(catalogue_words.TOO_MANY_LABELS, count=len(barcodes), most=printing.MOST)
        return _labels(desk, draft, refused=many, status=422)
    try:
        body = printing.LabelsBody.model_validate(dict(draft.texts) | {"barcodes": barcodes})
        with desk.core.database.reading() as session:
            return printing.labels(body, session, desk.core, caller)
    except ValidationError as error:
        wrong = {str(one["loc"][0]): "wrong" for one in error.errors()}
        return _labels(desk, Draft(draft.texts, wrong), status=422)
    except DomainError as error:
        return _labels(desk, draft, refused=desk.refusal(error), status=409)


def _labels(desk: Desk, draft: Draft, *, refused: str = "", status: int = 200) -> Response:
    return desk.page("labels.html", status=status, labels=draft, grids=GRIDS, refused=refused)


def _original(told: Fields) -> str:
    return str(dict(told).get("original", ""))[:32]


def _added(desk: Desk, session: Session, record_id: int, body: ItemBody, *, by: By) -> Done:
    title, _ = catalogue.get_record(session, record_id)
    lending.check_branch(lending.current(session), body.branch, own=desk.own_branch)
    new = NewItem(
        **body.model_dump(exclude={"ready", "branch", "call_number"}),
        branch=body.branch or desk.own_branch,
        call_number=body.call_number or title.call_number,
        status="on_shelf" if body.ready else "in_processing",
    )
    editing.create_item(session, record_id, new, by)
    return Done()


def _refused(desk: Desk, draft: Draft, error: DomainError, item_of: str | None = None) -> Told:
    """A refusal at the field that it is about, or above the form."""
    field = AT_FIELD.get(error.code)
    errors, refused = ({field: error.code}, "") if field else ({}, desk.refusal(error))
    return Told(item=Draft(draft.texts, errors, draft.mark), item_of=item_of, refused=refused)
