"""The audit log's pages, for administrators: read, filter, download, verify. Everything works without scripts."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import ValidationError
from starlette.responses import Response, StreamingResponse

from carrel.clock import local_date
from carrel.web.i18n import N_
from server.audit import service
from server.audit.policy import Verdict
from server.audit.values import Sealed
from server.auth import accounts, tokens
from server.deps import CoreDep, public
from server.lending import service as lending
from server.lending.names import Names
from server.pages.audit import forms, table
from server.pages.audit import words as audit_words
from server.pages.audit.forms import Choice
from server.pages.patrons.forms import Posted
from server.pages.shell import VisitDep
from server.patrons import desk as patrons

router = APIRouter(include_in_schema=False, dependencies=[public()])

HERE, FILE = "/audit", "/audit/entries.csv"
SHOWN = 50
NOTED = re.compile(r"\d{1,18}:[0-9a-f]{64}")
UNREADABLE = N_("These filters make no sense: a day is written 2026-10-01.")
NOT_NOTED = N_("A noted row is its number, a colon and 64 characters, such as 5120:9f2c...")
CHECKING = N_("The chain is being checked already. A long log takes a while: wait for that answer, then try again.")

ONE_CHECK = threading.Lock()
"""A check of millions of rows keeps a processor busy: one at a time, whoever asks."""


@dataclass(frozen=True, slots=True)
class Line:
    """One entry as it is shown."""

    row: Sealed
    what: str
    who: str
    thing: str
    place: str | None
    details: list[tuple[str, str]]
    long: bool


LONG = 160
"""Details of more characters than this are folded."""


class Log:
    """Of one request."""

    def __init__(self, visit: VisitDep, core: CoreDep) -> None:
        self.visit = visit
        self.core = core
        self.zone = core.settings.common.library.zone

    def show(
        self, choice: Choice, *, refused: str = "", status: int = 200, verdict: Verdict | None = None, noted: str = ""
    ) -> Response:
        """The page."""
        with self.core.database.reading() as session:
            found = service.page(session, choice.wanted(self.zone), SHOWN + 1) if status == 200 else []
            people = accounts.listed(session)
            names = {f"user:{one.user}": one.name for one in people} | {f"account:{one.id}": one.name for one in people}
            names |= {f"token:{one.id}": one.name for one in tokens.listed(session)}
            classes = patrons.class_names(session, self.visit.language)
            named = Names(lending.current(session).policy, self.visit.language, classes)
        older = forms.address(HERE, choice.said(before=found[SHOWN - 1].seq)) if len(found) > SHOWN else None
        return self.visit.page(
            "audit/audit.html",
            status=status,
            choice=choice,
            refused=refused,
            lines=[self._line(row, names, named) for row in found[:SHOWN]],
            actors=[f"user:{one.user}" for one in people],
            older=older,
            newest=forms.address(HERE, choice.said(before=None)) if choice.before else None,
            csv=forms.address(FILE, choice.said(before=None)),
            only=lambda **of: forms.address(HERE, of),
            verdict=verdict,
            noted=noted,
            aw=audit_words,
        )

    def _line(self, row: Sealed, names: dict[str, str], named: Names) -> Line:
        words, entry = self.visit.words, row.entry
        details = audit_words.details(words, entry.action, entry.detail, named)
        return Line(
            row,
            what=audit_words.sentence(words, entry.action),
            who=audit_words.thing(words, entry.actor, names),
            thing=audit_words.thing(words, entry.target, names),
            place=audit_words.place(entry.target),
            details=details,
            long=sum(len(name) + len(value) for name, value in details) > LONG,
        )


LogDep = Annotated[Log, Depends()]


@router.get(HERE)
def audit(request: Request, log: LogDep) -> Response:
    """The newest entries that fit."""
    if log.visit.administrator() is None:
        return log.visit.to_sign_in()
    try:
        choice = forms.read(request.query_params)
    except ValidationError:
        return log.show(Choice(), refused=log.visit.words.gettext(UNREADABLE), status=422)
    return log.show(choice)


@router.get(FILE)
def entries(request: Request, log: LogDep) -> Response:
    """All entries that fit, as a table."""
    if log.visit.administrator() is None:
        return log.visit.to_sign_in()
    try:
        wanted = forms.read(request.query_params).wanted(log.zone)
    except ValidationError:
        return log.show(Choice(), refused=log.visit.words.gettext(UNREADABLE), status=422)
    name = f"audit-{local_date(log.core.clock.now(), log.zone)}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    lines = table.to_csv(log.core.database, wanted, log.zone)
    return StreamingResponse(lines, media_type="text/csv; charset=utf-8", headers=headers)


@router.post(f"{HERE}/verify")
def verify(log: LogDep, sent: Posted) -> Response:
    """Check the whole chain, in the worker thread of this request."""
    if log.visit.administrator() is None:
        return log.visit.to_sign_in()
    words, noted = log.visit.words, sent.get("noted").strip()
    if noted and not NOTED.fullmatch(noted):
        return log.show(Choice(), refused=words.gettext(NOT_NOTED), status=422, noted=noted[:100])
    if not ONE_CHECK.acquire(blocking=False):
        return log.show(Choice(), refused=words.gettext(CHECKING), status=409, noted=noted)
    try:
        verdict = service.verify(log.core.database, noted or None)
    finally:
        ONE_CHECK.release()
    return log.show(Choice(), verdict=verdict, noted=noted)
