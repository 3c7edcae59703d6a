"""Offline journals: what has happened already is recorded, whatever the rules say; what they say goes to the staff.

Rows count once, by kiosk and counter or request id, and are carried out in the order of their own times.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from carrel.clock import local_date
from carrel.contracts.circulation import (
    BatchResult,
    ItemResult,
    ReplayItem,
    ReplayRequest,
    ReplayResult,
    ReplayRow,
    ReplayRowResult,
)
from server.catalogue import service as catalogue
from server.circulation import policy, repository, returns
from server.circulation.counter import Counter, charge_lateness, open_counter, refused, tell
from server.circulation.loan import Loan
from server.circulation.service import extend, lend, lend_ended
from server.fees import service as fees
from server.lending import journal
from server.lending.occasion import Channel, Occasion
from server.lending.service import knows_branch
from server.patrons.service import Borrower
from server.tasks import service as tasks

LONGEST_LOAN = timedelta(days=3660)
"""A little more than the longest that a policy can have: until the end of the next open day."""

Told = tuple[ItemResult, tuple[str, ...]]
"""An item's result, and the codes of its conflicts."""


def replay(session: Session, request: ReplayRequest, occasion: Occasion) -> ReplayResult:
    """Record every row, in the order of their times; one result per row, in the order asked."""
    occasion = occasion._replace(channel=Channel.REPLAY)
    counter = open_counter(
        session, occasion, cards=[row.card for row in request.rows if row.card],
        barcodes=[item.barcode for row in request.rows for item in row.items], lock=True,
    )  # fmt: skip
    order = sorted(
        range(len(request.rows)), key=lambda index: (request.rows[index].at, request.rows[index].counter or 0)
    )
    results = {index: _once(counter, request.rows[index]) for index in order}
    return ReplayResult(rows=tuple(results[index] for index in range(len(request.rows))))


def _once(counter: Counter, row: ReplayRow) -> ReplayRowResult:
    """A row that has come before gets its first answer."""
    session, occasion = counter.session, counter.occasion
    key = row.request_id or f"{row.kiosk}:{row.counter}"
    claim = {
        "kiosk": row.kiosk, "counter": row.counter, "request_id": key, "received_at": occasion.now, "answer": "",
    }  # fmt: skip
    if not repository.claim_row(session, claim):
        known, first = repository.replayed(session, row.kiosk, row.counter, key)
        if _is_another(row, known, first):
            return _begun_anew(counter, row)
        if first:
            return ReplayRowResult.model_validate_json(first).model_copy(update={"status": "repeated"})
        return ReplayRowResult(
            kiosk=row.kiosk, counter=row.counter, request_id=row.request_id, status="repeated", results=()
        )  # fmt: skip
    result = _row(counter, row)
    repository.store_row(session, row.kiosk, key, result.model_dump_json())
    return result


def _is_another(row: ReplayRow, known: str, answer: str) -> bool:
    """Whether the row that came under this number was not this one: a kiosk that was set up again counts from 1."""
    if row.request_id is not None:
        return known != row.request_id
    told = ReplayRowResult.model_validate_json(answer).results if answer else ()
    lends = {result.due is not None for result in told if result.status == "ok"}
    return bool(told) and (
        {result.barcode for result in told} != {item.barcode for item in row.items}
        or lends == {row.kind == "checkin"}  # only what was lent or renewed is due
    )


def _begun_anew(counter: Counter, row: ReplayRow) -> ReplayRowResult:
    """What happened is recorded, under an id of its own."""
    own = hashlib.sha256(f"{row.kiosk}:{row.counter}@{row.at.isoformat()}".encode()).hexdigest()[:40]
    renamed = row.model_copy(update={"counter": None, "request_id": row.request_id or own})
    result = _once(counter, renamed)
    return result.model_copy(update={"counter": row.counter, "request_id": row.request_id})


def _row(counter: Counter, row: ReplayRow) -> ReplayRowResult:
    """What the server did for the same request before the line broke is not done again."""
    done = _answered_online(counter, row)
    here = counter.occasion
    now = here.now
    strange = not knows_branch(counter.lending, row.branch, own=here.branch)
    counter.occasion = here.at(None if strange else row.branch)._replace(now=min(row.at, now))
    told = [
        (done[item.barcode], ()) if item.barcode in done else _item(counter, row, item, now=now) for item in row.items
    ]
    repeated = all(item.barcode in done for item in row.items)
    found = [code for _, codes in told for code in codes]
    if strange and not repeated:
        _tell_branch(counter, row, now=now)
        found.append("unknown_branch")
    counter.occasion = here
    return ReplayRowResult(
        kiosk=row.kiosk,
        counter=row.counter,
        request_id=row.request_id,
        status="repeated" if repeated else "recorded",
        results=tuple(result for result, _ in told),
        conflicts=tuple(dict.fromkeys(found)),
    )


def _tell_branch(counter: Counter, row: ReplayRow, *, now: datetime) -> None:
    """The row counts as the library's own branch's; staff see from where the kiosk thinks it is."""
    item = counter.items.get(row.items[0].barcode)
    detail = {"kiosk": row.kiosk, "counter": row.counter, "kind": row.kind, "codes": ["unknown_branch"]}
    tasks.add(
        counter.session, "conflict", "unknown_branch", branch=counter.occasion.branch, at=counter.occasion.now, now=now,
        item_id=item.id if item else None, detail=detail | {"branch": row.branch},
    )  # fmt: skip


def _answered_online(counter: Counter, row: ReplayRow) -> dict[str, ItemResult]:
    answer = journal.answered(counter.session, counter.occasion.actor, row.request_id) if row.request_id else None
    if not answer:
        return {}
    results = BatchResult.model_validate_json(answer).results
    return {result.barcode: result for result in results if result.status == "ok"}


def _item(counter: Counter, row: ReplayRow, ref: ReplayItem, *, now: datetime) -> Told:
    patron = counter.patrons.get(row.card or "")
    item = counter.items.get(ref.barcode)
    if item is None:
        return _keep_raw(counter, row, ref, "unknown_item", now=now)
    if row.kind == "checkin":
        return _take_back(counter, item, now=now), ()
    if patron is None:
        return _keep_raw(counter, row, ref, "unknown_card", now=now)
    act = _lend if row.kind == "checkout" else _renew
    result, codes = act(counter, patron, item, ref)
    if codes:
        detail = {"kiosk": row.kiosk, "counter": row.counter, "kind": row.kind, "codes": list(codes)}
        tasks.add(
            counter.session, "conflict", codes[0], branch=counter.occasion.branch, at=counter.occasion.now, now=now,
            item_id=item.id, patron_id=patron.id, detail=detail,
        )  # fmt: skip
    return result, codes


def _keep_raw(counter: Counter, row: ReplayRow, ref: ReplayItem, code: str, *, now: datetime) -> Told:
    """Nothing can be recorded, and nothing is lost: staff get the row as it came."""
    detail = {"row": row.model_dump(mode="json"), "barcode": ref.barcode}
    tasks.add(
        counter.session, "unknown_row", code, branch=counter.occasion.branch, at=counter.occasion.now, now=now,
        detail=detail,
    )  # fmt: skip
    return refused(ref.barcode, policy.Refused(code)), (code,)


def _lend(counter: Counter, patron: Borrower, item: catalogue.Item, ref: ReplayItem) -> Told:
    """The loan stands; a loan that was open then had ended before, and what was lost was found. To the same patron on
    the same day it is one loan told twice."""
    at = counter.occasion.now
    codes: list[str] = []
    loan = counter.loan_of(item)
    if loan is None and item.status == "lost":
        returns.find_again(counter, item, at)
    if loan is not None and loan.checked_out_at <= at:
        if loan.patron_id == patron.id and _on_its_day(counter, loan, at):
            return _still_theirs(counter, loan, item, ref), ()
        codes += ["on_loan"] if loan.patron_id != patron.id else []
        returns.close_implicitly(counter, item)
        item, loan = counter.items[item.barcode], None
    elif _ended_before(counter, item, at, unless_of=patron.id):
        codes.append("on_loan")
    case = counter.case(patron, item, parts=ref.parts)
    codes += [refusal.code for refusal in policy.objections(case._replace(loan=None), policy.Trigger.CHECKOUT)]
    due = _promised(ref, at) or counter.lending.due(at, case.rule, zone=counter.occasion.zone, branch=case.branch)
    over = _over_by(counter, item, at)
    if over is not None:
        ended = lend_ended(counter, patron, item, due, over=over)
        tell(counter, "loan.checkout", ended)
        charge_lateness(counter, ended, over)
        told = ItemResult(barcode=item.barcode, status="ok", title=item.title, due=due, loan=ended.id)
        return told, tuple(dict.fromkeys((*codes, *(["on_loan"] if loan is not None else []))))
    made = lend(counter, patron, item, due)
    assert made is not None, "the item is locked and has no open loan"
    tell(counter, "loan.checkout", made)
    return ItemResult(
        barcode=item.barcode, status="ok", title=item.title, due=due, security="on_loan", loan=made.id
    ), tuple(codes)  # fmt: skip


def _promised(ref: ReplayItem, at: datetime) -> datetime | None:
    """The day that the reader was told; one that no policy can give was never told."""
    return ref.due if ref.due is not None and at <= ref.due <= at + LONGEST_LOAN else None


def _on_its_day(counter: Counter, loan: Loan, at: datetime) -> bool:
    zone = counter.occasion.zone
    return local_date(loan.checked_out_at, zone) == local_date(at, zone)


def _still_theirs(counter: Counter, loan: Loan, item: catalogue.Item, ref: ReplayItem) -> ItemResult:
    """The same loan told twice; the later of the promised days counts."""
    due = max(loan.due_at, _promised(ref, loan.checked_out_at) or loan.due_at)
    if due != loan.due_at:
        repository.change(counter.session, loan.id, due_at=due)
        counter.loans[item.id] = loan._replace(due_at=due)
    return ItemResult(barcode=item.barcode, status="ok", title=item.title, due=due, security="on_loan", loan=loan.id)


def _over_by(counter: Counter, item: catalogue.Item, at: datetime) -> datetime | None:
    """When a loan made at this instant was over, as far as is known: the item was seen or lent again after it."""
    marks = [item.last_seen_at]
    for loan in repository.history(counter.session, item.id):
        marks += [loan.checked_out_at, loan.checked_in_at]
    return min((mark for mark in marks if mark is not None and mark > at), default=None)


def _renew(counter: Counter, patron: Borrower, item: catalogue.Item, ref: ReplayItem) -> Told:
    """A loan that began later is not the one that was renewed."""
    at, loan = counter.occasion.now, counter.loan_of(item)
    begun = loan is not None and loan.checked_out_at <= at
    if loan is None or not begun or loan.patron_id != patron.id:
        code = "not_your_loan" if begun else "not_on_loan"
        security = "on_loan" if loan else "in_stock"
        return refused(item.barcode, policy.Refused(code), title=item.title, security=security), (code,)
    case = counter.case(patron, item)
    codes = tuple(refusal.code for refusal in policy.objections(case, policy.Trigger.RENEWAL))
    due = max(_promised(ref, at) or policy.renewed_due(case), loan.due_at)
    extend(counter, loan, due, case.rule)
    tell(counter, "loan.renew", loan)
    return ItemResult(
        barcode=item.barcode, status="ok", title=item.title, due=due, security="on_loan", loan=loan.id
    ), codes  # fmt: skip


def _take_back(counter: Counter, item: catalogue.Item, *, now: datetime) -> ItemResult:
    """A loan that was open then is over; one that began later is not touched, nor where an item is that has been seen
    since. A loan that ended later ended then. Who waits for it, waits on the hold shelf's time from now on."""
    at = counter.occasion.now
    loan = counter.loan_of(item)
    seen_since = item.status != "lost" and item.last_seen_at is not None and item.last_seen_at > at
    if (loan is None and seen_since) or (loan is not None and loan.checked_out_at > at):
        _ended_before(counter, item, at)
        return ItemResult(barcode=item.barcode, status="ok", title=item.title)
    found = returns.find_again(counter, item, at) if loan is None and item.status == "lost" else None
    if found is not None:
        loan, fee = found[0], found[1] or None
    elif loan is None:
        _ended_before(counter, item, at)
        fee = None
    else:
        fee = returns.close(counter, loan, at) or None
        tell(counter, "loan.checkin", loan)
    if item.status == "withdrawn":
        return ItemResult(barcode=item.barcode, status="ok", title=item.title, security="in_stock", route="staff")
    settled = returns.settle(counter, item, now=now)
    return ItemResult(
        barcode=item.barcode, status="ok", title=item.title, security="in_stock", fee=fee,
        loan=loan.id if loan else None, route=settled.route.kind, route_to=settled.route.branch,
    )  # fmt: skip


def _ended_before(counter: Counter, item: catalogue.Item, at: datetime, *, unless_of: int | None = None) -> bool:
    """A loan that was closed later than it came back is corrected, and so is what its lateness cost; whether there was
    one, of somebody else than `unless_of`."""
    past: Sequence[Loan] = repository.history(counter.session, item.id)
    for loan in past:
        late = loan.checked_in_at is not None and loan.checked_out_at <= at < loan.checked_in_at
        if late and loan.ended != "lost" and (unless_of is None or loan.patron_id != unless_of):
            repository.change(counter.session, loan.id, checked_in_at=at)
            fees.cancel_loan_fees(
                counter.session, loan.id, actor=counter.occasion.actor, at=counter.occasion.now,
                reason="returned earlier", kinds=("overdue",),
            )  # fmt: skip
            charge_lateness(counter, loan, at)
            return True
    return False
