"""Rollups hold what the raw values hold, in whatever order these come. Pure."""

from hypothesis import given
from hypothesis import strategies as st

from server.telemetry.rollup import NEVER, UNDER_WAY, Head, Tally, roll
from server.telemetry.windows import HOUR

TIMES = st.integers(-3 * HOUR, 3 * HOUR)
VALUES = st.integers(-1000, 1000).map(float)
POINTS = st.dictionaries(st.tuples(st.integers(1, 3), TIMES), VALUES, max_size=60)


def fresh() -> dict[int, Head]:
    return {series: [NEVER, 0.0, NEVER, 0, 0.0, 0.0, 0.0, NEVER, 0, 0.0, 0.0, 0.0] for series in (1, 2, 3)}


@given(POINTS, st.randoms(use_true_random=False), st.integers(1, 20))
def test_table_and_head_together_are_what_came(
    points: dict[tuple[int, int], float], random: object, batch: int
) -> None:
    rows = [(series, ts, value) for (series, ts), value in points.items()]
    random.shuffle(rows)  # type: ignore[attr-defined]
    heads = fresh()
    tables: dict[int, dict[tuple[int, int], Tally]] = {grain: {} for grain in UNDER_WAY}
    for at in range(0, len(rows), batch):
        for grain, closed in roll(heads, rows[at : at + batch]).items():
            for bucket, tally in closed.items():
                tables[grain].setdefault(bucket, Tally()).join(tally)
    for grain, place in UNDER_WAY.items():
        for series, head in heads.items():
            tables[grain].setdefault((series, head[place]), Tally()).join(Tally(*head[place + 1 : place + 5]))
        found = {bucket: tally for bucket, tally in tables[grain].items() if tally.n}
        expected: dict[tuple[int, int], list[float]] = {}
        for series, ts, value in rows:
            expected.setdefault((series, ts // grain * grain), []).append(value)
        assert found == {b: Tally(len(v), min(v), max(v), sum(v)) for b, v in expected.items()}
    for series, head in heads.items():
        mine = [(ts, value) for (of, ts), value in points.items() if of == series]
        assert (head[0], head[1]) == max(mine, default=(NEVER, 0.0))


def test_a_steady_series_writes_a_row_only_when_a_bucket_ends() -> None:
    heads = fresh()
    closed = [roll(heads, [(1, 10_000 * n, 1.0)]) for n in range(360)]
    assert [sum(len(c[grain]) for c in closed) for grain in UNDER_WAY] == [11, 0]
