"""How results are put together and written."""

from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from carrel.contracts.circulation import ItemResult
from server.rehearse.answers import of_batch, plain

ZONE = ZoneInfo("Asia/Shanghai")
DUE = datetime(2026, 1, 5, 15, 59, 59, tzinfo=UTC)
LOCAL = "2026-01-05T23:59:59+08:00"


def item(barcode: str, code: str | None = None, due: datetime | None = DUE) -> ItemResult:
    status = "refused" if code else "ok"
    return ItemResult(barcode=barcode, status=status, code=code, due=None if code else due)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("results", "told"),
    [
        ([item("A"), item("B")], ("ok", None, LOCAL)),
        ([item("A"), item("B", "on_loan")], ("partial", "on_loan", LOCAL)),
        ([item("A", "no_rule"), item("B", "on_loan")], ("refused", "no_rule", None)),
        ([item("A"), item("B", due=DUE.replace(day=6))], ("ok", None, None)),
        ([item("A", "no_rule")], ("refused", "no_rule", None)),
        ([], ("ok", None, None)),
    ],
)
def test_a_batch_is_told_in_one_word(results: list[ItemResult], told: tuple[str, str | None, str | None]) -> None:
    answer = of_batch(results, ZONE, listed=True)
    assert (answer["result"], answer["reason"], answer["due"]) == told
    assert [one["item"] for one in answer["items"]] == [result.barcode for result in results]


def test_one_item_stands_for_itself() -> None:
    assert of_batch([item("A")], ZONE, listed=False) == {"result": "ok", "reason": None, "due": LOCAL}


def test_values_are_written_as_json_can_hold_them() -> None:
    written = plain({"a": [Decimal("1.5"), DUE], "b": {date(2026, 1, 5)}, "c": (1, None, True)}, ZONE)
    assert written == {"a": ["1.50", LOCAL], "b": ["2026-01-05"], "c": [1, None, True]}
