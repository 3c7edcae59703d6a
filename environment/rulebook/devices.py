"""What an actuator is, told from the rules that move it and from its name: the configuration says only how it moves."""

from typing import Final

from environment.config import ActuatorConfig, EnvironmentConfig, RuleConfig
from environment.rulebook.presets import Outputs

COOLER_WORDS: Final = frozenset({"ac", "aircon", "cooler", "cooling", "chiller"})
HEATER_WORDS: Final = frozenset({"heater", "heating", "heat", "radiator", "boiler"})
DRYER_WORDS: Final = frozenset({"dehumidifier", "dryer", "drier"})
CURTAIN_WORDS: Final = frozenset({"curtain", "blind", "blinds", "shade", "shutter"})
VENT_WORDS: Final = frozenset({"vent", "vents", "fan", "fans", "ventilation", "damper"})


def moved(rule: RuleConfig, config: EnvironmentConfig) -> list[ActuatorConfig]:
    """The actuators a rule moves, in the order of the file."""
    return [actuator for actuator in config.actuator if actuator.id in rule.actuators]


def acts(rule: RuleConfig, config: EnvironmentConfig) -> bool:
    """Whether a rule takes anything away from its default."""
    return any(actuator.default != rule.set_value for actuator in moved(rule, config))


def is_cooler(actuator: ActuatorConfig, config: EnvironmentConfig) -> bool:
    """A switch called so, or one that a rule switches on because it is too warm."""
    if actuator.type != "switch" or _words(actuator) & (VENT_WORDS | DRYER_WORDS):
        return False
    if _words(actuator) & COOLER_WORDS:
        return True
    return any(
        rule.when.metric == "temp" and rule.when.above is not None and rule.set_value and actuator.id in rule.actuators
        for rule in config.rule
    )


def is_vent(actuator: ActuatorConfig, config: EnvironmentConfig) -> bool:
    """An output called so, or a level that light does not move."""
    if _words(actuator) & VENT_WORDS:
        return True
    lit = any(rule.when.metric == "lux" and actuator.id in rule.actuators for rule in config.rule)
    return actuator.type == "level" and not lit


def outputs_of(zone: str, config: EnvironmentConfig) -> Outputs:
    """The first actuator of each kind in a zone, told by its name."""

    def first(words: frozenset[str]) -> str | None:
        return next((a.id for a in config.actuator if a.zone == zone and _words(a) & words), None)

    return Outputs(
        first(COOLER_WORDS), first(HEATER_WORDS), first(VENT_WORDS), first(DRYER_WORDS), first(CURTAIN_WORDS)
    )


def _words(actuator: ActuatorConfig) -> frozenset[str]:
    return frozenset(f"{actuator.id}-{actuator.device}".split("-"))
