"""What the staff's page of notices shows: what a visitor chose, and each notice as a line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal, Self
from urllib.parse import parse_qsl, urlencode

from pydantic import BaseModel, Field, ValidationError
from sqlalchemy.orm import Session

from server.deps import Day
from server.notices import desk
from server.notices.policy import Channel, Kind, State
from server.notices.service import Notice
from server.patrons import service as patrons


class Choice(BaseModel):
    """Which notices a visitor wants to see."""

    state: State | Literal["held"] | None = None
    kind: Kind | None = None
    channel: Channel | None = None
    day: Day | None = None
    before: Annotated[int | None, Field(ge=1, le=2**31 - 1)] = None

    @classmethod
    def read(cls, given: Mapping[str, str]) -> Self | None:
        """As an address or a form tells it, where an empty field is as none; None when it cannot be read."""
        try:
            return cls.model_validate({name: value for name, value in given.items() if value})
        except ValidationError:
            return None

    @classmethod
    def back(cls, query: str) -> Self:
        """The list that a form stood on; all, when that cannot be read."""
        return cls.read(dict(parse_qsl(query))) or cls()

    def query(self, **changes: object) -> str:
        """As an address tells it, with some things chosen otherwise."""
        told = self.model_dump(exclude_none=True) | changes
        return urlencode({name: value for name, value in told.items() if value})


@dataclass(frozen=True, slots=True)
class Line:
    """A notice as staff see it. `goes_at`: when the next attempt is; `said`: the receiving server's own words."""

    notice: Notice
    state: str
    patron: str
    said: str
    goes_at: datetime | None


def lines(session: Session, found: list[Notice], *, now: datetime, quiet_until: datetime | None) -> list[Line]:
    """With the names of those who are still known."""
    known = patrons.find_many(session, sorted({one.patron_id for one in found if one.patron_id is not None}))
    said = desk.said(session, [one.id for one in found if one.state == "failed"])
    return [
        Line(
            one,
            state=_state(one, now, quiet_until),
            patron=known[one.patron_id].name if one.patron_id in known else "",
            said=said.get(one.id, ""),
            goes_at=_goes_at(one, now, quiet_until),
        )
        for one in found
    ]


def _state(notice: Notice, now: datetime, quiet_until: datetime | None) -> str:
    held = notice.state == "waiting" and quiet_until is not None and notice.next_at <= now
    return "held" if held else notice.state


def _goes_at(notice: Notice, now: datetime, quiet_until: datetime | None) -> datetime | None:
    if notice.state != "waiting":
        return None
    due = max(notice.next_at, now)
    return due if quiet_until is None else max(due, quiet_until)
