"""`/api/v1/lending`: the rules, the policy and the calendar; librarians read, administrators change."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from sqlalchemy.orm import Session

from carrel.clock import local_date
from server.deps import STAFF, Core, CoreDep, Principal, ReadSession, Role, WriteSession, require
from server.lending import service
from server.lending.policy import Calendar, LibraryPolicy
from server.lending.schemas import LendingResponse, RulesRequest

router = APIRouter(prefix="/api/v1/lending", tags=["lending"])

Staff = Annotated[Principal, require(*STAFF)]
Administrator = Annotated[Principal, require(Role.ADMINISTRATOR)]


@router.get("")
def lending(session: ReadSession, core: CoreDep, _principal: Staff) -> LendingResponse:
    """By what the library lends now."""
    return _answer(session, core)


@router.put("/rules")
def rules(body: RulesRequest, session: WriteSession, core: CoreDep, principal: Administrator) -> LendingResponse:
    """Replace the matrix of rules. Loans that exist keep what they were promised."""
    service.check_rule_branches(service.current(session), body.rules, own=core.settings.common.library.branch)
    service.set_rules(session, body.rules, actor=principal.subject, at=core.clock.now())
    return _answer(session, core)


@router.put("/policy")
def policy(body: LibraryPolicy, session: WriteSession, core: CoreDep, principal: Administrator) -> LendingResponse:
    """Replace the library's policy; what is left out gets its default."""
    service.set_policy(session, body, actor=principal.subject, at=core.clock.now())
    return _answer(session, core)


@router.put("/calendar")
def calendar(body: Calendar, session: WriteSession, core: CoreDep, principal: Administrator) -> LendingResponse:
    """Replace the closed days. Due dates that were promised stay. Look at `closed_years` of the answer: where it names
    a branch, a day is wrong."""
    service.check_calendar_branches(service.current(session), body, own=core.settings.common.library.branch)
    service.set_calendar(session, body, actor=principal.subject, at=core.clock.now())
    return _answer(session, core)


def _answer(session: Session, core: Core) -> LendingResponse:
    now, library = service.current(session), core.settings.common.library
    closed = now.closed_years(library.branch, local_date(core.clock.now(), library.zone))
    return LendingResponse(policy=now.policy, rules=list(now.rules), calendar=now.calendar, closed_years=closed)
