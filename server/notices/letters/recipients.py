"""Whom a letter about a patron is for: the patron, or the guardian of a child who has chosen no channel."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from server.notices import policy
from server.patrons import service as patrons
from server.patrons.policy import is_minor
from server.patrons.service import Patron


@dataclass(frozen=True, slots=True)
class Recipient:
    """`to` gets a letter about what `about` has borrowed, reserved or owes; mostly the same person."""

    to: Patron
    about: Patron

    @property
    def child(self) -> str:
        """Whose guardian is written to; empty for everybody else."""
        return self.about.name if self.about.id != self.to.id else ""

    def channels(self, served: Collection[str]) -> list[policy.Channel]:
        """Over which they hear of it."""
        return policy.channels_for(self.to.channels, self.to.email, served)


def recipients(session: Session, patron_ids: Collection[int], today: date) -> dict[int, Recipient]:
    """For each patron who is still known."""
    known = {key: one for key, one in patrons.find_many(session, list(patron_ids)).items() if one.anonymised_at is None}
    wanted = {one.guardian_id for one in known.values() if one.guardian_id is not None and _needs(one, today)}
    guardians = patrons.find_many(session, sorted(wanted))
    return {key: recipient(one, guardians.get(one.guardian_id or 0), today) for key, one in known.items()}


def recipient(patron: Patron, guardian: Patron | None, today: date) -> Recipient:
    """A child's own choice comes first; a guardian who is forgotten hears of nothing."""
    if guardian is None or guardian.anonymised_at is not None or not _needs(patron, today):
        return Recipient(patron, patron)
    return Recipient(guardian, patron)


def _needs(patron: Patron, today: date) -> bool:
    return not patron.channels and is_minor(patron.born_on, today)
