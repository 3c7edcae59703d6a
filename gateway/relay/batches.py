"""Rows of the spool as the batches in which the server gets them."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from pydantic import ValidationError

from carrel.contracts.codec import encode
from carrel.contracts.telemetry import TelemetryBatch, TelemetryPoint
from gateway.instants import instant
from gateway.relay.spool import SERVER, Row, Spool

log = logging.getLogger(__name__)

BATCH = 500
"""Rows in one message (65 kB): what one round trip may carry."""


@dataclass(frozen=True, slots=True)
class Batch:
    """One message; `full` when more rows may wait behind it."""

    payload: bytes
    full: bool


def next_batch(spool: Spool, session: int) -> Batch | None:
    """The oldest rows that the server has not confirmed, None when there are none; waits for the disk.

    A row that fits the contract no more is dropped, or it would block those behind it.
    """
    while rows := spool.waiting(SERVER, BATCH):
        points = [point for row in rows if (point := _point(spool, row)) is not None]
        if len(points) == len(rows):  # without the dropped rows the batch is another one
            batch = TelemetryBatch(session=session, first=rows[0].seq, points=tuple(points))
            return Batch(encode(batch), full=len(rows) == BATCH)
    return None


def _point(spool: Spool, row: Row) -> TelemetryPoint | None:
    try:
        return TelemetryPoint.model_validate(
            {
                "ts": instant(row.at_us),
                "device": row.device,
                "zone": row.zone,
                "quantity": row.quantity,
                "value": row.value,
            }
        )
    except (ValidationError, OverflowError) as error:
        log.error("reading %d cannot be sent and is dropped: %s", row.seq, error)
        spool.discard(row.seq)
        return None
