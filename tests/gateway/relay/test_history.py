"""Readings on their way out of the gateway, put together."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from carrel.contracts.health import LinkHealth
from carrel.contracts.telemetry import Quantity, Reading
from carrel.sections import TelemetryConfig
from gateway.relay import influx
from gateway.relay.history import History
from gateway.relay.spool import INFLUX, SERVER
from gateway.relay.uplink import Identity
from gateway.store import Store
from tests.support.clock import ManualClock
from tests.support.influx_fake import InfluxFake, running_fake
from tests.support.sim import eventually

ME = Identity("main", "gw-1", "0.1")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path / "gateway.db")
    yield opened
    opened.close()


async def test_a_reading_goes_to_both_and_the_uplink_is_woken(
    store: Store, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(influx, "GATHER_S", 0.01)
    fake, healths, wakes = InfluxFake(), list[LinkHealth](), list[int]()
    with running_fake(fake) as port:
        history = History(
            TelemetryConfig(influx=fake.config(port)), ME, store=store, clock=clock, on_health=healths.append
        )
        history.on_stored = lambda: wakes.append(1)
        tasks = [asyncio.create_task(run()) for _, run in history.work()]
        history.log.offer(Reading(device="out-th", zone="out", quantity=Quantity.RH, value=70, at=clock.now()))
        await eventually(lambda: fake.count() == 1)
        tags = {"branch": "main", "gateway": "gw-1", "zone": "out", "device": "out-th"}
        assert list(fake.series("rh", **tags).values()) == [70.0]
        assert wakes == [1]
        await eventually(lambda: [health.state for health in healths] == ["connecting", "up"])
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    assert len(history.spool.waiting(SERVER, 10)) == 1
    assert not history.spool.waiting(INFLUX, 10)


def test_without_an_address_there_is_no_forwarder_and_nothing_is_kept_for_one(store: Store, clock: ManualClock) -> None:
    history = History(TelemetryConfig(), ME, store=store, clock=clock, on_health=lambda _: None)
    assert [name for name, _ in history.work()] == ["telemetry"]
    history.spool.append([Reading(device="d", zone="z", quantity=Quantity.RH, value=1, at=clock.now())])
    history.spool.confirm(SERVER, 1)
    assert store.read("SELECT count(*) FROM reading") == [(0,)]


def test_trouble_with_the_log_is_health_like_that_of_a_link(store: Store, clock: ManualClock) -> None:
    healths: list[LinkHealth] = []
    history = History(TelemetryConfig(), ME, store=store, clock=clock, on_health=healths.append)
    for text in ("the disk is full", ""):
        history._trouble(text, "not_written")
    assert [(h.link, h.state, h.last_error, h.code) for h in healths] == [
        ("telemetry", "degraded", "the disk is full", "not_written"),
        ("telemetry", "up", "", None),
    ]
