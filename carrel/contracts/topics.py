"""The table of MQTT topics: which message, which quality of service, retained or not.

Tree `carrel/1/{branch}/{gateway}/...`; the 1 is the version of this table. MQTT 3.1.1 only: correlation ids and
expiry are in the payload, so that any broker will do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from carrel.contracts.actuation import CommandResult, OverrideCancel, OverrideSet, PanelCommand, RulesState
from carrel.contracts.alarms import AlarmState, EdgeEvent
from carrel.contracts.base import Contract
from carrel.contracts.config import ConfigDocument, ConfigState
from carrel.contracts.health import GatewayStatus, LinkReport
from carrel.contracts.network import DeviceAvailability, NetworkCommand, NetworkState
from carrel.contracts.telemetry import DeviceList, DeviceState, StoredAck, TelemetryBatch

VERSION_ROOT = "carrel/1"


@dataclass(frozen=True, slots=True)
class Topic:
    """One kind of topic below a gateway's root; `{id}` stands for one level. `sender` alone may publish it, but the
    server may clear what is retained. The server hears everything, the gateway what the server sends and, where
    `heard_back`, what it said itself."""

    path: str
    contracts: tuple[type[Contract], ...]
    qos: int
    retained: bool
    sender: Literal["gateway", "server"] = "gateway"
    heard_back: bool = False


STATE = Topic("$state", (GatewayStatus,), 1, retained=True)
DEVICES = Topic("$devices", (DeviceList,), 1, retained=True)
LINKS = Topic("$links", (LinkReport,), 1, retained=True)
DEVICE_STATE = Topic("dev/{id}/state", (DeviceState,), 0, retained=True)
AVAILABILITY = Topic("dev/{id}/availability", (DeviceAvailability,), 1, retained=True)
TELEMETRY = Topic("telemetry", (TelemetryBatch,), 1, retained=False)
TELEMETRY_ACK = Topic("telemetry/ack", (StoredAck,), 1, retained=False, sender="server")
COMMAND = Topic(
    "cmd/{id}", (OverrideSet, OverrideCancel, PanelCommand, NetworkCommand), 1, retained=False, sender="server"
)
COMMAND_ACK = Topic("ack/{id}", (CommandResult,), 1, retained=False)
ALARM = Topic("alarm/{id}", (AlarmState,), 1, retained=True, heard_back=True)
EVENT = Topic("event/{id}", (EdgeEvent,), 1, retained=False)
EVENT_ACK = Topic("event/ack", (StoredAck,), 1, retained=False, sender="server")
RULES_STATE = Topic("rules/state", (RulesState,), 1, retained=True)
NETWORK = Topic("network", (NetworkState,), 1, retained=True)
CONFIG = Topic("config/{id}", (ConfigDocument,), 1, retained=True, sender="server")
CONFIG_STATE = Topic("config/{id}/state", (ConfigState,), 1, retained=True)

TOPICS: tuple[Topic, ...] = (
    STATE,
    DEVICES,
    LINKS,
    DEVICE_STATE,
    AVAILABILITY,
    TELEMETRY,
    TELEMETRY_ACK,
    COMMAND,
    COMMAND_ACK,
    ALARM,
    EVENT_ACK,  # before EVENT, which its path would also fit
    EVENT,
    RULES_STATE,
    NETWORK,
    CONFIG,
    CONFIG_STATE,
)


@dataclass(frozen=True, slots=True)
class Address:
    """A topic name taken apart."""

    branch: str
    gateway: str
    topic: Topic
    id: str | None


def root(branch: str, gateway: str) -> str:
    """The prefix under which one gateway lives."""
    return f"{VERSION_ROOT}/{branch}/{gateway}"


def name(branch: str, gateway: str, topic: Topic, id_: str = "") -> str:
    """The full topic name; `id_` fills `{id}` (`+` makes a subscription filter)."""
    return f"{root(branch, gateway)}/{topic.path.replace('{id}', id_)}"


def announcement(prefix: str, branch: str, gateway: str, device: str) -> str:
    """Outside our tree: where Home Assistant is told of a device; no id in it has an underscore."""
    return f"{prefix}/device/carrel_{branch}_{gateway}_{device}/config"


def parse(full: str) -> Address | None:
    """Which topic this name is; None for a name outside the table."""
    levels = full.split("/")
    if "/".join(levels[:2]) != VERSION_ROOT or len(levels) < 5:
        return None
    branch, gateway, rest = levels[2], levels[3], levels[4:]
    for topic in TOPICS:
        pattern = topic.path.split("/")
        if len(pattern) == len(rest) and all(p in ("{id}", r) for p, r in zip(pattern, rest, strict=True)):
            found = [r for p, r in zip(pattern, rest, strict=True) if p == "{id}"]
            return Address(branch, gateway, topic, found[0] if found else None)
    return None
