"""What ends a loan: a return, a loss, and making the last step undone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy.orm import Session

from carrel.contracts.circulation import BatchResult, CheckinRequest, ItemRef, ItemResult, LossRequest, UndoRequest
from server.catalogue import service as catalogue
from server.circulation import policy, repository
from server.circulation.counter import Counter, Results, charge, charge_lateness, counter_for, once, refused, tell
from server.circulation.loan import Loan, Renewal
from server.fees import policy as feeing
from server.fees import service as fees
from server.holds import service as holds
from server.holds.service import Settled
from server.lending.occasion import Occasion
from server.tasks import service as tasks


def checkin_many(session: Session, request: CheckinRequest, occasion: Occasion) -> BatchResult:
    """End each item's loan, whoever has it, and send the item where it belongs."""
    return _each(session, request, occasion, _checkin)


def checkin_at(counter: Counter, request: CheckinRequest) -> Results:
    """The same at a counter that is open, for callers who see to it themselves that a repeat is not done twice."""
    return _at(counter, request, _checkin)


def declare_lost(session: Session, request: LossRequest, occasion: Occasion) -> BatchResult:
    """End loans of items that will not come back, and charge for them."""
    return _each(session, request, occasion, _lose)


def cancel_checkout(session: Session, request: UndoRequest, occasion: Occasion) -> BatchResult:
    """A terminal could not finish: make the loans undone completely, without history or fee, however long it took."""
    return _each(session, request, occasion, _cancel)


def cancel_at(counter: Counter, request: UndoRequest) -> Results:
    """The same at a counter that is open, as with `checkin_at`."""
    return _at(counter, request, _cancel)


def cancel_renewal_at(counter: Counter, request: UndoRequest) -> Results:
    """The same for a terminal that renews what its patron has already: only the renewal is made undone."""
    return _at(counter, request, _cancel_renewal)


def reopen_at(counter: Counter, request: UndoRequest) -> Results:
    """A terminal could not finish a return: the loan goes on, unless it was another end or a while ago. A loan that
    goes on already is left as it is."""
    return _at(counter, request, _go_on)


def undo(session: Session, request: UndoRequest, occasion: Occasion) -> BatchResult:
    """Make what was done last with each item undone, a checkout, renewal or checkin, if it was a moment ago."""
    return _each(session, request, occasion, _undo)


def close_implicitly(counter: Counter, item: catalogue.Item) -> Decimal:
    """The item is in somebody else's hands: whoever had it has returned it by now. The fee."""
    loan = counter.loan_of(item)
    assert loan is not None
    fee = close(counter, loan, counter.occasion.now, ended="implicit")
    tell(counter, "loan.checkin", loan)
    counter.items[item.barcode] = item._replace(status="on_shelf")
    return fee


def close(counter: Counter, loan: Loan, at: datetime, *, ended: str = "returned") -> Decimal:
    """End a loan, at the instant that counts, and charge for lateness; the fee."""
    repository.change(counter.session, loan.id, checked_in_at=at, ended=ended, ended_at=counter.occasion.now)
    counter.loans.pop(loan.item_id, None)
    return charge_lateness(counter, loan, at)


def settle(counter: Counter, item: catalogue.Item, *, now: datetime | None = None) -> Settled:
    """Send an item that is here where it belongs; `now` is when that became known, where it came before."""
    here = counter.occasion
    seen_at = max(here.now, item.last_seen_at or here.now)
    queue = counter.queues.pop(item.record_id, None)
    known = here if now is None else here._replace(now=now)
    settled = holds.settle(
        counter.session, item, known, queue=[] if queue == [] else None, seen_at=seen_at
    )  # fmt: skip
    counter.items[item.barcode] = settled.item
    return settled


def lose(counter: Counter, item: catalogue.Item, loan: Loan) -> Decimal:
    """End a loan as a loss; what it costs: the item's price and the library's fee for the work."""
    counter.loans.pop(item.id, None)
    now = counter.occasion.now
    repository.change(counter.session, loan.id, checked_in_at=now, ended="lost", ended_at=now)
    catalogue.set_status(counter.session, item.id, "lost")
    counter.items[item.barcode] = item._replace(status="lost")
    price = item.price if item.price is not None else counter.lending.policy.lost_price
    costs: tuple[tuple[feeing.Kind, Decimal], ...] = (
        ("lost", price or Decimal(0)), ("processing", counter.lending.policy.lost_processing_fee),
    )  # fmt: skip
    for kind, amount in costs:
        if amount > 0:
            charge(counter, loan, kind, amount)
    tasks.add(
        counter.session, "lost", "item_lost", branch=item.branch or counter.occasion.branch, at=now, now=now,
        item_id=item.id, detail={"loan": loan.id},
    )  # fmt: skip
    tell(counter, "loan.lost", loan)
    return sum((amount for _, amount in costs), Decimal(0))


Request = CheckinRequest | LossRequest | UndoRequest
One = Callable[[Counter, ItemRef, Request], ItemResult]


def _each(session: Session, request: Request, occasion: Occasion, one: One) -> BatchResult:
    return once(session, request, occasion, lambda: _at(counter_for(session, request, occasion), request, one))


def _at(counter: Counter, request: Request, one: One) -> Results:
    """One result per item, in the order asked, each judged on what those before it have changed."""
    return tuple(one(counter, ref, request) for ref in request.items)


def _checkin(counter: Counter, ref: ItemRef, request: Request) -> ItemResult:
    assert isinstance(request, CheckinRequest)
    item = counter.items.get(ref.barcode)
    if item is None:
        return refused(ref.barcode, policy.Refused("unknown_item"))
    short = policy.missing_parts(item.tags, ref.parts)
    if short is not None and not request.accept_incomplete:
        return refused(ref.barcode, short, title=item.title)
    loan = counter.loan_of(item)
    if loan is None:
        return _not_on_loan(counter, item, request, short)
    at = policy.counted_return(
        request.returned_at, now=counter.occasion.now, lent=loan.checked_out_at,
        days=counter.lending.policy.checkin_backdate_days,
    )  # fmt: skip
    fee = close(counter, loan, at)
    tell(counter, "loan.checkin", loan)
    return _arrived(counter, item, fee=fee, loan=loan, short=short)


def _not_on_loan(
    counter: Counter, item: catalogue.Item, request: CheckinRequest, short: policy.Refused | None
) -> ItemResult:
    """It is here all the same: what was lost is found, and it goes to whoever waits for it, or home."""
    if item.status == "withdrawn":
        catalogue.set_seen(counter.session, item.id, counter.occasion.now)
        return refused(item.barcode, policy.Refused("item_withdrawn"), title=item.title, route="staff")
    found = find_again(counter, item, request.returned_at) if item.status == "lost" else None
    if found is not None:
        return _arrived(counter, item, fee=found[1], loan=found[0], short=short)
    arrived = _arrived(counter, item, fee=Decimal(0), loan=None, short=short)
    if request.accept_not_on_loan:
        return arrived
    return arrived.model_copy(update={"status": "refused", "code": "not_on_loan"})


def find_again(counter: Counter, item: catalogue.Item, returned_at: datetime | None) -> tuple[Loan, Decimal] | None:
    """The loan that was lost, if it was not too long ago: its charge is taken back, and it was late instead."""
    occasion, rules = counter.occasion, counter.lending.policy
    last = next(iter(repository.history(counter.session, item.id, limit=1)), None)
    if last is not None and last.checked_out_at > occasion.now:  # a return that is told late, of an earlier loan
        return None
    _settle_list(counter, item, "lost")
    if last is None or last.ended != "lost" or last.patron_id is None or last.checked_in_at is None:
        return None
    if rules.lost_refund_days is not None and occasion.now > last.checked_in_at + timedelta(
        days=rules.lost_refund_days
    ):
        return last, Decimal(0)
    fees.cancel_loan_fees(
        counter.session, last.id, actor=occasion.actor, at=occasion.now, reason="found", kinds=("lost",)
    )  # fmt: skip
    at = policy.counted_return(
        returned_at, now=occasion.now, lent=last.checked_out_at, days=rules.checkin_backdate_days
    )  # fmt: skip
    repository.change(
        counter.session, last.id, checked_in_at=at, ended="returned", ended_at=occasion.now, lost_at=last.ended_at
    )  # fmt: skip
    counter.owed.pop(last.patron_id, None)
    tell(counter, "loan.found", last)
    return last, charge_lateness(counter, last, at)


def _arrived(
    counter: Counter, item: catalogue.Item, *, fee: Decimal, loan: Loan | None, short: policy.Refused | None = None
) -> ItemResult:
    if item.status == "in_processing":
        _settle_list(counter, item, "incomplete")
    route = (settle(counter, item) if short is None else _keep_back(counter, item, short)).route
    return ItemResult(
        barcode=item.barcode, status="ok", title=item.title, security="in_stock", route=route.kind,
        route_to=route.branch, fee=fee if fee > 0 else None, loan=loan.id if loan else None,
    )  # fmt: skip


def _keep_back(counter: Counter, item: catalogue.Item, short: policy.Refused) -> Settled:
    """A set of which a part is missing is nobody's until staff have completed it, and scan it again."""
    here = counter.occasion
    tasks.add(
        counter.session, "incomplete", short.code, branch=here.branch, at=here.now, now=here.now, item_id=item.id,
        detail=short.params,
    )  # fmt: skip
    counter.queues.pop(item.record_id, None)
    settled = holds.keep_back(counter.session, item, here)
    counter.items[item.barcode] = settled.item
    return settled


def _settle_list(counter: Counter, item: catalogue.Item, kind: tasks.Kind) -> None:
    tasks.settle_item(counter.session, kind, item.id, actor=counter.occasion.actor, at=counter.occasion.now)


def _lose(counter: Counter, ref: ItemRef, _request: Request) -> ItemResult:
    item = counter.items.get(ref.barcode)
    decision = policy.decide_loss(counter.case(None, item))
    loan = counter.loan_of(item)
    if isinstance(decision, policy.Refused) or item is None or loan is None:
        code = decision if isinstance(decision, policy.Refused) else policy.Refused("not_on_loan")
        return refused(ref.barcode, code, title=item.title if item else None).model_copy(update={"security": None})
    cost = lose(counter, item, loan)
    return ItemResult(
        barcode=ref.barcode, status="ok", title=item.title, fee=cost if cost > 0 else None, loan=loan.id
    )  # fmt: skip


def _cancel(counter: Counter, ref: ItemRef, request: Request) -> ItemResult:
    assert isinstance(request, UndoRequest)
    item = counter.items.get(ref.barcode)
    patron = counter.patrons.get(request.card or "")
    if request.card is not None and patron is None:
        return refused(ref.barcode, policy.Refused("unknown_card"), title=item.title if item else None)
    decision = policy.decide_cancel(counter.case(patron, item))
    loan = counter.loan_of(item)
    if isinstance(decision, policy.Refused):
        return refused(ref.barcode, decision, title=item.title if item else None)
    assert item is not None
    assert loan is not None
    return _erase(counter, item, loan)


def _cancel_renewal(counter: Counter, ref: ItemRef, request: Request) -> ItemResult:
    item = counter.items.get(ref.barcode)
    loan = counter.loan_of(item)
    renewal = _renewed_last(counter, loan) if loan is not None else None
    if item is None or loan is None or renewal is None:
        return _cancel(counter, ref, request)
    assert isinstance(request, UndoRequest)
    why = _not_theirs(counter, request.card, loan)
    return refused(ref.barcode, why, title=item.title) if why else _shorten(counter, item, loan, renewal)


def _go_on(counter: Counter, ref: ItemRef, _request: Request) -> ItemResult:
    item = counter.items.get(ref.barcode)
    if item is None:
        return refused(ref.barcode, policy.Refused("unknown_item"))
    if loan := counter.loan_of(item):
        return _goes_on(item, loan)
    ended = _ended_last(counter, item)
    if ended is None or ended.ended != "returned" or ended.ended_at is None:
        return refused(ref.barcode, policy.Refused("nothing_to_undo"), title=item.title)
    if ended.ended_at < counter.occasion.now - timedelta(seconds=counter.lending.policy.undo_s):
        return refused(ref.barcode, policy.Refused("undo_too_late"), title=item.title)
    return _reopen(counter, item, ended)


def _goes_on(item: catalogue.Item, loan: Loan) -> ItemResult:
    return ItemResult(
        barcode=item.barcode, status="ok", title=item.title, due=loan.due_at, security="on_loan", loan=loan.id
    )  # fmt: skip


def _erase(counter: Counter, item: catalogue.Item, loan: Loan) -> ItemResult:
    """As if the item had never been lent: it is for whom it was set aside, or on its shelf."""
    counter.loans.pop(item.id, None)
    _take_back_fees(counter, loan, since=None)
    fees.forget_loans(counter.session, [loan.id])
    holds.unfulfil(counter.session, loan.id, item.id)
    counter.queues.pop(item.record_id, None)
    repository.remove(counter.session, loan.id)
    tell(counter, "loan.undo", loan)
    return _arrived(counter, item._replace(status="on_shelf"), fee=Decimal(0), loan=None)


def _take_back_fees(counter: Counter, loan: Loan, *, since: datetime | None) -> None:
    """What the step that is undone has cost; all that the loan has cost without `since`."""
    occasion = counter.occasion
    fees.cancel_loan_fees(
        counter.session, loan.id, actor=occasion.actor, at=occasion.now, reason="undone", since=since
    )  # fmt: skip
    if loan.patron_id is not None:
        counter.owed.pop(loan.patron_id, None)


def _undo(counter: Counter, ref: ItemRef, request: Request) -> ItemResult:
    """A renewal is taken back, a loan that has just begun is erased, one that has just ended goes on."""
    assert isinstance(request, UndoRequest)
    item = counter.items.get(ref.barcode)
    if item is None:
        return refused(ref.barcode, policy.Refused("unknown_item"))
    loan = counter.loan_of(item) or _ended_last(counter, item)
    if why := _not_theirs(counter, request.card, loan):
        return refused(ref.barcode, why, title=item.title)
    assert loan is not None
    renewal = _renewed_last(counter, loan)
    since = counter.occasion.now - timedelta(seconds=counter.lending.policy.undo_s)
    if (loan.ended_at or (renewal.at if renewal else loan.checked_out_at)) < since:
        return refused(ref.barcode, policy.Refused("undo_too_late"), title=item.title)
    if loan.ended_at is not None:
        return _reopen(counter, item, loan)
    return _shorten(counter, item, loan, renewal) if renewal else _erase(counter, item, loan)


def _ended_last(counter: Counter, item: catalogue.Item) -> Loan | None:
    """The loan that the desk ended last; one of which nobody knows any longer whose it was cannot go on."""
    last = next(iter(repository.history(counter.session, item.id, limit=1)), None)
    known = last is not None and last.patron_id is not None and last.ended_at is not None and last.ended != "replay"
    return last if known else None


def _not_theirs(counter: Counter, card: str | None, loan: Loan | None) -> policy.Refused | None:
    """Why nothing is undone: there is no loan, or it is not that of the card, if one is named."""
    if loan is None:
        return policy.Refused("nothing_to_undo")
    if card is None:
        return None
    patron = counter.patrons.get(card)
    if patron is None:
        return policy.Refused("unknown_card")
    return None if loan.patron_id == patron.id else policy.Refused("not_your_loan")


def _renewed_last(counter: Counter, loan: Loan) -> Renewal | None:
    """The renewal that was the last thing done to an open loan."""
    if not loan.renewals or loan.ended_at is not None:
        return None
    renewal = repository.last_renewal(counter.session, loan.id)
    return renewal if renewal is not None and renewal.at >= loan.checked_out_at else None


def _shorten(counter: Counter, item: catalogue.Item, loan: Loan, renewal: Renewal) -> ItemResult:
    """As if the loan had not been renewed: what had been promised before holds again."""
    if renewal.due_before is None:
        return refused(item.barcode, policy.Refused("undo_too_late"), title=item.title)
    before = {"due_at": renewal.due_before, "renewals": loan.renewals - 1, **renewal.terms}
    repository.change(counter.session, loan.id, **before)
    repository.remove_renewal(counter.session, loan)
    _take_back_fees(counter, loan, since=renewal.at)
    counter.loans[item.id] = loan._replace(**before)
    tell(counter, "loan.undo", loan)
    return ItemResult(
        barcode=item.barcode, status="ok", title=item.title, due=renewal.due_before, security="on_loan", loan=loan.id
    )  # fmt: skip


def _reopen(counter: Counter, item: catalogue.Item, loan: Loan) -> ItemResult:
    """The loan goes on; what was lost until it came back is lost again, and costs what it did."""
    session, occasion, lost = counter.session, counter.occasion, loan.lost_at is not None
    assert loan.ended_at is not None
    before: dict[str, Any] = {
        "checked_in_at": loan.lost_at,
        "ended": "lost" if lost else None,
        "ended_at": loan.lost_at,
    }
    repository.change(session, loan.id, **before, lost_at=None)
    _take_back_fees(counter, loan, since=loan.ended_at)
    if item.status == "in_processing":
        _settle_list(counter, item, "incomplete")
    if lost:
        fees.restore_loan_fees(session, loan.id, actor=occasion.actor, at=occasion.now, cancelled_at=loan.ended_at)
        tasks.unsettle_item(session, "lost", item.id, at=loan.ended_at)
    elif loan.ended == "lost":
        _settle_list(counter, item, "lost")
    holds.take_back(session, item.id)
    counter.queues.pop(item.record_id, None)
    status: catalogue.Status = "lost" if lost else "on_loan"
    catalogue.set_status(session, item.id, status)
    counter.items[item.barcode] = item._replace(status=status)
    tell(counter, "loan.undo", loan)
    if lost:
        return _goes_on(item, loan).model_copy(update={"due": None})
    counter.loans[item.id] = loan._replace(**before, lost_at=None)
    return _goes_on(item, loan)
