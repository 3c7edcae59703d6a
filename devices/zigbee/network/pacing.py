"""Goes easy on a crowded air: broadcasts are spaced out, and what the radio could not get rid of is told apart.

Every router repeats a broadcast and remembers it for nine seconds, in a table of nine places (Zigbee 3.6.5): more of
them stop the network for everybody.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any

import zigpy.exceptions
import zigpy.types
from zigpy.application import ControllerApplication
from zigpy.zdo.types import ZDOCmd

BROADCASTS_MOST = 8
"""One place is left to the network's own."""
REMEMBERED_S = 9.0

CROWDED = {0x11: "its buffer is full", 0x1A: "it has no room for more", 0xE1: "the channel is busy"}
"""Statuses of a radio that cannot send now and may a moment later (Z-Stack; MAC of IEEE 802.15.4)."""

_TO_MANY = (zigpy.types.AddrMode.Broadcast, zigpy.types.AddrMode.Group)


def crowded(error: BaseException) -> str:
    """Why the radio could not send just now, in words; empty for any other failure."""
    status = getattr(error, "status", None)
    if not isinstance(error, zigpy.exceptions.DeliveryError) or status is None:
        return ""
    return CROWDED.get(int(status), "")


class Pace:
    """Gives turns: at most BROADCASTS_MOST in any REMEMBERED_S."""

    def __init__(self, now_s: Callable[[], float]) -> None:
        self._now_s = now_s
        self._given: deque[float] = deque(maxlen=BROADCASTS_MOST)

    def wait_s(self, broadcasts: int = 1) -> float:
        """Take as many turns at one time; so long to wait for it."""
        now_s = self._now_s()
        turn_s = max(now_s, self._given[-1]) if self._given else now_s
        over = len(self._given) + broadcasts - BROADCASTS_MOST
        if over > 0:
            turn_s = max(turn_s, self._given[over - 1] + REMEMBERED_S)
        self._given.extend([turn_s] * broadcasts)
        return turn_s - now_s


def pace_broadcasts(app: ControllerApplication) -> None:
    """Whatever this application sends to many, groups among them, waits for its turn; the rest does not."""
    inner = app.send_packet
    pace = Pace(asyncio.get_running_loop().time)

    async def paced(packet: Any) -> None:
        if packet.dst is not None and packet.dst.addr_mode in _TO_MANY:
            opens = packet.dst_ep == 0 and packet.cluster_id == ZDOCmd.Mgmt_Permit_Joining_req
            await asyncio.sleep(pace.wait_s(2 if opens else 1))  # zigpy-znp sends this one twice
        await inner(packet)

    vars(app)["send_packet"] = paced
