"""A reader of the demo library about whom every page of the reader's has something to say."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from sqlalchemy.orm import Session

from server.catalogue import service as catalogue
from server.catalogue.service import Item, Wanted
from server.deps import Core
from server.fees import service as fees
from server.holds import service as holds
from server.holds.reserving import place_hold
from server.holds.schemas import HoldRequest
from server.lending.occasion import Occasion
from server.notices.models import NoticeRow
from server.patrons import desk
from server.patrons import service as patrons
from server.patrons.service import NewPatron

CARD, OTHER = "90000001", "90000002"


def busy_reader(core: Core) -> str:
    """Give the reader reservations in every state, fees, a notice and a child; the address of a title reserved."""
    library = core.settings.common.library
    counter = Occasion("user:librarian", core.clock.now(), library.zone, branch=library.branch)
    with core.database.writing() as session:
        patron = patrons.find(session, CARD)
        assert patron is not None
        free = _on_shelf(session)
        kept = [
            _hold(session, card, item, counter) for card, item in zip((CARD, CARD, CARD, OTHER), free, strict=False)
        ]
        holds.settle(session, free[0], counter)
        holds.pause(session, kept[1], counter, until=date(2030, 1, 1))
        lost = fees.charge(
            session, patron.id, "lost", Decimal("45.00"), at=counter.now, actor=counter.actor, item_id=free[4].id
        )
        fees.charge(session, patron.id, "replacement", Decimal("5.00"), at=counter.now, actor=counter.actor)
        fees.pay(
            session, patron.id, Decimal("15.00"), payment_id="p-1", means="cash", actor=counter.actor,
            at=counter.now, fee_id=lost,
        )  # fmt: skip
        child = NewPatron("90000099", "张小雨", born_on=date(counter.now.year - 9, 1, 1), guardian_id=patron.id)
        patrons.add(session, child, counter.now)
        desk.edit(
            session, patron.id, {"keeps_history": True}, actor=counter.actor, at=counter.now, today=counter.now.date()
        )
        session.add(
            NoticeRow(
                token="sample", kind="hold_ready", channel="email", patron_id=patron.id, state="sent", code="",
                created_at=counter.now, next_at=counter.now, attempts=1, claimed_by="", claimed_until=None,
                settled_at=counter.now, subject=free[0].title, body=f"{free[0].title}\n{counter.now + timedelta(7)}",
            )
        )  # fmt: skip
        return f"/titles/{free[2].record_id}"


def _on_shelf(session: Session) -> list[Item]:
    """One item each of titles whose first copy stands on the shelf."""
    found = catalogue.search(session, Wanted("", 40)).records
    first = [catalogue.get_record(session, record.id)[1][:1] for record in found]
    return [items[0] for items in first if items and items[0].status == "on_shelf" and items[0].for_loan]


def _hold(session: Session, card: str, item: Item, counter: Occasion) -> int:
    wish = HoldRequest(request_id=f"{card}-{item.id}", card=card, barcode=item.barcode, pickup=counter.branch)
    placed = place_hold(session, wish, counter)
    assert placed.hold is not None, placed
    return placed.hold
