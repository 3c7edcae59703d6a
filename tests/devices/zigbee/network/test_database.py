"""What zigpy keeps of the devices: the newest, in the order it came, and not a line for each report."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest
from zigpy.types import EUI64
from zigpy.zcl import AttributeReadEvent, AttributeReportedEvent

from devices.events import ReadingSeen
from devices.zigbee.network import database
from devices.zigbee.network.database import Gathered
from tests.support.field import Recorder, open_radio
from tests.support.sim import eventually
from tests.support.zigbee_site import coordinator, named, placed, running, served, site

ILLUMINANCE = 0x0400
LUX, OTHER = "02:ca:77:e1:00:00:00:04", "02:ca:77:e1:00:00:00:05"


def event(kind: type = AttributeReportedEvent, *, ieee: str = LUX, attribute: int = 0, value: int = 0) -> Any:
    """What zigpy tells of an attribute."""
    place = {"device_ieee": EUI64.convert(ieee), "endpoint_id": 1, "cluster_type": 0, "cluster_id": ILLUMINANCE}
    said = {"attribute_name": "measured_value", "attribute_id": attribute, "manufacturer_code": None}
    return kind(**place, **said, raw_value=value, value=value)


class Queue(list[tuple[str, Any]]):
    """In the place of zigpy's."""

    def __call__(self, name: str, *args: Any) -> None:
        self.append((name, getattr(args[-1], "value", args[-1])))


async def test_of_many_reports_only_the_newest_of_each_device_and_attribute_waits() -> None:
    queue = Queue()
    gathered = Gathered(queue)
    for value in range(1000):
        gathered.enqueue("_save_device_last_seen", EUI64.convert(LUX), value)
        gathered.enqueue("_save_attribute", event(value=value))
        gathered.enqueue("_save_attribute", event(attribute=1, value=-value))
        gathered.enqueue("_save_attribute", event(ieee=OTHER, value=2 * value))
    assert queue == []
    gathered.hand_over()
    assert sorted(queue) == [
        ("_save_attribute", -999),
        ("_save_attribute", 999),
        ("_save_attribute", 1998),
        ("_save_device_last_seen", 999),
    ]
    gathered.hand_over()
    assert len(queue) == 4, "handed over once"


async def test_what_was_read_waits_for_nothing_and_never_passes_what_came_before_it() -> None:
    queue = Queue()
    gathered = Gathered(queue)
    gathered.enqueue("_save_attribute", event(value=1))
    gathered.enqueue("_save_attribute", event(AttributeReadEvent, value=2))
    gathered.enqueue("_save_attribute", event(value=3))
    gathered.enqueue("_remove_device", "the device")
    assert queue == [
        ("_save_attribute", 1),
        ("_save_attribute", 2),
        ("_save_attribute", 3),
        ("_remove_device", "the device"),
    ]


async def test_it_goes_by_itself_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "GATHER_S", 0.05)
    queue = Queue()
    gathered = Gathered(queue)
    for value in (1, 2):
        gathered.enqueue("_save_attribute", event(value=value))
        await eventually(lambda value=value: len(queue) == value)
    assert queue == [("_save_attribute", 1), ("_save_attribute", 2)]


@asynccontextmanager
async def lux_sensor(folder: Path) -> AsyncIterator[tuple[Any, Recorder]]:
    """The building's network and what is seen of it, with a lux sensor at work."""
    seen = Recorder()
    link = coordinator(site(folder, [named("reading-lux")]))
    async with open_radio(folder, devices=placed("reading-lux")) as radio, running(link, seen):
        await served(seen, "reading-lux")
        yield radio.network, seen


async def test_the_last_value_before_an_orderly_end_is_in_the_file(tmp_path: Path) -> None:
    async with lux_sensor(tmp_path) as (network, seen):
        for value in range(20001, 20101):
            network.report_now(LUX, ILLUMINANCE, 0, value)
            count = len(seen.of(ReadingSeen))
            await seen.until(lambda count=count: len(seen.of(ReadingSeen)) > count)
    with closing(sqlite3.connect(tmp_path / "zigbee.db")) as file:
        [(table,)] = file.execute("SELECT name FROM sqlite_master WHERE name LIKE 'attributes_cache_v%'").fetchall()
        rows = file.execute(f"SELECT value FROM {table} WHERE cluster_id = ? AND attr_id = 0", (ILLUMINANCE,))
        assert rows.fetchall() == [(20100,)]
