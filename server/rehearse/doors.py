"""Through which door somebody acts: what they may do there and how the library's log names them. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, replace

from server.lending.occasion import Channel

READER_WORDS = {"reader", "patron", "phone", "opac", "web", "self"}
KIOSK_WORDS = {"kiosk", "selfcheck", "selfservice", "gateway"}
SIP_WORDS = {"sip", "terminal", "sorter", "bookdrop"}
NIGHT = "nightly"
"""The library by itself does what is called so, and nothing else."""
SYSTEM_WORDS = {NIGHT, "system", "timer", "cron"}

AT_ANY_COUNTER = frozenset(
    {"checkout", "checkin", "renew", "renew_all", "checkout_cancel", "patron_info", "pin", "replay"}
)
OF_A_READER = frozenset(
    {"renew", "renew_all", "place_hold", "cancel_hold", "pause_hold", "resume_hold", "patron_info", "pin", "checkout"}
)
FOR_A_CHILD = frozenset({"renew", "renew_all", "patron_info"})
"""What guardians may do on an under-age child's card."""
OF_A_TERMINAL = AT_ANY_COUNTER | {"place_hold", "cancel_hold", "pay", "block"}
RIGHTS: dict[Channel, frozenset[str] | None] = {
    Channel.DESK: None,
    Channel.REPLAY: None,
    Channel.KIOSK: AT_ANY_COUNTER,
    Channel.SIP2: OF_A_TERMINAL,
    Channel.READER: OF_A_READER,
}
"""What each door is for; None is everything."""


@dataclass(frozen=True, slots=True)
class Door:
    """`subject` is how services and the audit log name the actor; `patron` is set for a reader who acts alone."""

    channel: Channel
    subject: str
    patron: str | None = None
    branch: str | None = None

    def allows(self, cmd: str) -> bool:
        """Whether this is a thing one does at this door."""
        if self.subject == NIGHT:
            return cmd == NIGHT
        rights = RIGHTS[self.channel]
        return rights is None or cmd in rights


def door_of(actor: str, patrons: Collection[str]) -> Door:
    """`desk`, `kiosk`, `sip2`, `reader`, a patron's ID, or a name of somebody at the desk; `@north` is the branch."""
    who, _, where = actor.strip().partition("@")
    return replace(_door(who.strip(), patrons), branch=where.strip() or None)


def _door(actor: str, patrons: Collection[str]) -> Door:
    first, _, rest = actor.partition(":")
    word = re.split(r"[-_ 0-9]", re.sub("^(self|book)[-_ ]", r"\1", first.lower()), maxsplit=1)[0]
    if actor in patrons:
        return Door(Channel.READER, f"card:{actor}", actor)
    if word in READER_WORDS:
        return Door(Channel.READER, f"card:{rest}" if rest else "card", rest or None)
    if word in KIOSK_WORDS:
        return Door(Channel.KIOSK, f"machine:{rest or first}")
    if word in SIP_WORDS:
        return Door(Channel.SIP2, f"sip2:{rest or ('terminal' if first.lower() == 'sip2' else first)}")
    if word == "replay":
        return Door(Channel.REPLAY, f"machine:{rest or 'kiosk'}")
    if word in SYSTEM_WORDS:
        return Door(Channel.DESK, word)
    return Door(Channel.DESK, f"user:{rest or first or 'desk'}")
