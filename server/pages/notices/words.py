"""The staff's page of notices in words."""

from __future__ import annotations

from carrel.web.i18n import N_, Words
from carrel.web.words import REFUSALS, refusal
from server.notices.policy import GIVEN_UP
from server.notices.service import Notice

KINDS = {
    "due_soon": N_("Due soon"), "overdue": N_("Overdue"), "hold_ready": N_("Ready to fetch"),
    "hold_expiring": N_("To be fetched soon"), "fee": N_("Open fees"),
}  # fmt: skip
CHANNELS = {"email": N_("E-mail"), "webhook": N_("Webhook")}
SETTINGS = {"email": "[server.notices.mail]", "webhook": "[server.notices.webhook]"}
TABS = {
    "": N_("All"), "waiting": N_("Waiting"), "held": N_("Held by quiet hours"), "sending": N_("Being sent"),
    "sent": N_("Sent"), "failed": N_("Failed"), "dropped": N_("Not sent"),
}  # fmt: skip
"""Lists by their state, in the order of a letter's life; `held` is those of `waiting` that are due."""

TONES = {"waiting": "info", "held": "info", "sending": "info", "sent": "ok", "failed": "alarm", "dropped": ""}
DONE = {
    "retried": N_("The notice is in the queue again. It goes out within a minute, after the quiet hours at night."),
    "given_up": N_("The notice is given up. Nobody gets it."),
    "nothing": N_("Nothing was left to be sent again."),
}
TRIED = {
    "mail_refused": N_("The mail server refused this address."),
    "mail_server": N_("The mail server did not take the letter. See whether it runs, and what config.toml says of it."),
    "webhook_away": N_("The program that passes notices on does not answer. See whether it runs, and its address."),
    "webhook_refused": N_("The program that passes notices on refused the letter. Its log should say why."),
}
"""Why a test letter did not go out, and what to do."""

TAKEN = N_("The test letter was taken by %(where)s. See whether it arrives.")
EMPTY = {
    "waiting": N_("Nothing waits"), "held": N_("Nothing is held back"), "failed": N_("Nothing has failed"),
    "sent": N_("Nothing was sent"),
}  # fmt: skip
BAD_FILTER = N_("This choice cannot be read, so everything is shown.")


def why(words: Words, notice: Notice) -> str:
    """Why it was not sent yet, or not at all, and what to do."""
    if notice.code == GIVEN_UP:
        return words.gettext("Given up by staff.")
    if notice.state == "dropped":
        return words.gettext("Nothing was left to tell when it was to go out.")
    return cause(words, notice.code) if notice.code else ""


def cause(words: Words, code: str) -> str:
    """What went wrong, and what to do."""
    return refusal(words, code) if code in REFUSALS else words.gettext("Refused: %(code)s", code=code)
