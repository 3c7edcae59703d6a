"""What can be wrong with one device on the air, switched on by a test or by hand."""

import math
from dataclasses import dataclass
from typing import Final

from firmware_sim.zigbee import zcl

NO_ACK: Final = 0xE9
EXPIRED: Final = 0xF0
CHANNEL_BUSY: Final = 0xE1
STATUSES: Final = {
    0xE9: "no MAC acknowledgement",
    0xF0: "kept too long for a sleeping child",
    0xCD: "no route",
    0xE1: "channel busy",
    0xB7: "no APS acknowledgement",
    0x1A: "no resources",
    0x11: "buffer full",
}
MODES: Final = {
    "lost": "a share of its frames never arrives",
    "duplicated": "a share of its frames arrives twice, with another link quality",
    "shuffled": "a share of its frames is overtaken by the next",
    "unanswered": "its reports arrive, its answers do not",
    "dumb": "it hears and acts, nothing it sends arrives",
    "deaf": "it sends, nothing reaches it",
    "gone": "deaf and dumb, as with an empty battery",
    "stunned": "frames to it are acknowledged, but it neither acts nor speaks",
    "refused": "data to it fails with a status",
    "frozen": "it goes on reporting its last value",
    "invalid": "it says that it does not know",
    "absurd": "it tells values that cannot be",
}
_INVALID: Final[dict[int, zcl.Value]] = {zcl.INT16: -0x8000, zcl.UINT16: 0xFFFF, zcl.SINGLE: math.nan}
_ABSURD: Final[dict[int, zcl.Value]] = {zcl.INT16: 0x7FFF, zcl.UINT16: 0xFFFE, zcl.SINGLE: 1.0}
SHARED: Final = ("lost", "duplicated", "shuffled")


@dataclass(slots=True)
class DeviceFaults:
    """One device's troubles; shares are 0..1, `status` is the data confirm's."""

    lost: float = 0.0
    duplicated: float = 0.0
    shuffled: float = 0.0
    unanswered: bool = False
    dumb: bool = False
    deaf: bool = False
    stunned: bool = False
    frozen: bool = False
    invalid: bool = False
    absurd: bool = False
    status: int = 0

    @property
    def hears(self) -> bool:
        """Whether frames reach it and are acted on."""
        return not (self.deaf or self.stunned)

    @property
    def speaks(self) -> bool:
        """Whether anything that it sends can arrive."""
        return not (self.dumb or self.stunned)

    def distort(self, data_type: int, value: zcl.Value) -> zcl.Value:
        """What it says instead of a measured value."""
        lies = _INVALID if self.invalid else _ABSURD if self.absurd else {}
        return lies.get(data_type, value)

    def names(self) -> list[str]:
        """Modes that are on, in the order of MODES."""
        active = {
            "gone": self.deaf and self.dumb,
            "dumb": self.dumb and not self.deaf,
            "deaf": self.deaf and not self.dumb,
            "refused": bool(self.status),
        }
        return [mode for mode in MODES if (active[mode] if mode in active else bool(getattr(self, mode)))]

    def put(self, mode: str, *, share: float | None = None, status: int | None = None) -> None:
        """Switch one mode on beside what there is; ValueError says what may be asked for."""
        if mode not in MODES:
            raise ValueError(f"no fault {mode!r} of a device; there are: {', '.join(MODES)}, restore")
        if share is not None and (mode not in SHARED or not 0 < share <= 1):
            raise ValueError(f"a share is above 0 and at most 1, and only for {', '.join(SHARED)}")
        if (status is None) == (mode == "refused") or (status is not None and status not in STATUSES):
            known = ", ".join(f"0x{number:02X} {text}" for number, text in STATUSES.items())
            raise ValueError(f"refused takes a status, the others none; there are: {known}")
        if mode in SHARED:
            setattr(self, mode, 0.5 if share is None else share)
        elif mode == "gone":
            self.deaf = self.dumb = True
        elif status is not None:
            self.status = status
        else:
            setattr(self, mode, True)
