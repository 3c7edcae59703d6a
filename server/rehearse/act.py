"""One action about to be played: who acts through which door, what is asked, and where."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from carrel.clock import local_date
from server.db import Database
from server.lending.occasion import Channel, Occasion
from server.patrons import service as patrons
from server.rehearse import values
from server.rehearse.answers import Answer
from server.rehearse.doors import Door
from server.rehearse.fields import PATRON, Fields
from server.rehearse.library import World
from server.rehearse.script import Case

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Act:
    """Everything a command works with; `name` is unique in the case and stands in for a request's own number."""

    database: Database
    case: Case
    world: World
    door: Door
    fields: Fields
    now: datetime
    name: str

    @property
    def zone(self) -> ZoneInfo:
        """The library's."""
        return self.case.library.zone

    @property
    def today(self) -> date:
        """The library's calendar day."""
        return local_date(self.now, self.zone)

    @property
    def branch(self) -> str:
        """Where it is done: the action's own branch, else the library's first."""
        known = self.case.library.branches
        branch = self.fields.text("branch", default=self.door.branch or known[0])
        if branch not in known:
            raise self.fields.mistake(f"branch: {values.short(branch)} is not among {', '.join(known)}")
        return branch

    @property
    def occasion(self) -> Occasion:
        """As the services know it."""
        return Occasion(self.actor, self.now, self.zone, self.branch, self.door.channel)

    @property
    def actor(self) -> str:
        """As services and the audit log name them: a reader by key, as when signed in."""
        named = self.door.patron or (
            self.fields.text(*PATRON, default="") if self.door.channel is Channel.READER else ""
        )
        key = self.world.patrons.get(named)
        return self.door.subject if key is None else f"patron:{key}"

    @property
    def request_id(self) -> str:
        """The action's own, so that it can be sent twice, or one made up."""
        return self.fields.text("request_id", "request", default=self.name)

    def meant(self, words: str, now: T) -> T:
        """What words mean now, or have meant when this request came first: a repeat is the same request."""
        first: T = self.world.meant.setdefault((self.actor, self.request_id, words), now)
        return first

    def has_patron(self) -> bool:
        """Whether the action or its door says who it is about."""
        return self.door.patron is not None or self.fields.has(*PATRON)

    def card(self, session: Session) -> str:
        """The number on the card that is shown: as written under `card`, else the named patron's newest one."""
        named = self.fields.text(*PATRON, default=self.door.patron or "")
        if not named:
            raise self.fields.mistake('"patron" is missing')
        key = self.world.patrons.get(named)
        if key is None or (self.fields.has("card") and not self.fields.has("patron")):
            return named
        patron = patrons.find_by_id(session, key)
        return patron.card if patron and patron.card else named

    def patron(self, session: Session) -> patrons.Patron | None:
        """Who it is about; None when the library does not know them."""
        named = self.fields.text(*PATRON, default=self.door.patron or "")
        if named in self.world.patrons:
            return patrons.find_by_id(session, self.world.patrons[named])
        return patrons.find(session, self.card(session))


Command = Callable[[Act], Answer]
