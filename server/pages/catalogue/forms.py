"""What the cataloguing forms say: texts to show and to send, and the values read from them. Pure.

Only what somebody has changed is judged and stored, so that an imported value that no form would take can stay.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from server.catalogue.editing.schemas import ItemBody, ItemChanges, RecordBody, RecordChanges
from server.catalogue.isbn import isbn13
from server.catalogue.service import Item, Record
from server.pages import seen

Texts = Mapping[str, str]
Fields = Sequence[tuple[str, Any]]
Body = TypeVar("Body", bound=BaseModel)

LISTS = ("subjects", "title_alt", "author_alt")
"""A line each."""
RECORD = tuple(RecordChanges.model_fields)
ITEM = tuple(ItemChanges.model_fields)
SWITCHES = ("suppressed", "for_loan")


@dataclass(frozen=True, slots=True)
class Draft:
    """A form as it is shown: its texts, a code of what is wrong with which, and a mark of what is stored meanwhile."""

    texts: Texts
    errors: Texts = field(default_factory=dict)
    mark: str = ""

    def get(self, name: str) -> str:
        """A field's text."""
        return self.texts.get(name, "")


def record_draft(record: Record | None) -> Draft:
    """A title as its form shows it; None for a new one."""
    if record is None:
        return Draft(dict.fromkeys(RECORD, "") | {"kind": "book"})
    return _marked(Draft({name: _text(getattr(record, name)) for name in RECORD}))


def item_draft(item: Item | None, branch: str = "") -> Draft:
    """A copy as its form shows it; None for a new one, which has no call number of its own yet."""
    if item is None:
        new = {"branch": branch, "type": "book", "tags": "1", "for_loan": "on"}
        return Draft(dict.fromkeys(ITEM, "") | new)
    return _marked(Draft({name: _text(getattr(item, name)) for name in ITEM}))


def sent(names: Sequence[str], told: Fields) -> dict[str, str]:
    """A form's texts, tidied: one space where a person cannot see more, no empty lines."""
    values = {name: str(value) for name, value in told if name in names}
    texts = {}
    for name in names:
        text = values.get(name, "")
        if name in SWITCHES:
            texts[name] = "on" if text == "on" else ""
        else:
            lines = [" ".join(line.split()) for line in text.splitlines()]
            texts[name] = ("\n" if name in LISTS else " ").join(line for line in lines if line)
    return texts


def new_record(texts: Texts) -> tuple[Draft, RecordBody | None]:
    """A title to be catalogued, unless something is wrong with it."""
    values = {name: _value(name, text) for name, text in texts.items() if name in RecordBody.model_fields}
    return _judged(RecordBody, texts, values)


def record_changes(texts: Texts, before: Draft) -> tuple[Draft, RecordChanges | None]:
    """What is to become of a title."""
    return _judged(RecordChanges, texts, _changed(texts, before))


def new_item(texts: Texts, *, ready: bool) -> tuple[Draft, ItemBody | None]:
    """A copy to be added; without a branch or a call number it has the library's and the title's."""
    told = {name: text for name, text in texts.items() if name in ItemBody.model_fields}
    values = {name: _value(name, text) for name, text in told.items() if text or name == "for_loan"}
    return _judged(ItemBody, texts, {"barcode": ""} | values | {"ready": ready})


def item_changes(texts: Texts, before: Draft) -> tuple[Draft, ItemChanges | None]:
    """What is to become of a copy; an empty price is unknown, and without a title's number it stays where it is."""
    values = _changed(texts, before)
    if values.get("price") == "":
        values["price"] = None
    if values.get("record_id") == "":
        del values["record_id"]
    return _judged(ItemChanges, texts, values)


def shown(draft: Draft) -> dict[str, str]:
    """A form's texts as they come back when nobody touches them."""
    return sent(tuple(draft.texts), list(draft.texts.items()))


def _marked(draft: Draft) -> Draft:
    return replace(draft, mark=seen.mark(shown(draft)))


def _changed(texts: Texts, before: Draft) -> dict[str, Any]:
    stored = shown(before)
    return {name: _value(name, text) for name, text in texts.items() if text != stored[name]}


def _judged(kind: type[Body], texts: Texts, values: Mapping[str, Any]) -> tuple[Draft, Body | None]:
    errors: dict[str, str] = {}
    body: Body | None = None
    try:
        body = kind.model_validate(values)
    except ValidationError as error:
        errors = {str(one["loc"][0]): "wrong" for one in error.errors()}
    isbn = values.get("isbn")
    if isbn and isbn13(isbn) is None:
        errors["isbn"] = "wrong"
    return Draft(texts, errors), None if errors else body


def _value(name: str, text: str) -> Any:
    if name in LISTS:
        return tuple(text.split("\n")) if text else ()
    return text == "on" if name in SWITCHES else text


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else ""
    if isinstance(value, tuple):
        return "\n".join(value)
    return "" if value is None else str(value)
