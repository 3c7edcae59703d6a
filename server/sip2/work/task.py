"""One request in the hands of the library: who asks, for whom, in which transaction; and how an answer is begun."""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy.orm import Session

from server.lending.occasion import Channel, Occasion
from server.sip2 import replies, words
from server.sip2.profile import Profile
from server.sip2.visit import Visit
from server.sip2.wire.messages import Draft, F, Message

UNKEPT = "sip2"
"""The id of requests that are not kept by it: repeats of a frame are told apart by the session."""
_NAME = re.compile(r"[0-9A-Za-z.*:/_-]{1,32}")
"""What card numbers and barcodes are made of; anything else is nobody's."""
_BRANCH = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]{0,62}")


class Pin(StrEnum):
    """How the PIN of a request was judged; `vouched`: the terminal answers for the patron."""

    RIGHT = "right"
    VOUCHED = "vouched"
    WRONG = "wrong_pin"
    LOCKED = "pin_locked"
    MISSING = "pin_needed"

    @property
    def good(self) -> bool:
        """Whether the patron may go on."""
        return self in (Pin.RIGHT, Pin.VOUCHED)


class Task(NamedTuple):
    """Everything a handler works with; its transaction is committed when it returns."""

    session: Session
    request: Message
    profile: Profile
    visit: Visit
    now: datetime
    pin: Pin
    card: str
    """The patron's card; empty for what cannot be one."""
    barcode: str
    """The item's barcode; empty for what cannot be one."""

    @property
    def occasion(self) -> Occasion:
        """The terminal, now, at its branch."""
        return Occasion(self.actor, self.now, self.profile.zone, branch=self.profile.branch, channel=Channel.SIP2)

    @property
    def then(self) -> Occasion:
        """The same when it happened, which for what is told off-line is long ago."""
        return self.occasion._replace(now=self.happened_at()) if self.offline else self.occasion

    @property
    def actor(self) -> str:
        """As audit and ledger name the terminal."""
        return f"sip2:{self.profile.id}"

    @property
    def offline(self) -> bool:
        """Whether the terminal tells what has happened while it was off-line."""
        return self.profile.terminal.offline and self.request.fixed.get("no_block") == "Y"

    @property
    def cancels(self) -> bool:
        """Whether the terminal takes back what it asked for before."""
        return self.request.get(F.CANCEL) == "Y"

    def begin(self) -> Draft:
        """The answer with what it repeats of the request."""
        return replies.begin(self.request, self.profile)

    def finish(self, draft: Draft, code: str | None = None, **params: object) -> Message:
        """The answer, with a code in words on the screen."""
        if code is not None:
            draft.each(F.SCREEN, words.say(self.profile, self.visit.language, code, **params))
        return replies.finish(draft, self.profile, self.now)

    def refuse(self, code: str, **params: object) -> Message:
        """The answer in which nothing was done."""
        return self.finish(self.begin(), code, **params)

    def happened_at(self) -> datetime:
        """The transaction's own date; never in the future."""
        return min(self.profile.instant(self.request.fixed["date"]) or self.now, self.now)


Handler = Callable[[Task], Message]


def name_of(text: str) -> str:
    """A card number or barcode as the library writes it; empty for what cannot be one."""
    stripped = text.strip()
    return stripped if _NAME.fullmatch(stripped) else ""


def branch_of(text: str) -> str | None:
    """A branch as the library writes it; None for what cannot be one."""
    stripped = text.strip()
    return stripped if _BRANCH.fullmatch(stripped) else None


def new_id() -> str:
    """An id of its own for what is kept by its id."""
    return uuid.uuid4().hex


def same_id(*facts: object) -> str:
    """The id of something that has happened once, however often it is told."""
    return hashlib.sha256("\n".join(map(str, facts)).encode()).hexdigest()[:40]
