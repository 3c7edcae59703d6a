"""Cause and effect: what the outputs must do, computed from the fire panel's state and never switched by events."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from security.config import SecurityConfig
from security.fire_state import FireState

Pattern = Literal["off", "steady", "slow", "fast"]
SirenTone = Literal["off", "fire"]
BuzzerTone = Literal["off", "fire_prealarm", "fault"]

PHASES: Final[Mapping[Pattern, tuple[float, float]]] = MappingProxyType({"slow": (1.0, 1.0), "fast": (0.25, 0.25)})
"""Seconds on and off of the flashing patterns (0.5 Hz and 2 Hz), driven with a monotonic clock."""
SIREN_PATTERNS: Final[Mapping[SirenTone, Pattern]] = MappingProxyType({"off": "off", "fire": "steady"})
BUZZER_PATTERNS: Final[Mapping[BuzzerTone, Pattern]] = MappingProxyType(
    {"off": "off", "fire_prealarm": "fast", "fault": "slow"}
)


@dataclass(frozen=True, slots=True)
class Outputs:
    """What the panel wants of its outputs; "off" and False mean it wants nothing, not that it forbids."""

    siren: SirenTone
    lamp: Pattern
    buzzer: BuzzerTone
    door_release: bool
    ventilation_stop: bool


def outputs_for(state: FireState, config: SecurityConfig) -> Outputs:
    """The outputs of a panel state; the first matching row wins."""
    burning = state.alarm is not None
    watched = [zone.id for zone in config.fire_zone if zone.id not in state.isolations]
    conditions = {state.condition(zone) for zone in watched}
    return Outputs(
        siren="fire" if state.alarm is not None and not state.alarm.silenced else "off",
        lamp=_lamp(state, tampered="tamper" in conditions),
        buzzer=_buzzer(state, faulty=bool(conditions & {"fault", "tamper"})),
        door_release=burning,
        ventilation_stop=burning,
    )


def points_for(outputs: Outputs, config: SecurityConfig) -> dict[str, Pattern]:
    """The pattern of every configured point ("io-1.siren"); "off" releases the life-safety claim on it."""
    wired = config.outputs
    return {
        **dict.fromkeys(wired.lamp, outputs.lamp),
        **dict.fromkeys(wired.siren, SIREN_PATTERNS[outputs.siren]),
        **dict.fromkeys(wired.buzzer, BUZZER_PATTERNS[outputs.buzzer]),
        **dict.fromkeys(wired.door_release, _steady(outputs.door_release)),
    }


def stopped_actuators(outputs: Outputs, config: SecurityConfig) -> tuple[str, ...]:
    """Actuators to hold at 0 at life-safety priority now."""
    return config.outputs.ventilation_stop if outputs.ventilation_stop else ()


def _lamp(state: FireState, *, tampered: bool) -> Pattern:
    if state.phase == "alarm":
        return "fast"
    if state.phase == "verify":
        return "slow"
    return _steady(tampered)


def _buzzer(state: FireState, *, faulty: bool) -> BuzzerTone:
    if state.phase == "verify":
        return "fire_prealarm"
    return "fault" if faulty else "off"


def _steady(on: bool) -> Pattern:
    return "steady" if on else "off"
