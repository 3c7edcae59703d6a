"""Rows of the spool as messages for the server."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from carrel.contracts.codec import decode
from carrel.contracts.telemetry import Quantity, Reading, TelemetryBatch, TelemetryPoint
from gateway.relay import batches as module
from gateway.relay.batches import next_batch
from gateway.relay.spool import SERVER, Spool
from gateway.store import Store
from tests.support.clock import NOON


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path / "gateway.db")
    yield opened
    opened.close()


def fill(spool: Spool, *values: float) -> None:
    at = NOON + timedelta(microseconds=5)
    spool.append(Reading(device="d", zone="z", quantity=Quantity.RH, value=value, at=at) for value in values)


def test_nothing_waits_nothing_is_made(store: Store) -> None:
    assert next_batch(Spool(store), 7) is None


def test_a_batch_says_session_first_number_and_whether_more_may_wait(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BATCH", 3)
    spool = Spool(store)
    fill(spool, *range(5))
    found = next_batch(spool, 7)
    assert found is not None
    assert found.full
    batch = decode(TelemetryBatch, found.payload)
    assert (batch.session, batch.first, [point.value for point in batch.points]) == (7, 1, [0, 1, 2])
    at = NOON + timedelta(microseconds=5)
    assert batch.points[0] == TelemetryPoint(ts=at, device="d", zone="z", quantity=Quantity.RH, value=0)
    spool.confirm(SERVER, 3)
    found = next_batch(spool, 7)
    assert found is not None
    assert not found.full


def test_rows_that_cannot_be_sent_are_dropped_and_the_next_ones_sent(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    spool = Spool(store)
    fill(spool, 0, 1, 2, 3)
    with store.transaction() as db:
        db.execute("UPDATE reading SET quantity = 'magic' WHERE seq IN (1, 3)")
    for session, seq in ((1, 2), (1, 4)):
        found = next_batch(spool, session)
        assert found is not None
        batch = decode(TelemetryBatch, found.payload)
        assert (batch.first, len(batch.points)) == (seq, 1)
        spool.confirm(SERVER, seq)
    assert [record.levelname for record in caplog.records] == ["ERROR", "ERROR"]
