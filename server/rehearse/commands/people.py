"""What the desk, a terminal and patrons themselves do about cards, PINs, blocks and personal data."""

from __future__ import annotations

from sqlalchemy.orm import Session

from carrel.clock import local_date
from server.auth import accounts
from server.auth import service as auth
from server.circulation import service as circulation
from server.fees import service as fees
from server.holders import HOLDERS
from server.holds import service as holds
from server.lending import service as lending
from server.lending.occasion import Channel
from server.patrons import desk, privacy
from server.patrons.service import Patron
from server.rehearse.act import Act
from server.rehearse.answers import Answer, amount, local, ok, refused

LIFTING = ("lift", "lifted", "unblock")
PIN = ("pin", "old_pin", "old")


def block(act: Act) -> Answer:
    """Place a block; with `lift` end those of its reason, or all."""
    with act.database.writing() as session:
        patron = act.patron(session)
        if patron is None:
            return refused("unknown_patron")
        lifting = act.fields.flag(*LIFTING) or not act.fields.flag("blocked", "on", default=True)
        if lifting:
            return _lift(act, session, patron)
        new = desk.NewBlock(
            act.fields.words("reason", default="manual")[:40],
            act.fields.words("text", "message"),
            act.fields.end("until", "expires"),
        )
        block_id = desk.block(session, patron.id, new, actor=act.actor, at=act.now, request_id=act.request_id)
        return ok(block_id=block_id)


def unblock(act: Act) -> Answer:
    """End the blocks of a reason, or all."""
    with act.database.writing() as session:
        patron = act.patron(session)
        return refused("unknown_patron") if patron is None else _lift(act, session, patron)


def _lift(act: Act, session: Session, patron: Patron) -> Answer:
    reason = act.fields.words("reason")
    number = act.fields.number("block_id", default=None)
    blocks = [one for one in patron.blocks if reason in ("", one.reason) and number in (None, one.id)]
    for one in blocks:
        desk.lift(session, patron.id, one.id, actor=act.actor, at=act.now)
    return ok(lifted=len(blocks)) if blocks else refused("unknown_block")


def wrong_pin(act: Act, card: str) -> Answer | None:
    """A refusal when the action shows a PIN that is not the card's; wrong ones are counted over all doors.

    A kiosk that asks for the PIN does nothing without one.
    """
    if not act.fields.has(*PIN):
        return refused("wrong_pin") if _asks(act) else None
    found = auth.verify_pin(act.database, card, act.fields.words(*PIN), now=act.now)
    return None if isinstance(found, Patron) else refused(found.code)


def _asks(act: Act) -> bool:
    if act.door.channel is not Channel.KIOSK:
        return False
    with act.database.reading() as session:
        return lending.current(session).policy.kiosk_pin


def replace_card(act: Act) -> Answer:
    """Hand out a new card; `lost` ends the old one as lost, and without a new number leaves it at that."""
    with act.database.writing() as session:
        patron = act.patron(session)
        if patron is None:
            return refused("unknown_patron")
        new = _new_number(act)
        lost = act.fields.flag("lost") or act.fields.words("reason", "end_reason") == "lost"
        if not lost and not new:
            raise act.fields.mistake('"new_card" is missing')
        if lost:
            desk.end_card(session, patron.id, "lost", actor=act.actor, at=act.now)
        if new:
            desk.replace_card(session, patron.id, new, actor=act.actor, at=act.now)
        return ok(card=new or patron.card)


def _new_number(act: Act) -> str:
    """`card` is the new number when `patron` says who."""
    keys = ("new_card", "new", "number", "new_number", "to", *(("card",) if act.fields.has("patron") else ()))
    return act.fields.label(*keys, default="")


def pin(act: Act) -> Answer:
    """Check a PIN, or change it: the desk sets a new one, a patron shows the old one first."""
    with act.database.reading() as session:
        patron, card = act.patron(session), act.card(session)
    new = act.fields.text("new_pin", "new", "to", default="")
    if not new or act.door.channel is not Channel.DESK:
        if not act.fields.has(*PIN):
            if new:
                return refused("wrong_pin")
            raise act.fields.mistake('"pin" is missing')
        if wrong := wrong_pin(act, card):
            return wrong
    if not new:
        return ok()
    if patron is None:
        return refused("unknown_patron")
    hashed = accounts.hash_pin(new, card)
    with act.database.writing() as session:
        accounts.set_pin(session, patron.id, hashed, actor=act.actor, at=act.now)
    return ok()


def patron_info(act: Act) -> Answer:
    """What a terminal shows of a patron: standing, loans, holds, fees."""
    with act.database.reading() as session:
        patron, card = act.patron(session), act.card(session)
        if patron is None:
            return refused("unknown_card")
    if wrong := wrong_pin(act, card):
        return wrong
    with act.database.reading() as session:
        return ok(**_info(act, session, patron, card))


def _info(act: Act, session: Session, patron: Patron, card: str) -> Answer:
    standing = circulation.standing(session, card, act.occasion)
    loans = circulation.loans_of(session, card, act.occasion)
    return {
        "patron": act.world.patron_name(patron.id),
        "card": patron.card,
        "card_state": patron.card_state,
        "class": patron.patron_class,
        "code": standing.code,
        "quota_left": standing.quota_left,
        "loans": [
            {
                "item": view.item.barcode,
                "due": local(view.due, act.zone),
                "renewals_left": view.renewals_left,
                "renewal_refused": view.refusal,
            }
            for view in loans
        ],
        "holds": [
            {
                "record": act.world.record_name(hold.record_id),
                "state": hold.state,
                "position": holds.position(session, hold, local_date(act.now, act.zone)),
                "pickup": hold.pickup,
            }
            for hold in holds.of_patron(session, patron.id, now=act.now, zone=act.zone)
        ],
        "balance": amount(fees.balance(session, patron.id)),
        "blocks": [block.reason for block in patron.blocks_at(act.now)],
    }


def delete_patron(act: Act) -> Answer:
    """Forget a person for good; refused while something is open, which is counted."""
    with act.database.writing() as session:
        patron = act.patron(session)
        if patron is None:
            return refused("unknown_patron")
        privacy.anonymise(session, patron.id, HOLDERS, actor=act.actor, at=act.now)
        return ok()
