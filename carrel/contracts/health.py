"""How gateways and their links are."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime

from carrel.contracts.base import Contract
from carrel.contracts.ids import Count, LinkId


class GatewayStatus(Contract):
    """Retained; the broker itself sends `offline` when the gateway vanishes (last will)."""

    state: Literal["online", "offline"]
    since: AwareDatetime
    session: Count
    version: str


LinkErrorCode = Literal[
    "link_lost", "link_silent", "wrong_device", "no_network", "database_damaged", "radio_reset", "reader_refused",
    "influx_away", "influx_unwilling", "readings_refused", "readings_dropped", "not_written", "unexpected",
]  # fmt: skip


class LinkHealth(Contract):
    """One port or socket of a gateway; `since` is when it came into this state.

    `code` is the kind of its last error, for which pages have words; `last_error` tells it in full.
    """

    link: LinkId
    kind: str
    state: Literal["connecting", "up", "degraded", "down"]
    since: AwareDatetime
    last_error: str = ""
    code: LinkErrorCode | None = None
    reconnects: int = 0
    bad_frames: int = 0


class LinkReport(Contract):
    """All links of a gateway."""

    links: tuple[LinkHealth, ...]
