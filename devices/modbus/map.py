"""I/O modules as data: where a module keeps its inputs and outputs. Pure.

Addresses are those on the wire, counted from 0 (makers' reference numbers start at 1).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from devices.errors import ProtocolError


class Space(StrEnum):
    """Which of the module's address spaces: read with function 1 or 2."""

    COIL = "coil"
    DISCRETE = "discrete"


@dataclass(frozen=True, slots=True)
class Block:
    """`count` neighbouring bits from `start`."""

    space: Space
    start: int
    count: int


@dataclass(frozen=True, slots=True)
class Identity:
    """A holding register that tells the model."""

    register: int
    value: int


@dataclass(frozen=True, slots=True)
class ModuleMap:
    """One model of module. `polls` together cover inputs and outputs; outputs are coils, written with function 15."""

    inputs: Block
    outputs: Block
    polls: tuple[Block, ...]
    identity: Identity | None = None


@dataclass(frozen=True, slots=True)
class Image:
    """All points of a module at one poll, by number."""

    inputs: tuple[bool, ...]
    outputs: tuple[bool, ...]


MODULE_MAPS: dict[str, ModuleMap] = {
    # One read of 24 coils fetches all inputs and outputs; register 40211 holds the model.
    "adam-4150": ModuleMap(
        inputs=Block(Space.COIL, 0, 7),
        outputs=Block(Space.COIL, 16, 8),
        polls=(Block(Space.COIL, 0, 24),),
        identity=Identity(210, 0x4150),
    ),
    "waveshare-io8": ModuleMap(
        inputs=Block(Space.DISCRETE, 0, 8),
        outputs=Block(Space.COIL, 0, 8),
        polls=(Block(Space.DISCRETE, 0, 8), Block(Space.COIL, 0, 8)),
    ),
    "ebyte": ModuleMap(
        inputs=Block(Space.DISCRETE, 0x10, 6),
        outputs=Block(Space.COIL, 0x10, 6),
        polls=(Block(Space.DISCRETE, 0x10, 6), Block(Space.COIL, 0x10, 6)),
    ),
}


def decode(module: ModuleMap, answers: Mapping[Block, Sequence[bool]]) -> Image:
    """The points from the answers to `polls`; ProtocolError when an answer is too short."""
    return Image(_points(module.inputs, answers), _points(module.outputs, answers))


def changed_inputs(before: Sequence[bool] | None, after: Sequence[bool], names: Mapping[str, int]) -> dict[str, bool]:
    """Named inputs that differ, with their new state; all of them when nothing was known before."""
    return {name: after[i] for name, i in names.items() if before is None or before[i] != after[i]}


def named(points: Sequence[bool], names: Mapping[str, int]) -> dict[str, bool]:
    """The state of each named point."""
    return {name: points[i] for name, i in names.items()}


def coil_runs(wanted: Mapping[int, bool], known: Sequence[bool] | None) -> list[tuple[int, list[bool]]]:
    """(first output, states) of each write: one write when the outputs between are known, so that all act together."""
    numbers = sorted(wanted)
    runs: list[tuple[int, list[bool]]] = []
    for number in numbers:
        if runs and known is not None:
            first, states = runs[-1]
            states.extend(known[first + len(states) : number])
        if runs and runs[-1][0] + len(runs[-1][1]) == number:
            runs[-1][1].append(wanted[number])
        else:
            runs.append((number, [wanted[number]]))
    return runs


def _points(block: Block, answers: Mapping[Block, Sequence[bool]]) -> tuple[bool, ...]:
    for asked, bits in answers.items():
        offset = block.start - asked.start
        if asked.space is block.space and offset >= 0 and offset + block.count <= asked.count:
            points = tuple(bits[offset : offset + block.count])
            if len(points) != block.count:
                raise ProtocolError(f"{len(bits)} bits in the answer to a read of {asked.count}")
            return points
    raise ProtocolError(f"no answer covers {block.space} {block.start}")
