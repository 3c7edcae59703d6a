"""The composition: what one part does wrong must not end the others, and what was opened is closed."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from carrel.config import load
from carrel.contracts.health import LinkHealth
from carrel.contracts.telemetry import Quantity, Reading
from devices.events import ReadingSeen
from gateway import app
from gateway.app import Soon, build, devices, kept_going
from gateway.cli import check_ports
from gateway.relay import influx
from gateway.settings import GatewaySettings, read_settings
from gateway.store import StoreError
from tests.support.clock import ManualClock
from tests.support.influx_fake import InfluxFake, running_fake
from tests.support.ports import free_port
from tests.support.sim import ROOT, eventually


def settings(folder: Path, **variables: str) -> GatewaySettings:
    """The shipped library with nobody at the other end of any wire."""
    (folder / "config.toml").write_text((ROOT / "config.toml").read_text(encoding="utf-8"), encoding="utf-8")
    ports = {"CARREL_GATEWAY__KIOSK__0__PORT": str(free_port()), "CARREL_MQTT__PORT": str(free_port())}
    module = {"CARREL_MODBUS__0__URL": f"tcp://127.0.0.1:{free_port()}"}
    return read_settings(load(folder / "config.toml", {**ports, **module, **variables}))


async def test_a_part_that_fails_or_ends_is_started_again_and_told(caplog: pytest.LogCaptureFixture) -> None:
    runs = 0

    async def work() -> None:
        nonlocal runs
        runs += 1
        if runs == 1:
            raise RuntimeError("a fault of ours")
        if runs == 2:
            raise ExceptionGroup("in a task group", [OSError("the port is taken")])
        if runs == 4:
            await asyncio.Event().wait()

    task = asyncio.create_task(kept_going("kiosk 0", work, again_after_s=0.001))
    await eventually(lambda: runs == 4)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    said = [record.getMessage() for record in caplog.records]
    assert said == [
        "kiosk 0 failed; starting it again",
        "kiosk 0 failed: the port is taken; starting it again",
        "kiosk 0 ended by itself; starting it again",
    ]


async def test_a_part_whose_task_group_failed_goes_on_and_can_still_be_ended() -> None:
    """A task group of Python 3.11 leaves its task marked as cancelled when a member fails."""
    runs = 0

    async def fails() -> None:
        await asyncio.sleep(0)
        raise RuntimeError("a fault of ours")

    async def work() -> None:
        nonlocal runs
        runs += 1
        async with asyncio.TaskGroup() as group:
            group.create_task(fails())

    task = asyncio.create_task(kept_going("uplink", work, again_after_s=0.001))
    await eventually(lambda: runs >= 3)
    task.cancel()
    await asyncio.wait([task], timeout=5)
    assert task.cancelled()


async def test_a_part_that_swallows_its_cancellation_ends_all_the_same() -> None:
    async def work() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return

    task = asyncio.create_task(kept_going("kiosk 0", work))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task], timeout=5)
    assert task.cancelled()


async def test_the_gateway_runs_with_every_wire_dead_and_closes_its_store_at_the_end(
    tmp_path: Path, clock: ManualClock
) -> None:
    gateway = build(settings(tmp_path), clock)
    task = asyncio.create_task(gateway.run())
    await eventually(lambda: gateway.uplink.outbox._retained)
    await asyncio.sleep(0.2)
    assert not task.done()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert task.cancelled()
    again = build(settings(tmp_path), clock)
    again._store.close()


async def test_a_link_that_comes_up_is_told_everything_once(tmp_path: Path, clock: ManualClock) -> None:
    gateway = build(settings(tmp_path), clock)
    told: list[str] = []
    gateway.actuator.link_up = told.append  # type: ignore[method-assign]  # a lever
    for state in ("connecting", "up", "degraded", "up", "down", "up"):
        health = {"link": "io-1", "kind": "modbus", "state": state, "since": clock.now()}
        gateway._link_health(LinkHealth.model_validate(health))
    assert told == ["io-1", "io-1"]
    gateway._store.close()


async def test_readings_go_to_influxdb_where_it_is_configured_and_its_health_is_a_links(
    tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(influx, "GATHER_S", 0.01)
    fake = InfluxFake()
    with running_fake(fake) as port:
        config = fake.config(port)
        words = {"URL": config.url, "ORG": config.org, "TOKEN": config.token}
        gateway = build(
            settings(tmp_path, **{f"CARREL_TELEMETRY__INFLUX__{key}": v for key, v in words.items()}), clock
        )
        task = asyncio.create_task(gateway.run())
        reading = Reading(device="out-th", zone="out", quantity=Quantity.RH, value=70, at=clock.now())
        gateway.reactor.handle(ReadingSeen(reading))
        tags = {"branch": "main", "gateway": "gw-1", "zone": "out", "device": "out-th"}
        await eventually(lambda: list(fake.series("rh", **tags).values()) == [70.0], within_s=15)
        await eventually(lambda: gateway._health["influx"].state == "up")
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def test_the_devices_are_those_of_the_configuration(tmp_path: Path) -> None:
    found = devices(settings(tmp_path))
    assert {d.id for d in found} >= {"reading-th", "reading-curtain"}
    assert all(d.simulated for d in found)


def test_a_store_that_cannot_be_used_is_left_unlocked(tmp_path: Path, clock: ManualClock) -> None:
    made = build(settings(tmp_path), clock)
    made._store.save("fire_panel", {"no": "panel"})
    made._store.close()
    for _ in range(2):
        with pytest.raises(StoreError, match="what the fire panel left"):
            build(settings(tmp_path), clock)


def test_a_kiosks_taken_port_is_one_sentence_at_the_start(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        taken = settings(tmp_path, CARREL_GATEWAY__KIOSK__0__PORT=str(port))
        with pytest.raises(OSError, match=rf"^kiosk 'kiosk-1' cannot listen on 127.0.0.1:{port}: Address already"):
            check_ports(taken)


def run(folder: Path, **variables: str) -> subprocess.Popen[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CARREL_")}
    settings(folder)
    return subprocess.Popen(
        [sys.executable, "-m", "carrel.cli", "gateway", "--config", str(folder / "config.toml")],
        stderr=subprocess.PIPE, text=True,
        env={**kept, "PYTHONPATH": str(ROOT), "CARREL_GATEWAY__KIOSK__0__PORT": str(free_port()),
             "CARREL_MQTT__PORT": str(free_port()), "CARREL_MODBUS__0__URL": f"tcp://127.0.0.1:{free_port()}",
             **variables},
    )  # fmt: skip


@pytest.mark.process
def test_as_a_process_it_ends_in_order_on_sigterm_also_when_told_twice(tmp_path: Path) -> None:
    process = run(tmp_path)
    assert process.stderr is not None
    while "lost" not in process.stderr.readline():  # it serves: the first wire was tried
        assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=20)
    assert (process.returncode, "Traceback" in said) == (0, False)


@pytest.mark.process
@pytest.mark.parametrize("damage", ["store", "config"])
def test_as_a_process_it_says_in_one_sentence_what_it_cannot_use(tmp_path: Path, damage: str) -> None:
    if damage == "store":
        (tmp_path / "var").mkdir()
        (tmp_path / "var/gateway.db").write_text("this is no database" * 100)
    process = run(tmp_path, **({} if damage == "store" else {"CARREL_GATEWAY__ID": "Not A Slug"}))
    _, said = process.communicate(timeout=20)
    assert process.returncode == 1
    assert said.startswith("carrel gateway: ")
    assert said.count("\n") == 1
    assert app.__name__ not in said


async def test_what_is_put_off_runs_a_moment_later_in_its_order_and_so_does_what_comes_meanwhile() -> None:
    ran: list[int] = []
    done = asyncio.Event()
    soon = Soon(0.001)
    soon(lambda: ran.append(1))
    soon(lambda: soon(done.set))
    soon(lambda: ran.append(2))
    assert not ran
    await done.wait()
    assert ran == [1, 2]
