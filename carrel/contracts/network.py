"""The Zigbee network as its gateway sees it, and what people may ask of it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, StringConstraints

from carrel.contracts.base import Contract
from carrel.contracts.ids import DeviceId, Person, RequestId, RoomId
from carrel.contracts.telemetry import Quantity

Ieee = Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{2}:){7}[0-9a-f]{2}$")]
"""EUI-64, most significant byte first, lower case."""

DeviceKind = Literal["sensor", "curtain", "ac", "vent", "plug", "siren", "smoke", "flame"]
JoinStepName = Literal["joined", "node", "endpoints", "descriptors", "basic", "enroll", "bind", "reporting", "read"]


class JoinStep(Contract):
    """One step of a device's way onto the network, in the order of JoinStepName."""

    name: JoinStepName
    state: Literal["waiting", "running", "done", "failed"]
    detail: str = ""
    at: AwareDatetime | None = None


class NetworkDevice(Contract):
    """One device; `id` is None until a person has named it.

    `silent` names quantities not heard for three times their longest reporting interval. `state`: awaited (configured,
    never met), joining, online, silent, left.
    """

    ieee: Ieee
    id: DeviceId | None = None
    zone: RoomId | None = None
    kind: DeviceKind | None = None
    model: str = ""
    manufacturer: str = ""
    sleepy: bool = False
    state: Literal["awaited", "joining", "online", "silent", "left"]
    last_seen: AwareDatetime | None = None
    lqi: int | None = None
    battery_pct: float | None = None
    silent: tuple[Quantity, ...] = ()
    steps: tuple[JoinStep, ...] = ()


class DeviceAvailability(Contract):
    """Whether a named device is heard; `reason` is its state in NetworkDevice where it is not, or `link_down`."""

    state: Literal["online", "offline"]
    reason: Literal["", "awaited", "joining", "silent", "left", "link_down"] = ""
    last_seen: AwareDatetime | None = None


class NetworkState(Contract):
    """Retained; `join_until` is when the open join window closes, `state` none means the radio has no network yet."""

    ts: AwareDatetime
    state: Literal["down", "none", "running"]
    channel: int | None = None
    pan_id: int | None = None
    coordinator: Ieee | None = None
    join_until: AwareDatetime | None = None
    backup_at: AwareDatetime | None = None
    devices: tuple[NetworkDevice, ...] = ()


class NetworkCommand(Contract):
    """What a person asks of the network.

    form: make a network on a radio that has none. permit: open the join window for `seconds`. close: shut it.
    name: give the device `ieee` an id (`device`), `zone` and `device_kind`. remove: ask `ieee` to leave and forget it.
    reinterview: ask it everything again. backup: write a backup now.
    """

    kind: Literal["network"] = "network"
    id: RequestId
    action: Literal["form", "permit", "close", "name", "remove", "reinterview", "backup"]
    seconds: int | None = Field(default=None, ge=1, le=254)
    ieee: Ieee | None = None
    device: DeviceId | None = None
    zone: RoomId | None = None
    device_kind: DeviceKind | None = None
    by: Person
    expires: AwareDatetime
