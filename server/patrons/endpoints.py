"""`/api/v1/patrons`: the desk's work with patrons. A patron's loans and standing are the circulation domain's."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Body, Path, Query, Request

from carrel.clock import local_date
from server.deps import DESK, STAFF, Core, CoreDep, Principal, ReadSession, Role, WriteSession, require
from server.lending import service as lending
from server.patrons import desk, importing, privacy, service
from server.patrons.errors import UnknownPatronError
from server.patrons.schemas import (
    BlockPlaced,
    BlockRequest,
    BlockResponse,
    CardEnd,
    CardRequest,
    CardResponse,
    ClassBody,
    ClassCode,
    ClassesResponse,
    ClassResponse,
    ImportedRow,
    ImportResponse,
    Key,
    PatronBrief,
    PatronChange,
    PatronId,
    PatronResponse,
    PatronsResponse,
    RegisterRequest,
)

router = APIRouter(prefix="/api/v1/patrons", tags=["patrons"])

Desk = Annotated[Principal, require(*DESK)]


@router.get("")
def search(
    session: ReadSession,
    core: CoreDep,
    _who: Desk,
    *,
    q: Annotated[str, Query(max_length=200)] = "",
    after: Annotated[int, Query(ge=0, le=2**31 - 1)] = 0,
    limit: Annotated[int, Query(ge=1, le=200)] = desk.PAGE,
) -> PatronsResponse:
    """Part of a name, or the beginning of a card number, telephone number or e-mail address; in order of keys."""
    found = desk.search(session, q, after=after, limit=limit)
    following = found[-1].id if len(found) == limit else None
    return PatronsResponse(patrons=[PatronBrief(**_brief(one, core)) for one in found], next=following)


@router.post("", status_code=201)
def register(body: RegisterRequest, session: WriteSession, *, core: CoreDep, who: Desk) -> PatronResponse:
    """A new patron. One who may be registered already is refused (`duplicate_patron`) until `confirmed_new`."""
    lending.check_branch(lending.current(session), body.branch, own=core.settings.common.library.branch)
    own = {"branch": body.branch or core.settings.common.library.branch}
    new = service.NewPatron(**body.model_dump(exclude={"confirmed_new"}) | own)
    made = desk.register(
        session, new, actor=who.subject, at=core.clock.now(), today=today_of(core), sure=body.confirmed_new
    )
    return _told(session, core, made.id)


@router.get("/classes")
def classes(session: ReadSession, _who: Annotated[Principal, require(*STAFF)]) -> ClassesResponse:
    """The kinds of patrons."""
    return ClassesResponse(classes=[ClassResponse(**asdict(one)) for one in desk.classes(session)])


@router.put("/classes/{code}", status_code=204)
def put_class(
    code: Annotated[ClassCode, Path()],
    body: ClassBody,
    session: WriteSession,
    *,
    core: CoreDep,
    who: Annotated[Principal, require(Role.ADMINISTRATOR)],
) -> None:
    """Add a kind of patron or change one."""
    kind = desk.PatronClass(code, **body.model_dump())
    desk.put_class(session, kind, actor=who.subject, at=core.clock.now())


@router.post("/import")
def import_csv(
    file: Annotated[bytes, Body(media_type="text/csv")], core: CoreDep, who: Desk, *, dry_run: bool = True
) -> ImportResponse:
    """Register and change patrons from a CSV file (UTF-8 or GB18030) with a line of column names.

    Rows find their patron by card or external number, so that sending a file again changes nothing. Nothing is stored
    unless `dry_run=false`.
    """
    table = importing.read(file)
    branch = core.settings.common.library.branch
    work = importing.Run(who.subject, core.clock.now(), today_of(core), branch=branch, dry_run=dry_run)
    rows = list(importing.run(core.database, table, work))
    return ImportResponse(
        dry_run=dry_run,
        encoding=table.encoding,
        ignored_columns=list(table.ignored),
        counts=dict(Counter(row.outcome for row in rows)),
        rows=[ImportedRow(**asdict(row)) for row in rows],
    )


@router.get("/{patron_id}")
def one(patron_id: PatronId, session: ReadSession, *, core: CoreDep, _who: Desk) -> PatronResponse:
    """A patron with all cards and blocks."""
    return _told(session, core, patron_id)


@router.patch("/{patron_id}")
def change(
    patron_id: PatronId, body: PatronChange, session: WriteSession, *, core: CoreDep, who: Desk
) -> PatronResponse:
    """Change what the body names."""
    changes = body.model_dump(exclude_unset=True)
    known = service.find_by_id(session, patron_id) if "branch" in changes else None
    if known is not None and changes["branch"] != known.branch:
        lending.check_branch(lending.current(session), changes["branch"], own=core.settings.common.library.branch)
    desk.edit(session, patron_id, changes, actor=who.subject, at=core.clock.now(), today=today_of(core))
    return _told(session, core, patron_id)


@router.post("/{patron_id}/renewal")
def renew(patron_id: PatronId, session: WriteSession, *, core: CoreDep, who: Desk) -> PatronResponse:
    """Prolong the membership by what the patron's class gives."""
    desk.renew(session, patron_id, actor=who.subject, at=core.clock.now(), today=today_of(core))
    return _told(session, core, patron_id)


@router.post("/{patron_id}/cards", status_code=201)
def issue_card(
    patron_id: PatronId, body: CardRequest, session: WriteSession, *, core: CoreDep, who: Desk
) -> PatronResponse:
    """Hand out a new card; the present one ends as replaced, a lost one stays lost."""
    desk.replace_card(session, patron_id, body.number, actor=who.subject, at=core.clock.now())
    return _told(session, core, patron_id)


@router.post("/{patron_id}/cards/end", status_code=204)
def end_card(patron_id: PatronId, body: CardEnd, session: WriteSession, *, core: CoreDep, who: Desk) -> None:
    """The present card is lost or withdrawn: nobody borrows with it any more."""
    desk.end_card(session, patron_id, body.reason, actor=who.subject, at=core.clock.now())


@router.post("/{patron_id}/blocks", status_code=201)
def block(patron_id: PatronId, body: BlockRequest, session: WriteSession, *, core: CoreDep, who: Desk) -> BlockPlaced:
    """Let the patron borrow nothing, until an instant or until the block is lifted."""
    new = desk.NewBlock(body.reason, body.note, body.until)
    block_id = desk.block(
        session, patron_id, new, actor=who.subject, at=core.clock.now(), request_id=body.request_id
    )  # fmt: skip
    return BlockPlaced(id=block_id)


@router.delete("/{patron_id}/blocks/{block_id}", status_code=204)
def lift(
    patron_id: PatronId, block_id: Annotated[Key, Path()], session: WriteSession, *, core: CoreDep, who: Desk
) -> None:
    """End a block."""
    desk.lift(session, patron_id, block_id, actor=who.subject, at=core.clock.now())


@router.get("/{patron_id}/alike")
def alike(patron_id: PatronId, session: ReadSession, *, core: CoreDep, _who: Desk) -> PatronsResponse:
    """Who else may be the same person."""
    patron = service.find_by_id(session, patron_id)
    if patron is None:
        raise UnknownPatronError
    found = [one for one in desk.duplicates(session, patron) if one.id != patron_id]
    return PatronsResponse(patrons=[PatronBrief(**_brief(one, core)) for one in found])


@router.post("/{patron_id}/export")
def export(patron_id: PatronId, request: Request, session: WriteSession, *, core: CoreDep, who: Desk) -> dict[str, Any]:
    """Everything the library holds about a person, for that person; that it was asked for is kept."""
    return privacy.export(session, patron_id, holders_of(request), actor=who.subject, at=core.clock.now())


@router.post("/{patron_id}/anonymise", status_code=204)
def anonymise(patron_id: PatronId, request: Request, session: WriteSession, *, core: CoreDep, who: Desk) -> None:
    """Forget a person for good. Refused while loans, fees or holds are open; the parameters count them."""
    privacy.anonymise(session, patron_id, holders_of(request), actor=who.subject, at=core.clock.now())


def holders_of(request: Request) -> tuple[privacy.Holder, ...]:
    """Who else holds something about patrons."""
    found: tuple[privacy.Holder, ...] = request.app.state.holders
    return found


def today_of(core: Core) -> date:
    """The library's day."""
    return local_date(core.clock.now(), core.settings.common.library.zone)


def _told(session: Any, core: Core, patron_id: int) -> PatronResponse:
    patron = service.find_by_id(session, patron_id)
    if patron is None:
        raise UnknownPatronError
    cards = [CardResponse(**asdict(card)) for card in desk.cards_of(session, patron_id)]
    blocks = [BlockResponse(**asdict(block)) for block in desk.blocks_of(session, patron_id)]
    return PatronResponse(**_brief(patron, core) | {"cards": cards, "blocks": blocks})


def _brief(patron: service.Patron, core: Core) -> dict[str, Any]:
    return asdict(patron) | {"blocked": patron.blocked_at(core.clock.now())}
