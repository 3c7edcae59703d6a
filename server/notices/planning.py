"""What patrons should hear of now, and letters about what they have not heard of yet."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Iterator
from datetime import date, datetime
from itertools import groupby

from sqlalchemy.orm import Session

from carrel.clock import local_date
from server.circulation import service as circulation
from server.db import Database
from server.fees import service as fees
from server.holds import service as holds
from server.notices import policy, repository
from server.notices.letters.recipients import recipients
from server.notices.policy import Terms, Want

AT_ONCE = 200
"""Letters of so many patrons are written in one transaction, so that the desk need not wait long."""


def wanted(session: Session, now: datetime, terms: Terms) -> list[Want]:
    """Everything that is worth a notice at an instant, told already or not; patron by patron, kind by kind."""
    found = [*_loans(session, now, terms), *_holds(session, now, terms), *_fees(session, now, terms)]
    return sorted(found, key=lambda want: (want.patron_id, want.kind, want.about))


def wanted_by(session: Session, patron_id: int, now: datetime, terms: Terms) -> list[Want]:
    """The same for one patron."""
    found = [policy.of_loan(loan, now, terms) for loan in circulation.open_loans_of(session, patron_id)]
    found += [
        policy.of_hold(hold, now, terms) for hold in holds.of_patron(session, patron_id, now=now, zone=terms.zone)
    ]
    found += policy.of_fees(fees.fees_of(session, patron_id), now, terms)
    return [want for want in found if want is not None]


def still_wanted(
    session: Session, patron_id: int, keys: Iterable[repository.Key], *, now: datetime, terms: Terms
) -> list[Want]:  # fmt: skip
    """Which of a letter's lines are still so: not those of books that came back, or are due another day."""
    found = []
    owed = {want.key: want for want in policy.of_fees(fees.fees_of(session, patron_id), now, terms)}
    for kind, about, step in keys:
        want = owed.get((kind, about, step)) if kind == "fee" else _one(session, about, now, terms)
        if want is not None and want.key == (kind, about, step) and want.patron_id == patron_id:
            found.append(want)
    return found


def plan(database: Database, now: datetime, terms: Terms, channels: Collection[str]) -> int:
    """Put letters in the queue, one for each patron, kind and channel; how many. Again: nothing more."""
    with database.reading() as session:
        by_patron = [list(group) for _, group in groupby(wanted(session, now, terms), key=lambda want: want.patron_id)]
    count = 0
    for start in range(0, len(by_patron), AT_ONCE):
        some = by_patron[start : start + AT_ONCE]
        with database.reading() as session:
            new = _untold(session, some, channels, local_date(now, terms.zone))
        if new:
            with database.writing() as session:
                count += sum(_add(session, channel, wants, now) for channel, wants in new)
    return count


def _untold(
    session: Session, groups: list[list[Want]], channels: Collection[str], today: date
) -> list[tuple[str, list[Want]]]:
    """What each patron, or their guardian, has not heard of over the channels of their choice, as letters."""
    known = recipients(session, [group[0].patron_id for group in groups], today)
    told = repository.told(session, {want.about for group in groups for want in group})
    return [
        (channel, fresh)
        for group in groups
        if (recipient := known.get(group[0].patron_id)) is not None
        for channel in recipient.channels(channels)
        for _, same in groupby(group, key=lambda want: want.kind)
        if (fresh := [want for want in same if (channel, want.key) not in told])
    ]


def _add(session: Session, channel: str, wants: list[Want], now: datetime) -> bool:
    letter = {
        "token": uuid.uuid4().hex, "kind": wants[0].kind, "channel": channel, "patron_id": wants[0].patron_id,
        "state": "waiting", "code": "", "created_at": now, "next_at": now, "attempts": 0, "claimed_by": "",
        "subject": "", "body": "",
    }  # fmt: skip
    return repository.add(session, letter, [want.key for want in wants]) is not None


def _loans(session: Session, now: datetime, terms: Terms) -> Iterator[Want]:
    for loan in circulation.due_between(session, *policy.loan_window(now, terms)):
        if want := policy.of_loan(loan, now, terms):
            yield want


def _holds(session: Session, now: datetime, terms: Terms) -> Iterator[Want]:
    for hold in holds.shelf(session):
        if want := policy.of_hold(hold, now, terms):
            yield want


def _fees(session: Session, now: datetime, terms: Terms) -> Iterator[Want]:
    owing = fees.open_since(session, now - policy.LATEST)
    for _, group in groupby(owing, key=lambda fee: fee.patron_id):
        yield from policy.of_fees(list(group), now, terms)


def _one(session: Session, about: str, now: datetime, terms: Terms) -> Want | None:
    """What a loan or hold gives now."""
    kind, _, key = about.partition(":")
    if kind == "loan":
        loan = circulation.get_loan(session, int(key))
        return None if loan is None else policy.of_loan(loan, now, terms)
    hold = holds.get(session, int(key))
    return None if hold is None else policy.of_hold(hold, now, terms)
