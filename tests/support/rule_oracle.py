"""Steps S0 to S14 of the rules' reference once more, line by line on plain dictionaries, to hold the engine against.

Written from the table and sharing nothing with the engine but the dew point. Seconds after a Monday's midnight, no
time zones; a case is a dictionary as `carrel dry-run rules` reads it. Slow and simple.
"""

from __future__ import annotations

import math
from statistics import median
from typing import Any

from environment.preservation.moisture import absolute_humidity, dew_point

Row = tuple[float, str, int]
RANGE = {"temp": (-40, 85), "rh": (0, 100), "lux": (0, 200_000), "co2": (0, 20_000)}
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def expected(case: dict[str, Any]) -> list[Row]:
    """Time, actuator and value of every command."""
    return _Run(case).run()


class _Run:
    def __init__(self, case: dict[str, Any]) -> None:
        self.config = case["config"]
        self.events = [(s[0], 0, n, s) for n, s in enumerate(case["samples"])]
        self.events += [(o["t"], 1, n, o) for n, o in enumerate(case.get("overrides", []))]
        self.events.sort(key=lambda e: e[:3])
        self.end = case["end_s"]
        self.actuators = {a["id"]: a for a in self.config["actuator"]}
        self.metric = {s["id"]: s["metric"] for s in self.config["sensor"]}
        self.samples: dict[str, tuple[float, float, float]] = {}
        self.overrides: dict[str, tuple[int, float]] = {}
        self.rules = [
            {"true": False, "since": 0.0, "active": False, "frozen": None, "guards": [False] * len(r.get("guard", []))}
            for r in self.config["rule"]
        ]
        self.locks = [False] * len(self.config.get("interlock", []))
        self.at = {a["id"]: a.get("default", 0) for a in self.config["actuator"]}
        self.moved: dict[str, float] = {}
        self.starts: dict[str, list[float]] = {a["id"]: [] for a in self.config["actuator"]}
        self.out: list[Row] = []

    def run(self) -> list[Row]:
        tick_s = self.config["tick_s"]
        ticks = {n * tick_s for n in range(int(self.end // tick_s) + 1)}
        for at, kind, _, entry in (e for e in self.events if e[0] < 0):
            if kind:
                self.override(entry, at)
            else:
                self.take(entry)
        for now in sorted(ticks | {e[0] for e in self.events if 0 <= e[0] <= self.end}):
            here = [e for e in self.events if e[0] == now]
            accepted = [self.take(e[3]) for e in here if e[1] == 0]
            for entry in (e[3] for e in here if e[1] == 1):
                self.override(entry, now)
            if now in ticks or any(accepted) or any(e[1] == 1 for e in here):
                self.evaluate(now)
        return self.out

    def take(self, sample: list[Any]) -> bool:  # S1
        arrival, sensor, value = sample[:3]
        time = sample[3] if len(sample) > 3 else arrival
        if value is None or math.isnan(value):
            return False
        low, high = RANGE.get(self.metric[sensor], (-math.inf, math.inf))
        if not low <= value <= high or (sensor in self.samples and time < self.samples[sensor][2]):
            return False
        self.samples[sensor] = (value, arrival, time)
        return True

    def override(self, wish: dict[str, Any], now: float) -> None:  # S9
        if wish["value"] is None:
            self.overrides.pop(wish["actuator"], None)
        else:
            lasts = min(wish.get("duration_s", 7200), 43_200)
            self.overrides[wish["actuator"]] = (wish["value"], now + lasts)

    def zone(self, zone: str, metric: str, now: float) -> float | None:  # S2
        if metric in ("dew_point", "abs_humidity"):
            temp, rh = self.zone(zone, "temp", now), self.zone(zone, "rh", now)
            if temp is None or not rh:
                return None
            return dew_point(temp, rh) if metric == "dew_point" else absolute_humidity(temp, rh)
        fresh = [
            self.samples[s["id"]][0]
            for s in self.config["sensor"]
            if (s["zone"], s["metric"]) == (zone, metric)
            and s["id"] in self.samples
            and now - self.samples[s["id"]][1] <= self.config["stale_after_s"]
        ]
        return median(fresh) if fresh else None

    def read(self, zone: str, when: dict[str, Any], now: float) -> float | None:
        value = self.zone(zone, when["metric"], now)
        if "minus" not in when or value is None:
            return value
        other = self.zone(*when["minus"].split("."), now)
        return None if other is None else value - other

    @staticmethod
    def latch(when: dict[str, Any], value: float, was: bool, shift: float = 0.0) -> bool:  # S3
        h = when.get("hysteresis", 0)
        if "equals" in when:
            return bool(value == when["equals"])
        if "below" in when:
            limit, value = -(when["below"] + shift), -value
        else:
            limit = when["above"] + shift
        if value >= limit:
            return True
        if (h == 0 and value < limit) or value <= limit - h:
            return False
        return was

    @staticmethod
    def inside(windows: list[dict[str, Any]], now: float) -> bool:  # S7
        minute = now // 60
        day, of_day = int(minute // 1440) % 7, minute % 1440
        for w in windows:
            start, end = (int(t[:2]) * 60 + int(t[3:]) for t in (w["from"], w["to"]))
            days = w.get("days", DAYS)
            if start < end and DAYS[day] in days and start <= of_day < end:
                return True
            if start > end and DAYS[day] in days and of_day >= start:
                return True
            if start > end and DAYS[day - 1] in days and of_day < end:
                return True
        return False

    def rule(self, rule: dict[str, Any], kept: dict[str, Any], now: float) -> tuple[bool, bool]:  # S3 to S7
        """Demanding, and demanding the failsafe."""
        value = self.read(rule["zone"], rule["when"], now)
        shift = sum(w["add"] for w in rule.get("shift", []) if self.inside([w], now))
        unknown = rule.get("on_unknown", "release")
        if value is None:
            if unknown == "hold":
                kept["frozen"] = now if kept["frozen"] is None else kept["frozen"]
            else:
                kept.update(true=False, since=now, active=False, frozen=None)
        else:
            if kept["frozen"] is not None:
                kept.update(since=kept["since"] + now - kept["frozen"], frozen=None)
            true = self.latch(rule["when"], value, kept["true"], shift)
            if true != kept["true"]:
                kept.update(true=true, since=now)
            wait = rule.get("for_s", 0) if true else rule.get("release_for_s", 0)
            if true != kept["active"] and now - kept["since"] >= wait:
                kept["active"] = true
        for n, guard in enumerate(rule.get("guard", [])):
            seen = self.read(rule["zone"], guard, now)
            kept["guards"][n] = seen is not None and self.latch(guard, seen, kept["guards"][n])
        if value is None and unknown == "failsafe":
            return True, True
        in_time = "schedule" not in rule or self.inside(rule["schedule"], now)
        return kept["active"] and all(kept["guards"]) and in_time, False

    def evaluate(self, now: float) -> None:
        self.overrides = {name: o for name, o in self.overrides.items() if now < o[1]}
        wish = self.wishes(now)
        self.exclude(wish)
        for name, actuator in self.actuators.items():
            value, rank, _ = wish[name]
            if value != self.at[name] and (rank == 3 or self.may(actuator, value, now)):  # S11, S14
                if actuator["type"] == "switch" and value == 1:
                    self.starts[name].append(now)
                self.at[name], self.moved[name] = value, now
                self.out.append((now, name, value))

    def wishes(self, now: float) -> dict[str, tuple[int, int, int]]:  # S8
        """Value, class and priority, from the weakest claim up."""
        wish = {name: (a.get("default", 0), 0, 0) for name, a in self.actuators.items()}
        demands = [
            (rule, *self.rule(rule, kept, now)) for rule, kept in zip(self.config["rule"], self.rules, strict=True)
        ]
        for rule, demanding, failsafe in demands:
            for name in rule["actuators"] if demanding else []:
                value = self.actuators[name].get("failsafe", 0) if failsafe else rule["set"]
                if wish[name][1] < 1 or rule.get("priority", 50) > wish[name][2]:
                    wish[name] = (value, 1, rule.get("priority", 50))
        for name, (value, _end) in self.overrides.items():
            wish[name] = (value, 2, 0)
        for n, lock in enumerate(self.config.get("interlock", [])):
            seen = self.read(lock["zone"], lock["when"], now)
            self.locks[n] = seen is not None and self.latch(lock["when"], seen, self.locks[n])
            for name, value in lock["force"].items() if self.locks[n] else []:
                wish[name] = (value, 3, 0) if wish[name][1] < 3 else wish[name]
        return wish

    def exclude(self, wish: dict[str, tuple[int, int, int]]) -> None:  # S10
        for group in self.config.get("exclusive", {}).get("groups", []):
            home = {name: self.actuators[name].get("default", 0) for name in group}
            away = [name for name in group if wish[name][0] != home[name]]
            for name in away:
                if name != max(away, key=lambda n: wish[n][1:]):
                    wish[name] = (home[name], 0, 0)

    def may(self, actuator: dict[str, Any], value: int, now: float) -> bool:  # S12, S13
        name = actuator["id"]
        since = now - self.moved[name] if name in self.moved else math.inf
        if actuator["type"] == "level":
            far = abs(value - self.at[name]) >= actuator.get("deadband", 0) or value in (0, 100)
            return far and since >= actuator.get("min_move_interval_s", 0)
        if value == 0:
            return since >= actuator.get("min_on_s", 0)
        recent = [start for start in self.starts[name] if start > now - 3600]
        return since >= actuator.get("min_off_s", 0) and len(recent) < actuator.get("max_starts_per_h", math.inf)
