"""A small house for dry runs of rules: the parts of a case, and what a run of it commands."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from environment.rulebook.case import read_case, run_case


def sensor(id_: str, zone: str, metric: str) -> dict[str, Any]:
    return {"id": id_, "zone": zone, "metric": metric}


SENSORS = [
    sensor("t", "in", "temp"),
    sensor("rh", "in", "rh"),
    sensor("lux", "in", "lux"),
    sensor("window", "in", "flag"),
    sensor("people", "in", "occupancy"),
    sensor("ot", "out", "temp"),
    sensor("orh", "out", "rh"),
]
AC = {"id": "ac", "type": "switch", "zone": "in"}
VENT = {"id": "vent", "type": "level", "zone": "in"}
HOT = {
    "id": "hot",
    "zone": "in",
    "when": {"metric": "temp", "above": 26, "hysteresis": 1},
    "actuators": ["ac"],
    "set": 1,
}
DEW = {"metric": "dew_point", "minus": "out.dew_point", "above": 1.0, "hysteresis": 0.5}


def rule(**parts: Any) -> dict[str, Any]:
    """The one rule of the house, changed."""
    return HOT | parts


def vent_rule(id_: str, set_: int, **parts: Any) -> dict[str, Any]:
    """As hot as for the other, but it moves the vent."""
    return HOT | {"id": id_, "actuators": ["vent"], "set": set_} | parts


def case(samples: list[list[Any]], end_s: float, **parts: Any) -> dict[str, Any]:
    """A whole case, as its file would hold it; `parts` are keys of its configuration and of the case itself."""
    config = {"tick_s": 10, "stale_after_s": 300, "sensor": SENSORS, "actuator": [AC, VENT], "rule": [HOT]}
    kept = {key: parts.pop(key) for key in ("start", "timezone", "overrides") if key in parts}
    return {"config": config | parts, "samples": samples, "end_s": end_s} | kept


def run(samples: list[list[Any]], end_s: float, **parts: Any) -> list[list[Any]]:
    """Every command of a case: when, to what, which value and why."""
    read, _ = read_case(case(samples, end_s, **parts))
    return run_case(read, ZoneInfo)


def short(samples: list[list[Any]], end_s: float, of: str = "ac", **parts: Any) -> list[str]:
    """The commands to one actuator, as `value@second`."""
    return [f"{value}@{at}" for at, name, value, _ in run(samples, end_s, **parts) if name == of]


def wish(t: float, actuator: str, value: int | None, **parts: Any) -> dict[str, Any]:
    """What a person asks for; None takes it back."""
    return {"t": t, "actuator": actuator, "value": value} | parts
