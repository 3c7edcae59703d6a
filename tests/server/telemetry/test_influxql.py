"""The statements, and that no name can break out of its quotes."""

from carrel.contracts.telemetry import Quantity
from server.telemetry import influxql
from server.telemetry.store import Source

TEMP = Source("th-1", "stacks", Quantity.TEMP)


def test_buckets_of_several_sources_are_counted_from_the_start() -> None:
    other = Source("th-2", "stacks", Quantity.TEMP)
    assert influxql.buckets("main", [other, TEMP], start=90_123, end=200_000, width=60_000) == (
        'SELECT mean("value"), min("value"), max("value"), count("value") FROM "temp" WHERE "branch" = \'main\' AND '
        "((\"zone\" = 'stacks' AND \"device\" = 'th-1') OR (\"zone\" = 'stacks' AND \"device\" = 'th-2')) "
        "AND time >= 90123ms AND time < 200000ms GROUP BY time(60000ms, 30123ms) fill(none)"
    )


def test_values_are_asked_for_in_pieces() -> None:
    assert influxql.values("main", TEMP, start=1, end=2, limit=5).endswith(
        "AND time >= 1ms AND time < 2ms ORDER BY time ASC LIMIT 5"
    )
    assert influxql.before("main", TEMP, 7).endswith("AND time < 7ms ORDER BY time DESC LIMIT 1")


def test_times_that_influxdb_cannot_tell_are_moved_to_its_bounds() -> None:
    text = influxql.values("main", TEMP, start=-(2**62), end=2**62, limit=5)
    assert f"time >= {influxql.FIRST_MS}ms AND time < {influxql.LAST_MS}ms" in text


def test_names_cannot_leave_their_quotes() -> None:
    assert influxql.string("it's \\ 'so'\n") == r"'it\'s \\ \'so\'\n'"
    assert influxql.identifier('a"; DROP DATABASE x\\') == r'"a\"; DROP DATABASE x\\"'
