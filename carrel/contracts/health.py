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


class LinkHealth(Contract):
    """One port or socket of a gateway; `since` is when it came into this state."""

    link: LinkId
    kind: str
    state: Literal["connecting", "up", "degraded", "down"]
    since: AwareDatetime
    last_error: str = ""
    reconnects: int = 0
    bad_frames: int = 0


class LinkReport(Contract):
    """All links of a gateway."""

    links: tuple[LinkHealth, ...]
