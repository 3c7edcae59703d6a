"""Commands of people to the Zigbee network: carried out once, names checked, kept and brought to all who use them."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from carrel.contracts import topics
from carrel.contracts.actuation import CommandResult
from carrel.contracts.network import NetworkCommand, NetworkDevice, NetworkState
from carrel.contracts.telemetry import Quantity
from devices.config import ZigbeeDeviceConfig
from devices.orders import DONE, OrderResult, failed
from gateway.control import network as module
from gateway.control.network import MEMORY, House, NetworkDesk, availability, read_roster
from gateway.control.roster import Roster
from gateway.relay.outgoing import Outbox
from gateway.store import Store
from tests.gateway.control.test_roster import RULES, SHIPPED
from tests.support.clock import ManualClock
from tests.support.sim import eventually
from tests.support.zigbee_site import EVERY, named

HOUSE = House(
    shipped=SHIPPED,
    environment=RULES,
    rooms=frozenset(("reading-room", "stacks", "out")),
    used=frozenset(("reading-th", "reading-curtain", "smoke-1")),
    detectors=frozenset(("smoke-1",)),
    taken=frozenset(("io-1",)),
)


class Radio:
    """A network that does what it is asked and writes it down."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, object]] = []
        self.result = DONE
        self.gate = asyncio.Event()
        self.gate.set()

    def configure(self, devices: Iterable[ZigbeeDeviceConfig]) -> None:
        self.asked.append(("configure", tuple(devices)))

    def state(self) -> NetworkState:
        return NetworkState(ts=datetime(2026, 1, 1, tzinfo=UTC), state="running")

    def tells_fire(self, ieee: str) -> bool:
        return ieee == EVERY["smoke-1"].ieee

    async def _do(self, what: str, which: object = None) -> OrderResult:
        self.asked.append((what, which))
        await self.gate.wait()
        return self.result

    async def form(self) -> OrderResult:
        return await self._do("form")

    async def permit(self, seconds: int) -> OrderResult:
        return await self._do("permit", seconds)

    async def remove(self, ieee: str) -> OrderResult:
        return await self._do("remove", ieee)

    async def reinterview(self, ieee: str) -> OrderResult:
        return await self._do("reinterview", ieee)

    async def backup(self) -> OrderResult:
        return await self._do("backup")


class Desk:
    """A desk with its radio, store and outbox."""

    def __init__(self, folder: Path, clock: ManualClock, radio: Radio | None) -> None:
        self.clock, self.radio = clock, radio
        self.store, self.outbox = Store(folder / "gateway.db"), Outbox()
        self.rosters: list[Roster] = []
        self.desk = NetworkDesk(
            radio, HOUSE, store=self.store, outbox=self.outbox, clock=clock, on_roster=self.rosters.append
        )
        self._count = 0

    def wish(self, action: str, **fields: Any) -> NetworkCommand:
        self._count += 1
        expires = self.clock.now() + timedelta(minutes=1)
        known = {"id": f"n{self._count}", "action": action, "by": "user:1", "expires": expires}
        return NetworkCommand.model_validate(known | fields)

    async def ask(self, action: str, **fields: Any) -> CommandResult:
        wish = self.wish(action, **fields)
        self.desk.command(wish)
        return await self.answer(wish.id)

    async def answer(self, id_: str) -> CommandResult:
        body = await eventually(lambda: self.payload("ack/{id}", id_))
        return CommandResult.model_validate_json(body)

    def payload(self, path: str, id_: str = "") -> bytes:
        return next((i.payload for i in self.outbox._pending.values() if (i.topic.path, i.id) == (path, id_)), b"")


@pytest.fixture
async def desk(tmp_path: Path, clock: ManualClock) -> AsyncIterator[Desk]:
    made = Desk(tmp_path, clock, Radio())
    yield made
    await made.desk.close()
    made.store.close()


NEW = EVERY["reading-co2"].ieee


async def test_each_command_reaches_the_radio(desk: Desk) -> None:
    assert desk.radio is not None
    for action, fields in (
        ("form", {}), ("permit", {"seconds": 60}), ("permit", {}), ("close", {}), ("backup", {}),
        ("reinterview", {"ieee": NEW}), ("remove", {"ieee": NEW}),
    ):  # fmt: skip
        assert (await desk.ask(action, **fields)).status == "done"
    assert desk.radio.asked == [
        ("form", None), ("permit", 60), ("permit", 180), ("permit", 0), ("backup", None),
        ("reinterview", NEW), ("remove", NEW),
    ]  # fmt: skip


async def test_a_repeat_is_answered_and_not_done_again_even_while_the_first_is_under_way(desk: Desk) -> None:
    assert desk.radio is not None
    desk.radio.gate.clear()
    wish = desk.wish("form")
    for _ in range(3):
        desk.desk.command(wish)
        await asyncio.sleep(0)
    desk.radio.gate.set()
    first = await desk.answer(wish.id)
    desk.outbox._pending.clear()
    desk.desk.command(wish)
    assert await desk.answer(wish.id) == first
    assert desk.radio.asked == [("form", None)]


async def test_what_the_radio_refuses_or_fails_at_is_the_answer(desk: Desk) -> None:
    assert desk.radio is not None
    desk.radio.result = failed("link_down", "the radio is away")
    result = await desk.ask("remove", ieee=SHIPPED[0].ieee)
    assert (result.status, result.code, result.detail) == ("failed", "link_down", "the radio is away")
    assert desk.desk.roster == Roster()


async def test_a_command_that_came_too_late_or_makes_no_sense_is_not_done(desk: Desk, clock: ManualClock) -> None:
    assert desk.radio is not None
    late = desk.wish("form", expires=clock.now() - timedelta(seconds=1))
    desk.desk.command(late)
    assert (await desk.answer(late.id)).status == "expired"
    assert (await desk.ask("remove")).code == "ieee_missing"
    assert desk.radio.asked == []


async def test_a_fault_of_ours_is_an_answer_too(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken() -> OrderResult:
        raise RuntimeError("ours")

    monkeypatch.setattr(desk.radio, "form", broken)
    assert (await desk.ask("form")).code == "internal_error"
    assert "network command n1 failed" in caplog.text


async def test_without_a_radio_nothing_is_done(tmp_path: Path, clock: ManualClock) -> None:
    desk = Desk(tmp_path, clock, None)
    assert (await desk.ask("form")).code == "no_radio"
    running = asyncio.create_task(desk.desk.run())
    await asyncio.sleep(0)
    assert not running.done()
    running.cancel()
    desk.store.close()


async def test_a_device_gets_a_name_is_renamed_moved_and_removed(desk: Desk) -> None:
    assert (await desk.ask("name", ieee=NEW, device="desk-co2", zone="stacks", device_kind="sensor")).status == "done"
    assert desk.rosters[-1].devices(SHIPPED)[-1] == named("reading-co2", id="desk-co2", zone="stacks")
    assert (await desk.ask("name", ieee=NEW, device="wall-co2")).status == "done"
    assert (await desk.ask("name", ieee=NEW, zone="reading-room")).status == "done"
    assert read_roster(desk.store).devices(SHIPPED)[-1] == named("reading-co2", id="wall-co2")
    assert (await desk.ask("remove", ieee=NEW)).status == "done"
    assert read_roster(desk.store).devices(SHIPPED) == SHIPPED


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"ieee": NEW, "device": "x", "zone": "attic", "device_kind": "sensor"}, "unknown_zone"),
        ({"ieee": NEW, "device": "reading-lux", "zone": "out", "device_kind": "sensor"}, "name_taken"),
        ({"ieee": NEW, "device": "io-1", "zone": "out", "device_kind": "sensor"}, "name_taken"),
        ({"ieee": NEW, "device": "x", "zone": "out"}, "incomplete"),
        ({"ieee": NEW, "device": "hall-smoke", "zone": "out", "device_kind": "smoke"}, "no_fire_zone"),
        ({"ieee": EVERY["smoke-1"].ieee, "device": "x", "zone": "out", "device_kind": "sensor"}, "fire_detector"),
        ({"ieee": SHIPPED[0].ieee, "device": "else"}, "named_in_config"),
        ({"ieee": EVERY["reading-curtain"].ieee, "device_kind": "vent"}, "named_in_config"),
        ({"ieee": SHIPPED[0].ieee, "zone": "stacks"}, "rule_needs_sensor"),
    ],
)
async def test_a_name_that_does_not_fit_is_refused_with_a_reason(desk: Desk, fields: dict[str, Any], code: str) -> None:
    result = await desk.ask("name", **fields)
    assert (result.status, result.code) == ("rejected", code)
    assert result.detail
    assert not desk.rosters


async def test_a_detector_that_a_fire_zone_names_may_be_named_on_the_page(desk: Desk) -> None:
    ieee = EVERY["smoke-1"].ieee
    assert (await desk.ask("name", ieee=ieee, device="smoke-1", zone="stacks", device_kind="smoke")).status == "done"


async def test_what_a_named_sensor_measures_is_learnt_and_kept(desk: Desk) -> None:
    await desk.ask("name", ieee=NEW, device="desk-co2", zone="stacks", device_kind="sensor")
    desk.desk.learn("desk-co2", (Quantity.CO2, Quantity.BATTERY))
    desk.desk.learn("desk-co2", (Quantity.CO2, Quantity.BATTERY))
    assert [len(roster.environment(RULES).sensor) - len(RULES.sensor) for roster in desk.rosters] == [0, 1]
    assert read_roster(desk.store) == desk.rosters[-1]


async def test_a_disk_that_refuses_changes_no_name(desk: Desk) -> None:
    wish = desk.wish("name", ieee=NEW, device="desk-co2", zone="stacks", device_kind="sensor")
    desk.store.close()
    desk.desk.command(wish)
    assert (await desk.answer(wish.id)).code == "not_stored"
    assert not desk.rosters


async def test_names_that_cannot_be_read_leave_config_in_force(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    desk.store.save(MEMORY, {"version": 99})
    assert read_roster(desk.store) == Roster()
    assert "config.toml's are in force" in caplog.text


async def test_the_networks_state_is_published_when_it_changes(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.control.network.GATHER_S", 0.01)
    running = asyncio.create_task(desk.desk.run())
    await eventually(lambda: desk.payload("network"))
    desk.outbox._pending.clear()
    desk.desk.changed()
    await eventually(lambda: desk.payload("network"))
    running.cancel()


@pytest.mark.parametrize(
    ("network", "device", "told"),
    [
        ("running", "online", ("online", "")),
        ("running", "silent", ("offline", "silent")),
        ("running", "left", ("offline", "left")),
        ("running", "awaited", ("offline", "awaited")),
        ("down", "online", ("offline", "link_down")),
        ("none", "silent", ("offline", "link_down")),
    ],
)
def test_a_device_is_available_while_it_and_the_radio_are_heard(
    network: str, device: str, told: tuple[str, str]
) -> None:
    heard = availability(seen(network, {"reading-th": device, None: "online"}))
    assert {id_: (said.state, said.reason) for id_, said in heard.items()} == {"reading-th": told}


async def test_availability_is_told_when_it_changes_and_taken_back_with_the_name(
    tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "GATHER_S", 0.0)
    radio, outbox, store = Radio(), Outbox(), Store(tmp_path / "gateway.db")
    desk = NetworkDesk(radio, HOUSE, store=store, outbox=outbox, clock=clock, on_roster=lambda _roster: None)

    async def after(state: NetworkState) -> list[tuple[str, bytes]]:
        monkeypatch.setattr(radio, "state", lambda: state)
        desk.changed()
        items = await outbox.take()
        return [(item.id, item.payload) for item in items if item.topic is topics.AVAILABILITY]

    task = asyncio.create_task(desk.run())
    try:
        assert [id_ for id_, _ in await after(seen("running", {"a": "online", "b": "silent"}))] == ["a", "b"]
        assert await after(seen("running", {"a": "online", "b": "silent"})) == []
        assert [id_ for id_, _ in await after(seen("running", {"a": "online", "b": "online"}))] == ["b"]
        assert await after(seen("running", {"a": "online"})) == [("b", b"")]
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        store.close()


def seen(network: str, devices: dict[str | None, str]) -> NetworkState:
    """A network with devices in these states."""
    found = tuple(
        NetworkDevice.model_validate({"ieee": f"00:00:00:00:00:00:00:{number:02x}", "id": id_, "state": state})
        for number, (id_, state) in enumerate(devices.items())
    )
    return NetworkState.model_validate({"ts": datetime(2026, 1, 1, tzinfo=UTC), "state": network, "devices": found})
