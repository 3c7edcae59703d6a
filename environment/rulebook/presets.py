"""Starting points for rules: target bands as people publish them, to be edited for the collection at hand.

A band here says nothing about conforming to any document. `status` tells how well its figures are known.
"""

import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

from environment.config import RuleConfig
from environment.rulebook.findings import N_

Status = Literal["read", "secondary", "unverified", "own"]

STATUS_WORDS: Final[dict[Status, str]] = {
    "read": N_("figures read in public material"),
    "secondary": N_("figures from a secondary source; unverified against the text itself"),
    "unverified": N_("unverified: figures from memory, check them against the text itself"),
    "own": N_("a choice of ours, no document's"),
}
Band = tuple[float | None, float | None]
NONE: Final[Band] = (None, None)


@dataclass(frozen=True, slots=True)
class Preset:
    """Bands in °C, % RH and lx; None leaves a side open. `change` tells how fast the climate should move at most."""

    name: str
    title: str
    status: Status
    temp: Band = NONE
    rh: Band = NONE
    lux: float | None = None
    change: str = ""
    note: str = ""


PRESETS: Final[tuple[Preset, ...]] = (
    Preset(
        "mixed-paper",
        N_("Store of mixed paper (PD 5454:2012, carried on by BS 4971:2017)"),
        "read",
        (13, 20),
        (35, 60),
        change=N_("no fast swing; from end to end of the band in a month or more"),
        note=N_("read for PD 5454; that BS 4971 has the same figures is unverified"),
    ),
    Preset("cool-store", N_("Cool store: photographs, digital carriers"), "read", (5, 18), (30, 50), change=N_("slow")),
    Preset(
        "cold-store",
        N_("Cold store: acetate, nitrate, colour film"),
        "read",
        (-15, 5),
        (None, 50),
        change=N_("let boxes acclimatise before they are opened"),
        note=N_("read in part only"),
    ),
    Preset(
        "iso-11799-optimum",
        N_("General paper, for the longest life (ISO 11799)"),
        "unverified",
        (2, 18),
        (30, 45),
        change=N_("1 K and 3 % RH in a day"),
        note=N_("texts from 2015 on moved the figures to the guidance of ISO/TR 19815"),
    ),
    Preset(
        "iso-11799-staffed",
        N_("General paper, where staff fetch from it daily (ISO 11799)"),
        "unverified",
        (14, 18),
        (35, 50),
        change=N_("1 K and 3 % RH in a day"),
        note=N_("texts from 2015 on moved the figures to the guidance of ISO/TR 19815"),
    ),
    Preset(
        "en-16893",
        N_("Building first, little energy (EN 16893:2018)"),
        "read",
        note=N_(
            "has no fixed figures: it asks for a written specification for each collection; begin with that, then "
            "take another preset and put your own figures in"
        ),
    ),
    Preset(
        "ashrae-aa",
        N_("Museums, class of control AA (ASHRAE)"),
        "unverified",
        (18, 22),
        (45, 55),
        change=N_("2 K and 5 % RH in the short run; over the seasons 5 K up or down, humidity not at all"),
        note=N_("the set point may lie at 15 to 25 °C and at 50 % RH or the yearly mean; here 20 °C and 50 %"),
    ),
    Preset(
        "ashrae-a1",
        N_("Museums, class of control A1 (ASHRAE)"),
        "unverified",
        (18, 22),
        (45, 55),
        change=N_("2 K and 5 % RH in the short run; over the seasons 5 K up, 10 K down, 10 % RH"),
        note=N_("the set point may lie at 15 to 25 °C and at 50 % RH or the yearly mean; here 20 °C and 50 %"),
    ),
    Preset(
        "ashrae-a2",
        N_("Museums, class of control A2 (ASHRAE)"),
        "unverified",
        (18, 22),
        (40, 60),
        change=N_("2 K and 10 % RH in the short run; over the seasons 5 K up, 10 K down, humidity not at all"),
        note=N_("the set point may lie at 15 to 25 °C and at 50 % RH or the yearly mean; here 20 °C and 50 %"),
    ),
    Preset(
        "ashrae-b",
        N_("Museums, class of control B (ASHRAE)"),
        "unverified",
        (None, 30),
        (40, 60),
        change=N_("5 K and 10 % RH in the short run; over the seasons 10 K up, down as it likes, 10 % RH"),
    ),
    Preset(
        "ashrae-c",
        N_("Museums, class of control C (ASHRAE)"),
        "unverified",
        (None, 30),
        (25, 75),
        note=N_("mostly under 25 °C"),
    ),
    Preset("ashrae-d", N_("Museums, class of control D (ASHRAE)"), "unverified", rh=(None, 75)),
    Preset(
        "cn-ancient-books",
        N_("Store of ancient books, China (GB/T 30227-2013)"),
        "secondary",
        (14, 24),
        (45, 60),
        change=N_("2 K and 5 % RH in a day (unverified)"),
        note=N_("another text gives 16 to 22 °C"),
    ),
    Preset(
        "cn-rare-books",
        N_("Store of rare books, China (JGJ 38)"),
        "unverified",
        (14, 22),
        (45, 60),
        change=N_("2 K and 5 % RH in a day"),
    ),
    Preset(
        "cn-stacks",
        N_("Basic stacks, China (JGJ 38)"),
        "unverified",
        (5, 30),
        (30, 65),
        note=N_("some texts give 40 to 65 % RH"),
    ),
    Preset(
        "cn-archives",
        N_("Archives, China (JGJ 25)"),
        "unverified",
        (14, 24),
        (45, 60),
        change=N_("2 K and 5 % RH in a day"),
    ),
    Preset(
        "cn-reading-room",
        N_("Reading room with air conditioning, China (old GB 9669 hygiene limits)"),
        "read",
        (18, 28),
        (45, 65),
        note=N_("16 °C at least where it is not heated; air no faster than 0.5 m/s, CO2 at most 0.10 %, desks 100 lx"),
    ),
    Preset(
        "light-high",
        N_("Display of highly responsive things: most dyes, fugitive inks (CIE 157)"),
        "unverified",
        lux=50,
        note=N_("and no more than 15,000 lx·h in a year"),
    ),
    Preset(
        "light-medium",
        N_("Display of things of medium responsivity: most paper and prints (CIE 157)"),
        "unverified",
        lux=50,
        note=N_("and no more than 150,000 lx·h in a year (this figure was read in public material)"),
    ),
    Preset(
        "light-low",
        N_("Display of things of low responsivity (CIE 157)"),
        "unverified",
        lux=200,
        note=N_("and no more than 600,000 lx·h in a year"),
    ),
    Preset(
        "desk-glare",
        N_("Reading desks: keep the sun off"),
        "own",
        lux=2500,
        note=N_("desks want 300 to 500 lx maintained (unverified); this only closes the curtain against direct sun"),
    ),
)


@dataclass(frozen=True, slots=True)
class Outputs:
    """The actuators of a zone; None where it has none, and the rules that would move it are left out."""

    cooler: str | None = None
    heater: str | None = None
    vent: str | None = None
    dehumidifier: str | None = None
    curtain: str | None = None


def find(name: str) -> Preset | None:
    """The preset of this name."""
    return next((preset for preset in PRESETS if preset.name == name), None)


def rules_of(preset: Preset, zone: str, outputs: Outputs) -> list[RuleConfig]:
    """The same rules ready to be edited elsewhere; none where the preset has no figures for what the zone can move."""
    found = tomllib.loads(as_toml(preset, zone, outputs))
    return [RuleConfig.model_validate(rule) for rule in found.get("environment", {}).get("rule", [])]


def as_toml(preset: Preset, zone: str, outputs: Outputs) -> str:
    """Rules for a zone as TOML with comments, to be put into config.toml and edited there."""
    blocks = [text for make in _RULES for text in make(preset, zone, outputs)]
    head = [f"# {line}" for line in _head(preset)]
    if not blocks and (preset.temp, preset.rh, preset.lux) == (NONE, NONE, None):
        head.append("# So no rule follows from it; one that has figures of its own: " + _WITH_FIGURES)
    elif not blocks:
        head.append("# No rule follows from this for the actuators of the zone.")
    return "\n\n".join(["\n".join(head), *blocks]) + "\n"


def _head(preset: Preset) -> Iterator[str]:
    yield preset.title
    yield f"A starting point to edit, not a proof of anything. Status: {STATUS_WORDS[preset.status]}."
    for name, band, unit in (("temperature", preset.temp, "°C"), ("humidity", preset.rh, "% RH")):
        if band != NONE:
            yield f"Target {name}: {band_text(band)} {unit}"
    if preset.lux is not None:
        yield f"Light: at most {preset.lux:g} lx"
    if preset.change:
        yield f"Change: {preset.change}"
    if preset.note:
        yield f"Note: {preset.note}"


def band_text(band: Band) -> str:
    """`13 to 20`, `at most 50`."""
    low, high = band
    if low is None:
        return "" if high is None else f"at most {high:g}"
    return f"at least {low:g}" if high is None else f"{low:g} to {high:g}"


def _cool(preset: Preset, zone: str, outputs: Outputs) -> Iterator[str]:
    if preset.temp[1] is not None and outputs.cooler:
        yield _rule(
            "too warm: cool, and stop a little below the upper end of the band",
            ("cool", zone, 50, outputs.cooler, 1),
            f'{{ metric = "temp", above = {preset.temp[1]:.1f}, hysteresis = {_room(preset.temp, 2.0):.1f} }}',
        )


def _heat(preset: Preset, zone: str, outputs: Outputs) -> Iterator[str]:
    if preset.temp[0] is not None and outputs.heater:
        yield _rule(
            "too cold: heat",
            ("heat", zone, 50, outputs.heater, 1),
            f'{{ metric = "temp", below = {preset.temp[0]:.1f}, hysteresis = {_room(preset.temp, 1.0):.1f} }}',
        )


def _purge(preset: Preset, zone: str, outputs: Outputs) -> Iterator[str]:
    if preset.rh[1] is not None and outputs.vent:
        floor = 18.0 if preset.temp[0] is None else preset.temp[0] + 0.5
        yield _rule(
            "too humid, and the air outside is drier and the room warm enough: ventilate",
            ("purge", zone, 40, outputs.vent, 60),
            f'{{ metric = "rh", above = {preset.rh[1]:.1f}, hysteresis = {_room(preset.rh, 4.0):.1f} }}',
            guards=(
                '{ metric = "dew_point", minus = "out.dew_point", above = 1.0, hysteresis = 0.5 }',
                f'{{ metric = "temp", above = {floor:.1f}, hysteresis = 0.5 }}',
            ),
        )


def _dry(preset: Preset, zone: str, outputs: Outputs) -> Iterator[str]:
    if preset.rh[1] is not None and outputs.dehumidifier:
        yield _rule(
            "too humid: dry",
            ("dry", zone, 45, outputs.dehumidifier, 1),
            f'{{ metric = "rh", above = {preset.rh[1]:.1f}, hysteresis = {_room(preset.rh, 4.0):.1f} }}',
        )


def _shade(preset: Preset, zone: str, outputs: Outputs) -> Iterator[str]:
    if preset.lux is not None and outputs.curtain:
        yield _rule(
            "too bright: close the curtain; behind it 15 % are left, so it opens again only well below that",
            ("shade", zone, 30, outputs.curtain, 100),
            f'{{ metric = "lux", above = {preset.lux:.1f}, hysteresis = {preset.lux * 0.9:.1f} }}',
            release_for_s=600,
        )


_WITH_FIGURES: Final = "carrel rules presets mixed-paper"
_RULES: Final[tuple[Callable[[Preset, str, Outputs], Iterator[str]], ...]] = (_cool, _heat, _purge, _dry, _shade)


def _room(band: Band, usual: float) -> float:
    """A hysteresis of at most half the band, so that it is left on neither side."""
    low, high = band
    return usual if low is None or high is None else min(usual, (high - low) / 2)


def _rule(
    why: str,
    what: tuple[str, str, int, str, int],
    when: str,
    *,
    guards: tuple[str, ...] = (),
    release_for_s: int = 60,
) -> str:
    name, zone, priority, actuator, value = what
    lines = [
        f"[[environment.rule]]  # {why}",
        f'id = "{zone}-{name}"',
        f'zone = "{zone}"',
        f"priority = {priority}",
        f"when = {when}",
        "for_s = 60",
        f"release_for_s = {release_for_s}",
    ]
    if guards:
        lines += ["guard = [", *(f"  {guard}," for guard in guards), "]"]
    return "\n".join([*lines, f'actuators = ["{actuator}"]', f"set = {value}"])
