"""The host's end of FEIG frames for tests of the simulated pad, and the golden vectors."""

import tomllib
from collections.abc import Generator
from pathlib import Path
from typing import Any, NamedTuple

from firmware_sim.rfid.feig import Answer, Request
from firmware_sim.rfid.host_commands import Pause
from firmware_sim.rfid.reader import Reader

VECTORS = Path(__file__).parents[1] / "vectors"
DEMO = {
    "items": {"first": 30000001, "count": 240, "on_loan": range(30000201, 30000213)},
    "cards": {"first": 90000001, "count": 30},
    "owner": "CN-000001-DEMO",
}


class Got(NamedTuple):
    """One answer taken apart."""

    com_adr: int
    command: int
    status: int
    data: bytes
    advanced: bool


def rows(file: str, table: str) -> list[dict[str, Any]]:
    """The rows of one table of a vector file."""
    found: list[dict[str, Any]] = tomllib.loads((VECTORS / file).read_text(encoding="utf-8"))[table]
    return found


def checksum(data: bytes) -> bytes:
    """CRC16 of FEIG frames by its shift register, low byte first."""
    register = 0xFFFF
    for bit in (byte >> position & 1 for byte in data for position in range(8)):
        register = register >> 1 ^ (0x8408 if (register ^ bit) & 1 else 0)
    return register.to_bytes(2, "little")


def frame(command: int, data: bytes = b"", *, com_adr: int = 0xFF, advanced: bool = False) -> bytes:
    """A request's bytes."""
    body = bytes((com_adr, command)) + data
    head = b"\x02" + (len(body) + 5).to_bytes(2, "big") if advanced else bytes((len(body) + 3,))
    return head + body + checksum(head + body)


def parse(raw: bytes) -> Got:
    """Take one whole answer apart; AssertionError when length or checksum are wrong."""
    advanced = raw[0] == 2
    assert len(raw) == (int.from_bytes(raw[1:3], "big") if advanced else raw[0])
    assert checksum(raw[:-2]) == raw[-2:]
    body = raw[3:-2] if advanced else raw[1:-2]
    return Got(body[0], body[1], body[2], body[3:], advanced)


def run(steps: Generator[float, None, Any]) -> tuple[Any, float]:
    """Run a generator of waits to its end: what it returns, and the seconds that would have passed."""
    seconds = 0.0
    while True:
        try:
            seconds += next(steps)
        except StopIteration as done:
            return done.value, seconds


def ask(reader: Reader, command: int, data: bytes = b"", *, advanced: bool = False) -> Answer:
    """What a reader answers, without waiting."""
    answer, _ = run(reader.handle(Request(0xFF, command, data, advanced, 0)))
    assert isinstance(answer, Answer)
    return answer


def pauses(reader: Reader, command: int, data: bytes) -> float:
    """Seconds the reader waits by itself for this request."""
    steps = reader.handle(Request(0xFF, command, data, False, 0))
    return sum(wait for wait in steps if isinstance(wait, Pause))
