"""Sends what is in the queue. Each letter is claimed in the database first, so that no two processes send it.

A process that dies with a letter in hand is noticed by its silence, and the letter is sent again with the same
Message-ID or idempotency key: whoever got it already can tell.
"""

from __future__ import annotations

import logging
import re
import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from jinja2 import TemplateError
from sqlalchemy.exc import OperationalError

from carrel.clock import Clock, local_date
from server.audit import service as audit
from server.db import Database
from server.deps import Core
from server.notices import planning, policy, service
from server.notices.channels import Channel, Parcel, channels_of
from server.notices.config import ADDRESS, NoticesConfig
from server.notices.errors import DeliveryError, NoChannelError, NotAnAddressError
from server.notices.letters.recipients import Recipient, recipients
from server.notices.letters.writing import Letter, Somebody, Writer
from server.notices.policy import Terms
from server.notices.service import Claimed

log = logging.getLogger(__name__)

NOTE_ATTEMPTS = 10
NOTE_PAUSE_S = 3.0
"""Together less than the lease of a letter."""


@dataclass(frozen=True, slots=True)
class House:
    """The library's choices: when it writes, when it is quiet."""

    terms: Terms
    quiet_from: str
    quiet_until: str


@dataclass(frozen=True, slots=True)
class Tried:
    """What became of a letter that tried a channel: a code and what the server said; both empty if it took it."""

    code: str = ""
    said: str = ""


class Office:
    """Of one server process: plans letters and sends them, in whatever thread calls."""

    def __init__(
        self, database: Database, clock: Clock, house: House, writer: Writer,
        *, channels: Mapping[str, Channel], keep_days: int, stopping: threading.Event,
    ) -> None:  # fmt: skip
        self.channels = channels
        self.writer = writer
        self.terms = house.terms
        self.keep_days = keep_days
        self._house = house
        self._database = database
        self._clock = clock
        self._by = uuid.uuid4().hex
        self._stopping = stopping
        self._away: set[str] = set()

    def plan(self, now: datetime) -> int:
        """Put new letters in the queue; how many."""
        return planning.plan(self._database, now, self.terms, self.channels)

    def send(self, _now: datetime | None = None) -> int:
        """Send what is due until nothing is, or it is quiet; how many letters went out. The time of each is its own."""
        sent = 0
        while not self._stopping.is_set():
            now = self._clock.now()
            claimed = self._claim(now)
            if claimed is None:
                break
            sent += self._deal_with(claimed, now)
        return sent

    def quiet_until(self, now: datetime) -> datetime | None:
        """When the present quiet hours end; None when it is not quiet."""
        house = self._house
        return policy.quiet_end(now, house.terms.zone, begin=house.quiet_from, end=house.quiet_until)

    def try_out(self, channel: str, to: str, *, language: str | None, actor: str) -> Tried:
        """Send a letter to an address at once, quiet or not; raises NoChannelError, NotAnAddressError."""
        if channel not in self.channels:
            raise NoChannelError
        is_mail = re.fullmatch(ADDRESS, to) is not None
        if not to or (channel == "email" and not is_mail):
            raise NotAnAddressError
        somebody = Somebody("", language, email=to if is_mail else "", phone="" if is_mail else to)
        now, tried = self._clock.now(), Tried()
        try:
            parcel = Parcel(uuid.uuid4().hex, "test", somebody, self.writer.trial(somebody), now)
            self.channels[channel].deliver(parcel)
        except DeliveryError as error:
            tried = Tried(error.code, str(error))
        with self._database.writing() as session:
            detail = {"code": tried.code}
            audit.record(session, actor=actor, action="notice.test", target=f"channel:{channel}", at=now, detail=detail)
        return tried

    def _claim(self, now: datetime) -> Claimed | None:
        if self.quiet_until(now) is not None:
            return None
        with self._database.reading() as session:
            if not service.any_due(session, now):
                return None
        with self._database.writing() as session:
            return service.claim(session, self._by, now)

    def _deal_with(self, claimed: Claimed, now: datetime) -> bool:
        """Whether it went out."""
        try:
            written = self._write(claimed, now)
            if written is not None:
                recipient, letter = written
                about = recipient.about if recipient.child else None
                parcel = Parcel(claimed.token, claimed.kind, recipient.to, letter, now, about)
                self.channels[claimed.channel].deliver(parcel)
        except DeliveryError as error:
            self._tell(claimed, error)
            with self._database.writing() as session:
                service.failed(session, claimed, self._by, error=error, now=self._clock.now())
            return False
        except TemplateError as error:
            log.error("notice %s cannot be written: %s", claimed.id, error)
            trouble = DeliveryError("notice_template", str(error), final=True)
            with self._database.writing() as session:
                service.failed(session, claimed, self._by, error=trouble, now=now)
            return False
        self._note(claimed, written[1] if written else None)
        self._away.discard(claimed.channel)
        return written is not None

    def _note(self, claimed: Claimed, letter: Letter | None) -> None:
        """Write down that it was sent. A database that is away just now is waited for: else it would be sent again."""
        for left in reversed(range(NOTE_ATTEMPTS)):
            try:
                with self._database.writing() as session:
                    service.settled(session, claimed, self._by, letter=letter, now=self._clock.now())
            except OperationalError:
                if not left:
                    raise
                self._stopping.wait(NOTE_PAUSE_S)
            else:
                return

    def _write(self, claimed: Claimed, now: datetime) -> tuple[Recipient, Letter] | None:
        """The letter as it is now; None when there is nothing left to tell, or nobody to tell it to."""
        if claimed.patron_id is None:
            return None
        with self._database.reading() as session:
            today = local_date(now, self.terms.zone)
            recipient = recipients(session, [claimed.patron_id], today).get(claimed.patron_id)
            if recipient is None or claimed.channel not in recipient.channels(self.channels):
                return None
            wants = planning.still_wanted(session, claimed.patron_id, claimed.lines, now=now, terms=self.terms)
            if not wants:
                return None
            return recipient, self.writer.write(session, recipient, claimed.kind, wants, now=now)

    def _tell(self, claimed: Claimed, error: DeliveryError) -> None:
        """Once for each time that a channel is away; what a single letter met is on the staff's list."""
        if error.final or claimed.channel in self._away:
            return
        self._away.add(claimed.channel)
        log.warning("notices by %s wait and are tried again: %s", claimed.channel, error)


def office_of(core: Core, stopping: threading.Event) -> Office:
    """As the configuration says."""
    config, library = core.settings.server.notices, core.settings.common.library
    folder = None if config.templates is None else core.settings.document.path(config.templates)
    house = House(terms_of(config, core), config.quiet_from, config.quiet_until)
    return Office(
        core.database, core.clock, house, Writer(library, folder), channels=channels_of(config),
        keep_days=config.keep_text_days, stopping=stopping,
    )  # fmt: skip


def terms_of(config: NoticesConfig, core: Core) -> Terms:
    """When this library writes."""
    return Terms(
        zone=core.settings.common.library.zone,
        due_soon_days=config.due_soon_days,
        overdue_days=config.overdue_days,
        hold_expiring_days=config.hold_expiring_days,
        fee_from=config.fee_from,
        fee_after=timedelta(hours=config.fee_after_hours),
    )
