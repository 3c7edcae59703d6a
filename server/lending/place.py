"""A caller of the API as somebody at a counter."""

from __future__ import annotations

from server.deps import DESK, Core, Principal
from server.lending.occasion import Channel, Occasion


def occasion_of(core: Core, principal: Principal) -> Occasion:
    """This caller, now, at the library's own branch; the pages ask the services with it too."""
    channel = Channel.READER if principal.card is not None else Channel.KIOSK
    return Occasion(
        actor=principal.subject,
        now=core.clock.now(),
        zone=core.settings.common.library.zone,
        branch=core.settings.common.library.branch,
        channel=Channel.DESK if principal.has(*DESK) else channel,
    )
