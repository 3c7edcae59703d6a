"""Who asks for something at the counter, when, where and over which channel."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from zoneinfo import ZoneInfo


class Channel(StrEnum):
    """The way a request came; only the desk may override the rules, and replay tells what has happened already."""

    DESK = "desk"
    KIOSK = "kiosk"
    READER = "reader"
    SIP2 = "sip2"
    REPLAY = "replay"


class Occasion(NamedTuple):
    """`actor` is a principal's subject; `branch` is where the request is made, in the library's `zone`."""

    actor: str
    now: datetime
    zone: ZoneInfo
    branch: str = "main"
    channel: Channel = Channel.DESK

    def at(self, branch: str | None) -> Occasion:
        """The same, at the branch that the request names, if it names one."""
        return self if branch is None else self._replace(branch=branch)
