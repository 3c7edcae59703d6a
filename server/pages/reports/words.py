"""A report in words: figures with units, how much of the time is known, what a figure means."""

from __future__ import annotations

from carrel.web.i18n import N_, Words
from environment.preservation.rating import rate_decay, rate_mould
from environment.preservation.zone import Figure
from server.reports.policy import ACTUATOR_UNITS, ROOM_UNITS

GROUPS = (
    (N_("Comfort"), ("temp_in_band", "rh_in_band", "both_in_band"), "bands"),
    (N_("Comfort in opening hours"), ("temp_in_band_open", "rh_in_band_open", "both_in_band_open"), "opening"),
    (N_("Steadiness"), ("temp_deviation", "rh_deviation", "temp_season", "rh_season"), ""),
    (N_("Energy"), ("energy",), "power"),
    (N_("Preservation"), ("twpi", "emc", "mould_index", "mould_hours"), ""),
    (N_("Light"), ("light_dose", "light_year", "light_year_end"), ""),
)
"""Heading, figures, and what config.toml has to tell for them."""
NAMES = {
    "temp_in_band": N_("Temperature on target"),
    "rh_in_band": N_("Humidity on target"),
    "both_in_band": N_("Both on target"),
    "temp_in_band_open": N_("Temperature on target"),
    "rh_in_band_open": N_("Humidity on target"),
    "both_in_band_open": N_("Both on target"),
    "temp_deviation": N_("Temperature: furthest from its 24-hour mean"),
    "rh_deviation": N_("Humidity: furthest from its 24-hour mean"),
    "temp_season": N_("Temperature: 30 days furthest from the year's mean"),
    "rh_season": N_("Humidity: 30 days furthest from the year's mean"),
    "energy": N_("Energy"),
    "twpi": N_("Preservation index over time (TWPI)"),
    "emc": N_("Moisture in wood (EMC), mean"),
    "mould_index": N_("Mould index at the end, 0 to 6"),
    "mould_hours": N_("Time in which mould can grow"),
    "light_dose": N_("Light in the month"),
    "light_year": N_("Light since January"),
    "light_year_end": N_("Light of a whole year at this rate"),
}
ACTUATOR_NAMES = {
    "running": N_("Running, at full output"),
    "energy": N_("Energy"),
    "switches_per_day": N_("Switched or moved, at least"),
}
BASES = {"metered": N_("metered"), "estimated": N_("estimated"), "both": N_("partly metered, partly estimated")}
UNITS = {"years": N_("years"), "1/d": N_("times a day")}
DECIMALS = {
    "energy": 1,
    "mould_index": 2,
    "emc": 1,
    "temp_deviation": 1,
    "rh_deviation": 1,
    "temp_season": 1,
    "rh_season": 1,
    "twpi": 0,
    "running": 1,
    "switches_per_day": 1,
}
PERCENT_DECIMALS = 1
MOULD_WORDS = {"good": N_("none to be seen"), "warn": N_("begins to grow"), "alarm": N_("grows visibly")}
DECAY_WORDS = {"good": N_("good"), "fair": N_("fair"), "risk": N_("at risk")}
TONES = {"good": "ok", "fair": "info", "risk": "warn", "warn": "warn", "alarm": "alarm"}
KNOWN_WHOLLY = 0.995


def amount(words: Words, name: str, figure: Figure) -> str:
    """A figure with its unit; what is unknown is said in words, never 0."""
    if figure.value is None:
        return words.gettext("no data")
    unit = ROOM_UNITS.get(name) or ACTUATOR_UNITS.get(name, "")
    decimals = DECIMALS.get(name, PERCENT_DECIMALS if unit == "%" else 0)
    shown = words.gettext(UNITS[unit]) if unit in UNITS else unit
    return f"{words.number(figure.value, decimals)} {shown}".rstrip()


def known(words: Words, figure: Figure) -> str:
    """How much of the time the figure rests on; empty when on all of it."""
    if figure.coverage >= KNOWN_WHOLLY:
        return ""
    return words.gettext("%(share)s %% of the time known", share=words.number(100.0 * figure.coverage, 0))


def rating(name: str, figure: Figure) -> tuple[str, str] | None:
    """(tone, word) of a figure that has a rating."""
    if figure.value is None:
        return None
    if name == "twpi":
        verdict: str = rate_decay(figure.value)
        return TONES[verdict], DECAY_WORDS[verdict]
    if name == "mould_index":
        verdict = rate_mould(figure.value)
        return TONES[verdict], MOULD_WORDS[verdict]
    return None
