"""The `[security]` section: fire areas, fire zones and the points that the panel drives."""

from collections.abc import Iterable
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Contact = Literal["open", "closed"]
DetectorKind = Literal["smoke", "flame", "call_point"]
AreaMode = Literal["single", "coincidence"]

Id = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=64)]
Point = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*\.[a-z0-9][a-z0-9_-]*$")]
PointName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")]
Seconds = Annotated[float, Field(gt=0, le=86_400, allow_inf_nan=False)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class AreaConfig(_Model):
    """An area of detectors: `single` alarms at the first, `coincidence` waits for a second one."""

    id: Id
    mode: AreaMode = "single"


DETECTOR_INPUTS = ("alarm", "tamper", "trouble")
"""What a detector that speaks for itself (a Zigbee IAS zone) tells, each as a contact that is closed at rest."""


class FireZoneConfig(_Model):
    """One detector or call point: on a module's `input` (`normally` is its contact at rest), or a `detector` by its id.

    `place` is where it hangs: a room, or a place of a floor's plan. With `tamper_input` (a loop contact, closed when
    whole) the wiring is supervised; without it a cut wire of a normally closed contact reads as an alarm.
    """

    id: Id
    area: Id
    module: Id | None = None
    input: PointName | None = None
    detector: Id | None = None
    normally: Contact = "closed"
    kind: DetectorKind = "smoke"
    tamper_input: PointName | None = None
    place: Id | None = None

    @property
    def source(self) -> str:
        """The module or detector that tells of it."""
        return self.module or self.detector or ""

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names of its contacts at its source."""
        if self.detector is not None:
            return DETECTOR_INPUTS
        return tuple(name for name in (self.input, self.tamper_input) if name is not None)

    @model_validator(mode="after")
    def _has_one_source(self) -> Self:
        if self.detector is None and (self.module is None or self.input is None):
            raise ValueError(f"fire zone {self.id}: give module and input, or detector")
        wired = (self.module, self.input, self.tamper_input)
        if self.detector is not None and (any(name is not None for name in wired) or self.normally != "closed"):
            raise ValueError(f"fire zone {self.id}: a detector has no module, input, tamper_input or normally")
        return self


class OutputsConfig(_Model):
    """What the panel drives: points as "module.name", and actuators that move air, stopped in a fire."""

    lamp: tuple[Point, ...] = ()
    siren: tuple[Point, ...] = ()
    buzzer: tuple[Point, ...] = ()
    door_release: tuple[Point, ...] = ()
    ventilation_stop: tuple[Id, ...] = ()


class SecurityConfig(_Model):
    """The whole section. Areas named by zones must exist; messages say which do."""

    area: tuple[AreaConfig, ...] = ()
    fire_zone: tuple[FireZoneConfig, ...] = ()
    outputs: OutputsConfig = OutputsConfig()
    verify_window_s: Seconds = 60.0
    escalation_level_2_s: Seconds = 60.0
    escalation_level_3_s: Seconds = 180.0

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        _refuse_twice("area id", (area.id for area in self.area))
        _refuse_twice("fire zone id", (zone.id for zone in self.fire_zone))
        _refuse_twice("input", (name for zone in self.fire_zone for name in _inputs(zone)))
        _refuse_twice("output point", (point for points in _points(self.outputs) for point in points))
        areas = {area.id for area in self.area}
        for zone in self.fire_zone:
            if zone.area not in areas:
                known = ", ".join(sorted(areas)) or "none"
                raise ValueError(f"fire zone {zone.id}: unknown area '{zone.area}' (there are: {known})")
        if self.escalation_level_3_s <= self.escalation_level_2_s:
            raise ValueError("escalation_level_3_s must be later than escalation_level_2_s")
        return self


def _inputs(zone: FireZoneConfig) -> tuple[str, ...]:
    return tuple(f"{zone.source}.{name}" for name in zone.inputs)


def _points(outputs: OutputsConfig) -> tuple[tuple[str, ...], ...]:
    return outputs.lamp, outputs.siren, outputs.buzzer, outputs.door_release


def _refuse_twice(what: str, names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise ValueError(f"{what} '{name}' is used twice")
        seen.add(name)
