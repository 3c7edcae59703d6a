"""Notices to patrons, for librarians and administrators. Every form works without scripts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Form, Path, Query, Request
from sqlalchemy.orm import Session
from starlette.responses import RedirectResponse, Response

from carrel.web.words import refusal
from server.deps import CoreDep, ReadSession, public
from server.errors import DomainError
from server.notices import desk, service
from server.notices.endpoints import OfficeDep, examples_of
from server.notices.policy import Channel
from server.pages.notices import words as notice_words
from server.pages.notices.views import Choice, lines
from server.pages.shell import VisitDep

router = APIRouter(include_in_schema=False, dependencies=[public()])

HERE = "/notices"
SHOWN = 50

NoticeId = Annotated[int, Path(ge=1, le=2**31 - 1)]
Back = Annotated[str, Form(max_length=500)]


@dataclass(frozen=True, slots=True)
class Told:
    """What a form has done, or why not; `said`: a server's own words, `to`: the address that no letter reached."""

    done: str = ""
    refused: str = ""
    said: str = ""
    to: str = ""


class Queue:
    """The page of one request."""

    def __init__(self, visit: VisitDep, core: CoreDep, office: OfficeDep) -> None:
        self.visit = visit
        self.core = core
        self.office = office

    def show(self, choice: Choice, told: Told, status: int = 200) -> Response:
        """How the queue stands, and the chosen letters."""
        now = self.core.clock.now()
        with self.core.database.reading() as session:
            overview = desk.overview(session, self.office, now)
            found = _found(session, choice, overview, now=now, zone=self.core.settings.common.library.zone)
            shown = lines(session, found[:SHOWN], now=now, quiet_until=overview.quiet_until)
        context: dict[str, Any] = {
            "choice": choice, "overview": overview, "lines": shown,
            "older": choice.query(before=shown[-1].notice.id) if len(found) > SHOWN else "",
            "told": told, "nw": notice_words, "sends": self.core.settings.server.jobs.enabled,
        }  # fmt: skip
        return self.visit.page("notices/notices.html", status=status, **context)

    def again(self, choice: Choice, error: DomainError, *, to: str = "") -> Response:
        """The page with a refusal."""
        refused = refusal(self.visit.words, error.code, error.params)
        return self.show(choice, Told(refused=refused, to=to), error.status)


QueueDep = Annotated[Queue, Depends()]


@router.get(HERE)
def notices(
    page: QueueDep,
    request: Request,
    done: Annotated[str, Query(max_length=20)] = "",
    count: Annotated[int, Query(ge=0, le=2**31 - 1)] = 0,
) -> Response:
    """The queue; `done` and `count` tell what the form before has done."""
    if page.visit.librarian() is None:
        return page.visit.to_sign_in()
    words = page.visit.words
    choice = Choice.read(request.query_params)
    if choice is None:
        return page.show(Choice(), Told(refused=words.gettext(notice_words.BAD_FILTER)), 422)
    told = words.gettext(notice_words.DONE[done]) if done in notice_words.DONE else ""
    if done == "queued":
        told = words.ngettext("%(num)s notice is in the queue again.", "%(num)s notices are in the queue again.", count)
    return page.show(choice, Told(told))


@router.get(f"{HERE}/preview")
def preview(page: QueueDep, session: ReadSession) -> Response:
    """Every kind of letter, side by side in both languages, as it would be read."""
    if page.visit.librarian() is None:
        return page.visit.to_sign_in()
    letters = examples_of(page.office, page.core, session)
    own = page.core.settings.server.notices.templates
    return page.visit.page("notices/preview.html", letters=letters, own=own, nw=notice_words)


@router.post(f"{HERE}/retry")
def retry_failed(
    page: QueueDep,
    *,
    channel: Annotated[Channel, Form()],
    code: Annotated[str, Form(pattern=r"^[a-z][a-z_]{0,39}$")],
    back: Back = "",
) -> Response:
    """Send again all that have failed over a channel for one reason."""
    caller = page.visit.librarian()
    if caller is None:
        return page.visit.to_sign_in()
    with page.core.database.writing() as session:
        count = desk.retry_failed(session, channel, code, actor=caller.subject, at=page.core.clock.now())
    return _to(Choice.back(back), done="queued" if count else "nothing", count=count)


@router.post(f"{HERE}/test")
def try_out(
    page: QueueDep, *, channel: Annotated[Channel, Form()], to: Annotated[str, Form(max_length=200)] = ""
) -> Response:
    """Send a letter that only tries a channel; a refusal is told in the receiving server's own words."""
    caller = page.visit.administrator()
    if caller is None:
        return page.visit.to_sign_in()
    address, words = to.strip(), page.visit.words
    try:
        tried = page.office.try_out(channel, address, language=page.visit.language, actor=caller.subject)
    except DomainError as error:
        return page.again(Choice(), error, to=address)
    if tried.code:
        refused = words.gettext(notice_words.TRIED.get(tried.code, tried.code))
        return page.show(Choice(), Told(refused=refused, said=tried.said, to=address), 409)
    taken = words.gettext(notice_words.TAKEN, where=page.office.channels[channel].where)
    return page.show(Choice(), Told(taken))


@router.post(f"{HERE}/{{notice_id}}/retry")
def retry(notice_id: NoticeId, page: QueueDep, back: Back = "") -> Response:
    """Send again one that has failed."""
    return _decide(page, desk.retry, notice_id, Choice.back(back), done="retried")


@router.post(f"{HERE}/{{notice_id}}/give-up")
def give_up(notice_id: NoticeId, page: QueueDep, back: Back = "") -> Response:
    """Write to nobody after all."""
    return _decide(page, desk.give_up, notice_id, Choice.back(back), done="given_up")


def _decide(page: Queue, deed: Callable[..., object], notice_id: int, choice: Choice, *, done: str) -> Response:
    """Do to one notice what a librarian has decided."""
    caller = page.visit.librarian()
    if caller is None:
        return page.visit.to_sign_in()
    try:
        with page.core.database.writing() as session:
            deed(session, notice_id, actor=caller.subject, at=page.core.clock.now())
    except DomainError as error:
        return page.again(choice, error)
    return _to(choice, done=done)


def _found(
    session: Session, choice: Choice, overview: desk.Overview, *, now: datetime, zone: ZoneInfo
) -> list[service.Notice]:  # fmt: skip
    """One more than is shown, to know whether there are older ones."""
    state, due_by = choice.state, None
    if state == "held":
        if overview.quiet_until is None:
            return []
        state, due_by = "waiting", now
    since, until = service.planned_on(choice.day, zone)
    wanted = service.Wanted(
        state=state, kind=choice.kind, channel=choice.channel, since=since, until=until, due_by=due_by
    )
    return service.listed(session, wanted, before=choice.before, limit=SHOWN + 1)


def _to(choice: Choice, **told: object) -> RedirectResponse:
    return RedirectResponse(f"{HERE}?{choice.query(**told)}", 303)
