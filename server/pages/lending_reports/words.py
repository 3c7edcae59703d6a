"""The circulation reports in words: what they are called, what their columns mean, how they are reckoned."""

from __future__ import annotations

from carrel.web.i18n import N_

REPORTS = {
    "circulation": N_("Circulation"),
    "overdue": N_("Overdue"),
    "top-titles": N_("Top titles"),
    "dead-stock": N_("Not lent for long"),
    "hold-ratio": N_("Reservations per copy"),
    "fees": N_("Fees"),
}
BY = {
    "day": N_("Day"),
    "month": N_("Month"),
    "class": N_("Class of readers"),
    "branch": N_("Branch"),
    "type": N_("Type of item"),
}
COLUMNS = {
    **BY,
    "loans": N_("Loans"),
    "returns": N_("Returns"),
    "renewals": N_("Renewals"),
    "title": N_("Title"),
    "author": N_("Author"),
    "barcode": N_("Barcode"),
    "call_number": N_("Call number"),
    "location": N_("Location"),
    "due": N_("Due"),
    "days_late": N_("Days late"),
    "card": N_("Card"),
    "email": N_("E-mail"),
    "phone": N_("Phone"),
    "group_size": N_("Readers"),
    "group_basis": N_("Counted by"),
    "last_lent": N_("Last lent"),
    "waiting": N_("Waiting"),
    "copies": N_("Copies"),
    "holds_per_copy": N_("Waiting per copy"),
    "charged": N_("Charged"),
    "paid": N_("Paid"),
    "waived": N_("Waived"),
    "refunded": N_("Given back"),
}
LAST_YEAR = "_last_year"
BASES = {"patrons": N_("readers"), "loans": N_("loans"), "both": N_("readers and loans")}
OTHERS = N_("Others together")
NEVER = N_("never")
NO_COPY = N_("no copy")
EMPTY = {
    "circulation": N_("Nothing was lent in this time, nor in the same days of last year."),
    "overdue": N_("Nothing is overdue."),
    "top-titles": N_("No title was lent to enough readers in this time."),
    "dead-stock": N_("Everything on the shelves was lent in this time or is newer."),
    "hold-ratio": N_("Nobody waits for a title."),
    "fees": N_("Nothing was booked in this time, nor in the same days of last year."),
}
EMPTY_HINT = N_("Choose other days, or come back later.")
HOW = {
    "circulation": (
        N_("A day is a day of the library, from midnight to midnight. Loans made undone are not counted;"
           " a lost item is not a return."),
        N_("Last year are the same dates a year before; 29 February is told with the 28th."),
    ),
    "overdue": (N_("Card and contact are shown to those who work at the desk only."),),
    "top-titles": (
        N_("When it is forgotten who had an item, nobody can tell any longer whether two loans were one reader's."
           " Each such loan then counts as one reader; the last column says so."),
    ),
    "dead-stock": (
        N_("Copies for loan that stand on the shelf, in shelf order. Titles catalogued within this time are left out."),
    ),
    "hold-ratio": (
        N_("Copies for loan that are not missing, lost or withdrawn. Those who have something set aside do not wait any"
           " longer."),
    ),
    "fees": (
        N_("What was booked on days of the month that lie in the chosen time. Given back is money handed out again."),
    ),
}  # fmt: skip
LEAST = {
    "class": N_("Classes with fewer than %(least)s readers behind a figure are told together with the next smallest."),
    "branch": N_(
        "Branches with fewer than %(least)s readers behind a figure are told together with the next smallest."
    ),
    "top-titles": N_("Only titles lent to at least %(least)s readers are shown."),
}
