"""The engine's memory as plain JSON values (S15), so that its owner can store and restore it."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from environment.hysteresis import Dwell
from environment.state import Accepted, ActuatorState, ManualOverride, RuleState, State

VERSION: Final = 1
LATCHES_KEPT_FOR: Final = timedelta(minutes=15)


def to_json(state: State) -> dict[str, Any]:
    """Everything worth keeping: samples, latches, timers, commanded values, starts, overrides. Not the decisions."""
    return {
        "version": VERSION,
        "evaluated_at": _text(state.evaluated_at),
        "samples": {name: [kept.value, _text(kept.arrival), _text(kept.time)] for name, kept in state.samples.items()},
        "rules": {name: _rule_out(rule) for name, rule in state.rules.items()},
        "interlocks": dict(state.interlocks),
        "actuators": {
            name: {
                "commanded": kept.commanded,
                "changed_at": _text(kept.changed_at),
                "starts": [_text(start) for start in kept.starts],
            }
            for name, kept in state.actuators.items()
        },
        "overrides": [
            {
                "id": kept.id,
                "actuator": kept.actuator,
                "value": kept.value,
                "by": kept.by,
                "since": _text(kept.since),
                "end": _text(kept.end),
            }
            for kept in state.overrides.values()
        ],
    }


def from_json(data: Mapping[str, Any], now: datetime) -> State:
    """Restore at `now`: latches and timers older than 15 minutes are dropped, protection times and overrides kept.

    Raises ValueError when the data is not what `to_json` wrote. Step with a Tick next: it fills the decisions.
    """
    try:
        if data["version"] != VERSION:
            raise ValueError(f"version {data['version']} instead of {VERSION}")
        return _restored(data, now)
    except (KeyError, TypeError, AttributeError, ValueError) as broken:
        raise ValueError(f"stored environment state cannot be read: {broken!r}") from broken


def _restored(data: Mapping[str, Any], now: datetime) -> State:
    evaluated_at = _time(data["evaluated_at"])
    recent = evaluated_at is not None and now - evaluated_at <= LATCHES_KEPT_FOR
    overrides = [_override_in(entry) for entry in data["overrides"]]
    return State(
        samples={
            name: Accepted(float(value), _sure(arrival), _sure(time))
            for name, (value, arrival, time) in data["samples"].items()
        },
        rules={name: _rule_in(rule) for name, rule in data["rules"].items()} if recent else {},
        interlocks={name: bool(latch) for name, latch in data["interlocks"].items()} if recent else {},
        actuators={
            name: ActuatorState(
                int(kept["commanded"]), _time(kept["changed_at"]), tuple(_sure(start) for start in kept["starts"])
            )
            for name, kept in data["actuators"].items()
        },
        overrides={override.actuator: override for override in overrides},
        evaluated_at=evaluated_at,
    )


def _rule_out(rule: RuleState) -> dict[str, Any]:
    return {
        "latch": rule.dwell.latch,
        "since": _text(rule.dwell.since),
        "active": rule.dwell.active,
        "paused_at": _text(rule.dwell.paused_at),
        "guards": list(rule.guards),
    }


def _rule_in(kept: Mapping[str, Any]) -> RuleState:
    dwell = Dwell(bool(kept["latch"]), _time(kept["since"]), bool(kept["active"]), _time(kept["paused_at"]))
    return RuleState(dwell, tuple(bool(latch) for latch in kept["guards"]))


def _override_in(kept: Mapping[str, Any]) -> ManualOverride:
    return ManualOverride(
        id=kept["id"],
        actuator=kept["actuator"],
        value=int(kept["value"]),
        by=kept["by"],
        since=_sure(kept["since"]),
        end=_sure(kept["end"]),
    )


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat()


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _sure(text: str) -> datetime:
    return datetime.fromisoformat(text)
