"""Purchase suggestions: made once, voted for, answered; what the library has already is not suggested."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from server.audit import service as audit
from server.catalogue import service as catalogue
from server.catalogue.isbn import isbn13
from server.catalogue.search.text import words
from server.catalogue.service import Record, Wanted
from server.lending.occasion import Occasion
from server.suggestions import policy, repository
from server.suggestions.errors import (
    InCatalogueError,
    ReasonRequiredError,
    SuggestionLimitError,
    SuggestionStateError,
    UnknownSuggestionError,
)
from server.suggestions.models import SuggestionRow
from server.suggestions.policy import Answer, Outcome, State

LOOKED_AT = 20
"""So many of the catalogue's hits for a title are compared."""


@dataclass(frozen=True, slots=True)
class NewSuggestion:
    """What a reader would have bought; `isbn` is a valid one in any form, or empty."""

    title: str
    author: str = ""
    isbn: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A suggestion as everybody may see it, with `reason` for the library only; `voted` tells of who looks."""

    id: int
    title: str
    author: str
    isbn: str
    state: str
    votes: int
    answer: str
    record_id: int | None
    created_at: datetime
    answered_at: datetime | None
    reason: str = ""
    voted: bool = False


@dataclass(frozen=True, slots=True)
class Suggested:
    """What came of it: a new suggestion, or a vote for one that was there."""

    id: int
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Reply:
    """The library's answer: `text` is the reason of a refusal, `record_id` where to find what has arrived."""

    state: Answer
    text: str = ""
    record_id: int | None = None


def suggest(session: Session, new: NewSuggestion, patron_id: int, occasion: Occasion, *, a_month: int) -> Suggested:
    """Suggest a title, or vote for it if somebody has suggested it before; a vote counts to no limit.

    Raises InCatalogueError with the record, SuggestionLimitError.
    """
    isbn = isbn13(new.isbn) or ""
    title_key, author_key = _key(new.title), _key(new.author)
    repository.queue_up(session)
    for row in repository.alike(session, isbn, title_key):
        if (isbn and row.isbn == isbn) or policy.same_work(author_key, row.author_key):
            return Suggested(row.id, _vote(session, row, patron_id, occasion))
    if (record := _in_catalogue(session, isbn, title_key, author_key)) is not None:
        raise InCatalogueError(record=record)
    month = policy.month_start(occasion.now, occasion.zone)
    if repository.suggested_since(session, patron_id, month) >= a_month:
        raise SuggestionLimitError(limit=a_month)
    row = SuggestionRow(
        title=new.title, author=new.author, isbn=isbn, title_key=title_key, author_key=author_key, reason=new.reason,
        state="open", answer="", created_at=occasion.now,
    )  # fmt: skip
    repository.add(session, row)
    repository.vote(session, row.id, patron_id, first=True, at=occasion.now)
    _audit(session, row.id, "make", occasion.actor, at=occasion.now)
    return Suggested(row.id, "made")


def vote(session: Session, suggestion_id: int, patron_id: int, occasion: Occasion) -> Outcome:
    """Vote for a suggestion, once; raises UnknownSuggestionError, InCatalogueError for what has arrived."""
    return _vote(session, _known(session, suggestion_id), patron_id, occasion)


def unvote(session: Session, suggestion_id: int, patron_id: int, occasion: Occasion) -> None:
    """Take one's vote back, while the suggestion is open; without any vote it is gone.

    Raises UnknownSuggestionError, SuggestionStateError.
    """
    repository.queue_up(session)
    row = _known(session, suggestion_id)
    if row.state != "open":
        raise SuggestionStateError
    if repository.unvote(session, suggestion_id, patron_id):
        gone = repository.remove_unwanted(session, row)
        _audit(session, suggestion_id, "unvote", occasion.actor, at=occasion.now, detail={"gone": gone})


def answer(session: Session, suggestion_id: int, reply: Reply, *, actor: str, at: datetime) -> None:
    """Say what the library does.

    Raises UnknownSuggestionError, SuggestionStateError, ReasonRequiredError, and UnknownRecordError for something
    arrived that is not in the catalogue.
    """
    row = _known(session, suggestion_id)
    if not policy.may_answer(row.state, reply.state):
        raise SuggestionStateError
    if reply.state == "declined" and not reply.text:
        raise ReasonRequiredError
    record_id = None
    if reply.state == "arrived":
        record, _items = catalogue.get_record(session, reply.record_id or 0)
        record_id = record.id
    row.state, row.answer, row.record_id, row.answered_at = reply.state, reply.text, record_id, at
    _audit(session, suggestion_id, "answer", actor, at=at, detail={"state": reply.state, "record": record_id})


def find(
    session: Session, *, states: tuple[State, ...] = (), patron_id: int | None = None, limit: int = 200
) -> list[Suggestion]:
    """Suggestions: open ones first, of these those with the most votes; `voted` tells of the patron."""
    mine = repository.voted(session, patron_id) if patron_id is not None else set()
    found = repository.find(session, states=states, limit=limit)
    return [_value(row, votes, voted=row.id in mine) for row, votes in found]


def get(session: Session, suggestion_id: int) -> Suggestion:
    """One suggestion; raises UnknownSuggestionError."""
    found = repository.find(session, ids=[suggestion_id], limit=1)
    if not found:
        raise UnknownSuggestionError
    return _value(*found[0])


def arrival_of(session: Session, suggestion_id: int) -> int | None:
    """The record that seems to be what was suggested, if the library has a copy by now; a person decides.

    Raises UnknownSuggestionError.
    """
    row = repository.get(session, suggestion_id)
    if row is None:
        raise UnknownSuggestionError
    return _in_catalogue(session, row.isbn, row.title_key, row.author_key)


def about_patron(session: Session, patron_id: int) -> list[dict[str, Any]]:
    """What a person has suggested and voted for, for the person."""
    return [
        {"title": row.title, "state": row.state, "at": row.at} | ({"reason": row.reason} if row.first else {})
        for row in repository.of_patron(session, patron_id)
    ]


def forget_patron(session: Session, patron_id: int, _at: datetime) -> None:
    """Votes stay as nobody's; the reasons that the person gave go."""
    repository.forget_patron(session, patron_id)


def _key(text: str) -> str:
    return " ".join(words(text))[:600]


def _vote(session: Session, row: SuggestionRow, patron_id: int, occasion: Occasion) -> Outcome:
    if not policy.may_vote(row.state):
        raise InCatalogueError(record=row.record_id or 0)
    if not repository.vote(session, row.id, patron_id, first=False, at=occasion.now):
        return "voted_before"
    _audit(session, row.id, "vote", occasion.actor, at=occasion.now)
    return "voted"


def _in_catalogue(session: Session, isbn: str, title_key: str, author_key: str) -> int | None:
    """The record of which the library has a copy, or will have one."""
    for text in (isbn, f'title:"{title_key}"' if title_key else ""):
        if not text:
            continue
        for record in catalogue.search(session, Wanted(text, LOOKED_AT)).records:
            if record.items_total and (text == isbn or _same(record, title_key, author_key)):
                return record.id
    return None


def _same(record: Record, title_key: str, author_key: str) -> bool:
    titles = {_key(title) for title in (record.title, *record.title_alt)}
    return title_key in titles and policy.same_work(author_key, _key(record.author))


def _known(session: Session, suggestion_id: int) -> SuggestionRow:
    row = repository.get(session, suggestion_id, lock=True)
    if row is None:
        raise UnknownSuggestionError
    return row


def _audit(
    session: Session, suggestion_id: int, action: str, actor: str, *, at: datetime, detail: dict[str, Any] | None = None
) -> None:
    target = f"suggestion:{suggestion_id}"
    audit.record(session, actor=actor, action=f"suggestion.{action}", target=target, at=at, detail=detail)


def _value(row: SuggestionRow, votes: int, *, voted: bool = False) -> Suggestion:
    return Suggestion(
        id=row.id, title=row.title, author=row.author, isbn=row.isbn, state=row.state, votes=votes, answer=row.answer,
        record_id=row.record_id, created_at=row.created_at, answered_at=row.answered_at, reason=row.reason, voted=voted,
    )  # fmt: skip
