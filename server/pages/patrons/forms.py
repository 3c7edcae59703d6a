"""A reader's data as a form holds them, there and back. Every field is a text, as browsers send them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Request
from pydantic import BaseModel, ValidationError

from server.patrons.schemas import PatronChange, RegisterRequest
from server.patrons.service import Patron

T = TypeVar("T", bound=BaseModel)

EMPTY_IS_NONE = ("language", "born_on", "expires_on", "external")
TEXTS = ("name", "patron_class", "phone", "email", "address", "note", *EMPTY_IS_NONE)


@dataclass(frozen=True, slots=True)
class Draft:
    """What stands in the form, and which fields are wrong: name -> code."""

    values: Mapping[str, str]
    errors: Mapping[str, str] = field(default_factory=dict)

    def get(self, name: str, default: str = "") -> str:
        """A field's text."""
        return self.values.get(name, default)

    def with_errors(self, names: Iterable[str]) -> Draft:
        """The same, with these fields marked."""
        return Draft(self.values, dict.fromkeys(names, "malformed"))


async def posted(request: Request) -> Draft:
    """The form's texts."""
    sent = await request.form()
    return Draft({name: value for name, value in sent.items() if isinstance(value, str)})


Posted = Annotated[Draft, Depends(posted)]


def draft_of(patron: Patron, guardian_card: str) -> Draft:
    """A reader's data as they are."""
    values = {name: str(getattr(patron, name) or "") for name in TEXTS}
    ticks = {"email_notices": "email" in patron.channels, "keeps_history": patron.keeps_history}
    return Draft(values | {"guardian": guardian_card} | {name: "on" for name, ticked in ticks.items() if ticked})


def new_patron(draft: Draft, guardian_id: int | None) -> RegisterRequest | Draft:
    """What is to be registered; the draft with its errors when it does not have the right form."""
    values = _values(draft, guardian_id) | {"card": draft.get("card").strip(), "confirmed_new": bool(draft.get("sure"))}
    return _read(RegisterRequest, values, draft)


def changes(draft: Draft, guardian_id: int | None) -> PatronChange | Draft:
    """What the form changes: all of its fields."""
    more = {"keeps_history": draft.get("keeps_history") == "on"}
    return _read(PatronChange, _values(draft, guardian_id) | more, draft)


def _values(draft: Draft, guardian_id: int | None) -> dict[str, Any]:
    texts: dict[str, Any] = {name: draft.get(name).strip() for name in TEXTS}
    texts |= {name: texts[name] or None for name in EMPTY_IS_NONE}
    channels = ("email",) if draft.get("email_notices") == "on" else ()
    return texts | {"channels": channels, "guardian_id": guardian_id}


def _read(kind: type[T], values: dict[str, Any], draft: Draft) -> T | Draft:
    try:
        return kind.model_validate(values)
    except ValidationError as wrong:
        return draft.with_errors(str(error["loc"][0]) for error in wrong.errors())
