"""The fire panel: `step(state, event, now) -> FireStep(state, effects)`, the table normal / verify / alarm.

An alarm stays until a person resets it, through restarts too. Timers are due times in the state; those due before an
event fire before it, at their own time; those due at the same instant fire after it. Outputs are not effects: they are
computed from the state (`security.cause_effect`). This is not a certified fire alarm system.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, TypeVar

from security.config import SecurityConfig
from security.fire_site import TROUBLE, Site, Timer
from security.fire_state import (
    MAX_ISOLATION_S,
    Acknowledge,
    Alarm,
    AlarmChanged,
    Audience,
    CommandName,
    Escalated,
    FireEffect,
    FireEvent,
    FireState,
    FireStep,
    Isolate,
    Isolation,
    Lift,
    LogCode,
    Logged,
    RefusalCode,
    Refused,
    Reset,
    Silence,
    Stage,
    Tick,
    ZonesRead,
    ZoneState,
    fault_alarm,
    new_alarm,
)
from security.zones import Condition

AUDIENCES: Final[dict[int, tuple[Audience, ...]]] = {
    0: ("duty_staff",),
    1: ("administrator", "duty_staff"),
    2: ("all_staff",),
    3: ("further_contacts",),
}
_T = TypeVar("_T")


class FirePanel:
    """A security configuration made ready to run. Immutable: all memory is in `FireState`."""

    __slots__ = ("_site",)

    def __init__(self, config: SecurityConfig) -> None:
        self._site = Site(config)

    def step(self, state: FireState, event: FireEvent, now: datetime) -> FireStep:
        """Fire the timers that fell due before `now`, then take the event; a Tick also fires those due at `now`."""
        if now.tzinfo is None:
            raise ValueError("now must be an aware datetime")
        run = _Run(self._site, state)
        for_tick = isinstance(event, Tick)
        while (timer := self._site.next_timer(run.state)) is not None:
            if timer.due > now or (timer.due == now and not for_tick):
                break
            run.expire(timer)
        run.take(event, now)
        return FireStep(run.state, tuple(run.effects))

    def next_due(self, state: FireState) -> datetime | None:
        """When a Tick is needed next; None when no timer runs."""
        timer = self._site.next_timer(state)
        return None if timer is None else timer.due

    def open_alarms(self, state: FireState) -> tuple[Alarm, ...]:
        """Everything that stands now, for telling a server that was away: the fire alarm, verifications, faults."""
        fire = () if state.alarm is None else (state.alarm,)
        faults = (
            fault_alarm(zone, config.area, state.zones[zone])
            for zone, config in self._site.zones.items()
            if state.condition(zone) in TROUBLE
        )
        return (*fire, *(stage.alarm for stage in state.stages.values()), *faults)


class _Run:
    """One step in progress: the state so far and the effects so far."""

    __slots__ = ("effects", "site", "state")

    def __init__(self, site: Site, state: FireState) -> None:
        self.site = site
        self.state = state
        self.effects: list[FireEffect] = []

    def take(self, event: FireEvent, now: datetime) -> None:
        match event:  # a Tick is no more than the timers it fired
            case ZonesRead():
                self._read(event, now)
            case Silence():
                self._silence(event, now)
            case Acknowledge():
                self._acknowledge(event, now)
            case Reset():
                self._reset(event, now)
            case Isolate():
                self._isolate(event, now)
            case Lift():
                self._lift(event, now)

    def expire(self, timer: Timer) -> None:
        due, kind, key = timer.due, timer.kind, timer.key
        if kind == "isolation":
            self._end_isolation(key, due, Logged("isolation_expired", due, key))
        elif kind == "window":
            self._end_window(key, due)
        else:
            self._escalate()

    # ------------------------------------------------------------ readings
    def _read(self, event: ZonesRead, now: datetime) -> None:
        unknown = tuple(zone for zone in event.conditions if zone not in self.site.zones)
        if unknown:
            self.effects.append(Refused("read", "unknown_zone", zones=unknown))
        changed = [
            (zone, condition)
            for zone, condition in event.conditions.items()
            if zone in self.site.zones and condition != self.state.condition(zone)
        ]
        # Openings last: they are judged by which partners work according to the same reading.
        for zone, condition in sorted(changed, key=lambda change: change[1] == "open"):
            self._change(zone, condition, now)

    def _change(self, zone: str, condition: Condition, now: datetime) -> None:
        before = self.state.zones.get(zone)
        self.state = replace(self.state, zones={**self.state.zones, zone: ZoneState(condition, now)})
        if before is not None and before.condition in TROUBLE:
            self._log("zone_restored", now, zone=zone)
            self._show(replace(self._fault(zone, before), state="normal", closed_at=now))
        if condition in TROUBLE:
            self._log("zone_tamper" if condition == "tamper" else "zone_fault", now, zone=zone)
            self._show(self._fault(zone, ZoneState(condition, now)))
            self._review(zone, now)
        elif condition == "open":
            self._log("zone_open", now, zone=zone)
            self._opened(zone, now)
        elif before is not None and before.condition == "open":
            self._log("zone_clear", now, zone=zone)

    def _opened(self, zone: str, now: datetime) -> None:
        """Rows 1 to 4 and 9."""
        if not self.site.is_active(self.state, zone):
            return
        if self.state.alarm is not None:
            self._further(self.state.alarm, zone, now)
            return
        config = self.site.zones[zone]
        stage = self.state.stages.get(config.area)
        if not self.site.needs_partner(self.state, config):
            self._raise(config.area, zone, now)
        elif stage is None:
            self._verify(config.area, zone, now)
        elif stage.detector == zone:
            self._log("detector_again", now, zone=zone, alarm=stage.alarm.id)
        else:
            self._raise(config.area, zone, now)

    def _further(self, alarm: Alarm, zone: str, now: datetime) -> None:
        if zone in alarm.causes:
            self._log("detector_again", now, zone=zone, alarm=alarm.id)
            return
        self._log("cause_added", now, zone=zone, alarm=alarm.id)
        self._keep(replace(alarm, causes=(*alarm.causes, zone), silenced_by=None, silenced_at=None))

    def _verify(self, area: str, zone: str, now: datetime) -> None:
        alarm = new_alarm(area, zone, now)
        stages = {**self.state.stages, area: Stage(alarm, self.site.window_end(now))}
        self.state = replace(self.state, stages=stages)
        self._log("verify_started", now, zone=zone, alarm=alarm.id)
        self._show(alarm)
        self.effects.append(Escalated(alarm.id, 0, AUDIENCES[0]))

    def _review(self, zone: str, now: datetime) -> None:
        """Row 7: the last working partner of a verifying detector is gone."""
        area = self.site.zones[zone].area
        stage = self.state.stages.get(area)
        if stage is None or not self.site.is_active(self.state, stage.detector):
            return
        if not self.site.needs_partner(self.state, self.site.zones[stage.detector]):
            self._raise(area, stage.detector, now)

    def _end_window(self, area: str, due: datetime) -> None:
        """Rows 5 and 6."""
        stage = self.state.stages[area]
        if self.site.is_active(self.state, stage.detector):
            self._raise(area, stage.detector, due)
            return
        self.state = replace(self.state, stages=_without(self.state.stages, area))
        self._log("verify_cleared", due, zone=stage.detector, alarm=stage.alarm.id)
        self._show(replace(stage.alarm, state="normal", closed_at=due))

    def _raise(self, area: str, zone: str, now: datetime) -> None:
        """Enter alarm. Verifications of other areas become part of it: their detectors are causes too."""
        own = self.state.stages.get(area)
        others = _without(self.state.stages, area).values()
        first = own.alarm if own is not None else new_alarm(area, zone, now)
        causes = (*first.causes, zone, *(stage.detector for stage in others))
        alarm = replace(
            first,
            state="alarm",
            severity="critical",
            causes=tuple(dict.fromkeys(causes)),
            alarmed_at=now,
            acknowledged_by=None,
            acknowledged_at=None,
            escalation=1,
        )
        for stage in others:
            self._show(replace(stage.alarm, state="normal", closed_at=now))
        self.state = replace(self.state, stages={})
        self._log("alarm_raised", now, zone=zone, alarm=alarm.id)
        self._keep(alarm)
        self.effects.append(Escalated(alarm.id, 1, AUDIENCES[1]))

    def _escalate(self) -> None:
        alarm = self.state.alarm
        assert alarm is not None  # the timer is computed from the alarm
        level = alarm.escalation + 1
        self._keep(replace(alarm, escalation=level))
        self.effects.append(Escalated(alarm.id, level, AUDIENCES[level]))

    # ------------------------------------------------------------ commands
    def _silence(self, event: Silence, now: datetime) -> None:
        alarm = self._standing("silence", event)
        if alarm is not None and not alarm.silenced:
            self._log("silenced", now, alarm=alarm.id, by=event.by)
            self._keep(replace(alarm, silenced_by=event.by, silenced_at=now))

    def _acknowledge(self, event: Acknowledge, now: datetime) -> None:
        standing = [stage.alarm for stage in self.state.stages.values()]
        if self.state.alarm is not None:
            standing.append(self.state.alarm)
        if not standing:
            self._refuse("acknowledge", "wrong_state", event.by)
            return
        meant = [alarm for alarm in standing if event.alarm in (None, alarm.id)]
        if not meant:
            self._refuse("acknowledge", "unknown_alarm", event.by)
        for alarm in meant:
            if not alarm.acknowledged:
                self._log("acknowledged", now, alarm=alarm.id, by=event.by)
                self._keep(replace(alarm, acknowledged_by=event.by, acknowledged_at=now))

    def _reset(self, event: Reset, now: datetime) -> None:
        """Rows 11 and 12."""
        alarm = self._standing("reset", event)
        if alarm is None:
            return
        watched = [zone for zone in self.site.zones if zone not in self.state.isolations]
        active = tuple(zone for zone in watched if self.state.condition(zone) == "open")
        unclear = tuple(zone for zone in watched if self.state.condition(zone) not in ("open", "closed"))
        if active:
            self._refuse("reset", "detector_active", event.by, active)
        elif unclear:
            self._refuse("reset", "detector_fault", event.by, unclear)
        else:
            self.state = replace(self.state, alarm=None)
            self._log("reset", now, alarm=alarm.id, by=event.by)
            self._show(replace(alarm, state="normal", closed_by=event.by, closed_at=now))

    def _isolate(self, event: Isolate, now: datetime) -> None:
        if event.zone not in self.site.zones:
            self._refuse("isolate", "unknown_zone", event.by, (event.zone,))
        elif not 0 < event.duration_s <= MAX_ISOLATION_S:
            self._refuse("isolate", "duration_out_of_range", event.by, (event.zone,))
        else:
            isolation = Isolation(now, now + timedelta(seconds=event.duration_s), event.by)
            self.state = replace(self.state, isolations={**self.state.isolations, event.zone: isolation})
            self._log("isolated", now, zone=event.zone, by=event.by)
            self._review(event.zone, now)

    def _lift(self, event: Lift, now: datetime) -> None:
        if event.zone not in self.site.zones:
            self._refuse("lift", "unknown_zone", event.by, (event.zone,))
        elif event.zone not in self.state.isolations:
            self._refuse("lift", "wrong_state", event.by, (event.zone,))
        else:
            self._end_isolation(event.zone, now, Logged("isolation_lifted", now, event.zone, by=event.by))

    def _end_isolation(self, zone: str, now: datetime, row: Logged) -> None:
        self.state = replace(self.state, isolations=_without(self.state.isolations, zone))
        self.effects.append(row)
        self._opened(zone, now)

    # ------------------------------------------------------------ helpers
    def _standing(self, command: CommandName, event: Silence | Reset) -> Alarm | None:
        alarm = self.state.alarm
        if alarm is None:
            self._refuse(command, "wrong_state", event.by)
            return None
        if event.alarm not in (None, alarm.id):
            self._refuse(command, "unknown_alarm", event.by)
            return None
        return alarm

    def _keep(self, alarm: Alarm) -> None:
        if alarm.state == "alarm":
            self.state = replace(self.state, alarm=alarm)
        else:
            stage = replace(self.state.stages[alarm.area], alarm=alarm)
            self.state = replace(self.state, stages={**self.state.stages, alarm.area: stage})
        self._show(alarm)

    def _show(self, alarm: Alarm) -> None:
        self.effects.append(AlarmChanged(alarm))

    def _fault(self, zone: str, kept: ZoneState) -> Alarm:
        return fault_alarm(zone, self.site.zones[zone].area, kept)

    def _refuse(self, command: CommandName, code: RefusalCode, by: str, zones: tuple[str, ...] = ()) -> None:
        self.effects.append(Refused(command, code, by, zones))

    def _log(
        self, code: LogCode, at: datetime, *, zone: str | None = None, alarm: str | None = None, by: str | None = None
    ) -> None:
        self.effects.append(Logged(code, at, zone, alarm, by))


def _without(table: Mapping[str, _T], key: str) -> dict[str, _T]:
    return {name: value for name, value in table.items() if name != key}
