"""What every cataloguing page needs: who asks, what a form sent, and the pages of a title and of a new one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Request
from pydantic import BaseModel
from sqlalchemy.orm import Session
from starlette.responses import RedirectResponse, Response

from carrel.web.i18n import Words, in_language
from carrel.web.words import refusal
from server.catalogue import service as catalogue
from server.catalogue.classification import service as classes
from server.catalogue.editing.service import By
from server.catalogue.imports.exporting import marc_text
from server.catalogue.lookup.service import Answer
from server.deps import CoreDep, Principal
from server.errors import DomainError
from server.lending import service as lending
from server.lending.names import Names
from server.pages import sent
from server.pages.catalogue import forms
from server.pages.catalogue import words as catalogue_words
from server.pages.catalogue.forms import Draft
from server.pages.reader.search_views import place as place_name
from server.pages.shell import VisitDep
from server.printing.policy import GRIDS

HERE = "/catalogue"

A = TypeVar("A", bound=BaseModel)


async def posted(request: Request) -> list[tuple[str, Any]]:
    """The fields of a form, in order."""
    return list((await request.form()).multi_items())


Fields = Annotated[list[tuple[str, Any]], Depends(posted)]


@dataclass(frozen=True, slots=True)
class Told:
    """What came of a form: the form as it was sent, and what is said above it."""

    record: Draft | None = None
    item: Draft | None = None
    item_of: str | None = None
    done: str = ""
    refused: str = ""
    answer: Answer | None = None


class Desk:
    """Of one request."""

    def __init__(self, visit: VisitDep, core: CoreDep) -> None:
        self.visit = visit
        self.core = core

    @property
    def words(self) -> Words:
        """In the visitor's language."""
        return self.visit.words

    @property
    def own_branch(self) -> str:
        """The library's own."""
        return self.core.settings.common.library.branch

    def names(self, session: Session) -> Names:
        """What branches and types of items are called."""
        return Names(lending.current(session).policy, self.visit.language)

    def by(self, caller: Principal) -> By:
        """Who writes, and when."""
        return By(caller.subject, self.core.clock.now())

    def once(
        self, session: Session, caller: Principal, told: Sequence[tuple[str, Any]], *, answer: type[A],
        work: Callable[[], A],
    ) -> A:  # fmt: skip
        """Do the work, unless this form was sent before; raises RequestIdReusedError."""
        values, now = {name: str(value) for name, value in told}, self.core.clock.now()
        return sent.once(session, self.visit.request, values, actor=caller.subject, now=now, answer=answer, work=work)

    def refusal(self, error: DomainError) -> str:
        """Why something is refused."""
        if error.code in catalogue_words.UNPRINTED:
            return self.words.gettext(catalogue_words.UNPRINTED[error.code], **error.params)
        return refusal(self.words, error.code, error.params)

    def to_record(self, record_id: int, done: str, place: str = "") -> Response:
        """After something was stored: to the title's page."""
        return RedirectResponse(f"{HERE}/records/{record_id}?done={done}{place}", 303)

    def page(self, template: str, *, status: int = 200, **context: Any) -> Response:
        """A template with what all of them ask for."""
        return self.visit.page(f"catalogue/{template}", status=status, cw=catalogue_words, **context)

    def new(self, told: Told | None = None, *, status: int = 200) -> Response:
        """The form of a new title."""
        told = told or Told()
        draft = told.record or forms.record_draft(None)
        more = {"caption": self.caption(draft.get("class_number"))}
        return self.page("new.html", status=status, told=told, draft=draft, record_id=0, **more, **self._fixed())

    def record(self, record_id: int, told: Told | None = None, *, status: int = 200) -> Response:
        """A title's page; raises UnknownRecordError."""
        told = told or Told()
        with self.core.database.reading() as session:
            found, _ = catalogue.get_record(session, record_id)
            items = catalogue.items_of(session, record_id)
            marc = marc_text(session, record_id)
            names = self.names(session)
        own = self.own_branch
        draft = told.record or forms.record_draft(found)
        opened = next((item for item in items if item.barcode == told.item_of), None)
        context: dict[str, Any] = {
            "record": found, "record_id": record_id, "draft": draft, "told": told,
            "caption": self.caption(draft.get("class_number")), "items": items, "marc": marc,
            "opened": opened.barcode if opened else None,
            "opened_draft": told.item if told.item_of and told.item else forms.item_draft(opened),
            "new_item": told.item if told.item and not told.item_of else forms.item_draft(None, own),
            "names": names, "branches": names.policy.branches or (own,),
            "labels": Draft({"grid": "40", "start": "1", "kind": "spine"}),
            "grids": GRIDS, "place": partial(place_name, self.core.settings.common, language=self.visit.language),
        }  # fmt: skip
        return self.page("record.html", status=status, **context, **self._fixed())

    def caption(self, number: str) -> str:
        """What a class number stands for."""
        if not number:
            return ""
        with self.core.database.reading() as session:
            chinese, english = classes.caption(session, number)
        return in_language(self.visit.language, (english, chinese))

    def _fixed(self) -> Mapping[str, Any]:
        language = self.visit.language
        return {"main_classes": [(code, in_language(language, (en, zh))) for code, zh, en in classes.main_classes()]}


DeskDep = Annotated[Desk, Depends()]
