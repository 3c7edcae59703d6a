"""Titles on pages: cataloguing a new one by hand or by its ISBN, and correcting one."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel
from starlette.responses import Response

from server.catalogue import service as catalogue
from server.catalogue.editing import service as editing
from server.catalogue.lookup.service import Answer, Lookup
from server.catalogue.service import NewRecord
from server.deps import public
from server.errors import DomainError
from server.pages import seen
from server.pages.catalogue import forms
from server.pages.catalogue import words as catalogue_words
from server.pages.catalogue.desk import HERE, Desk, DeskDep, Fields, Told
from server.pages.catalogue.forms import Draft

router = APIRouter(include_in_schema=False, dependencies=[public()])

RecordId = Annotated[int, Path(ge=1, le=2**31 - 1)]


class Made(BaseModel):
    """The key of a title that was catalogued."""

    id: int


@router.get(f"{HERE}/records/new")
def new(desk: DeskDep) -> Response:
    """The form of a new title."""
    return desk.visit.to_sign_in() if desk.visit.librarian() is None else desk.new()


@router.post(f"{HERE}/records")
def create(desk: DeskDep, told: Fields) -> Response:
    """Catalogue a title."""
    if (caller := desk.visit.librarian()) is None:
        return desk.visit.to_sign_in()
    draft, body = forms.new_record(forms.sent(forms.RECORD, told))
    if body is None:
        return desk.new(Told(draft), status=422)
    new = NewRecord(**body.model_dump())
    try:
        with desk.core.database.writing() as session:
            made = desk.once(
                session, caller, told, answer=Made,
                work=lambda: Made(id=editing.create_record(session, new, desk.by(caller))),
            )  # fmt: skip
    except DomainError as error:
        return desk.new(Told(draft, refused=desk.refusal(error)), status=409)
    return desk.to_record(made.id, "created")


@router.post(f"{HERE}/fill")
def fill(desk: DeskDep, told: Fields) -> Response:
    """Look up the ISBN of a form, and fill in what the form lacks; nothing is stored."""
    if desk.visit.librarian() is None:
        return desk.visit.to_sign_in()
    draft = Draft(forms.sent(forms.RECORD, told), mark=str(dict(told).get(seen.FIELD, "")))
    record_id = _record_id(told)
    try:
        answer = _lookup(desk).find(draft.get("isbn"))
    except DomainError as error:
        return _again(desk, record_id, Told(replace(draft, errors={"isbn": error.code})), status=422)
    return _again(desk, record_id, Told(_filled(draft, answer), answer=answer))


@router.post(f"{HERE}/adopt")
def adopt(desk: DeskDep, told: Fields) -> Response:
    """Take the whole record that a lookup has shown into the catalogue."""
    if (caller := desk.visit.librarian()) is None:
        return desk.visit.to_sign_in()
    isbn = str(dict(told).get("isbn", ""))
    try:
        with desk.core.database.writing() as session:
            record_id = _lookup(desk).adopt(session, isbn, actor=caller.subject)
    except DomainError as error:
        texts = dict(forms.record_draft(None).texts) | {"isbn": isbn}
        return desk.new(Told(Draft(texts), refused=desk.refusal(error)), status=409)
    return desk.to_record(record_id, "adopted")


@router.get(f"{HERE}/records/{{record_id}}")
def record(
    desk: DeskDep,
    record_id: RecordId,
    done: Annotated[str, Query(max_length=20)] = "",
    copy: Annotated[str, Query(max_length=32, description="barcode of the copy to be changed")] = "",
) -> Response:
    """A title with its copies."""
    if desk.visit.librarian() is None:
        return desk.visit.to_sign_in()
    said = desk.words.gettext(catalogue_words.DONE[done]) if done in catalogue_words.DONE else ""
    return desk.record(record_id, Told(item_of=copy or None, done=said))


@router.post(f"{HERE}/records/{{record_id}}")
def save(desk: DeskDep, record_id: RecordId, told: Fields) -> Response:
    """Correct a title as far as the form has changed it."""
    if (caller := desk.visit.librarian()) is None:
        return desk.visit.to_sign_in()
    with desk.core.database.writing() as session:
        before = forms.record_draft(catalogue.get_record(session, record_id)[0])
        merged = seen.merge(forms.sent(forms.RECORD, told), dict(told).get(seen.FIELD), forms.shown(before))
        draft, body = forms.record_changes(merged.texts, before)
        draft = Draft(draft.texts, {**draft.errors, **merged.errors}, before.mark)
        if body is not None and not merged.clashes:
            editing.update_record(session, record_id, body.model_dump(exclude_unset=True), desk.by(caller))
    if merged.clashes:
        return desk.record(record_id, Told(draft, refused=desk.words.gettext(seen.REFUSED)), status=409)
    if body is None:
        return desk.record(record_id, Told(draft), status=422)
    return desk.to_record(record_id, "saved")


@router.get("/fragments/class-caption")
def class_caption(desk: DeskDep, class_number: Annotated[str, Query(max_length=60)] = "") -> Response:
    """What a class number stands for, while somebody writes it."""
    if desk.visit.librarian() is None:
        return desk.visit.to_sign_in()
    return desk.page("_caption.html", caption=desk.caption(class_number.strip()))


def _again(desk: Desk, record_id: int, told: Told, *, status: int = 200) -> Response:
    return desk.record(record_id, told, status=status) if record_id else desk.new(told, status=status)


def _lookup(desk: Desk) -> Lookup:
    return Lookup(desk.core.database, desk.core.clock, desk.core.settings.server.catalogue)


def _record_id(told: Fields) -> int:
    text = str(dict(told).get("record_id", ""))
    return int(text) if text.isdecimal() and len(text) < 10 else 0


def _filled(draft: Draft, answer: Answer) -> Draft:
    """The form with what the best record knows in its empty fields; the kind is always told, so it counts as empty."""
    best = answer.candidates[0].columns if answer.candidates else {}
    known = {name: forms.sent([name], [(name, best.get(name, ""))])[name] for name in forms.RECORD}
    texts = {name: text or known[name] for name, text in draft.texts.items()}
    new_kind = known["kind"] if known["kind"] and not draft.get("title") else texts["kind"]
    return replace(draft, texts=texts | {"kind": new_kind})
