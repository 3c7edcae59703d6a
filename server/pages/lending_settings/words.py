"""What the lending settings say to administrators."""

from __future__ import annotations

from dataclasses import dataclass

from carrel.web.i18n import N_, Words
from carrel.web.words import refusal
from server.lending.names import Names
from server.lending.policy import ANY, Rule
from server.pages import seen

ERRORS = {
    "bad_word": N_("Write letters, digits, hyphens and underscores only."),
    "no_number": N_("Write a whole number; money such as 0.50."),
    "needed": N_("This value is needed."),
    seen.CHANGED: N_("Somebody else has set this to “%(line)s” meanwhile. Save again to put yours in its place."),
    "too_small": N_("This number is too small."),
    "too_large": N_("This number is too large."),
    "places": N_("Money has at most 2 places, such as 0.50."),
    "bad_names": N_("“%(line)s” cannot be read. Write each code once, with its names: dvd | DVD | 影碟."),
    "never_open": N_("A branch that never opens has no due dates. Leave one day open."),
    "bad_dates": N_("“%(line)s” cannot be read. Write 2026-10-01 or 2026-10-01 .. 2026-10-07, at most a year."),
}
DONE = {
    "rule": N_("The rule is saved. It counts from the next loan on; loans that exist keep what they were promised."),
    "removed": N_("The rule is removed. Loans that exist keep what they were promised."),
    "policy": N_("The policy is saved and counts from now on."),
    "calendar": N_("The calendar is saved. Due dates that were promised stay."),
}
GONE = N_("Somebody else has changed or removed this rule meanwhile. Look at the rules again.")


@dataclass(frozen=True, slots=True)
class Value:
    """One value of the policy: its name, what it does, and what an empty field means where it may be empty."""

    name: str
    label: str
    hint: str
    empty: str = ""
    kind: str = "number"


NO_LIMIT = N_("Empty: no limit.")
GROUPS: tuple[tuple[str, tuple[Value, ...]], ...] = (
    (
        N_("Lending"),
        (
            Value("max_loans", N_("Loans at most"), N_("How many open loans a reader may have in all."), NO_LIMIT),
            Value("loan_days", N_("Usual loan period (days)"), N_("Counts where no rule names a time.")),
            Value("max_overdue", N_("Overdue items at most"),
                  N_("With this many overdue items nothing more is lent."), NO_LIMIT),
            Value("renew_overdue", N_("Overdue loans can be renewed"), "", kind="switch"),
            Value("kiosk_pin", N_("Kiosks ask for the PIN"), "", kind="switch"),
            Value("undo_s", N_("Undo at the desk (seconds)"),
                  N_("How long the last loan, renewal, return or payment can be made undone.")),
            Value("checkin_backdate_days", N_("Backdated returns (days)"),
                  N_("How far back a return may be dated, such as for a book drop.")),
        ),
    ),
    (
        N_("Fees"),
        (
            Value("currency", N_("Currency"), N_("Three capital letters, such as CNY."), kind="text"),
            Value("fee_limit", N_("Fee limit"), N_("From this much owed on nothing is lent."), NO_LIMIT, "money"),
            Value("fee_grace_deducted", N_("The grace is taken off"),
                  N_("Only the open days after the grace cost. Otherwise all of them do once the grace is over."),
                  kind="switch"),
            Value("lost_after_days", N_("Given up after (days)"),
                  N_("An item overdue for so long counts as lost."), N_("Empty: never.")),
            Value("lost_price", N_("Price of a lost item"),
                  N_("Where the copy's own price is not known."), N_("Empty: nothing is charged then."), "money"),
            Value("lost_processing_fee", N_("Processing fee of a lost item"), N_("Beside the price."), kind="money"),
            Value("lost_refund_days", N_("Price given back within (days)"),
                  N_("When a lost item turns up within this time, its price is given back."),
                  N_("Empty: without a limit of time.")),
        ),
    ),
    (
        N_("Reservations"),
        (
            Value("hold_limit", N_("Reservations at most"), N_("How many a reader may have."), NO_LIMIT),
            Value("hold_shelf_days", N_("Kept on the hold shelf (open days)"),
                  N_("Then the item goes to the next reader.")),
            Value("hold_expiry_days", N_("A reservation ends after (days)"),
                  N_("If no copy came back until then."), N_("Empty: never.")),
            Value("hold_on_shelf_allowed", N_("What stands on the shelf can be reserved"), "", kind="switch"),
        ),
    ),
    (
        N_("Privacy and branches"),
        (
            Value("forget_after_days", N_("Forget who had what after (days)"),
                  N_("After the return, except for readers who keep their history. 0: at once.")),
            Value("report_group_least", N_("Smallest group in reports"),
                  N_("Groups of fewer readers are not shown, so that nobody is recognised.")),
            Value("branches", N_("Branches"), N_("Codes with a space between them, such as main north."),
                  N_("Empty: the library is one house."), "text"),
        ),
    ),
    (
        N_("Names"),
        (
            Value("branch_names", N_("What branches are called"),
                  N_("A line each: the code, the English name, the Chinese one, such as north | North branch | 北馆."),
                  N_("What has no name is called by its code."), "lines"),
            Value("item_type_names", N_("What types of items are called"),
                  N_("A line each: the code, the English name, the Chinese one, such as dvd | DVD | 影碟."),
                  N_("What has no name is called by its code."), "lines"),
        ),
    ),
)  # fmt: skip


def error(words: Words, code: str, line: str = "") -> str:
    """What is wrong with a field."""
    return words.gettext(ERRORS[code], line=line) if code in ERRORS else refusal(words, code)


def scope(words: Words, rule: Rule, names: Names) -> tuple[str, str, str]:
    """What a rule is for: Adult, Book, all branches."""
    return (
        words.gettext("all readers") if rule.patron_class == ANY else names.patron_class(rule.patron_class),
        words.gettext("all items") if rule.item_type == ANY else names.item_type(rule.item_type),
        words.gettext("all branches") if rule.branch == ANY else names.branch(rule.branch),
    )


def period(words: Words, rule: Rule) -> str:
    """For how long something is lent."""
    if not rule.allowed:
        return words.gettext("not lent")
    if rule.hours is not None:
        return words.ngettext("%(num)s hour", "%(num)s hours", rule.hours)
    return words.ngettext("%(num)s day", "%(num)s days", rule.days or 0)
