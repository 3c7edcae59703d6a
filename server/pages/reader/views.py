"""What readers' pages show, as plain values."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from typing import Protocol
from zoneinfo import ZoneInfo

from starlette.responses import Response

from carrel.clock import local_date
from carrel.contracts.circulation import BatchResult
from carrel.web.i18n import Words
from carrel.web.words import REFUSALS, refusal
from server.catalogue.covers import Covers
from server.catalogue.service import Record
from server.circulation.service import LoanView
from server.deps import Principal
from server.pages.shell import Visit

COVERS = 6
ARTICLE = re.compile(r"(?:the|an?) ", re.IGNORECASE)
DUE_SOON_DAYS = 3


@dataclass(frozen=True, slots=True)
class Reader:
    """Whoever is signed in with a card."""

    principal: Principal
    card: str
    patron_id: int


@dataclass(frozen=True, slots=True)
class Cover:
    """A drawn cover, one letter on one of COVERS colours, always the same for a title; the address of a picture above
    it."""

    letter: str
    colour: int
    picture: str = ""


class Titled(Protocol):
    """A loan or a reservation."""

    @property
    def record_id(self) -> int:
        """Of which record."""


@dataclass(frozen=True, slots=True)
class LoanLine:
    """One loan. `refusal` says why it cannot be renewed; empty when it can."""

    barcode: str
    record_id: int
    title: str
    author: str
    due: datetime
    days_left: int
    tone: str
    left_in_words: str
    refusal: str
    request_id: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one renewal."""

    title: str
    ok: bool
    words: str


@dataclass(frozen=True, slots=True)
class Person:
    """Whose loans can be chosen: the reader's own or a child's."""

    card: str
    name: str
    chosen: bool


def reader_of(visit: Visit) -> Reader | Response:
    """The reader who visits; for anybody else the page that says what to do."""
    caller = visit.caller
    if caller is None:
        return visit.to_sign_in()
    if caller.card is None or caller.patron_id is None:
        return visit.page("reader/not_a_reader.html")
    return Reader(caller, caller.card, caller.patron_id)


def told(words: Words, code: str) -> str:
    """A refusal that came back in the address, in words; nothing for what is no refusal."""
    return refusal(words, code) if code in REFUSALS else ""


def day(words: Words, at: date) -> str:
    """A day of the library's calendar."""
    return words.moment(datetime.combine(at, time(12), words.zone), "date")


def shows(visit: Visit, record: Record) -> bool:
    """Whether this visitor may look at a title: readers see no hidden one."""
    return visit.is_staff or not record.suppressed


def linked(visit: Visit, records: Iterable[Record]) -> frozenset[int]:
    """The keys of those titles whose page this visitor can open."""
    return frozenset(record.id for record in records if shows(visit, record))


def covers_of(visit: Visit, records: Mapping[int, Record]) -> Callable[[Titled], Cover]:
    """What finds the covers of loans or reservations of these records."""
    found = covers(visit)
    return lambda one: found(records[one.record_id])


def covers(visit: Visit) -> Callable[[Record], Cover]:
    """What finds the covers of titles."""
    pictures: Covers = visit.request.app.state.covers

    def of(record: Record) -> Cover:
        name = pictures.of(record.id, record.isbn)
        return replace(cover(record.title), picture=f"/covers/{name}" if name else "")

    return of


def cover(title: str) -> Cover:
    """The drawn cover of a title; an English article tells nothing."""
    telling = title[match.end() :] if (match := ARTICLE.match(title)) else title
    letter = next((c for c in telling if c.isalnum()), "?").upper()
    return Cover(letter, zlib.crc32(title.encode()) % COVERS)


def availability(words: Words, record: Record) -> tuple[str, str]:
    """(tone, words) of how many items of a record are here."""
    if record.items_available:
        text = words.ngettext("%(num)s copy available", "%(num)s copies available", record.items_available)
        return "ok", text
    return ("", words.gettext("All copies are on loan")) if record.items_total else ("", words.gettext("No copies"))


def loan_lines(
    loans: Sequence[LoanView], words: Words, *, now: datetime, zone: ZoneInfo, request_id: str
) -> list[LoanLine]:
    """Loans as they are shown; each renewal gets a request id of its own, so that a repeated click does no harm."""
    return [_line(loan, words, now=now, zone=zone, request_id=f"{request_id}-{loan.item.barcode}") for loan in loans]


def outcomes(result: BatchResult, words: Words, currency: str) -> list[Outcome]:
    """What became of a renewal, item by item."""
    told = []
    for item in result.results:
        if item.status == "ok" and item.due:
            until = words.moment(item.due, "date")
            text = words.gettext("renewed until %(date)s", date=until)
            if item.fee:
                late = words.money(item.fee, currency)
                text = words.gettext("renewed until %(date)s; it was late: %(amount)s", date=until, amount=late)
        else:
            text = refusal(words, item.code or "unknown", item.params)
        told.append(Outcome(item.title or item.barcode, item.status == "ok", text))
    return told


def _line(loan: LoanView, words: Words, *, now: datetime, zone: ZoneInfo, request_id: str) -> LoanLine:
    days = (local_date(loan.due, zone) - local_date(now, zone)).days
    return LoanLine(
        barcode=loan.item.barcode,
        record_id=loan.item.record_id,
        title=loan.item.title,
        author=loan.item.author,
        due=loan.due,
        days_left=days,
        tone="alarm" if days < 0 else "warn" if days <= DUE_SOON_DAYS else "ok",
        left_in_words=_left(words, days),
        refusal=refusal(words, loan.refusal) if loan.refusal else "",
        request_id=request_id,
    )


def _left(words: Words, days: int) -> str:
    if days < 0:
        return words.ngettext("%(num)s day overdue", "%(num)s days overdue", -days)
    if days == 0:
        return words.gettext("due today")
    return words.ngettext("%(num)s day left", "%(num)s days left", days)
