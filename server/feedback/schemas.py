"""Bodies of the feedback endpoints."""

from __future__ import annotations

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from server.feedback.policy import Kind
from server.prose import Line, Prose, WrittenProse

_STRICT = ConfigDict(extra="forbid", from_attributes=True)


class FeedbackRequest(BaseModel):
    """What somebody tells the library. `contact` is kept only of callers who are not signed in as readers."""

    model_config = _STRICT

    kind: Kind
    text: WrittenProse
    place: Line = ""
    contact: Line = ""


class OpenedResponse(BaseModel):
    """The case's number, and until when it will be answered."""

    number: str
    due_at: AwareDatetime


class NoteResponse(BaseModel):
    """Something said about a case: `answer`, `public` and `reader` are the reader's to see, `internal` is not."""

    model_config = _STRICT

    kind: str
    text: str
    author: str
    at: AwareDatetime


class CaseResponse(BaseModel):
    """A case; in lists without its notes."""

    model_config = _STRICT

    number: str
    patron_id: int | None
    contact: str
    kind: str
    place: str
    text: str
    state: str
    owner: str
    opened_at: AwareDatetime
    due_at: AwareDatetime
    answered_at: AwareDatetime | None
    closed_at: AwareDatetime | None
    escalated_at: AwareDatetime | None
    rating: int | None
    notes: list[NoteResponse]


class CasesResponse(BaseModel):
    """Cases; those that wait for an answer first, the most overdue on top."""

    cases: list[CaseResponse]
    waiting: int
    overdue: int


class OwnCasesResponse(BaseModel):
    """A reader's cases, newest first."""

    cases: list[CaseResponse]


class OwnerRequest(BaseModel):
    """A colleague's name for signing in; empty gives the case to nobody."""

    model_config = _STRICT

    owner: str = Field(default="", max_length=64)


class AnswerRequest(BaseModel):
    """What the reader is told."""

    model_config = _STRICT

    text: WrittenProse


class NoteRequest(BaseModel):
    """A note; `public` shows it to the reader."""

    model_config = _STRICT

    text: WrittenProse
    public: bool = False


class ReasonRequest(BaseModel):
    """Why; a case that was not answered cannot be closed without."""

    model_config = _STRICT

    reason: Prose = ""


class RatingRequest(BaseModel):
    """1 is bad, 5 is good."""

    model_config = _STRICT

    rating: int = Field(ge=1, le=5)
