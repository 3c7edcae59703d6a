"""The field between reader and tags: frames, collisions, 16-slot anticollision, and the time it all takes on air.

ISO/IEC 15693-2 and -3 at the high data rate, one sub-carrier, 1 out of 4: 26.48 kbit/s both ways. Functions are
generators that yield seconds of air time before each thing happens, so that a tag taken away in between is missed.
"""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Final

from firmware_sim.rfid.chip import ADDRESS_FLAG, INVENTORY_FLAG, NXP, OPTION_FLAG, SELECT_FLAG, WRITES, Reply, Tag, crc

BIT_S: Final = 512 / 13.56e6
T1_S: Final = 320.9e-6
T2_S: Final = 309.2e-6
WRITE_S: Final = 5e-3

_HIGH_RATE: Final = 0x02
_REQUEST_EDGE_BITS: Final = 3
_ANSWER_EDGE_BITS: Final = 8
_SLOT_EOF_BITS: Final = 1
_ANSWER_SOF_BITS: Final = 4
_MASK_LIMIT: Final = 60
_INVENTORY_ANSWER_LENGTH: Final = 12

Field = Callable[[], Sequence[Tag]]
"""The tags that have power now."""


@dataclass(frozen=True, slots=True)
class Target:
    """Whom a command is for: the tag with `uid` (E0 first), the selected one, or every tag that is not quiet."""

    uid: bytes | None = None
    selected: bool = False


@dataclass(frozen=True, slots=True)
class Heard:
    """What came back: `data` without flags and checksum; None with `collision` False is silence."""

    data: bytes | None = None
    iso_error: int | None = None
    collision: bool = False


@dataclass(slots=True)
class Census:
    """Result of an inventory; `duplicates` counts UIDs that two tags share, which no mask can part."""

    found: list[tuple[int, bytes]]
    duplicates: int = 0
    rounds: int = 0


def request_frame(command: int, params: bytes, target: Target, *, option: bool = False) -> bytes:
    """One request with its checksum."""
    flags = _HIGH_RATE | (OPTION_FLAG if option else 0)
    uid = b""
    if target.uid is not None:
        flags |= ADDRESS_FLAG
        uid = target.uid[::-1]
    elif target.selected:
        flags |= SELECT_FLAG
    maker = bytes((NXP,)) if command >= 0xA0 else b""
    frame = bytes((flags, command)) + maker + uid + params
    return frame + crc(frame)


def inventory_frame(mask: int, length: int) -> bytes:
    """A 16-slot inventory request for UIDs whose low `length` bits are `mask`."""
    frame = bytes((_HIGH_RATE | INVENTORY_FLAG, 0x01, length)) + mask.to_bytes((length + 7) // 8, "little")
    return frame + crc(frame)


def request_s(frame: bytes) -> float:
    """Seconds a request is on air."""
    return (len(frame) * 8 + _REQUEST_EDGE_BITS) * BIT_S


def answer_s(length: int) -> float:
    """Seconds an answer of so many bytes is on air."""
    return (length * 8 + _ANSWER_EDGE_BITS) * BIT_S


def slot_s(*, full: bool) -> float:
    """Seconds of one slot, from the reader's slot mark to the next."""
    if full:
        return _SLOT_EOF_BITS * BIT_S + T1_S + answer_s(_INVENTORY_ANSWER_LENGTH) + T2_S
    return (_SLOT_EOF_BITS + _ANSWER_SOF_BITS) * BIT_S + T1_S


def exchange(
    tags: Field, command: int, params: bytes, target: Target, *, option: bool = False
) -> Generator[float, None, Heard]:
    """Send one command and hear the answer."""
    frame = request_frame(command, params, target, option=option)
    yield request_s(frame) + T1_S + (WRITE_S if command in WRITES else 0.0)
    replies = [reply for tag in tags() if (reply := tag.receive(frame)) is not None]
    yield (answer_s(len(replies[0].data)) if replies else 0.0) + T2_S
    if not replies:
        return Heard()
    if len({reply.data for reply in replies}) > 1:
        return Heard(collision=True)
    data = replies[0].data
    if data[0] & 1:
        return Heard(iso_error=data[1])
    return Heard(data=data[1:-2])


def inventory(tags: Field) -> Generator[float, None, Census]:
    """Find every tag that is not quiet by splitting collided slots, last one first."""
    census = Census(found=[])
    pending = [(0, 0)]
    while pending:
        mask, length = pending.pop()
        frame = inventory_frame(mask, length)
        yield request_s(frame)
        slots: dict[int, list[Reply]] = {}
        for tag in tags():
            reply = tag.receive(frame)
            if reply is not None:
                slots.setdefault(reply.slot, []).append(reply)
        census.rounds += 1
        yield len(slots) * slot_s(full=True) + (16 - len(slots)) * slot_s(full=False)
        for slot, replies in sorted(slots.items()):
            if len(replies) == 1:
                census.found.append((replies[0].data[1], replies[0].data[9:1:-1]))
            elif length < _MASK_LIMIT:
                pending.append((mask | slot << length, length + 4))
            else:
                census.duplicates += 1
    return census
