"""The life cycle of copies. Pure."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

Status = Literal[
    "on_shelf", "on_loan", "on_hold_shelf", "in_transit", "missing", "lost", "repair", "withdrawn", "in_processing"
]


class Trigger(StrEnum):
    """What happens to a copy. Circulation causes the first five, cataloguers the rest."""

    CHECKOUT = "checkout"
    CHECKIN = "checkin"
    HOLD = "hold"
    SEND = "send"
    LOST = "lost"
    MISSING = "missing"
    FOUND = "found"
    REPAIR = "repair"
    PROCESS = "process"
    READY = "ready"
    WITHDRAW = "withdraw"
    REINSTATE = "reinstate"


BY_HAND = (
    Trigger.MISSING, Trigger.FOUND, Trigger.REPAIR, Trigger.PROCESS, Trigger.READY, Trigger.WITHDRAW, Trigger.REINSTATE,
)  # fmt: skip
"""What a cataloguer may cause without a loan, a hold or a fee being concerned."""

_BACK: dict[Trigger, Status] = {
    Trigger.CHECKIN: "on_shelf",
    Trigger.HOLD: "on_hold_shelf",
    Trigger.SEND: "in_transit",
}
"""Whatever comes over the desk can be put on its shelf, kept for somebody, or sent to another branch."""

_OUT: dict[Trigger, Status] = {
    Trigger.MISSING: "missing",
    Trigger.LOST: "lost",
    Trigger.REPAIR: "repair",
    Trigger.PROCESS: "in_processing",
    Trigger.WITHDRAW: "withdrawn",
}
"""Whatever is in the library's hands can go missing or be taken away."""

LIFE_CYCLE: dict[Status, dict[Trigger, Status]] = {
    "on_shelf": {Trigger.CHECKOUT: "on_loan", **_BACK, **_OUT},
    "on_loan": {**_BACK, Trigger.LOST: "lost"},
    "on_hold_shelf": {Trigger.CHECKOUT: "on_loan", **_BACK, **_OUT},
    "in_transit": {Trigger.CHECKOUT: "on_loan", **_BACK, **_OUT},
    "missing": {**_BACK, **_OUT, Trigger.FOUND: "on_shelf"},
    "lost": {**_BACK, Trigger.WITHDRAW: "withdrawn"},
    "repair": {**_BACK, **_OUT, Trigger.READY: "on_shelf"},
    "in_processing": {**_BACK, **_OUT, Trigger.READY: "on_shelf"},
    "withdrawn": {Trigger.REINSTATE: "in_processing"},
}
"""State, trigger, next state: what is not in here does not happen."""

GONE: tuple[Status, ...] = ("missing", "lost", "withdrawn")
"""Copies that nobody can have, now or soon."""


def next_status(status: str, trigger: Trigger) -> Status | None:
    """What a copy becomes; None when this cannot happen to it."""
    for known, steps in LIFE_CYCLE.items():
        if known == status:
            return steps.get(trigger)
    return None
