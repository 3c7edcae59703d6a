"""Work beside the requests goes on whatever happens, and says so in words."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy.exc import OperationalError

from server.live import part

REFUSED = OperationalError("BEGIN", None, Exception("connection refused\nIs the server running?"))


@pytest.mark.parametrize(
    ("fault", "said", "trace"),
    [
        (REFUSED, "the database does not answer: connection refused", False),
        (ValueError("no"), "this is a fault of ours", True),
    ],
)
async def test_a_trouble_is_told_once_and_a_new_one_again(
    fault: Exception, said: str, trace: bool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    runs = 0

    async def work() -> None:
        nonlocal runs
        runs += 1
        if runs == 3:  # it was well for longer than a trouble is remembered
            await asyncio.sleep(0.3)
        if runs == 4:
            await asyncio.Event().wait()
        raise fault

    monkeypatch.setattr(part, "AGAIN_AFTER_S", 0)
    monkeypatch.setattr(part, "TOLD_ANEW_S", 0.2)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(part._for_ever(work), 1)
    assert runs == 4
    assert [record.getMessage() for record in caplog.records] == [
        f"work beside the requests failed and begins again: {said}"
    ] * 2
    assert all(bool(record.exc_info) is trace for record in caplog.records)
