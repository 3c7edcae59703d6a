"""A reader's data as a form holds them, there and back. Every field is a text, as browsers send them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Request
from pydantic import BaseModel, ValidationError

from carrel.web.i18n import N_
from server.pages import seen
from server.patrons.schemas import PatronChange, RegisterRequest
from server.patrons.service import Patron
from server.prose import number

T = TypeVar("T", bound=BaseModel)

_DAY = N_("Write a day as 2026-10-01.")
_CARD = N_("Write at most 32 letters, digits and signs such as hyphens, without blanks.")
FORM = {
    "card": _CARD,
    "number": _CARD,
    "name": N_("Write a name of at most 200 characters."),
    "born_on": _DAY,
    "expires_on": _DAY,
    "email": N_("Write one address, such as name@example.org."),
    "phone": N_("Write digits; blanks, brackets, dots, hyphens and a plus may stand between them."),
}
"""What a field takes, for when it does not have the right form."""

EMPTY_IS_NONE = ("language", "born_on", "expires_on", "external")
COLUMNS = {"guardian": "guardian_id", "email_notices": "channels"}
"""What fields are stored as, where the name is another."""
TICKS = ("email_notices", "keeps_history")
TEXTS = ("name", "patron_class", "phone", "email", "address", "note", *EMPTY_IS_NONE)


@dataclass(frozen=True, slots=True)
class Draft:
    """What stands in the form, and which fields are wrong: name -> code. `seen` marks what is stored meanwhile."""

    values: Mapping[str, str]
    errors: Mapping[str, str] = field(default_factory=dict)
    seen: str = ""

    def get(self, name: str, default: str = "") -> str:
        """A field's text."""
        return self.values.get(name, default)

    def fault(self, name: str) -> str:
        """What is wrong with a field, in English."""
        if self.errors.get(name) == seen.CHANGED:
            return N_("Somebody else has changed this meanwhile.")
        return FORM.get(name, N_("This does not have the right form."))

    def with_errors(self, names: Iterable[str]) -> Draft:
        """The same, with these fields marked."""
        return replace(self, errors=dict.fromkeys(names, "malformed"))


async def posted(request: Request) -> Draft:
    """The form's texts."""
    sent = await request.form()
    return Draft({name: value for name, value in sent.items() if isinstance(value, str)})


Posted = Annotated[Draft, Depends(posted)]


def draft_of(patron: Patron, guardian_card: str) -> Draft:
    """A reader's data as they are."""
    values = {name: str(getattr(patron, name) or "") for name in TEXTS}
    ticks = {"email_notices": "email" in patron.channels, "keeps_history": patron.keeps_history}
    values |= {"guardian": guardian_card} | {name: "on" if ticked else "" for name, ticked in ticks.items()}
    return Draft(values, seen=seen.mark(values))


def new_patron(draft: Draft, guardian_id: int | None) -> RegisterRequest | Draft:
    """What is to be registered; the draft with its errors when it does not have the right form."""
    values = _values(draft, guardian_id) | {"card": number(draft.get("card")), "confirmed_new": bool(draft.get("sure"))}
    return _read(RegisterRequest, values, draft)


def merged(draft: Draft, stored: Draft) -> Draft:
    """The form with what is stored now in the fields that it has not changed; what somebody else has, is an error."""
    sent = {name: draft.get(name).strip() for name in (*TEXTS, "guardian")}
    sent |= {name: "on" if draft.get(name) == "on" else "" for name in TICKS}
    found = seen.merge(sent, draft.values.get(seen.FIELD), stored.values)
    return Draft(found.texts, found.errors, stored.seen)


def changes(draft: Draft, stored: Draft, guardian_id: int | None) -> PatronChange | Draft:
    """What the form changes: only fields that are not as they are stored."""
    values = _values(draft, guardian_id) | {"keeps_history": draft.get("keeps_history") == "on"}
    told = {COLUMNS.get(name, name) for name in stored.values if draft.get(name) != stored.get(name).strip()}
    return _read(PatronChange, {name: value for name, value in values.items() if name in told}, draft)


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
