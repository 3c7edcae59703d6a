"""What lint finds, as a stable code with the numbers and names that belong to it, and each code's sentence.

The sentences are English message ids, which pages translate; `%(rule)s` and the like are filled from the params.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final


def N_(message: str) -> str:  # noqa: N802  # gettext's usual mark: the message catalogues are made from it
    """Mark a sentence for translation."""
    return message


@dataclass(frozen=True, slots=True)
class Finding:
    """What is odd about which rules; `code` is stable. `guard` is the number of the guard it is about, 0 for none."""

    code: str
    rules: tuple[str, ...]
    params: Mapping[str, str | float] = field(default_factory=dict)
    guard: int = 0

    @property
    def error(self) -> bool:
        """Whether a rule cannot do what it says; the others are hints, which a person may have reasons to pass over."""
        return self.code in ERRORS

    @property
    def sentence(self) -> str:
        """The message id: what happens, why it matters and what to do."""
        return OF_GUARDS.get(self.code, SENTENCES[self.code]) if self.guard else SENTENCES[self.code]

    @property
    def filled(self) -> dict[str, str]:
        """What the sentence's places are filled with."""
        return {"guard": str(self.guard)} | {key: shown(value) for key, value in self.params.items()}

    @property
    def text(self) -> str:
        """The sentence in English."""
        return self.sentence % self.filled


def shown(value: str | float) -> str:
    """A number without needless digits."""
    return value if isinstance(value, str) else f"{value:g}"


ERRORS: Final = frozenset({"never_true", "guard_contradicts", "no_way_back", "conflict", "interlock_against_group"})
SENTENCES: Final[Mapping[str, str]] = {
    "no_hysteresis": N_(
        "The condition of '%(rule)s' has no hysteresis, so at its limit the noise of the sensor switches it to and "
        "fro: give it a hysteresis of at least %(noise)s."
    ),
    "hysteresis_below_noise": N_(
        "The condition of '%(rule)s' has a hysteresis of %(hysteresis)s, less than the %(noise)s that the measured "
        "value (%(metric)s) wavers by itself: make it larger."
    ),
    "own_shadow": N_(
        "'%(rule)s' closes %(actuator)s at %(limit)s lx; behind it about %(left)s lx are left, no more than the "
        "%(back)s lx at which it opens again, so it never comes to rest: make the hysteresis larger than %(least)s."
    ),
    "never_true": N_(
        "The condition of '%(rule)s' can never be true: the measured value (%(metric)s) stays within %(low)s to "
        "%(high)s, and its limit is %(limit)s. Choose a limit that can be reached."
    ),
    "no_way_back": N_(
        "The condition of '%(rule)s' has no way back: once true it stays so until the measured value (%(metric)s) "
        "reaches %(back)s, which it never does (it stays within %(low)s to %(high)s): make the hysteresis smaller."
    ),
    "guard_contradicts": N_(
        "'%(rule)s' can never act: its condition and its guard %(second)s are never true together. Change one of them."
    ),
    "shift_outside_schedule": N_(
        "Shift %(number)s of '%(rule)s' lies outside the hours of its schedule, so it changes nothing: move it or "
        "remove it."
    ),
    "sets_default": N_(
        "'%(rule)s' sets %(actuator)s to %(value)s, where it is anyway when no rule acts: give it another value, or "
        "remove it."
    ),
    "inside_deadband": N_(
        "'%(rule)s' sets %(actuator)s to %(value)s, nearer to its default %(default)s than its deadband of "
        "%(deadband)s, so it does not move: set it further, or make the deadband smaller."
    ),
    "cooling_for_humidity": N_(
        "'%(rule)s' cools with %(actuator)s because it is too humid; colder air holds less water, so humidity rises "
        "again and the room grows cold: add a guard such as temperature above 21, hysteresis 1."
    ),
    "ventilation_without_dew_point": N_(
        "'%(rule)s' ventilates with %(actuator)s because it is too humid, whatever the air outside is like; it may be "
        "wetter: add the guard dew point minus the dew point outdoors above 1, hysteresis 0.5."
    ),
    "ventilation_without_floor": N_(
        "'%(rule)s' ventilates with %(actuator)s even in frost, which cools the room and raises its humidity again: "
        "add a guard such as temperature above 18, hysteresis 0.5."
    ),
    "free_cooling_unguarded": N_(
        "'%(rule)s' cools with outdoor air through %(actuator)s without knowing that it is cooler and not wetter: "
        "guard it with temperature minus the temperature outdoors above 3, hysteresis 1, and dew point minus the dew "
        "point outdoors above 0, hysteresis 0.5."
    ),
    "conflict": N_(
        "'%(rule)s' and '%(other)s' can want %(actuators)s at %(value)s and %(others_value)s at the same time with the "
        "same priority %(priority)s; the first in the list wins: give them different priorities."
    ),
    "bands_overlap": N_(
        "'%(rule)s' and '%(other)s' pull the measured value (%(metric)s) from both sides and their bands overlap, so "
        "they can work against each other: move the limits apart by more than their hysteresis."
    ),
    "shadowed": N_(
        "'%(rule)s' never decides anything: whenever it acts, '%(other)s' acts too and stands above it. Remove it, or "
        "give it a higher priority."
    ),
    "interlock_against_group": N_(
        "Interlock %(number)s forces %(actuators)s, which an exclusive group keeps from running together: only "
        "%(first)s will run. Change the interlock or the group."
    ),
}
OF_GUARDS: Final[Mapping[str, str]] = {
    "no_hysteresis": N_(
        "Guard %(guard)s of '%(rule)s' has no hysteresis, so at its limit the noise of the sensor switches it to and "
        "fro: give it a hysteresis of at least %(noise)s."
    ),
    "hysteresis_below_noise": N_(
        "Guard %(guard)s of '%(rule)s' has a hysteresis of %(hysteresis)s, less than the %(noise)s that the measured "
        "value (%(metric)s) wavers by itself: make it larger."
    ),
    "never_true": N_(
        "Guard %(guard)s of '%(rule)s' can never be true: the measured value (%(metric)s) stays within %(low)s to "
        "%(high)s, and its limit is %(limit)s. Choose a limit that can be reached."
    ),
    "no_way_back": N_(
        "Guard %(guard)s of '%(rule)s' has no way back: once true it stays so until the measured value (%(metric)s) "
        "reaches %(back)s, which it never does (it stays within %(low)s to %(high)s): make the hysteresis smaller."
    ),
    "guard_contradicts": N_(
        "'%(rule)s' can never act: its guards %(guard)s and %(second)s are never true together. Change one of them."
    ),
}
