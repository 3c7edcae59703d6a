"""A building made of fixed values, for looking at the dashboard's pages and testing them without an edge."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from carrel.contracts.actuation import RuleLive
from carrel.sections import FloorConfig
from carrel.web.i18n import Language
from server.deps import Principal
from server.pages.dashboard.source import floor_views
from server.pages.dashboard.views import (
    ActuatorView,
    AlarmAction,
    AlarmsView,
    AlarmView,
    CauseView,
    GatewayView,
    HealthView,
    LinkView,
    Measurement,
    OverrideView,
    Overview,
    Refusal,
    RoomTile,
    Unwatched,
    Wish,
)
from server.pages.rooms.views import DeviceValue, DeviceView, RoomPage, Strip, charted
from server.rooms.policy import Stage

ROOMS = {"reading-room": ("Reading room", "阅览室"), "stacks": ("Stacks", "书库"), "out": ("Outdoors", "室外")}
DEVICES = {
    "curtain": ("Curtain", "窗帘"),
    "ac": ("Air conditioning", "空调"),
    "vent": ("Ventilation", "通风"),
}
BANDS = {
    ("reading-room", "temp"): (20.0, 26.0),
    ("reading-room", "rh"): (40.0, 60.0),
    ("reading-room", "lux"): (300.0, 1000.0),
    ("stacks", "temp"): (14.0, 22.0),
    ("stacks", "rh"): (45.0, 60.0),
    ("stacks", "lux"): (0.0, 200.0),
}
VALUES = {
    ("reading-room", "temp"): 24.3,
    ("reading-room", "rh"): 52.0,
    ("reading-room", "lux"): 1240.0,
    ("stacks", "temp"): 19.1,
    ("stacks", "rh"): 55.0,
    ("stacks", "lux"): 84.0,
    ("out", "temp"): 31.6,
    ("out", "rh"): 68.0,
}
FLOORS = (
    FloorConfig(
        name="Ground floor",
        name_zh="一层",
        plan=("reading-room reading-room stacks", "reading-room reading-room hall"),
        places={"hall": ("Hall and desk", "大厅与服务台")},
    ),
)


def fire(*, now: datetime, **changes: object) -> AlarmView:
    base = AlarmView(
        id="fire-1",
        kind="fire",
        severity="critical",
        place="Whole building",
        state="alarm",
        raised_at=now - timedelta(minutes=2),
        causes=(
            CauseView("", "smoke", active=True),
            CauseView("", "flame", active=False),
        ),
    )
    return replace(base, **changes)  # type: ignore[arg-type]  # a test's own fields


def fault(*, now: datetime) -> AlarmView:
    causes = (CauseView("", "smoke", active=False),)
    return AlarmView("fault-1", "fault", "warn", "io-1", "fault", now - timedelta(minutes=7), causes)


class SampleBuilding:
    """Satisfies server.pages.dashboard.views.Building; remembers what it was asked to do."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)
        self.open_alarms: list[AlarmView] = []
        self.overrides: dict[str, OverrideView] = {}
        self.asked: list[tuple[object, ...]] = []
        self.refuse: Refusal | None = None
        self.stage: Stage = "sent"
        self.online = True
        self.rev = 1
        self.floors: Sequence[FloorConfig] = ()

    def overview(self, language: Language) -> Overview:
        tiles = [tile for name in ROOMS if (tile := self.room(name, language))]
        floors = floor_views(self.floors, tiles, language, self.open_alarms)
        return Overview(tiles, self.alarms(language), self.health(), floors)

    def room(self, room: str, language: Language) -> RoomTile | None:
        if room not in ROOMS:
            return None
        pick = 1 if language == "zh-CN" else 0
        measured = [self._measurement(room, q) for (r, q) in VALUES if r == room]
        outdoor = room == "out"
        actuators = () if outdoor else self._actuators(room, pick)
        return RoomTile(room, ROOMS[room][pick], outdoor, measured, actuators, rev=str(self.rev))

    def alarms(self, language: Language) -> AlarmsView:
        quiet = None if self.open_alarms else self.now - timedelta(hours=5)
        unwatched = None if self.online else Unwatched("gateways", ("gw-1",))
        return AlarmsView(tuple(self.open_alarms), quiet, rev=str(self.rev), unwatched=unwatched)

    def alarm_log(self, language: Language, limit: int) -> Sequence[AlarmView]:
        past = fire(
            now=self.now - timedelta(days=2),
            id="fire-0",
            state="reset",
            acknowledged_at=self.now - timedelta(days=2),
            acknowledged_by="Lin Yue",
            reset_at=self.now - timedelta(days=2, minutes=-9),
            reset_by="Lin Yue",
        )
        return [*self.open_alarms, past]

    def health(self) -> HealthView:
        since = self.now - timedelta(minutes=4)
        links = (
            LinkView("zigbee", "znp", "up", since),
            LinkView("io-1", "modbus", "degraded", since, last_error="3 bad frames in the last minute"),
            LinkView("kiosk-1", "feig", "down", since, "/dev/serial/by-id/feig: no such device", "link_lost"),
        )
        gateway = GatewayView(
            "gw-1", "online" if self.online else "offline", True, None if self.online else since, links
        )
        return HealthView([gateway], rev=str(self.rev))

    def rooms(self, language: Language) -> Sequence[RoomTile]:
        return self.overview(language).rooms

    def page(self, room: str, language: Language) -> RoomPage | None:
        tile = self.room(room, language)
        if tile is None:
            return None
        told = {"curtain": "position", "ac": "on", "vent": "level"}
        strips = [Strip(a.id, a.name, a.id, told[a.kind]) for a in tile.actuators]  # type: ignore[arg-type]  # of `told`
        dew_point = 13.8 if room == "reading-room" else 9.9
        return RoomPage(
            tile=tile,
            charted=charted(tile.measurements),
            dew_point=dew_point,
            strips=strips,
            devices=self._devices(room),
            devices_rev=str(self.rev),
            rules=self._rules() if room == "reading-room" else [],
            rules_rev=str(self.rev),
            stale_after_s=900,
        )

    def take_control(self, room: str, actuator: str, wish: Wish, *, by: Principal) -> Refusal | None:
        self.asked.append(("override", actuator, wish.value, wish.duration_s, by.user))
        if self.refuse is None:
            until = self.now + timedelta(seconds=wish.duration_s)
            id_ = f"o-{actuator}"
            self.overrides[actuator] = OverrideView(id_, by.name, wish.value, until, self.stage, asked_at=self.now)
            self.rev += 1
        return self.refuse

    def comes_to(self, stage: Stage, actuator: str, **changes: object) -> None:
        """The wish for this actuator has come so far."""
        known = self.overrides[actuator]
        self.overrides[actuator] = replace(known, stage=stage, **changes)  # type: ignore[arg-type]  # a test's own fields
        self.rev += 1

    def give_back(self, override: str, *, by: Principal) -> Refusal | None:
        self.asked.append(("cancel", override, by.user))
        if self.refuse is None:
            self.overrides.pop(override.removeprefix("o-"), None)
        return self.refuse

    def answer_alarm(self, alarm: str, action: AlarmAction, *, by: Principal) -> Refusal | None:
        self.asked.append((action, alarm, by.user))
        if self.refuse is None and action == "acknowledge":
            seen = {"acknowledged_at": self.now, "acknowledged_by": by.name}
            self.open_alarms = [replace(a, **seen) for a in self.open_alarms]
        if self.refuse is None and action == "silence":
            self.open_alarms = [replace(a, silenced=True) for a in self.open_alarms]
        return self.refuse

    def retire_gateway(self, gateway: str, *, by: Principal) -> Refusal | None:
        self.asked.append(("retire", gateway, by.user))
        return self.refuse

    def _measurement(self, room: str, quantity: str) -> Measurement:
        value = VALUES[room, quantity]
        history = [
            (self.now - timedelta(minutes=m), value * (1 + 0.06 * math.sin(m / 17) - 0.0008 * m))
            for m in range(120, 0, -1)
        ]
        band = BANDS.get((room, quantity))
        at = self.now - timedelta(seconds=4)
        return Measurement(room, quantity, value, at, band, history)  # type: ignore[arg-type]  # keys of VALUES

    def _actuators(self, room: str, pick: int) -> tuple[ActuatorView, ...]:
        rule = {"metric": "lux", "value": 1240.0, "threshold": 1000.0, "side": "above"}
        rows = [
            ("curtain", 100.0, "rule", "rule", rule)
            if room == "reading-room"
            else ("curtain", 0.0, "default", "default", {}),
            ("ac", 0.0, "default", "default", {}),
            ("vent", 60.0, "default", "min_move_interval", {}),
        ]
        made = []
        for kind, value, cause, reason, params in rows:
            actuator = f"{room.split('-', maxsplit=1)[0]}-{kind}"
            override = self.overrides.get(actuator)
            view = ActuatorView(actuator, kind, DEVICES[kind][pick], value, value, value, cause, reason, params)  # type: ignore[arg-type]  # the literals of the table above
            made.append(_with(view, override))
        return tuple(made)

    def _rules(self) -> list[RuleLive]:
        soon, then = self.now + timedelta(seconds=75), self.now - timedelta(minutes=17)
        rows: list[dict[str, Any]] = [
            {"id": "reading-shade", "metric": "lux", "value": 1240.0, "threshold": 1000.0, "latched": True,
             "active": True, "set_value": 100, "actuators": ("reading-curtain",), "acting": True, "since": then},
            {"id": "reading-purge", "metric": "rh", "value": 62.3, "threshold": 62.0, "latched": True, "active": False,
             "set_value": 60, "actuators": ("reading-vent",), "acting": False, "why_not": "waiting", "until": soon},
            {"id": "reading-cool", "metric": "temp", "value": 24.3, "threshold": 26.0, "latched": False,
             "active": False, "set_value": 1, "actuators": ("reading-ac",), "acting": False,
             "why_not": "condition_false"},
        ]  # fmt: skip
        return [RuleLive(zone="reading-room", priority=50, side="above", **row) for row in rows]

    def _devices(self, room: str) -> list[DeviceView]:
        heard = self.now - timedelta(seconds=40)
        battery = DeviceValue("battery", 12.0 if room == "stacks" else 87.0, heard)
        climate = [DeviceValue(q, VALUES[room, q], heard) for q in ("temp", "rh")]
        head = room.split("-", maxsplit=1)[0]
        sensor = DeviceView(f"{head}-th", "sensor", "TH-2", climate, battery, heard)
        moved = DeviceValue("position", 100.0, self.now - timedelta(minutes=17))
        curtain = DeviceView(f"{head}-curtain", "curtain", "", [moved], None, moved.at)
        lamp = DeviceView(f"{head}-lux", "sensor", "LX-1", [], None, None)
        return [sensor, lamp] if room == "out" else [sensor, lamp, curtain]


def _with(view: ActuatorView, override: OverrideView | None) -> ActuatorView:
    """An actuator as a person's wish at its stage makes it."""
    if override is None:
        return view
    if override.stage == "refused":
        return replace(view, refused=override)
    if override.pending:
        return replace(view, override=override)
    reported = override.value if override.stage == "confirmed" else view.reported
    return replace(
        view, cause="override", reason="override", wanted=override.value, commanded=override.value, reported=reported,
        override=override,
    )  # fmt: skip
