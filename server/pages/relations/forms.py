"""What the forms of these pages bring, and what is to be said about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, TypeVar

from fastapi import Depends, Request
from pydantic import BaseModel, ValidationError
from sqlalchemy.orm import Session

from carrel.web.i18n import Words
from carrel.web.words import refusal
from server.errors import DomainError
from server.lending.occasion import Occasion
from server.pages import sent
from server.pages.shell import Visit

EMPTY = ("missing", "string_too_short")
AT = {
    "reason_required": ("reason", "text"),
    "unknown_record": ("record_id",),
    "news_dates": ("until_on",),
}
"""At which fields a refusal is to be put right."""

M = TypeVar("M", bound=BaseModel)
T = TypeVar("T")


async def posted(request: Request) -> dict[str, str]:
    """The fields of a form; a file is none of them."""
    return {name: value for name, value in (await request.form()).items() if isinstance(value, str)}


Fields = Annotated[dict[str, str], Depends(posted)]


@dataclass(frozen=True, slots=True)
class Draft:
    """A form that is shown: what stands in its fields, which of them are wrong, and what is to be said."""

    fields: dict[str, str] = field(default_factory=dict)
    wrong: frozenset[str] = frozenset()
    refused: str = ""
    status: int = 200
    record: int | None = None

    def get(self, name: str) -> str:
        """What stands in a field."""
        return self.fields.get(name, "")


BLANK = Draft()


class RefusedError(Exception):
    """The form goes back to whoever sent it."""

    def __init__(self, draft: Draft) -> None:
        super().__init__(draft.refused)
        self.draft = draft


def read(model: type[M], fields: dict[str, str], words: Words) -> M:
    """The fields as a request's body; empty dates and numbers are left out. Raises RefusedError."""
    known = {name: value for name, value in fields.items() if name in model.model_fields and value.strip()}
    try:
        return model.model_validate(known)
    except ValidationError as error:
        wrong = frozenset(str(one["loc"][0]) for one in error.errors() if one["loc"])
        empty = all(one["type"] in EMPTY for one in error.errors())
        code = "bad_isbn" if wrong == {"isbn"} else "fill_in" if empty else "unfit"
        raise RefusedError(Draft(fields, wrong, refusal(words, code), 422)) from None


def once(  # each is told
    session: Session, occasion: Occasion, visit: Visit, fields: dict[str, str], *, answer: type[M],
    deed: Callable[[], M],
) -> M:  # fmt: skip
    """Do what a form asks, wholly or not at all, unless it was sent before. Raises RefusedError."""

    def work() -> M:
        return sent.once(
            session, visit.request, fields, actor=occasion.actor, now=occasion.now, answer=answer, work=deed
        )

    return attempt(session, work, fields, visit.words)


def attempt(session: Session, deed: Callable[[], T], fields: dict[str, str], words: Words) -> T:
    """Do something, wholly or not at all. Raises RefusedError with the form as it was sent."""
    try:
        with session.begin_nested():
            return deed()
    except DomainError as error:
        record = error.params.get("record")
        told = refusal(words, error.code, error.params)
        wrong = frozenset(AT.get(error.code, ()))
        at = record if isinstance(record, int) else None
        raise RefusedError(Draft(fields, wrong, told, error.status, at)) from None
