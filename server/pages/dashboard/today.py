"""What staff look for first in the morning: how lending goes today, and what waits for them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from carrel.clock import end_of_day, local_date
from server.circulation.statistics import service as statistics
from server.circulation.statistics.service import Event
from server.feedback import service as feedback
from server.tasks import lists


@dataclass(frozen=True, slots=True)
class Today:
    """Of the library's day so far; `tasks` on all work lists, `feedback` without an answer, some of it `late`."""

    lent: int
    returned: int
    overdue: int
    tasks: int
    feedback: int
    late: int


def today(session: Session, now: datetime, zone: ZoneInfo) -> Today:
    """As of now."""
    end = end_of_day(local_date(now, zone), zone) + timedelta(seconds=1)
    start = end_of_day(local_date(now, zone) - timedelta(days=1), zone) + timedelta(seconds=1)

    def count(event: Event) -> int:
        return sum(statistics.by_quarter(session, event, (start, end)).values())

    waiting, late = feedback.counts(session, now)
    return Today(
        lent=count("loans"),
        returned=count("returns"),
        overdue=statistics.overdue(session, now, None, limit=0)[0],
        tasks=sum(lists.counts(session, now=now, zone=zone).values()),
        feedback=waiting,
        late=late,
    )
