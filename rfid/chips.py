"""Memory layouts by UID prefix, for tags that do not answer Get System Information (ISO 15693-3 section 10.3.12)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Layout:
    """`block_count` blocks of `block_size` bytes."""

    block_count: int
    block_size: int


# The smallest layout of each prefix: reading past a small chip's end fails, a big one's tail is rarely used.
_BY_PREFIX = {
    "E00401": Layout(28, 4),  # NXP ICODE SLI, SLIX
    "E00402": Layout(40, 4),  # NXP ICODE SLI-S (from memory)
    "E00403": Layout(8, 4),  # NXP ICODE SLI-L (from memory)
    "E00700": Layout(64, 4),  # Texas Instruments Tag-it HF-I Plus (from memory)
    "E00780": Layout(64, 4),
}
_UNKNOWN = Layout(8, 4)


def assumed_layout(uid: str) -> Layout:
    """Return the layout to assume for a tag of this UID."""
    return _BY_PREFIX.get(uid[:6], _UNKNOWN)
