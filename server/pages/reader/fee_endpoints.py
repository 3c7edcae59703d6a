"""A reader's fees: what is open, what was booked, and how to pay."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from server.catalogue import service as catalogue
from server.deps import ReadSession, public
from server.fees import service as fees
from server.lending import service as lending
from server.pages.reader import fee_views, views
from server.pages.shell import VisitDep

router = APIRouter(include_in_schema=False, dependencies=[public()])


@router.get("/my/fees")
def my_fees(visit: VisitDep, session: ReadSession) -> Response:
    """What the reader owes, and everything that was booked."""
    reader = views.reader_of(visit)
    if isinstance(reader, Response):
        return reader
    rules, words = lending.current(session).policy, visit.words
    found = fees.fees_of(session, reader.patron_id)
    items = catalogue.items_by_id(session, {fee.item_id for fee in found if fee.item_id is not None})
    balance = fees.balance(session, reader.patron_id)
    limit = rules.fee_limit
    return visit.page(
        "reader/fees.html",
        owed=words.money(balance, rules.currency) if balance > 0 else "",
        limit=words.money(limit, rules.currency) if limit is not None else "",
        stopped=limit is not None and balance >= limit,
        fees=fee_views.fee_lines(found, items, words, rules.currency),
        past=fee_views.past_lines(fees.ledger_of(session, reader.patron_id), words, rules.currency),
    )
