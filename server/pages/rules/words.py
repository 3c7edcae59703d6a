"""Rules in words: when, then what, during which hours; what lint found; how far a version has come."""

from __future__ import annotations

from collections.abc import Mapping

from carrel.web.i18n import N_, Words
from environment.config import ConditionConfig, WindowConfig
from environment.rulebook.findings import Finding
from environment.rulebook.presets import Band, Preset
from server.pages.dashboard.views import ActuatorView
from server.pages.dashboard.words import QUANTITIES, UNITS, compared, wish
from server.pages.rooms.words import LIMITS
from server.pages.rules.forms import side_of, week
from server.pages.rules.views import Output
from server.rules.book import Delivery

QUANTITY_NAMES = {**QUANTITIES, "flag": N_("Contact")}
BANDS = {
    "above": N_("%(what)s above %(limit)s, until it has fallen to %(back)s"),
    "below": N_("%(what)s below %(limit)s, until it has risen to %(back)s"),
}
SIDES = {"above": N_("is above"), "below": N_("is below"), "equals": N_("is exactly")}
UNKNOWN = {
    "release": N_("do nothing"),
    "hold": N_("leave everything as it is"),
    "failsafe": N_("go to the safe position"),
}
DAYS = {
    "mon": N_("Mon"),
    "tue": N_("Tue"),
    "wed": N_("Wed"),
    "thu": N_("Thu"),
    "fri": N_("Fri"),
    "sat": N_("Sat"),
    "sun": N_("Sun"),
}
PURPOSES = {
    "cool": N_("Cool when it is too warm"),
    "heat": N_("Heat when it is too cold"),
    "purge": N_("Ventilate when it is too humid"),
    "dry": N_("Dehumidify when it is too humid"),
    "shade": N_("Close the curtain when it is too bright"),
}
ERRORS = {
    "bad_name": N_("Write small letters, digits and hyphens, such as stacks-cool."),
    "name_taken": N_("Another rule has this name. Choose another."),
    "no_number": N_("Write a number."),
    "no_whole_number": N_("Write a whole number."),
    "no_time": N_("Write a time such as 08:00."),
    "same_time": N_("Both times are equal. For the whole day write 00:00 to 24:00."),
    "nothing_chosen": N_("Choose at least one device."),
    "out_of_range": N_("This value is not possible here."),
}
STAGES = {
    "saved": ((N_("saved"), "done"), (N_("sent"), "now"), (N_("in force"), "")),
    "sent": ((N_("saved"), "done"), (N_("sent"), "done"), (N_("in force"), "now")),
    "in_force": ((N_("saved"), "done"), (N_("sent"), "done"), (N_("in force"), "done")),
    "refused": ((N_("saved"), "done"), (N_("sent"), "done"), (N_("refused"), "failed")),
    "newer": ((N_("saved"), "done"), (N_("sent"), "done"), (N_("refused"), "failed")),
}
REFUSED = {
    "bad_signature": N_(
        "The gateway does not accept the signature: its machine token is another than the server's. Copy the server's "
        "token file to the gateway."
    ),
    "no_token": N_("The gateway cannot read its machine token. Copy the server's token file to it."),
    "malformed": N_("The gateway cannot read these rules: it may be of an older version. Bring it up to date."),
    "older_version": N_("The gateway has run newer rules before. Save the rules once more to put these in force."),
    "does_not_fit": N_("These rules do not fit what the gateway has: %(detail)s"),
    "rules_contradict": N_("The gateway finds a contradiction: %(detail)s"),
    "not_stored": N_("The gateway cannot write to its disk, so it goes on with the rules it has."),
}


def quantity(words: Words, metric: str) -> str:
    """The name of what is measured."""
    return words.gettext(QUANTITY_NAMES.get(metric, metric))


def place(words: Words, pair: str, rooms: Mapping[str, str]) -> str:
    """`out.dew_point` as Dew point (Outdoors)."""
    zone, _, metric = pair.rpartition(".")
    return f"{quantity(words, metric)} ({rooms.get(zone, zone)})"


def condition(words: Words, asked: ConditionConfig, rooms: Mapping[str, str]) -> str:
    """When it is true, and when no longer."""
    what = quantity(words, asked.metric)
    if asked.minus is not None:
        what = words.gettext("%(what)s minus %(other)s", what=what, other=place(words, asked.minus, rooms))
    side, limit = side_of(asked)
    shown = _value(words, asked.metric, limit)
    if side == "equals" or not asked.hysteresis:
        return words.gettext(LIMITS[side], what=what, limit=shown)
    back = limit - asked.hysteresis if side == "above" else limit + asked.hysteresis
    return words.gettext(BANDS[side], what=what, limit=shown, back=_value(words, asked.metric, back))


def deed(words: Words, output: Output | None, id_: str, value: float) -> str:
    """What a device is told: Curtain: Closed."""
    if output is None:
        return f"{id_}: {value:g}"
    kind = "ac" if output.highest == 1 else output.kind  # on and off
    asked = ActuatorView(output.id, kind, output.name, value, value, value, "rule", "rule")
    return f"{output.name}: {wish(words, asked, value)}"


def hours(words: Words, window: WindowConfig) -> str:
    """08:00–18:00, Mon, Tue."""
    days = [words.gettext(DAYS[day]) for day in week(window)]
    return ", ".join([f"{window.start}–{window.end}", *days])


def shift(words: Words, window: WindowConfig, add: float, metric: str) -> str:
    """How the limit moves during some hours."""
    amount = f"{add:+g} {UNITS.get(metric, '')}".rstrip()
    return words.gettext("%(hours)s: limit %(amount)s", hours=hours(words, window), amount=amount)


def lasting(words: Words, seconds: float) -> str:
    """90 s, 10 min, 2 h."""
    if seconds >= 3600 and seconds % 3600 == 0:
        return words.gettext("%(n)s h", n=f"{seconds / 3600:g}")
    if seconds >= 60 and seconds % 60 == 0:
        return words.gettext("%(n)s min", n=f"{seconds / 60:g}")
    return words.gettext("%(n)s s", n=f"{seconds:g}")


def finding(words: Words, found: Finding) -> str:
    """What lint says."""
    filled = found.filled
    if "metric" in filled:
        filled["metric"] = quantity(words, filled["metric"])
    return words.gettext(found.sentence, **filled)


def error(words: Words, code: str) -> str:
    """What is wrong with a field."""
    return words.gettext(ERRORS[code])


def steps(words: Words, delivery: Delivery) -> list[tuple[str, str]]:
    """(word, mark) of the way of a version; none for config.toml's."""
    return [(words.gettext(word), mark) for word, mark in STAGES.get(delivery.stage, ())]


def told(words: Words, delivery: Delivery) -> str:
    """How far the newest version has come, and what that means."""
    if delivery.stage == "in_force" and delivery.at is not None:
        return words.gettext("In force on the gateway since %(time)s.", time=words.moment(delivery.at))
    if delivery.stage == "shipped":
        return words.gettext("The rules of config.toml are in force. What you save here takes their place.")
    if delivery.stage == "newer":
        return words.gettext(
            "The gateway runs version %(version)s, which this server does not know. Save the rules once more to put "
            "these in force.",
            version=delivery.running,
        )
    if delivery.stage == "refused":
        return words.gettext(REFUSED[delivery.code], detail=delivery.detail) + " " + running(words, delivery)
    if not delivery.online:
        return words.gettext("The gateway does not answer. It gets these rules as soon as it is back.")
    return words.gettext("On the way to the gateway.")


def running(words: Words, delivery: Delivery) -> str:
    """What goes on meanwhile."""
    if delivery.running:
        return words.gettext("Version %(version)s goes on.", version=delivery.running)
    return words.gettext("The rules of config.toml go on.")


def figures(words: Words, preset: Preset) -> str:
    """A preset's bands: 13 to 20 °C; 35 to 60 % RH."""
    bands = ((preset.temp, "°C"), (preset.rh, "% RH"), ((None, preset.lux), "lx"))
    found = [text for band, unit in bands if (text := _band(words, band, unit))]
    return "; ".join(found) if found else words.gettext("no figures")


def _band(words: Words, band: Band, unit: str) -> str:
    low, high = band
    if low is not None and high is not None:
        return words.gettext("%(low)s to %(high)s %(unit)s", low=f"{low:g}", high=f"{high:g}", unit=unit)
    if high is not None:
        return words.gettext("at most %(high)s %(unit)s", high=f"{high:g}", unit=unit)
    return words.gettext("at least %(low)s %(unit)s", low=f"{low:g}", unit=unit) if low is not None else ""


def _value(words: Words, metric: str, value: float) -> str:
    return f"{value:g}" if metric in ("flag", "occupancy") else compared(words, metric, value)
