"""A Zigbee network of fixed values, for looking at the devices' page and testing it without a radio."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Literal

from carrel.contracts.network import JoinStep, JoinStepName, NetworkDevice, NetworkState
from carrel.contracts.telemetry import DeviceState, Quantity
from server.rooms.picture import Picture

STEPS: tuple[JoinStepName, ...] = ("joined", "node", "endpoints", "descriptors", "basic", "bind", "reporting", "read")
NEW = "02:ca:77:e1:00:00:00:99"


def member(number: int, id_: str | None, zone: str | None, **changes: Any) -> NetworkDevice:
    fields: dict[str, Any] = {
        "ieee": f"02:ca:77:e1:00:00:00:{number:02x}",
        "id": id_,
        "zone": zone,
        "kind": "sensor",
        "model": "TH-2",
        "manufacturer": "Carrel Sim",
        "state": "online",
        "lqi": 148,
    }
    return NetworkDevice(**(fields | changes))


def newcomer(now: datetime, *, failed: bool = False) -> NetworkDevice:
    """A device on its way onto the network, at its sixth step."""
    steps = [JoinStep(name=name, state="done", at=now) for name in STEPS[:5]]
    detail = "no answer within 10 s" if failed else ""
    steps.append(JoinStep(name="bind", state="failed" if failed else "running", detail=detail, at=now))
    steps += [JoinStep(name=name, state="waiting") for name in STEPS[6:]]
    return NetworkDevice(
        ieee=NEW, state="joining", model="LX-1", manufacturer="Carrel Sim", lqi=97, last_seen=now, steps=tuple(steps)
    )


def network(now: datetime, *extra: NetworkDevice, **changes: Any) -> NetworkState:
    """Six named devices: one silent, one never met."""
    heard = now - timedelta(seconds=40)
    devices = (
        member(1, "reading-th", "reading-room", sleepy=True, battery_pct=87.0, last_seen=heard),
        member(6, "reading-curtain", "reading-room", kind="curtain", model="CV-1", last_seen=heard, lqi=201),
        member(2, "stacks-th", "stacks", sleepy=True, battery_pct=11.0, state="silent", lqi=42,
               last_seen=now - timedelta(hours=2), silent=(Quantity.TEMP, Quantity.RH)),
        member(9, "stacks-curtain", "stacks", kind="curtain", model="CV-1", last_seen=heard),
        member(3, "out-th", "out", sleepy=True, battery_pct=64.0, last_seen=heard, lqi=75),
        member(12, "out-lux", "out", state="awaited", lqi=None, model="", manufacturer=""),
    )  # fmt: skip
    fields: dict[str, Any] = {
        "ts": now,
        "state": "running",
        "channel": 15,
        "pan_id": 0x1A62,
        "coordinator": "00:12:4b:00:00:00:00:01",
        "backup_at": now - timedelta(hours=3),
        "devices": (*devices, *extra),
    }
    return NetworkState(**(fields | changes))


def show(
    picture: Picture, now: datetime, what: Literal["running", "joining", "failed", "empty", "none", "down"]
) -> None:
    """Put a network into the picture, with what its devices reported."""
    opened = {"join_until": now + timedelta(seconds=104)}
    state = {
        "running": lambda: network(now),
        "joining": lambda: network(now, newcomer(now), **opened),
        "failed": lambda: network(now, newcomer(now, failed=True), **opened),
        "empty": lambda: network(now, devices=(), backup_at=None),
        "none": lambda: NetworkState(ts=now, state="none"),
        "down": lambda: NetworkState(ts=now, state="down"),
    }[what]()
    picture.set_network("gw-1", state)
    for device, zone, values in (
        ("reading-th", "reading-room", {Quantity.TEMP: 24.3, Quantity.RH: 52.0}),
        ("reading-curtain", "reading-room", {Quantity.POSITION: 100.0}),
        ("stacks-th", "stacks", {Quantity.TEMP: 19.1}),
        ("out-th", "out", {Quantity.TEMP: 31.6, Quantity.RH: 68.0}),
    ):
        at = now - (timedelta(hours=2) if device == "stacks-th" else timedelta(seconds=40))
        picture.set_device(
            "gw-1", device, DeviceState(ts=at, seq=1, zone=zone, values=values, at=dict.fromkeys(values, at))
        )
