"""What a rehearsal prints: plain values, local times, amounts as text. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from carrel.contracts.circulation import ItemResult

Answer = dict[str, Any]


def ok(*, due: str | None = None, **more: Any) -> Answer:
    """It was done."""
    return {"result": "ok", "reason": None, "due": due} | more


def refused(reason: str, **more: Any) -> Answer:
    """It was not done, and why."""
    return {"result": "refused", "reason": reason, "due": None} | more


def local(at: datetime | None, zone: ZoneInfo) -> str | None:
    """A point in time as the library's clock shows it, with its offset."""
    return None if at is None else at.astimezone(zone).isoformat(timespec="seconds")


def amount(value: Decimal) -> str:
    """With 2 places."""
    return f"{value:.2f}"


def plain(value: Any, zone: ZoneInfo) -> Any:
    """Anything a service tells, as JSON can hold it."""
    if isinstance(value, datetime):
        return local(value, zone)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return amount(value)
    if isinstance(value, Mapping):
        return {str(key): plain(one, zone) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one, zone) for one in value]
    if isinstance(value, set | frozenset):
        return sorted(plain(one, zone) for one in value)
    return value


def of_item(result: ItemResult, zone: ZoneInfo) -> Answer:
    """One item's result; what is empty is left out."""
    answer: Answer = {"result": result.status, "reason": result.code, "due": local(result.due, zone)}
    for name in ("security", "route", "route_to", "fee", "params", "overridden"):
        value = getattr(result, name)
        if value not in (None, {}, ()):
            answer[name] = plain(value, zone)
    return answer


def of_batch(results: Sequence[ItemResult], zone: ZoneInfo, *, listed: bool) -> Answer:
    """Several items' results as one; with `listed` each stands under `items` too.

    The whole is `partial` when some were refused; its reason is the first refusal's, its due date the one that all
    have in common.
    """
    return in_all([of_item(result, zone) | {"item": result.barcode} for result in results], listed=listed)


def in_all(each: Sequence[Answer], *, listed: bool) -> Answer:
    """The same of answers that name their items."""
    if len(each) == 1 and not listed:
        return {key: value for key, value in each[0].items() if key != "item"}
    done = [one for one in each if one["result"] == "ok"]
    result = "ok" if len(done) == len(each) else "partial" if done else "refused"
    reason = next((one["reason"] for one in each if one["result"] == "refused"), None)
    dues = {one["due"] for one in each if one["result"] == "ok" or len(each) == 1}
    return {
        "result": result,
        "reason": reason,
        "due": dues.pop() if len(dues) == 1 else None,
        "items": each,
    }
