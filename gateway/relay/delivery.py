"""A batch of lines to a server that refuses a whole request for one bad line: split it until the bad lines stand alone.

Lines that were taken may be sent again: the same series and time overwrite each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

REFUSED_BEFORE_DOUBT = 8
"""Single lines refused, none taken: the fault is hardly in the lines."""


class AwayError(Exception):
    """The server cannot be reached or cannot take anything now; the message says why."""

    def __init__(self, message: str, *, retry_after_s: float = 0.0) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class UnwillingError(Exception):
    """The server will take nothing until a person mends something; the message says what."""


class RefusedError(Exception):
    """The server refused the request; `of_lines` when it said that a line is at fault."""

    def __init__(self, message: str, *, of_lines: bool) -> None:
        super().__init__(message)
        self.of_lines = of_lines


class Write(Protocol):
    """One request with at least one line; returns when the server has taken all of them, raises one of the above."""

    def __call__(self, lines: Sequence[str]) -> None: ...


def deliver(lines: Sequence[str], write: Write) -> dict[int, str]:
    """Write all lines but those that the server refuses alone; which ones (by index) and why.

    Raises AwayError, and UnwillingError also where the server refuses each line without saying that lines are at
    fault: then nothing counts as refused.
    """
    refused: dict[int, str] = {}
    taken, doubt = False, False
    parts = [(0, len(lines))]
    while parts:
        low, high = parts.pop()
        try:
            write(lines[low:high])
        except RefusedError as error:
            if high - low > 1:
                middle = (low + high) // 2
                parts += [(middle, high), (low, middle)]
                continue
            refused[low] = str(error)
            doubt = doubt or not error.of_lines
            if doubt and not taken and len(refused) >= REFUSED_BEFORE_DOUBT:
                break
        else:
            taken = True
    if doubt and not taken:
        raise UnwillingError(f"it takes no line at all: {next(iter(refused.values()))}")
    return refused
