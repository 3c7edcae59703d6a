"""Bodies of the suggestions endpoints."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from server.catalogue.isbn import isbn13
from server.prose import Line, Prose, WrittenLine
from server.suggestions.policy import Answer, Outcome

_STRICT = ConfigDict(extra="forbid", from_attributes=True)


def _valid(isbn: str) -> str:
    if isbn and isbn13(isbn) is None:
        raise ValueError("no ISBN: a digit is wrong or missing")
    return isbn


class SuggestionRequest(BaseModel):
    """What a reader would have bought, and why."""

    model_config = _STRICT

    title: WrittenLine
    author: Line = ""
    isbn: Annotated[Line, AfterValidator(_valid)] = ""
    reason: Prose = ""


class SuggestedResponse(BaseModel):
    """`made` is a new suggestion; `voted` and `voted_before` say that somebody had suggested it."""

    id: int
    outcome: Outcome


class SuggestionResponse(BaseModel):
    """A suggestion without anything of the people behind it; `voted` tells of the caller."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    title: str
    author: str
    isbn: str
    state: str
    votes: int
    answer: str
    record_id: int | None
    created_at: AwareDatetime
    answered_at: AwareDatetime | None
    voted: bool


class SuggestionsResponse(BaseModel):
    """The public list: what is open first, of this what has the most votes."""

    suggestions: list[SuggestionResponse]


class ReasonedResponse(SuggestionResponse):
    """A suggestion as the library sees it."""

    reason: str


class ReplyRequest(BaseModel):
    """What the library does: `text` is required for `declined`, `record_id` for `arrived`."""

    model_config = _STRICT

    state: Answer
    text: Prose = ""
    record_id: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = None
