"""What became of each item, as the desk shows it: where it goes, what it cost, and what may be done next."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

from sqlalchemy.orm import Session

from carrel.contracts.circulation import BatchResult, ItemResult
from carrel.web.i18n import Words
from server.catalogue import service as catalogue
from server.catalogue.service import Item
from server.circulation import service as circulation
from server.circulation.policy import OVERRIDABLE
from server.holds import policy as queueing
from server.holds import service as holds
from server.holds.schemas import HoldResult
from server.lending import service as lending
from server.lending.names import Names
from server.lending.policy import LibraryPolicy
from server.pages.desk import words as desk_words
from server.patrons import service as patrons
from server.patrons.policy import shown_name

Asking = Literal["lend", "renew", "hold"]
INSISTING = {"lend": OVERRIDABLE, "renew": OVERRIDABLE, "hold": queueing.OVERRIDABLE}
"""What staff may decide against, by what is asked for."""
CARD_END = 4


@dataclass(frozen=True, slots=True)
class Slip:
    """What goes into the item on the hold shelf: nobody's name in full, enough to find it by."""

    hold: int
    name: str
    card_end: str
    until: datetime | None
    barred: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One item. `overrides` are the rules that what was asked for would break, if staff may break them; `parts` is how
    many a set has that came back."""

    barcode: str
    title: str
    ok: bool
    told: str
    goes: str = ""
    fee: str = ""
    account: str = ""
    slip: Slip | None = None
    undo: bool = False
    code: str = ""
    overrides: tuple[str, ...] = ()
    asking: Asking = "lend"
    parts: int = 1

    @property
    def text(self) -> str:
        """In one line, for the list of what was done before."""
        told = " ".join(part for part in (self.told, self.goes, self.fee) if part)
        return f"{self.title or self.barcode}: {told}"


def lent(words: Words, result: ItemResult, *, overridden: tuple[str, ...] = ()) -> Line:
    """Of a checkout. `overridden` is what staff had decided against when it was asked for."""
    if result.status == "ok" and result.due is not None:
        told = words.gettext("Lent until %(date)s.", date=words.moment(result.due, "date"))
        return Line(result.barcode, result.title or "", True, told, undo=True)
    return refused(words, result, overridden=overridden)


def renewed(
    words: Words, result: ItemResult, *, currency: str, overridden: tuple[str, ...] = ()
) -> Line:  # fmt: skip
    """Of a renewal."""
    if result.status == "ok" and result.due is not None:
        told = words.gettext("Renewed until %(date)s.", date=words.moment(result.due, "date"))
        fee = _charged(words, result.fee, currency)
        return Line(result.barcode, result.title or "", True, told, fee=fee, undo=True)
    return refused(words, result, overridden=overridden, asking="renew")


def not_reserved(words: Words, result: HoldResult, barcode: str, *, overridden: tuple[str, ...] = ()) -> Line:
    """Of a hold that was refused."""
    told = ItemResult(
        barcode=barcode, status="refused", code=result.code, params=result.params, title=result.title
    )  # fmt: skip
    return refused(words, told, overridden=overridden, asking="hold")


def refused(words: Words, result: ItemResult, *, overridden: tuple[str, ...] = (), asking: Asking = "lend") -> Line:
    """With the rule, and what staff would decide against if they insist."""
    code = result.code or "unknown"
    offered = (*overridden, code) if code in INSISTING[asking] and code not in overridden else ()
    told = desk_words.rule(words, code, result.params)
    return Line(result.barcode, result.title or "", False, told, code=code, overrides=offered, asking=asking)


def returned(
    session: Session, words: Words, batch: BatchResult, *, now: datetime, place: Callable[[str], str]
) -> list[Line]:  # fmt: skip
    """Of a return: where each item goes; `place` knows the names of locations."""
    items = catalogue.items_by_barcode(session, [result.barcode for result in batch.results])
    policy = lending.current(session).policy
    lines = []
    for result in batch.results:
        item = items.get(result.barcode)
        item = item._replace(location=place(item.location)) if item else None
        slip = slip_of(session, words, item, now=now) if item and result.route == "hold" else None
        lines.append(_returned(session, words, result, item=item, slip=slip, policy=policy))
    return lines


def undone(words: Words, result: ItemResult) -> Line:
    """Of something made undone: the item is on loan or lost as it was before, or is here again."""
    if result.status != "ok":
        return refused(words, result)
    told = words.gettext("Undone: it was never lent.")
    if result.security == "on_loan":
        told = words.gettext("Undone: it is lost, as before, and what the loss costs counts again.")
    if result.due:
        told = words.gettext("Undone: on loan until %(date)s.", date=words.moment(result.due, "date"))
    return Line(result.barcode, result.title or "", True, told)


def slip_of(session: Session, words: Words, item: Item, *, now: datetime) -> Slip | None:
    """For whom an item is kept."""
    hold = queueing.set_aside(holds.queues(session, [item.record_id])[item.record_id], item.id)
    patron = patrons.find_by_id(session, hold.patron_id) if hold and hold.patron_id is not None else None
    if hold is None or patron is None:
        return None
    why = circulation.barred(session, patron, now=now, zone=words.zone)
    told = words.gettext(desk_words.BARRED, why=desk_words.rule(words, why.code, why.params)) if why else ""
    return Slip(hold.id, shown_name(patron.name), patron.card[-CARD_END:], hold.ready_until, told)


def _returned(
    session: Session, words: Words, result: ItemResult, *, item: Item | None, slip: Slip | None, policy: LibraryPolicy
) -> Line:
    if result.status != "ok" or item is None:
        line = refused(words, result)
        return line if result.route != "staff" else _sent_to_staff(words, line)
    fee, aside = _charged(words, result.fee, policy.currency), result.route == "staff"
    told = words.gettext("Returned.") if result.loan else words.gettext("It was not on loan.")
    return Line(
        barcode=result.barcode,
        title=result.title or "",
        ok=True,
        told=words.gettext("A part is missing.") if aside else told,
        goes=_goes(words, result, item, slip, names=Names(policy, words.language)),
        fee=fee,
        account=_account(session, result.loan) if fee else "",
        slip=slip,
        undo=result.loan is not None,
        parts=1 if aside else item.tags,
    )


def _sent_to_staff(words: Words, line: Line) -> Line:
    return Line(line.barcode, line.title, False, line.told, code=line.code,
                goes=words.gettext("Lay it aside for the cataloguers."))  # fmt: skip


def _goes(words: Words, result: ItemResult, item: Item, slip: Slip | None, *, names: Names) -> str:
    if result.route == "hold":
        until = words.moment(slip.until, "date") if slip and slip.until else "–"
        return words.gettext("To the hold shelf, until %(date)s.", date=until)
    if result.route == "transit":
        return words.gettext("Send it to %(branch)s.", branch=names.branch(result.route_to or item.branch))
    if result.route == "staff":
        return words.gettext("Lay it aside: it is on the list of incomplete items.")
    place = " ".join(part for part in (item.location, item.call_number) if part)
    return words.gettext("To its shelf: %(place)s", place=place) if place else words.gettext("To its shelf.")


def _charged(words: Words, fee: Decimal | None, currency: str) -> str:
    if not fee:
        return ""
    return words.gettext("Overdue fee: %(amount)s.", amount=words.money(fee, currency))


def _account(session: Session, loan_id: int | None) -> str:
    """The card of whoever has been charged."""
    loan = circulation.get_loan(session, loan_id) if loan_id is not None else None
    patron = patrons.find_by_id(session, loan.patron_id) if loan and loan.patron_id is not None else None
    return patron.card if patron else ""
