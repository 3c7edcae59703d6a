"""What the benchmark found: figures beside their floor and target, as a table and as JSON."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value. `floor` is the same of the bare peer; `most` limits the ratio if there is a floor,
    else the value; None: no target. `note` says why there is no value."""

    name: str
    value: float | None
    unit: str
    floor: float | None = None
    most: float | None = None
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """Value over floor."""
        return self.value / self.floor if self.value is not None and self.floor else None

    @property
    def verdict(self) -> str:
        """`ok`, `over`, or nothing where there is no target."""
        if self.most is None or self.value is None:
            return ""
        judged = self.value if self.ratio is None else self.ratio
        return "ok" if judged <= self.most else "over"

    def as_json(self) -> dict[str, Any]:
        """The figure as plain values."""
        return {
            "name": self.name,
            "value": _rounded(self.value),
            "unit": self.unit,
            "floor": _rounded(self.floor),
            "ratio": _rounded(self.ratio),
            "most": self.most,
            "verdict": self.verdict,
            "note": self.note,
        }


def quantile(values: Sequence[float], share: float) -> float:
    """The nearest-rank quantile of at least one value."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def table(figures: Sequence[Figure]) -> str:
    """Aligned columns."""
    rows = [("figure", "value", "floor", "ratio", "target", "")]
    for one in figures:
        target = "" if one.most is None else f"<= {one.most:g}{' x floor' if one.floor else ' ' + one.unit}"
        value = one.note if one.value is None else _shown(one.value, one.unit)
        ratio = "" if one.ratio is None else f"{one.ratio:.2f}"
        rows.append((one.name, value, _shown(one.floor, one.unit), ratio, target, one.verdict))
    notes = {row[1] for row, one in zip(rows[1:], figures, strict=True) if one.value is None}
    widths = [max(len(row[n]) for row in rows if row[n] not in notes) for n in range(6)]
    return "\n".join("  ".join(cell.ljust(widths[n]) for n, cell in enumerate(row)).rstrip() for row in rows)


def _shown(value: float | None, unit: str) -> str:
    return "" if value is None else f"{value:.2f} {unit}"


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
