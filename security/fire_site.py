"""The installed fire detection: what its configuration says about a state: who works, who corroborates, what is due."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from security.config import FireZoneConfig, SecurityConfig
from security.fire_state import FireState

TROUBLE: Final = ("fault", "tamper")


@dataclass(frozen=True, slots=True)
class Timer:
    """Something that falls due: `key` is the zone of an isolation, the area of a window, the id of an alarm."""

    due: datetime
    kind: Literal["isolation", "window", "escalation"]
    key: str


class Site:
    """A security configuration as questions on a state. Immutable."""

    __slots__ = ("_coincidence", "_levels", "_window", "zones")

    def __init__(self, config: SecurityConfig) -> None:
        self.zones: dict[str, FireZoneConfig] = {zone.id: zone for zone in config.fire_zone}
        self._coincidence = {area.id for area in config.area if area.mode == "coincidence"}
        self._window = timedelta(seconds=config.verify_window_s)
        self._levels = (
            timedelta(seconds=config.escalation_level_2_s),
            timedelta(seconds=config.escalation_level_3_s),
        )

    def needs_partner(self, state: FireState, zone: FireZoneConfig) -> bool:
        """Whether this detector alone is not enough: a coincidence area with another working detector."""
        if zone.area not in self._coincidence or zone.kind == "call_point":
            return False
        return any(_partners(zone, other) and self._works(state, other) for other in self.zones.values())

    def is_active(self, state: FireState, zone: str) -> bool:
        """Whether a configured zone is open and not isolated."""
        return zone in self.zones and zone not in state.isolations and state.condition(zone) == "open"

    def window_end(self, now: datetime) -> datetime:
        """When a verification that begins now ends."""
        return now + self._window

    def next_timer(self, state: FireState) -> Timer | None:
        """The timer due first; at equal times isolations (they may open a zone), then windows, then escalation."""
        timers = [Timer(kept.until, "isolation", zone) for zone, kept in state.isolations.items()]
        timers.extend(Timer(stage.due, "window", area) for area, stage in state.stages.items())
        alarm = state.alarm
        if alarm is not None and not alarm.acknowledged and alarm.escalation <= len(self._levels):
            assert alarm.alarmed_at is not None  # what stands as alarm has entered it
            timers.append(Timer(alarm.alarmed_at + self._levels[alarm.escalation - 1], "escalation", alarm.id))
        return min(timers, key=lambda timer: timer.due, default=None)

    def _works(self, state: FireState, zone: FireZoneConfig) -> bool:
        return zone.id not in state.isolations and state.condition(zone.id) in ("closed", "open")


def _partners(zone: FireZoneConfig, other: FireZoneConfig) -> bool:
    # A call point alarms by itself, so it never corroborates a detector.
    return other.area == zone.area and other.id != zone.id and other.kind != "call_point"
