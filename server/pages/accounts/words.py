"""Accounts and tokens in words."""

from __future__ import annotations

from carrel.web.i18n import N_, Words
from carrel.web.words import refusal

STAFF_ROLES = {
    "librarian": N_("Librarian"),
    "duty_staff": N_("Duty staff"),
    "administrator": N_("Administrator"),
}
STAFF_HINTS = {
    "librarian": N_("lends, takes payments, catalogues"),
    "duty_staff": N_("watches rooms, alarms and devices"),
    "administrator": N_("everything, and accounts, lending rules, the audit log"),
}
MACHINE_ROLES = {
    "integration": N_("Another program"),
    "kiosk": N_("Kiosk"),
    "gateway": N_("Gateway"),
}
ROLES = STAFF_ROLES | MACHINE_ROLES

DONE = {
    "made": N_("The account is made. Tell your colleague the password."),
    "changed": N_("The changes are saved and count at once."),
    "password": N_("The new password is set. All sessions of this account have ended."),
    "ended": N_("The account has ended. Your colleague is signed out everywhere."),
    "reopened": N_("The account is open again."),
    "own_password": N_("The new password counts from now on. You were signed out everywhere else."),
    "session": N_("You are signed out there."),
    "made_before": N_(
        "This form was sent before: its token was made then and is shown no more. "
        "If nobody has copied it, revoke it and make another."
    ),
    "revoked": N_("The token is revoked: nobody is known by it any more."),
}

FORM = {
    "user": N_("Write 2 to 64 letters, digits, dots, hyphens or underscores, beginning with a letter."),
    "name": N_("Write a name of at most 200 characters; a token's of at most 64."),
    "role": N_("Choose one of these."),
    "password": N_("Write a password."),
    "until": N_("Write a day as 2026-10-01."),
    "past": N_("This day is over. Choose a later one, or none."),
}
"""What is wrong with a field that does not have the right form."""


def error(words: Words, name: str, code: str) -> str:
    """What is wrong with a field."""
    if code == "malformed":
        return words.gettext(FORM[name])
    return words.gettext(FORM[code]) if code in FORM else refusal(words, code)
