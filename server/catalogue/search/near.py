"""Near matches: records that hold only some parts of what was typed, those with most and rarest of them first."""

from __future__ import annotations

import heapq
import math
from collections.abc import Collection, Sequence

from server.catalogue.search.query import Term
from server.catalogue.search.repository import Hits, holds, texts

FEW = 5
"""With fewer hits than this, near ones are looked for as well."""

COMMON = 2000
"""A part that occurs oftener than this is looked for together with the rarest."""

RARE, ENOUGH = 500, 4
"""Where so many parts occur, but no oftener than this, the others are common: what is sought holds some of them, and to
look at thousands of records for each other part takes most of the time."""

JUDGED, SHOWN = 80, 50
LEAST_SHARE = 0.5
"""Of the best one's score."""

_LIBRARY = 1_000_000
"""How rare a part is is told against this, whatever the library's size."""


def wanted(hits: Hits, total: int) -> bool:
    """Whether near matches are worth a look: few hits of something long, or none of several words."""
    return total == 0 or (total < FEW and hits.query.has_long)


def near(hits: Hits, without: Collection[int]) -> list[int]:
    """Ids of the near matches, best first; none for a query that has only one part."""
    found = _found(hits, hits.query.units)
    counts = {unit: COMMON + 1 if ids is None else len(ids) for unit, ids in found.items()}
    weights = {unit: math.log(_LIBRARY / count) for unit, count in counts.items() if count}
    rarest_first = sorted(weights, key=weights.__getitem__, reverse=True)
    common = [unit for unit in rarest_first if found[unit] is None]
    together = hits.with_all([_with_rarest(unit, rarest_first) for unit in common], COMMON)
    held = found | dict(zip(common, together, strict=True))
    scores: dict[int, int] = {}
    for unit, weight in weights.items():
        rounded = round(weight * 1000)
        for record_id in held[unit] or ():
            scores[record_id] = scores.get(record_id, 0) + rounded
    for record_id in without:
        scores.pop(record_id, None)
    promising = heapq.nlargest(JUDGED, zip(scores.values(), scores, strict=True))
    return _judged(hits, [record_id for _, record_id in promising], weights)


def _found(hits: Hits, units: Sequence[Term]) -> dict[Term, list[int] | None]:
    """The records that hold each part; None for a common one."""
    found = dict(zip(units, hits.all_with(units, RARE), strict=True))
    if sum(map(bool, found.values())) < ENOUGH:
        others = [unit for unit in units if found[unit] is None]
        found.update(zip(others, hits.all_with(others, COMMON), strict=True))
    return found


def _with_rarest(unit: Term, rarest_first: Sequence[Term]) -> tuple[Term, ...]:
    return (unit, *[other for other in rarest_first if other != unit][:1])


def _judged(hits: Hits, promising: Sequence[int], weights: dict[Term, float]) -> list[int]:
    """By all parts that each holds; of equals the shortest title."""
    ranks: list[tuple[float, int, str, int]] = []
    parts = [(unit.field, f" {holds(unit)}", weight) for unit, weight in weights.items()]
    for text in texts(hits.session, promising):
        score = sum(weight for field, part, weight in parts if part in text.fields[field])
        ranks.append((-round(score, 6), len(text.sort_key), text.sort_key, text.record_id))
    ranks.sort()
    best = -ranks[0][0] if ranks else 0.0
    return [rank[-1] for rank in ranks if -rank[0] >= best * LEAST_SHARE][:SHOWN]
