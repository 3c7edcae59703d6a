"""Bodies of the patrons endpoints."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from fastapi import Path
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from carrel.contracts.ids import BranchId, CardNumber, RequestId
from server.deps import Day, Instant

NO_CONTROLS = r"^[^\x00-\x1f\x7f]*$"

PatronId = Annotated[int, Path(ge=1, le=2**31 - 1)]
Line = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200, pattern=NO_CONTROLS)]
PersonName = Annotated[Line, StringConstraints(min_length=1)]
Note = Annotated[str, StringConstraints(strip_whitespace=True, max_length=2000, pattern=r"^[^\x00]*$")]
Address = Annotated[str, StringConstraints(strip_whitespace=True, max_length=500, pattern=r"^[^\x00]*$")]
Email = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=254, pattern=r"^$|^[^\s@\x00-\x1f<>]+@[^\s@\x00-\x1f<>]+$")
]
Phone = Annotated[str, StringConstraints(strip_whitespace=True, max_length=40, pattern=r"^[0-9+() ./-]*$")]
External = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64, pattern=NO_CONTROLS)]
Language = Literal["zh-CN", "en"]
ClassCode = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]
Channel = Literal["email", "webhook"]
Channels = Annotated[tuple[Channel, ...], Field(max_length=2)]
Key = Annotated[int, Field(ge=1, le=2**31 - 1)]


class PatronFields(BaseModel):
    """What a patron may be registered with; without a branch, the library's own."""

    model_config = ConfigDict(extra="forbid")

    name: PersonName
    language: Language | None = None
    patron_class: ClassCode = "adult"
    born_on: Day | None = None
    expires_on: Day | None = None
    branch: BranchId | None = None
    external: External | None = None
    email: Email = ""
    phone: Phone = ""
    address: Address = ""
    channels: Channels = ()
    guardian_id: Key | None = None
    note: Note = ""


class RegisterRequest(PatronFields):
    """A new patron and the card. `confirmed_new` says: the people alike were looked at, it is none of them."""

    card: CardNumber
    confirmed_new: bool = False


class PatronChange(BaseModel):
    """What to change; fields left out stay."""

    model_config = ConfigDict(extra="forbid")

    name: PersonName = ""
    language: Language | None = None
    patron_class: ClassCode = "adult"
    born_on: Day | None = None
    expires_on: Day | None = None
    branch: BranchId = "main"
    external: External | None = None
    email: Email = ""
    phone: Phone = ""
    address: Address = ""
    channels: Channels = ()
    guardian_id: Key | None = None
    keeps_history: bool = False
    note: Note = ""


class MeChange(BaseModel):
    """What readers may change themselves; fields left out stay."""

    model_config = ConfigDict(extra="forbid")

    language: Language | None = None
    email: Email = ""
    phone: Phone = ""
    channels: Channels = ()
    keeps_history: bool = False


class MeResponse(BaseModel):
    """What the library holds about the reader who asks."""

    card: str
    name: str
    language: str | None
    expires_on: date | None
    blocked: bool
    card_state: str
    patron_class: str
    branch: str
    email: str
    phone: str
    channels: tuple[str, ...]
    keeps_history: bool


class ChildResponse(BaseModel):
    """A child whose loans the caller may see and renew."""

    card: str
    name: str
    born_on: date | None


class ChildrenResponse(BaseModel):
    """The caller's children while they are under age."""

    children: list[ChildResponse]


class PatronBrief(BaseModel):
    """A patron in a list."""

    id: int
    card: str
    card_state: str
    name: str
    patron_class: str
    born_on: date | None
    expires_on: date | None
    branch: str
    phone: str
    email: str
    blocked: bool


class PatronsResponse(BaseModel):
    """A page; `next` is the `after` of the next one, null on the last."""

    patrons: list[PatronBrief]
    next: int | None = None


class CardResponse(BaseModel):
    """A card that was handed out."""

    number: str
    state: str
    issued_at: AwareDatetime
    ended_at: AwareDatetime | None


class BlockResponse(BaseModel):
    """A block; it counts while it is not lifted and `until` is not past."""

    id: int
    reason: str
    note: str
    created_at: AwareDatetime
    created_by: str
    until: AwareDatetime | None
    lifted_at: AwareDatetime | None
    lifted_by: str | None


class PatronResponse(PatronBrief):
    """All that the desk sees of a patron, apart from loans, fees and holds."""

    language: str | None
    external: str | None
    address: str
    channels: tuple[str, ...]
    guardian_id: int | None
    keeps_history: bool
    note: str
    created_at: AwareDatetime
    anonymised_at: AwareDatetime | None
    cards: list[CardResponse]
    blocks: list[BlockResponse]


class CardRequest(BaseModel):
    """The new card."""

    model_config = ConfigDict(extra="forbid")

    number: CardNumber


class CardEnd(BaseModel):
    """Why the card is good no more."""

    model_config = ConfigDict(extra="forbid")

    reason: Literal["lost", "withdrawn"]


class BlockRequest(BaseModel):
    """A block; `until` is the instant it ends by itself. The same `request_id` blocks once."""

    model_config = ConfigDict(extra="forbid")

    reason: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")] = "manual"
    note: Note = ""
    until: Instant | None = None
    request_id: RequestId | None = None


class BlockPlaced(BaseModel):
    """The block's key."""

    id: int


class ClassBody(BaseModel):
    """A kind of patron; without `membership_days` a membership has no end."""

    model_config = ConfigDict(extra="forbid")

    name_zh: Annotated[Line, StringConstraints(min_length=1, max_length=80)]
    name_en: Annotated[Line, StringConstraints(min_length=1, max_length=80)]
    membership_days: Annotated[int, Field(ge=1, le=36_500)] | None = None


class ClassResponse(ClassBody):
    """With its code."""

    code: str


class ClassesResponse(BaseModel):
    """All kinds of patrons."""

    classes: list[ClassResponse]


class ImportedRow(BaseModel):
    """What became of a row: `new`, `changed`, `same`, or `error` with a code and the column it is about."""

    line: int
    outcome: Literal["new", "changed", "same", "error"]
    code: str | None = None
    column: str | None = None
    possible_duplicate: bool = False


class ImportResponse(BaseModel):
    """One result per row of the file; a dry run changes nothing and tells the same."""

    dry_run: bool
    encoding: str
    ignored_columns: list[str]
    counts: dict[str, int]
    rows: list[ImportedRow]
