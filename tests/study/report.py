"""The study in words: tables, and whether each target holds."""

from __future__ import annotations

import calendar
from dataclasses import dataclass

from tests.study.loop import Run
from tests.study.measures import Figures

MODES = ("baseline", "naive", "rules")
TITLES = {"baseline": "baseline", "naive": "bare thresholds", "rules": "rules"}
ROOMS = {"reading-room": "reading room", "stacks": "stacks"}

Results = dict[tuple[int, str], dict[str, Run]]  # by month and mode, then by room


@dataclass(frozen=True)
class Verdict:
    """One target in one room and month."""

    claim: str
    found: str
    holds: bool


def verdicts(modes: dict[str, Figures]) -> list[Verdict]:
    """The four targets for a room's month."""
    base, naive, rules = (modes[mode] for mode in MODES)
    saved = 100 * (1 - rules.kwh / base.kwh)
    opened, whole = rules.joint_open - base.joint_open, rules.joint - base.joint
    part = rules.switches_per_day / naive.switches_per_day
    return [
        Verdict("energy at least 15 % below the baseline", f"{saved:.1f} % below", saved >= 15),
        Verdict("joint time in band, opening hours: at most 1 point below", f"{opened:+.1f} points", opened >= -1),
        Verdict("joint time in band, all hours: at most 1 point below", f"{whole:+.1f} points", whole >= -1),
        Verdict("no hour over the mould limit", f"{rules.mould_hours:.1f} h", rules.mould_hours == 0),
        Verdict("switches at most a fifth of bare thresholds", f"{100 * part:.1f} %", part <= 0.2),
    ]


def markdown(results: Results) -> str:
    """Three tables: what was reached and spent, where the energy went, and the targets."""
    return "\n\n".join((_reached(results), _spent(results), _targets(results)))


def missed(results: Results) -> list[str]:
    """The targets that do not hold."""
    return [
        f"{ROOMS[room]}, {calendar.month_name[month]}: {verdict.claim}: {verdict.found}"
        for month, room, modes in _months(results)
        for verdict in verdicts(modes)
        if not verdict.holds
    ]


def _months(results: Results) -> list[tuple[int, str, dict[str, Figures]]]:
    months = dict.fromkeys(month for month, _ in results)
    return [
        (month, room, {mode: results[month, mode][room].figures for mode in MODES})
        for room in ROOMS
        for month in months
    ]


def _reached(results: Results) -> str:
    rows = [
        "| room, month | mode | kWh | T in band % | RH in band % | joint, opening hours % | joint, all hours % "
        "| joint, all hours, day band % | light within limit % "
        "| CO2 at most 1000 ppm % | switches/day | mould h | TWPI |",
        "|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for month, room, modes in _months(results):
        for mode, one in modes.items():
            where = f"{ROOMS[room]}, {calendar.month_name[month]}" if mode == "baseline" else ""
            rows.append(
                f"| {where} | {TITLES[mode]} | {one.kwh:.0f} | {one.temp:.1f} | {one.rh:.1f} | {one.joint_open:.1f} "
                f"| {one.joint:.1f} | {one.joint_day_band:.1f} | {one.lux:.1f} | {one.air_open:.1f} "
                f"| {one.switches_per_day:.0f} | {one.mould_hours:.0f} | {one.twpi:.1f} |"
            )
    return "\n".join(rows)


def _spent(results: Results) -> str:
    rows = [
        "| room, month | mode | cooling kWh | heating kWh | fan kWh | drying kWh | light klx h |",
        "|---|---|--:|--:|--:|--:|--:|",
    ]
    for month, room, modes in _months(results):
        for mode, one in modes.items():
            where = f"{ROOMS[room]}, {calendar.month_name[month]}" if mode == "baseline" else ""
            rows.append(
                f"| {where} | {TITLES[mode]} | {one.cooling:.0f} | {one.heating:.0f} | {one.fan:.0f} "
                f"| {one.drying:.0f} | {one.light_klxh:.0f} |"
            )
    return "\n".join(rows)


def _targets(results: Results) -> str:
    months = _months(results)
    rows = [
        "| target | " + " | ".join(f"{ROOMS[room]}, {calendar.month_name[month]}" for month, room, _ in months) + " |",
        "|---|" + "--:|" * len(months),
    ]
    for found in zip(*(verdicts(modes) for _, _, modes in months), strict=True):
        cells = [one.found + ("" if one.holds else " (**missed**)") for one in found]
        rows.append(f"| {found[0].claim} | " + " | ".join(cells) + " |")
    return "\n".join(rows)
