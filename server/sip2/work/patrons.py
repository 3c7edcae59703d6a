"""Patrons at a terminal: status (23), information (63), block (01) and enable (25)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from server.catalogue import service as catalogue
from server.circulation import policy
from server.circulation.counter import Counter, open_counter
from server.circulation.loan import Loan
from server.fees import service as fees
from server.fees.service import Fee
from server.holds import service as holds
from server.holds.hold import Hold
from server.lending.policy import LibraryPolicy
from server.patrons import desk
from server.patrons import service as patrons
from server.patrons.service import Patron
from server.sip2.wire.messages import UNKNOWN_PATRON, Draft, F, Message
from server.sip2.work.task import Pin, Task

KEPT_CARD, BLOCKED_HERE = "card_retained", "terminal"
"""Reasons of blocks that terminals place, and the only ones that they lift."""

NO_COUNT = " " * 4
UNKNOWN_LANGUAGE = "000"
MOST_DIGITS = 9
COUNT_LIMIT = 9999
LISTED: dict[int, F] = {0: F.HOLDS_READY, 1: F.OVERDUE, 2: F.CHARGED, 3: F.FEES, 4: F.RECALLED, 5: F.HOLDS_QUEUED}
"""Which list a Y at this place of the summary asks for."""

DENIED_ALL = frozenset({"card_lost", "card_replaced", "patron_blocked", "card_expired", "fee_limit"})
"""Codes of a standing that also stop renewals and holds."""


@dataclass(frozen=True, slots=True)
class File:
    """A patron with what the library knows of them now."""

    patron: Patron
    facts: policy.PatronFacts
    counter: Counter
    code: str | None
    owed: Decimal

    @property
    def lending(self) -> LibraryPolicy:
        """What holds for every patron."""
        return self.counter.lending.policy

    @property
    def loans(self) -> list[Loan]:
        """What they have, due soonest first."""
        return [loan for loan in self.counter.loans.values() if loan.patron_id == self.patron.id]


def open_file(task: Task) -> File | None:
    """The patron of a request; None for a card that is not ours."""
    counter = open_counter(task.session, task.occasion, cards=[task.card] if task.card else [])
    borrower = counter.patrons.get(task.card)
    patron = patrons.find(task.session, task.card) if borrower else None
    if borrower is None or patron is None:
        return None
    facts = counter.standing(borrower)
    code = policy.standing_code(policy.Case(counter.lending, task.now, task.profile.zone, patron=facts))
    return File(patron, facts, counter, code, fees.balance(task.session, patron.id))


def status(task: Task) -> Message:
    """23 -> 24."""
    file = open_file(task)
    draft = _identity(task, file)
    return task.finish(draft, _why(task, file))


def information(task: Task) -> Message:
    """63 -> 64. Counts are totals; a list holds what the summary asks for, from BP to BQ."""
    file = open_file(task)
    draft = _identity(task, file)
    if file is None or not _open_to(task, file):
        unknown = "0000" if file is None else NO_COUNT
        draft.set(**dict.fromkeys(("holds", "overdue", "charged", "fees", "recalls", "unavailable"), unknown))
        return task.finish(draft, _why(task, file))
    mine = holds.of_patron(task.session, file.patron.id, now=task.now, zone=task.profile.zone)
    owing = fees.fees_of(task.session, file.patron.id)
    ready = [hold for hold in mine if hold.state == "ready"]
    queued = [hold for hold in mine if hold.state != "ready"]
    draft.set(
        holds=_count(len(ready)), overdue=_count(file.facts.overdue), charged=_count(file.facts.open_loans),
        fees=_count(len(owing)), recalls="0000", unavailable=_count(len(queued)),
    )  # fmt: skip
    _limits(draft, file)
    wanted = task.request.fixed["summary"].find("Y")
    entries = _entries(task, file, wanted, ready=ready, queued=queued, owing=owing)
    if wanted in LISTED:
        draft.each(LISTED[wanted], _slice(task, entries))
    _personal(task, draft, file.patron)
    return task.finish(draft, _why(task, file))


def block(task: Task) -> Message:
    """01 -> 24: lending stops, returning does not."""
    file = open_file(task)
    if file is not None:
        kept = task.request.yes("card_retained")
        new = desk.NewBlock(KEPT_CARD if kept else BLOCKED_HERE, task.request.get(F.BLOCKED_MESSAGE)[:200])
        desk.block(task.session, file.patron.id, new, actor=task.actor, at=task.now)
        file = open_file(task)
    draft = task.begin()
    if file is None:
        return task.finish(draft.add(F.NAME, "").add(F.VALID_PATRON, "N"), "unknown_card")
    draft.set(status=_flags(file), language=UNKNOWN_LANGUAGE)
    return task.finish(draft.add(F.NAME, "").add(F.VALID_PATRON, "Y"), "patron_is_blocked")


def enable(task: Task) -> Message:
    """25 -> 26: lifts what terminals have blocked, never a librarian's block."""
    file = open_file(task)
    if file is None or not task.pin.good:
        return task.finish(_identity(task, file), "unknown_card" if file is None else task.pin.value)
    for one in file.patron.blocks_at(task.now):
        if one.reason in (KEPT_CARD, BLOCKED_HERE) and one.created_by.startswith("sip2:"):
            desk.lift(task.session, file.patron.id, one.id, actor=task.actor, at=task.now)
    file = open_file(task)
    assert file is not None
    return task.finish(_identity(task, file), file.code or "patron_is_enabled")


def _identity(task: Task, file: File | None) -> Draft:
    """What 24, 26 and 64 have in common. Without the right PIN nothing is told but that the card is known."""
    draft = task.begin()
    language = task.request.fixed.get("language", UNKNOWN_LANGUAGE)
    draft.set(language=language if language.isascii() and language.isdigit() else UNKNOWN_LANGUAGE)
    known = file is not None and file.patron.card_state == "active"
    if file is None or not _open_to(task, file):
        lost = file is not None and task.pin.good and file.patron.card_state == "lost"
        draft.set(status=UNKNOWN_PATRON[:4] + ("Y" if lost else " ") + UNKNOWN_PATRON[5:])
        draft.add(F.NAME, "").add(F.VALID_PATRON, _flag(known))
        return draft.add(F.VALID_PIN, _flag(False) if known else None)
    draft.set(status=_flags(file))
    draft.add(F.NAME, file.patron.name).add(F.VALID_PATRON, "Y").add(F.VALID_PIN, "Y")
    return draft.add(F.CURRENCY, file.lending.currency).add(F.FEE_AMOUNT, f"{file.owed:.2f}")


def _open_to(task: Task, file: File) -> bool:
    return task.pin.good and file.patron.card_state == "active"


def _why(task: Task, file: File | None) -> str | None:
    """What the screen says of a patron: the PIN first, then why they may borrow nothing."""
    if file is None:
        return "unknown_card"
    if task.pin in (Pin.WRONG, Pin.LOCKED):
        return task.pin.value
    return None if task.pin is Pin.MISSING else file.code


def _flags(file: File) -> str:
    """The 14 positions of the patron status: Y is denied or true, a blank is fine."""
    code, policy_ = file.code, file.lending
    over = policy_.max_loans is not None and file.facts.open_loans >= policy_.max_loans
    owes = policy_.fee_limit is not None and file.owed > 0 and file.owed >= policy_.fee_limit
    late = policy_.max_overdue is not None and file.facts.overdue > policy_.max_overdue
    kept = any(block.reason == KEPT_CARD for block in file.patron.blocks)
    stopped = code in DENIED_ALL
    truths = (
        code is not None, stopped, stopped, stopped, kept or file.patron.card_state == "lost", over, late,
        False, False, False, owes, owes, False, False,
    )  # fmt: skip
    return "".join("Y" if truth else " " for truth in truths)


def _limits(draft: Draft, file: File) -> None:
    policy_ = file.lending
    for name, limit in (
        (F.HOLD_LIMIT, policy_.hold_limit),
        (F.OVERDUE_LIMIT, policy_.max_overdue),
        (F.CHARGED_LIMIT, policy_.max_loans),
    ):
        draft.add(name, None if limit is None else _count(limit))
    draft.add(F.FEE_LIMIT, None if policy_.fee_limit is None else f"{policy_.fee_limit:.2f}")


def _entries(
    task: Task, file: File, wanted: int, *, ready: list[Hold], queued: list[Hold], owing: list[Fee]
) -> list[str]:  # fmt: skip
    """The whole list of that number."""
    if wanted == 0:
        return _titles(task, [hold.filled_item_id for hold in ready])
    if wanted in (1, 2):
        loans = [loan for loan in file.loans if wanted == 2 or loan.due_at < task.now]
        return _titles(task, [loan.item_id for loan in loans])
    if wanted == 3:
        return [_fee(fee) for fee in owing]
    if wanted == 5:
        return _titles(task, [_copy(task, hold) for hold in queued])
    return []


def _copy(task: Task, hold: Hold) -> int | None:
    """An item by which a terminal can ask for the title somebody waits for."""
    known = hold.filled_item_id or hold.item_id
    if known is not None:
        return known
    return next((item.id for item in catalogue.items_of(task.session, hold.record_id)), None)


def _titles(task: Task, item_ids: Sequence[int | None]) -> list[str]:
    items = catalogue.items_by_id(task.session, [id_ for id_ in item_ids if id_ is not None])
    with_title = task.profile.terminal.lists == "barcode title"
    found = [items[id_] for id_ in item_ids if id_ in items]
    return [f"{item.barcode} {item.title}" if with_title else item.barcode for item in found]


def _fee(fee: Fee) -> str:
    """The fee's id, by which it can be paid (CG), then what it is for."""
    return f"{fee.id} {fee.owed:.2f} {fee.kind}"


def _slice(task: Task, entries: list[str]) -> list[str]:
    first, last = (task.request.get(name).strip() for name in (F.START_ITEM, F.END_ITEM))
    start = int(first) - 1 if _is_number(first) else 0
    end = int(last) if _is_number(last) else len(entries)
    return entries[max(0, start) : end]


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS


def _personal(task: Task, draft: Draft, patron: Patron) -> None:
    """Only what the terminal's profile asks for."""
    sends = task.profile.sends
    if sends("contact"):
        for name, value in ((F.ADDRESS, patron.address), (F.EMAIL, patron.email), (F.PHONE, patron.phone)):
            draft.add(name, value or None)
    if sends("card_expiry") and patron.expires_on:
        draft.add(F.CARD_EXPIRY, f"{patron.expires_on:%Y%m%d}")
    if sends("birth_date") and patron.born_on:
        draft.add(F.BIRTH_DATE, f"{patron.born_on:%Y%m%d}")
    if sends("patron_class"):
        draft.add(F.PATRON_CLASS, patron.patron_class)


def _count(number: int) -> str:
    return f"{min(number, COUNT_LIMIT):04d}"


def _flag(value: bool) -> str:
    return "Y" if value else "N"
