"""A room in words: how a value lies to its target, how far a wish has come, what a device is."""

from __future__ import annotations

from datetime import datetime, timedelta

from carrel.contracts.actuation import RuleLive
from carrel.web.i18n import N_, Words
from carrel.web.words import refusal
from server.pages.dashboard.views import DECIMALS, ActuatorView, Measurement, OverrideView
from server.pages.dashboard.words import QUANTITIES, UNITS, compared, state, why
from server.rooms.control import EXPIRES_AFTER

VERDICTS = {
    "inside": N_("inside the target"),
    "above": N_("%(by)s above the target"),
    "below": N_("%(by)s below the target"),
    "unknown": N_("no fresh value"),
}
DEVICE_KINDS = {
    "sensor": N_("Sensor"),
    "curtain": N_("Curtain"),
    "ac": N_("Air conditioning"),
    "vent": N_("Ventilation"),
    "plug": N_("Plug"),
    "siren": N_("Siren"),
    "smoke": N_("Smoke detector"),
    "flame": N_("Flame detector"),
    "io": N_("I/O module"),
    "pad": N_("RFID reader"),
}
QUANTITY_NAMES = {
    "position": N_("Position"),
    "on": N_("Switched"),
    "level": N_("Level"),
    "setpoint": N_("Setpoint"),
    "power": N_("Power"),
    "energy": N_("Meter reading"),
    "battery": N_("Battery"),
    "occupancy": N_("People"),
}
QUEUED, SENT, CONFIRMED = N_("queued"), N_("sent"), N_("confirmed")
STEPS = {
    "queued": ((QUEUED, "now"), (SENT, ""), (CONFIRMED, "")),
    "sent": ((QUEUED, "done"), (SENT, "now"), (CONFIRMED, "")),
    "unanswered": ((QUEUED, "done"), (SENT, "done"), (N_("no answer"), "failed")),
    "refused": ((QUEUED, "done"), (SENT, "done"), (N_("failed"), "failed")),
    "held": ((QUEUED, "done"), (SENT, "done"), (N_("held back"), "wait")),
    "moving": ((QUEUED, "done"), (SENT, "done"), (CONFIRMED, "now")),
    "unconfirmed": ((QUEUED, "done"), (SENT, "done"), (N_("not confirmed"), "failed")),
    "confirmed": ((QUEUED, "done"), (SENT, "done"), (CONFIRMED, "done")),
}
"""(word, mark) of the three steps of a wish at each stage."""
RULE_STATES = {
    "acting": N_("acting"),
    "sensor_unknown": N_("its sensor is silent"),
    "condition_false": N_("not needed"),
    "waiting": N_("waiting"),
    "guard_closed": N_("held back by its guard"),
    "outside_schedule": N_("outside its hours"),
    "outranked": N_("something above it decides"),
    "protected": N_("waits for the device's protection time"),
    "safety": N_("held by the fire panel"),
}
RULE_TONES = {"acting": "ok", "sensor_unknown": "warn", "condition_false": "", "safety": "alarm"}
LIMITS = {
    "above": N_("%(what)s above %(limit)s"),
    "below": N_("%(what)s below %(limit)s"),
    "equals": N_("%(what)s is %(limit)s"),
}


def verdict(words: Words, measurement: Measurement) -> str:
    """How a value lies to its target; empty where there is no target."""
    if measurement.band is None:
        return ""
    if measurement.value is None or not measurement.heard:
        return pattern(words, "unknown")
    low, high = measurement.band
    shown = round(measurement.value, DECIMALS.get(measurement.quantity, 0))
    beyond = max(shown - high, low - shown)
    return pattern(words, measurement.side or "inside", by=_amount(words, measurement.quantity, beyond))


def pattern(words: Words, side: str, by: str = "{by}") -> str:
    """The sentence of a side of the target; scripts fill in the amount by themselves."""
    message = VERDICTS[side]
    return words.gettext(message, by=by)


def steps(words: Words, stage: str) -> list[tuple[str, str]]:
    """(word, mark) of the three steps of a wish."""
    return [(words.gettext(word), mark) for word, mark in STEPS[stage]]


def rule_state(rule: RuleLive) -> str:
    """The code of how a rule stands, as RULE_STATES has it."""
    return "acting" if rule.acting else rule.why_not or "condition_false"


def limit(words: Words, rule: RuleLive) -> str:
    """What a rule looks at: Humidity above 62 %."""
    message = LIMITS[rule.side]
    return words.gettext(message, what=_subject(words, rule), limit=compared(words, rule.metric, rule.threshold))


def _subject(words: Words, rule: RuleLive) -> str:
    name = words.gettext(QUANTITIES.get(rule.metric, rule.metric))
    if rule.minus is None:
        return name
    zone, _, metric = rule.minus.partition(".")
    other = f"{words.gettext(QUANTITIES.get(metric, metric))} ({zone})"
    return words.gettext("%(what)s minus %(other)s", what=name, other=other)


def progress(words: Words, actuator: ActuatorView, wish: OverrideView) -> str:
    """How far a wish has come and, if it does not come further, why."""
    match wish.stage:
        case "queued":
            return words.gettext("Waiting for the connection to the gateway")
        case "sent":
            return words.gettext("On its way to the gateway")
        case "unanswered":
            return words.gettext(
                "Not confirmed: the gateway has not answered for 10 seconds. It is asked again until %(time)s.",
                time=words.moment((wish.asked_at or wish.until) + EXPIRES_AFTER, "time"),
            )
        case "refused":
            return words.gettext("Failed: %(why)s", why=refusal(words, wish.code))
        case "held":
            return _held(words, actuator)
        case "moving":
            return words.gettext("The device was told and still reports: %(state)s", state=state(words, actuator))
        case "unconfirmed":
            return words.gettext(
                "Not confirmed: the device has reported nothing else than %(state)s for 10 seconds. If that goes on,"
                " look under Devices whether it is on the network.",
                state=state(words, actuator),
            )
        case _:
            return words.gettext("The device reports it")


def _held(words: Words, actuator: ActuatorView) -> str:
    until = held_until(actuator)
    if until is None:
        return words.gettext("The gateway has it, but holds it back: %(why)s", why=why(words, actuator))
    time = words.moment(until, "time")
    return words.gettext(
        "The gateway has it, but holds it back until %(time)s: %(why)s", time=time, why=why(words, actuator)
    )


def held_until(actuator: ActuatorView) -> datetime | None:
    """When a protection time ends that keeps the actuator where it is."""
    until = actuator.params.get("until")
    return datetime.fromisoformat(until) if isinstance(until, str) else None


def length(span: timedelta) -> str:
    """How long something lasts: 1:52:10 or 4:05."""
    seconds = max(0, int(span.total_seconds()))
    hours, minutes = seconds // 3600, seconds // 60 % 60
    return f"{hours}:{minutes:02}:{seconds % 60:02}" if hours else f"{minutes}:{seconds % 60:02}"


DEVICE_UNITS = {"position": "%", "level": "%", "battery": "%", "setpoint": "°C", "power": "W", "energy": "kWh"}


def device_value(words: Words, quantity: str, value: float) -> str:
    """A device's value with its unit; switches in words."""
    if quantity == "on":
        return words.gettext("On") if value else words.gettext("Off")
    if quantity == "occupancy":
        return words.gettext("present") if value else words.gettext("nobody")
    unit = DEVICE_UNITS.get(quantity, UNITS.get(quantity, ""))
    return f"{words.number(value, DECIMALS.get(quantity, 0))} {unit}".rstrip()


def _amount(words: Words, quantity: str, value: float) -> str:
    return f"{words.number(max(value, 0.0), DECIMALS.get(quantity, 0))} {UNITS[quantity]}"
