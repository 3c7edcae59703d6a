"""The face that every reader family shows, and the values that cross it.

UIDs are 16 upper-case hex digits, most significant byte (E0) first.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class TagFault(StrEnum):
    """Why one tag did not do as asked; the reader itself is well."""

    GONE = "tag_gone"  # no tag with this UID answered
    REFUSED = "tag_refused"  # the tag answered with an ISO 15693 error code
    WRITE_FAILED = "write_failed"  # the reader could not verify what it wrote
    NO_ANSWER = "no_answer"  # the reader's answer was lost: what the tag did is unknown
    NOT_POSSIBLE = "not_possible"  # the reader will not do this with this tag


@dataclass(frozen=True, slots=True)
class TagError:
    """One tag's failure; `iso_code` is the ISO 15693-3 error code, `block` the failing block, where known."""

    fault: TagFault
    iso_code: int | None = None
    block: int | None = None


@dataclass(frozen=True, slots=True)
class TagSeen:
    """One ISO 15693 tag of one inventory."""

    uid: str
    dsfid: int


@dataclass(frozen=True, slots=True)
class SystemInfo:
    """What a tag tells of itself; `block_count` blocks of `block_size` bytes."""

    uid: str
    dsfid: int
    afi: int
    block_size: int
    block_count: int
    ic_reference: int


@dataclass(frozen=True, slots=True)
class ReaderInfo:
    """What a reader tells of itself."""

    family: str
    firmware: str
    hardware: int
    model: int


class ByteStream(Protocol):
    """An open line to a reader. `read` returns b"" at its end; an OSError means the line failed."""

    async def read(self, n: int, /) -> bytes:
        """Return 1..n bytes as soon as there are some, or b"" at the end; safe to cancel."""

    def write(self, data: bytes, /) -> None:
        """Queue bytes for sending."""

    async def drain(self) -> None:
        """Wait until the queue is short again."""


class Reader(Protocol):
    """One reader. Tag failures are values; wire failures are raised as ConnectionError."""

    async def info(self) -> ReaderInfo:
        """Return the reader's identity."""

    async def inventory(self) -> list[TagSeen]:
        """Return every ISO 15693 tag in the field, each once."""

    async def system_info(self, uid: str) -> SystemInfo | TagError:
        """Return the tag's memory layout, DSFID and AFI."""

    async def read_blocks(self, uid: str, first: int, count: int, *, block_size: int = 4) -> bytes | TagError:
        """Return `count` blocks from `first` on, in memory order; `block_size` is the size expected."""

    async def write_blocks(self, uid: str, first: int, data: bytes, *, block_size: int = 4) -> TagError | None:
        """Write whole blocks from `first` on; None when the reader confirmed all."""

    async def write_afi(self, uid: str, afi: int) -> TagError | None:
        """Write the AFI of the addressed tag; None when the reader confirmed it."""
