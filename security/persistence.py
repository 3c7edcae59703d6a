"""The fire panel's memory as plain JSON values, so that its owner can store it before driving outputs."""

from collections.abc import Mapping
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any, Final, get_args

from security.fire_state import Alarm, FireState, Isolation, Stage, ZoneState
from security.zones import Condition

VERSION: Final = 1
_MOMENTS: Final = frozenset(field.name for field in fields(Alarm) if field.name.endswith("_at"))


def to_json(state: FireState) -> dict[str, Any]:
    """The whole state."""
    return {
        "version": VERSION,
        "zones": {name: [kept.condition, _text(kept.since)] for name, kept in state.zones.items()},
        "isolations": {
            name: [_text(kept.since), _text(kept.until), kept.by] for name, kept in state.isolations.items()
        },
        "stages": {
            area: {"alarm": alarm_to_json(kept.alarm), "due": _text(kept.due)} for area, kept in state.stages.items()
        },
        "alarm": None if state.alarm is None else alarm_to_json(state.alarm),
    }


def from_json(data: Mapping[str, Any]) -> FireState:
    """Restore; step with a Tick next, before fresh readings, so that timers that fell due settle first.

    Raises ValueError when the data is not what `to_json` wrote.
    """
    try:
        if data["version"] != VERSION:
            raise ValueError(f"version {data['version']} instead of {VERSION}")
        return _restored(data)
    except (KeyError, TypeError, AttributeError, ValueError) as broken:
        raise ValueError(f"stored fire panel cannot be read: {broken!r}") from broken


def alarm_to_json(alarm: Alarm) -> dict[str, Any]:
    """One alarm with ISO 8601 times in UTC."""
    values = {field.name: getattr(alarm, field.name) for field in fields(alarm)}
    return {name: _out(value) for name, value in values.items()}


def alarm_from_json(data: Mapping[str, Any]) -> Alarm:
    """The inverse of `alarm_to_json`."""
    values: dict[str, Any] = {**data, "causes": tuple(data["causes"])}
    for name in _MOMENTS:
        values[name] = None if values[name] is None else _time(values[name])
    return Alarm(**values)


def _restored(data: Mapping[str, Any]) -> FireState:
    return FireState(
        zones={name: ZoneState(_condition(kept), _time(since)) for name, (kept, since) in data["zones"].items()},
        isolations={
            name: Isolation(_time(since), _time(until), by) for name, (since, until, by) in data["isolations"].items()
        },
        stages={
            area: Stage(alarm_from_json(kept["alarm"]), _time(kept["due"])) for area, kept in data["stages"].items()
        },
        alarm=None if data["alarm"] is None else alarm_from_json(data["alarm"]),
    )


def _condition(text: str) -> Condition:
    for condition in get_args(Condition):
        if text == condition:
            return condition  # type: ignore[no-any-return]  # get_args is untyped
    raise ValueError(f"unknown zone condition {text!r}")


def _out(value: Any) -> Any:
    if isinstance(value, datetime):
        return _text(value)
    return list(value) if isinstance(value, tuple) else value


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
