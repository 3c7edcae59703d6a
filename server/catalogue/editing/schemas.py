"""Bodies of the cataloguing endpoints. In a change, what is left out stays as it is."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

from carrel.contracts.ids import BranchId, ItemBarcode
from server.catalogue.isbn import pasted

Kind = Literal["book", "serial", "score", "map", "video", "audio", "picture", "electronic", "kit", "object"]
Word = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,40}$")]
Price = Annotated[Decimal, Field(ge=0, le=1_000_000, max_digits=9, decimal_places=2)]
Action = Literal["missing", "found", "repair", "process", "ready", "withdraw", "reinstate", "send"]

_PLAIN = r"^[^\x00-\x1f\x7f]*$"
"""One line; nothing but characters that both databases keep."""

Title = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500, pattern=_PLAIN)]
Line = Annotated[str, StringConstraints(strip_whitespace=True, max_length=300, pattern=_PLAIN)]
Middle = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200, pattern=_PLAIN)]
Short = Annotated[str, StringConstraints(strip_whitespace=True, max_length=40, pattern=_PLAIN)]
CallNumber = Annotated[str, StringConstraints(strip_whitespace=True, max_length=60, pattern=_PLAIN)]
Language = Annotated[str, StringConstraints(pattern=r"^([a-z]{2,3}(-[A-Za-z0-9]{2,8})*)?$", max_length=16)]
Isbn = Annotated[
    str,
    BeforeValidator(lambda told: pasted(told) if isinstance(told, str) else told),
    StringConstraints(pattern=r"^[0-9Xx -]{0,20}$"),
]
Summary = Annotated[str, StringConstraints(strip_whitespace=True, max_length=5000, pattern=_PLAIN)]
Lines = Annotated[tuple[Line, ...], Field(max_length=50)]


class RecordChanges(BaseModel):
    """Of a title."""

    model_config = ConfigDict(extra="forbid")

    title: Title | None = None
    author: Line | None = None
    year: Short | None = None
    edition: Middle | None = None
    language: Language | None = None
    isbn: Isbn | None = None
    class_number: Short | None = None
    call_number: CallNumber | None = None
    kind: Kind | None = None
    publisher: Line | None = None
    subjects: Lines | None = None
    summary: Summary | None = None
    title_alt: Lines | None = None
    author_alt: Lines | None = None
    suppressed: bool | None = Field(default=None, description="readers do not find it")


class RecordBody(BaseModel):
    """A new title."""

    model_config = ConfigDict(extra="forbid")

    title: Title
    author: Line = ""
    year: Short = ""
    edition: Middle = ""
    language: Language = ""
    isbn: Isbn = ""
    class_number: Short = ""
    call_number: CallNumber = ""
    kind: Kind = "book"
    publisher: Line = ""
    subjects: Lines = ()
    summary: Summary = ""
    title_alt: Lines = ()
    author_alt: Lines = ()


class ItemChanges(BaseModel):
    """Of a copy; `price` null: unknown. `tags` is the number of its parts with a tag of their own, `record_id` another
    title's, whose copy it is in truth."""

    model_config = ConfigDict(extra="forbid")

    barcode: ItemBarcode | None = None
    record_id: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = None
    location: CallNumber | None = None
    call_number: CallNumber | None = None
    branch: BranchId | None = None
    type: Word | None = None
    for_loan: bool | None = None
    price: Price | None = None
    tags: Annotated[int, Field(ge=1, le=99)] | None = None
    note: Summary | None = None


class ItemBody(BaseModel):
    """A new copy; without a branch it is the library's own, without a call number it has the title's."""

    model_config = ConfigDict(extra="forbid")

    barcode: ItemBarcode
    location: CallNumber = ""
    call_number: CallNumber | None = None
    branch: BranchId | None = None
    type: Word = "book"
    for_loan: bool = True
    price: Price | None = None
    tags: Annotated[int, Field(ge=1, le=99)] = 1
    note: Summary = ""
    ready: bool = Field(default=True, description="false: it is in processing until the action `ready`")


class ActionBody(BaseModel):
    """What happened to a copy, or is to happen; a note replaces the one it has. `send` needs the branch."""

    model_config = ConfigDict(extra="forbid")

    action: Action
    branch: BranchId | None = None
    note: Summary | None = None

    @model_validator(mode="after")
    def _sent_somewhere(self) -> Self:
        if (self.action == "send") != (self.branch is not None):
            raise ValueError("send needs a branch, and nothing else does")
        return self


class RecordCreated(BaseModel):
    """The new title's key."""

    id: int
