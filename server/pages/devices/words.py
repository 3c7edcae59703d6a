"""The network in words: what state a device is in, which step of joining it takes, what it is."""

from __future__ import annotations

from carrel.web.i18n import N_, Words
from server.pages.dashboard.words import QUANTITIES
from server.pages.rooms.words import DEVICE_KINDS, QUANTITY_NAMES

STATES = {
    "awaited": N_("not met yet"),
    "joining": N_("joining"),
    "online": N_("online"),
    "silent": N_("silent"),
    "left": N_("has left"),
    "unknown": N_("unknown now"),
}
TONES = {"awaited": "", "joining": "info", "online": "ok", "silent": "warn", "left": "", "unknown": ""}
SHAPES = {"awaited": "○", "joining": "◌", "online": "●", "silent": "▲", "left": "○", "unknown": "○"}
STEPS = {
    "joined": N_("Joining the network"),
    "node": N_("Kind of radio"),
    "endpoints": N_("List of its parts"),
    "descriptors": N_("Description of each part"),
    "basic": N_("Maker and model"),
    "enroll": N_("Enrolment as a detector"),
    "bind": N_("Binding to the coordinator"),
    "reporting": N_("Agreement on reports"),
    "read": N_("First values"),
}
STEP_STATES = {"waiting": N_("waiting"), "running": N_("running"), "done": N_("done"), "failed": N_("failed")}
KINDS = ("sensor", "curtain", "ac", "vent", "plug", "siren", "smoke", "flame")
DONE = {
    "permit": N_("The join window is open."),
    "close": N_("The join window is closed."),
    "form": N_("The network is made."),
    "backup": N_("A backup was written."),
    "name": N_("The device has its name."),
    "remove": N_("The device is removed."),
    "reinterview": N_("The device is asked everything again."),
}
SENT = N_("This is on its way; the gateway has not answered yet.")


def kind(words: Words, code: str | None) -> str:
    """What a device is."""
    return words.gettext(DEVICE_KINDS.get(code or "", code or N_("Unknown")))


def quantity_name(words: Words, quantity: str) -> str:
    """The name of a measured quantity."""
    return words.gettext(QUANTITIES.get(quantity) or QUANTITY_NAMES.get(quantity, quantity))


def link_quality(lqi: int) -> int:
    """Bars of four: 255 is the best that a radio tells."""
    return 1 + sum(lqi >= limit for limit in (60, 110, 160))
