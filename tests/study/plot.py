"""A day in both rooms as SVG: temperature and humidity against their bands, and what ran when, in light and dark."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import groupby

from tests.study.loop import Moment, Run
from tests.study.measures import BANDS, Span

WIDTH, PANEL_W, LEFT, GAP = 1000, 380, 110, 100
STYLE = """
svg { font: 13px system-ui, sans-serif } text { fill: #24292f } .faint { fill: #57606a }
.band { fill: #2da44e; opacity: .14 } .axis { stroke: #8c959f; stroke-width: 1; fill: none }
.baseline { stroke: #bc4c00; fill: none; stroke-width: 1.5; stroke-dasharray: 5 3 }
.rules { stroke: #0969da; fill: none; stroke-width: 2 }
rect.baseline { fill: #bc4c00; stroke: none } rect.rules { fill: #0969da; stroke: none }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 } .faint { fill: #9da7b3 } .band { opacity: .25 }
  .baseline { stroke: #f0883e } .rules { stroke: #58a6ff }
  rect.baseline { fill: #f0883e } rect.rules { fill: #58a6ff }
}"""
PANELS: tuple[tuple[str, Span, int, Callable[[Moment], float]], ...] = (
    ("°C", (12.0, 32.0), 70, lambda moment: moment.temp),
    ("% RH", (30.0, 80.0), 240, lambda moment: moment.rh),
)
PANEL_H = 140
OPEN = (8, 21)
STRIPS = {"ac": "cooling", "heater": "heating", "dehumidifier": "drying", "vent": "fan", "curtain": "curtain closed"}
STRIPS_TOP, STRIP_H = 420, 30


def svg(title: str, rooms: dict[str, tuple[str, dict[str, Run]]]) -> str:
    """The plot; `rooms` gives each room's title and its run by mode, `baseline` and `rules`."""
    parts = [f'<text x="{LEFT}" y="22" font-size="15">{title}</text>', *_legend()]
    for column, (room, (name, runs)) in enumerate(rooms.items()):
        x = LEFT + column * (PANEL_W + GAP)
        parts.append(f'<text x="{x}" y="60" font-weight="bold">{name}</text>')
        band = BANDS[room]
        for (unit, span, top, read), day, night in zip(
            PANELS, (band.temp, band.rh), (band.night, band.rh), strict=True
        ):
            parts += _panel(x, top, unit, span)
            parts += _band(x, top, span, day=day, night=night)
            parts += [_line(x, top, span, mode, [read(moment) for moment in run.day]) for mode, run in runs.items()]
        parts += _strips(x, runs)
    height = STRIPS_TOP + len(STRIPS) * STRIP_H + 30
    frame = f'xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{title}"'
    return f"<svg {frame}><style>{STYLE}</style>\n" + "\n".join(parts) + "\n</svg>\n"


def _legend() -> Iterator[str]:
    for n, (mode, what) in enumerate((("baseline", "baseline"), ("rules", "rules"))):
        x = 700 + n * 130
        yield f'<path class="{mode}" d="M{x} 18h30"/><text x="{x + 38}" y="22">{what}</text>'


def _band(x: int, top: int, span: Span, *, day: Span, night: Span) -> Iterator[str]:
    """Shade what is wanted, by night and by day, and name the day's limits."""
    for start, end, limits in ((0, OPEN[0], night), (*OPEN, day), (OPEN[1], 24, night)):
        low, high = (_y(top, span, limit) for limit in limits)
        left, width = x + PANEL_W * start / 24, PANEL_W * (end - start) / 24
        yield f'<rect class="band" x="{left:.1f}" y="{high:.1f}" width="{width:.1f}" height="{low - high:.1f}"/>'
    for value in (*day, span[1]):
        y = _y(top, span, value) + 4
        yield f'<text class="faint" x="{x - 6}" y="{y:.1f}" text-anchor="end">{value:g}</text>'


def _panel(x: int, top: int, unit: str, span: Span) -> Iterator[str]:
    yield f'<path class="axis" d="M{x} {top}V{top + PANEL_H}H{x + PANEL_W}"/>'
    yield f'<text class="faint" x="{x + 6}" y="{top + 12}">{unit}</text>'
    yield from _hours(x, top + PANEL_H)


def _hours(x: int, bottom: int) -> Iterator[str]:
    for hour in range(0, 25, 6):
        at = x + PANEL_W * hour / 24
        yield f'<path class="axis" d="M{at:.1f} {bottom}v4"/>'
        yield f'<text class="faint" x="{at:.1f}" y="{bottom + 17}" text-anchor="middle">{hour}:00</text>'


def _line(x: int, top: int, span: Span, mode: str, values: list[float]) -> str:
    few = values[::5]  # a point every five minutes is finer than the eye
    points = (f"{x + PANEL_W * n / (len(few) - 1):.1f},{_y(top, span, value):.1f}" for n, value in enumerate(few))
    return f'<polyline class="{mode}" points="{" ".join(points)}"/>'


def _strips(x: int, runs: dict[str, Run]) -> Iterator[str]:
    for n, (kind, label) in enumerate(STRIPS.items()):
        y = STRIPS_TOP + n * STRIP_H
        yield f'<text class="faint" x="{x - 6}" y="{y + 15}" text-anchor="end">{label}</text>'
        for lane, (mode, run) in enumerate(runs.items()):
            for start, length, value in _blocks(run.day, kind):
                opacity = f' opacity="{0.3 + 0.7 * value / 100:.2f}"' if 1 < value < 100 else ""
                place = f'x="{x + PANEL_W * start:.1f}" y="{y + lane * 11}" width="{PANEL_W * length:.1f}" height="9"'
                yield f'<rect class="{mode}" {place}{opacity}/>'
    bottom = STRIPS_TOP + len(STRIPS) * STRIP_H
    yield f'<path class="axis" d="M{x} {bottom}H{x + PANEL_W}"/>'
    yield from _hours(x, bottom)


def _blocks(day: list[Moment], kind: str) -> Iterator[tuple[float, float, int]]:
    """Where an output of this kind was not 0: start and length as shares of the day, and its value."""
    at = 0
    for value, group in groupby(
        next((value for name, value in moment.outputs.items() if name.endswith(f"-{kind}")), 0) for moment in day
    ):
        length = sum(1 for _ in group)
        if value:
            yield at / len(day), length / len(day), value
        at += length


def _y(top: int, span: Span, value: float) -> float:
    share = (min(max(value, span[0]), span[1]) - span[0]) / (span[1] - span[0])
    return top + PANEL_H * (1 - share)
