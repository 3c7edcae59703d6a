"""What the desk says to staff, in words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import Decimal

from carrel.web.i18n import N_, Words
from carrel.web.words import REFUSALS, refusal

RULES = {
    "patron_blocked": N_("This account is blocked."),
    "card_expired": N_("The membership ended on %(expired_on)s."),
    "card_lost": N_("This card was reported lost."),
    "card_replaced": N_("There is a newer card."),
    "fee_limit": N_("%(owed)s is owed; from %(limit)s on nothing is lent."),
    "overdue_items": N_("%(overdue)s loans are overdue; the library allows %(limit)s."),
    "overdue": N_("Overdue loans are not renewed."),
    "loan_limit": N_("The limit of %(limit)s loans is reached."),
    "on_loan": N_("This item is on loan to another reader."),
    "on_loan_to_you": N_("This reader has this item already."),
    "no_rule": N_("No lending rule fits this reader and this item."),
    "class_not_allowed": N_("The rules do not lend this kind of item to this class of readers."),
    "unknown_card": N_("There is no reader with this card."),
    "unknown_item": N_("Neither a copy nor a card has this number. Check it; new copies are added in the catalogue."),
    "item_missing": N_("This item was thought to be missing. Return it before it is lent."),
    "item_lost": N_("This item was declared lost. Return it before it is lent."),
    "item_withdrawn": N_("This item no longer belongs to the collection. Set it aside."),
    "item_in_repair": N_("This item is waiting for repair. When it is done, the catalogue puts it back on the shelf."),
    "item_in_processing": N_("This item is not ready for lending yet. When it is, the catalogue puts it on the shelf."),
    "item_in_transit": N_("This item is on its way to another branch."),
    "item_incomplete": N_("%(seen)s of %(parts)s parts are here."),
}
"""Where staff are told more than readers, or are not to be sent to a librarian."""

BARRED = N_("Settle this when the reader comes: %(why)s")
"""Of somebody for whom an item is set aside all the same."""

HOLD_STATES = {
    "waiting": N_("waiting"), "in_transit": N_("on its way here"), "ready": N_("on the hold shelf"),
    "fulfilled": N_("fetched"), "cancelled": N_("cancelled"), "expired": N_("not fetched"),
}  # fmt: skip
FEE_KINDS = {
    "overdue": N_("Overdue"), "lost": N_("Lost item"), "damage": N_("Damage"), "processing": N_("Processing"),
    "admin": N_("Administration"), "rental": N_("Rental"), "hold": N_("Hold"), "replacement": N_("New card"),
}  # fmt: skip
ENTRIES = {
    "charge": N_("Charged"),
    "payment": N_("Paid"),
    "waiver": N_("Waived"),
    "refund": N_("Given back"),
    "reversal": N_("Payment undone"),
}
MEANS = {"cash": N_("Cash"), "card": N_("Bank card"), "mobile": N_("Mobile payment")}
BLOCKS = {
    "manual": N_("By hand"), "fees": N_("Fees"), "address": N_("Address unknown"), "conduct": N_("Conduct"),
    "identity": N_("Papers missing"),
}  # fmt: skip
CARD_STATES = {
    "active": N_("valid"), "lost": N_("lost"), "replaced": N_("replaced"), "withdrawn": N_("withdrawn"),
}  # fmt: skip

NUMBERS = ("expired_on", "owed", "limit", "overdue", "seen", "parts")
"""What the sentences of RULES may name."""


def rule(words: Words, code: str, params: Mapping[str, object] | None = None) -> str:
    """Why something is refused, as staff should know it."""
    told = dict(params or {})
    if "expired_on" in told:
        told["expired_on"] = day(words, date.fromisoformat(str(told["expired_on"])))
    if "currency" in told:
        sums = {name: Decimal(str(told[name])) for name in ("owed", "limit")}
        told |= {name: words.money(amount, str(told["currency"])) for name, amount in sums.items()}
    message = RULES.get(code)
    if message is None or any(f"%({name})s" in message and name not in told for name in NUMBERS):
        return refusal(words, code, params) if code in REFUSALS else words.gettext("Refused: %(code)s", code=code)
    return words.gettext(message, **told)


def day(words: Words, at: date) -> str:
    """A day without a time."""
    return words.moment(datetime.combine(at, time(12), tzinfo=words.zone), "date")
