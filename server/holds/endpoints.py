"""`/api/v1/holds`: readers wait for themselves, the desk for whoever shows a card."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Path
from sqlalchemy.orm import Session

from carrel.clock import local_date
from carrel.contracts.ids import CardNumber
from server.catalogue import service as catalogue
from server.circulation.errors import CardRequiredError, NotYourCardError
from server.deps import DESK, MACHINES, STAFF, Core, CoreDep, Principal, ReadSession, Role, WriteSession, require
from server.holds import service
from server.holds.expecting import expected_days
from server.holds.hold import Hold
from server.holds.policy import positions
from server.holds.reserving import place_hold
from server.holds.schemas import HoldRequest, HoldResponse, HoldResult, HoldsResponse, PauseRequest
from server.lending.place import occasion_of
from server.patrons import service as patrons
from server.patrons.errors import UnknownCardError

router = APIRouter(prefix="/api/v1", tags=["holds"])

HoldId = Annotated[int, Path(ge=1, le=2**31 - 1)]
DeskOrReader = Annotated[Principal, require(*DESK, *MACHINES, Role.READER)]
Reader = Annotated[Principal, require(Role.READER)]
Staff = Annotated[Principal, require(*STAFF)]


@router.post("/holds")
def place(body: HoldRequest, session: WriteSession, core: CoreDep, principal: DeskOrReader) -> HoldResult:
    """Join the queue for a title or an item. A refusal is an answer with its code; the desk may decide against it."""
    if principal.card is not None and body.card not in (None, principal.card):
        raise NotYourCardError
    card = principal.card or body.card
    if card is None:
        raise CardRequiredError
    return place_hold(session, body.model_copy(update={"card": card}), occasion_of(core, principal))


@router.delete("/holds/{hold_id}", status_code=204)
def cancel(hold_id: HoldId, session: WriteSession, core: CoreDep, principal: DeskOrReader) -> None:
    """Leave the queue; what was set aside goes to the next. Readers leave their own only."""
    service.cancel(session, hold_id, occasion_of(core, principal), patron_id=_own(principal))


@router.post("/holds/{hold_id}/pause")
def pause(
    hold_id: HoldId, body: PauseRequest, session: WriteSession, core: CoreDep, *, principal: DeskOrReader
) -> HoldResponse:
    """Be passed over and keep the place."""
    hold = service.pause(session, hold_id, occasion_of(core, principal), until=body.until, patron_id=_own(principal))
    return _answers(session, [hold], core)[0]


@router.post("/holds/{hold_id}/resume")
def resume(hold_id: HoldId, session: WriteSession, core: CoreDep, principal: DeskOrReader) -> HoldResponse:
    """Be served again, at the place that was kept."""
    hold = service.resume(session, hold_id, occasion_of(core, principal), patron_id=_own(principal))
    return _answers(session, [hold], core)[0]


@router.get("/patrons/me/holds")
def my_holds(session: ReadSession, core: CoreDep, principal: Reader) -> HoldsResponse:
    """The reader's holds, and those that have ended lately."""
    now, zone = core.clock.now(), core.settings.common.library.zone
    since = now - service.SHOWN_AFTER_END
    found = service.of_patron(session, _own(principal) or 0, now=now, zone=zone, ended_since=since)
    return HoldsResponse(holds=_answers(session, found, core))


@router.get("/patrons/by-card/{card}/holds")
def holds_of(card: CardNumber, session: ReadSession, core: CoreDep, _principal: Staff) -> HoldsResponse:
    """A patron's open holds."""
    patron = patrons.find(session, card)
    if patron is None:
        raise UnknownCardError
    found = service.of_patron(session, patron.id, now=core.clock.now(), zone=core.settings.common.library.zone)
    return HoldsResponse(holds=_answers(session, found, core))


@router.get("/records/{record_id}/holds")
def queue(record_id: HoldId, session: ReadSession, core: CoreDep, _principal: Staff) -> HoldsResponse:
    """Who waits for a title, without names: the queue in its order."""
    today = local_date(core.clock.now(), core.settings.common.library.zone)
    return HoldsResponse(holds=_answers(session, service.lines(session, [record_id], today)[record_id], core))


def _own(principal: Principal) -> int | None:
    """A reader's own key; None for those who may act for everybody."""
    return principal.patron_id if principal.card is not None else None


def _answers(session: Session, holds: list[Hold], core: Core) -> list[HoldResponse]:
    now, zone = core.clock.now(), core.settings.common.library.zone
    today = local_date(now, zone)
    queues = service.lines(session, {hold.record_id for hold in holds if hold.open}, today)
    places: dict[int, int] = {}
    for line in queues.values():
        places |= positions(line)
    days = expected_days(session, queues, now=now, zone=zone)
    titles = {record_id: catalogue.get_record(session, record_id)[0] for record_id in {h.record_id for h in holds}}
    wanted = {key for hold in holds for key in (hold.filled_item_id, hold.item_id) if key is not None}
    items = catalogue.items_by_id(session, wanted)
    return [
        _answer(
            hold, titles[hold.record_id], items, position=places.get(hold.id), expected_on=days.get(hold.id),
            paused=hold.paused_on(today),
        )
        for hold in holds
    ]  # fmt: skip


def _answer(
    hold: Hold, record: catalogue.Record, items: dict[int, catalogue.Item], *, position: int | None,
    expected_on: date | None, paused: bool,
) -> HoldResponse:  # fmt: skip
    item = items.get(hold.filled_item_id or hold.item_id or 0)
    return HoldResponse(
        id=hold.id,
        record=hold.record_id,
        title=record.title,
        author=record.author,
        barcode=item.barcode if item else None,
        pickup=hold.pickup,
        placed_at=hold.placed_at,
        expires_on=hold.expires_on,
        paused=paused,
        paused_until=hold.paused_until if paused else None,
        state=hold.state,
        position=position,
        expected_on=expected_on,
        ready_until=hold.ready_until,
        ended_at=hold.closed_at,
    )
