"""`/api/v1/rules`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Path
from fastapi.requests import HTTPConnection

from environment.rulebook.book import laid_over
from environment.rulebook.findings import Finding
from environment.rulebook.lint import lint
from server.deps import DESK, STAFF, CoreDep, Principal, public, require
from server.rooms.endpoints import RoomsDep
from server.rules import service
from server.rules.book import Books, Change, Stored
from server.rules.schemas import (
    BookResponse,
    BookVersionResponse,
    DeliveryResponse,
    DryRunResponse,
    FindingResponse,
    LintRequest,
    LintResponse,
    OutcomeResponse,
    RevertRequest,
    RuleResponse,
    RulesResponse,
    SaveRequest,
    SimulateRequest,
    VersionResponse,
    VersionsResponse,
)

router = APIRouter(prefix="/api/v1/rules", tags=["rules"])

Anyone = Annotated[Principal | None, public()]
Staff = Annotated[Principal, require(*STAFF)]
Desk = Annotated[Principal, require(*DESK)]


def books_of(connection: HTTPConnection) -> Books:
    """The rule books of this process; put there by `server.live.part`."""
    books = connection.app.state.rule_books
    assert isinstance(books, Books)
    return books


BooksDep = Annotated[Books, Depends(books_of)]

CASE = Body(
    description="A case as `carrel dry-run rules` takes it: config, start, samples, overrides, end_s.",
    examples=[{"config": {"tick_s": 10, "sensor": [], "actuator": [], "rule": []}, "samples": [], "end_s": 600}],
)


@router.get("")
def rules(rooms: RoomsDep, _caller: Anyone) -> RulesResponse:
    """Each rule with what it compares now, whether its wish is carried out, and why not."""
    simulated = rooms.plan.simulated
    found = service.live(rooms.picture)
    return RulesResponse(
        rules=[RuleResponse(**dict(t.rule), gateway=t.gateway, at=t.at, simulated=simulated) for t in found]
    )


@router.post("/dry-run")
def dry_run(body: Annotated[dict[str, Any], CASE], core: CoreDep, _principal: Staff) -> DryRunResponse:
    """Run rules on given samples with a simulated clock; nothing is moved."""
    commands, notes = service.dry_run(body, core.settings.document)
    return DryRunResponse.model_validate({"commands": commands, "notes": notes})


@router.post("/lint")
def find_mistakes(body: LintRequest, books: BooksDep, _principal: Staff) -> LintResponse:
    """Name rules that conflict, flap or can never fire; without `config` those of the newest version."""
    found = service.findings(body.config, laid_over(books.wiring(), books.present().book))
    return LintResponse(findings=list(map(FindingResponse.of, found)))


@router.get("/book")
def book(books: BooksDep, _principal: Staff) -> BookResponse:
    """The newest version of the rules, and how far it has come on its way to the gateway."""
    return _told(books, books.present())


@router.put("/book")
def save(body: SaveRequest, books: BooksDep, principal: Desk) -> BookResponse:
    """Save rules as a new version. 409 when somebody else saved since `expected_version`; 422 when they do not fit this
    library or contradict themselves. Hints of lint come with the answer."""
    stored, found = books.save(body.book, Change(body.expected_version, body.note, principal))
    return _told(books, stored, found)


@router.post("/book/revert")
def revert(body: RevertRequest, books: BooksDep, principal: Desk) -> BookResponse:
    """Save an earlier version again as the newest; 0 is config.toml's."""
    stored, found = books.revert(body.version, Change(body.expected_version, body.note, principal))
    return _told(books, stored, found)


@router.get("/book/versions")
def versions(books: BooksDep, _principal: Staff) -> VersionsResponse:
    """The newest versions, newest first, and config.toml's as 0."""
    return VersionsResponse(versions=[VersionResponse.of(stored) for stored in books.versions()])


@router.get("/book/versions/{version}")
def version(version: Annotated[int, Path(ge=0, lt=1 << 31)], books: BooksDep, _principal: Staff) -> BookVersionResponse:
    """One version with its rules."""
    stored = books.version(version)
    return BookVersionResponse(**dict(VersionResponse.of(stored)), book=stored.book)


@router.post("/book/simulate")
def simulate(body: SimulateRequest, books: BooksDep, _principal: Staff) -> OutcomeResponse:
    """What rules would have done in the last hours, beside what happened; without `book` the newest version."""
    return OutcomeResponse.of(books.simulate(body.book or books.present().book, body.hours))


def _told(books: Books, stored: Stored, found: Sequence[Finding] | None = None) -> BookResponse:
    if found is None:
        found = lint(laid_over(books.wiring(), stored.book))
    return BookResponse(
        **dict(VersionResponse.of(stored)),
        book=stored.book,
        findings=list(map(FindingResponse.of, found)),
        delivery=DeliveryResponse.of(books.delivery(stored.version)),
    )
