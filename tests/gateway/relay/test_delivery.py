"""Finding the lines a server refuses among those that it takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.relay.delivery import AwayError, RefusedError, UnwillingError, deliver


class Server:
    """Takes requests in which no line is bad; a bad line makes it refuse all, or take the others."""

    def __init__(self, bad: Callable[[str], bool], *, of_lines: bool = True, partly: bool = False) -> None:
        self.bad, self.of_lines, self.partly = bad, of_lines, partly
        self.taken: list[str] = []
        self.requests = 0

    def __call__(self, lines: Sequence[str]) -> None:
        assert lines
        self.requests += 1
        bad = [line for line in lines if self.bad(line)]
        if not bad or self.partly:
            self.taken += [line for line in lines if not self.bad(line)]
        if bad:
            raise RefusedError(f"cannot take {bad[0]}", of_lines=self.of_lines)


LINES = [str(n) for n in range(5000)]


def test_a_batch_that_is_taken_is_one_request() -> None:
    server = Server(lambda _: False)
    assert deliver(LINES, server) == {}
    assert (server.taken, server.requests) == (LINES, 1)


@pytest.mark.parametrize("partly", [False, True])
@pytest.mark.parametrize("bad", [0, 1, 2499, 2500, 4999])
def test_one_bad_line_in_a_batch_is_found_alone_in_a_few_requests(bad: int, partly: bool) -> None:
    server = Server(lambda line: line == str(bad), partly=partly)
    assert deliver(LINES, server) == {bad: f"cannot take {bad}"}
    assert set(server.taken) == set(LINES) - {str(bad)}
    assert server.requests < 30


@given(st.sets(st.integers(0, 40)), st.integers(1, 40), st.booleans())
def test_all_good_lines_arrive_and_all_bad_ones_are_named(bad: set[int], count: int, partly: bool) -> None:
    server = Server(lambda line: int(line) in bad, partly=partly)
    refused = deliver(LINES[:count], server)
    assert set(refused) == {n for n in bad if n < count}
    assert set(server.taken) == {LINES[n] for n in range(count) if n not in bad}


def test_a_server_that_refuses_every_line_as_a_line_is_believed() -> None:
    """Such as readings older than it keeps any."""
    assert set(deliver(LINES[:50], Server(lambda _: True))) == set(range(50))


@pytest.mark.parametrize("count", [1, 5, 5000])
def test_a_server_that_refuses_everything_without_a_word_about_lines_costs_no_reading(count: int) -> None:
    server = Server(lambda _: True, of_lines=False)
    with pytest.raises(UnwillingError, match="takes no line at all: cannot take 0"):
        deliver(LINES[:count], server)
    assert server.requests < 40


def test_a_refusal_without_a_word_about_lines_is_believed_where_others_are_taken() -> None:
    server = Server(lambda line: line in ("3", "70"), of_lines=False)
    assert set(deliver(LINES[:100], server)) == {3, 70}


def test_a_server_that_goes_away_in_the_middle_is_away() -> None:
    server = Server(lambda line: line == "40")

    def sometimes(lines: Sequence[str]) -> None:
        if server.requests == 3:
            raise AwayError("connection refused")
        server(lines)

    with pytest.raises(AwayError, match="connection refused"):
        deliver(LINES, sometimes)
