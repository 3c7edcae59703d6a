"""What the pages say about fees, as plain values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from carrel.web.i18n import N_, Words
from server.catalogue.service import Item
from server.fees.service import Fee, Line

KINDS = {
    "overdue": N_("Returned late"),
    "lost": N_("Lost item"),
    "damage": N_("Damaged item"),
    "processing": N_("Work on a lost item"),
    "admin": N_("Administration"),
    "rental": N_("Rental"),
    "hold": N_("Reservation"),
    "replacement": N_("New card"),
}
ENTRIES = {
    "charge": N_("Charged"),
    "payment": N_("Paid"),
    "waiver": N_("Waived"),
    "refund": N_("Paid back"),
    "reversal": N_("Payment undone"),
}


@dataclass(frozen=True, slots=True)
class FeeLine:
    """An open fee; `of` is the whole amount where a part is paid."""

    at: datetime
    kind: str
    about: str
    owed: str
    of: str


@dataclass(frozen=True, slots=True)
class PastLine:
    """A line of the ledger."""

    at: datetime
    entry: str
    kind: str
    amount: str


def fee_lines(fees: Iterable[Fee], items: Mapping[int, Item], words: Words, currency: str) -> list[FeeLine]:
    """Open fees with what they are about: the item's title, else what was written down."""
    return [
        FeeLine(
            at=fee.charged_at,
            kind=words.gettext(KINDS.get(fee.kind, fee.kind)),
            about=item.title if (item := items.get(fee.item_id or 0)) else fee.reason,
            owed=words.money(fee.owed, currency),
            of=words.money(fee.amount, currency) if fee.owed != fee.amount else "",
        )
        for fee in fees
    ]


def past_lines(ledger: Iterable[Line], words: Words, currency: str) -> list[PastLine]:
    """Everything that was booked, newest first."""
    made = [
        PastLine(
            at=line.at,
            entry=words.gettext(ENTRIES.get(line.entry, line.entry)),
            kind=words.gettext(KINDS.get(line.kind, line.kind)),
            amount=words.money(line.amount, currency),
        )
        for line in ledger
    ]
    return made[::-1]
