"""What the cataloguing pages say to librarians."""

from __future__ import annotations

from carrel.web.i18n import N_, Language, Words
from carrel.web.words import REFUSALS, refusal
from server.catalogue.marc.problems import WORDS as PROBLEMS
from server.catalogue.policy import BY_HAND, Trigger, next_status
from server.catalogue.service import Item
from server.pages import seen
from server.pages.reader.search_views import KINDS, STATUSES

KIND_NAMES = KINDS
STATES = {**STATUSES, "withdrawn": ("warn", N_("Withdrawn"))}
ERRORS = {
    "title": N_("Write the title, at most 500 characters."),
    "isbn": N_("This is no ISBN: a digit is wrong or missing. Type it again from the book."),
    "language": N_("Write a code of two or three letters, such as zh or en."),
    "barcode": N_("Write letters, digits and . * : / _ - only, at most 32."),
    "branch": N_("Write letters, digits, hyphens and underscores only."),
    "type": N_("Write letters, digits, hyphens and underscores only."),
    "price": N_("Write an amount such as 35.50."),
    "tags": N_("Write a whole number from 1 to 99."),
    "record_id": N_("Write a title's number, as at the end of its page's address."),
    "start": N_("Write a whole number; the first label of the sheet is 1."),
    "barcodes": N_("Write a barcode a line: letters, digits and . * : / _ - only, at most 32 of them."),
    "summary": N_("This is too long: at most 5,000 characters."),
}
TOO_LONG = N_("This is too long, or a line of it is.")
DONE = {
    "created": N_("The title is catalogued. Add its copies below."),
    "adopted": N_("The record is taken over. Look at it and add its copies below."),
    "saved": N_("The title is saved."),
    "added": N_("The copy is added."),
    "changed": N_("The copy is saved."),
    "moved": N_("The copy's state is changed."),
}
TOO_MANY_LABELS = N_("These are %(count)s barcodes. At most %(most)s are printed at once: take them in parts.")
UNPRINTED = {
    "label_empty": N_("These copies have no call number to print: %(copies)s. Write their call numbers first."),
    "label_letters": N_(
        "Labels cannot show the letters of these call numbers: %(copies)s. Write them in Latin or Chinese letters."
    ),
    "label_start": N_("This sheet has %(labels)s labels. Write the number of the first free one of them."),
    "label_overfull": N_(
        "The call number of %(barcode)s does not fit on these labels. Take larger labels, or shorten it."
    ),
    "label_too_small": N_("The barcode %(barcode)s does not fit on these labels. Take larger labels."),
    "unknown_items": N_("No copy has these barcodes: %(barcodes)s"),
}
"""Why there are no labels, with what is meant."""
ACTIONS = {
    Trigger.MISSING: N_("It is missing"),
    Trigger.FOUND: N_("It is found"),
    Trigger.REPAIR: N_("Send it to repair"),
    Trigger.PROCESS: N_("Take it for processing"),
    Trigger.READY: N_("It is ready"),
    Trigger.WITHDRAW: N_("Withdraw it"),
    Trigger.REINSTATE: N_("Take it back into the collection"),
}
GRIDS = {
    "24": N_("24 a sheet (70 × 37 mm)"),
    "40": N_("40 a sheet (52.5 × 29.7 mm)"),
    "65": N_("65 a sheet (38.1 × 21.2 mm)"),
}
LABELS = {"spine": N_("Spine labels"), "barcode": N_("Barcode labels")}
SOURCES = {"catalogue": N_("this catalogue"), "pool": N_("the records kept aside")}

IMPORT_STATES = {
    "waiting": N_("Waiting"),
    "running": N_("Running"),
    "done": N_("Finished"),
    "failed": N_("Failed"),
}
FAILURES = {
    "no_records": N_(
        "This is no MARC file: there is no record in it. Export the titles from the program that has them as ISO 2709 "
        "(.mrc, .iso) or MARCXML (.xml) and send that file. Tables, texts, PDFs and pictures cannot be imported."
    ),
    "utf_16": N_("This file is in UTF-16. Save it as UTF-8 and send it again."),
    "file_gone": N_("The file is gone. Send it again."),
    "worker_lost": N_("The server was stopped while it worked on this. Send the file again."),
    "internal_error": N_("The server could not go on; its log says why. What was stored before that stays."),
}
OVERLAYS = {
    "skip": N_("leave it as it is"),
    "merge": N_("fill in only what it lacks"),
    "replace": N_("take the imported values"),
}
MATCHES = {
    "both": N_("control number, else ISBN with an agreeing title"),
    "control_number": N_("control number"),
    "isbn": N_("ISBN with an agreeing title"),
    "none": N_("never: add every record"),
}
ENCODINGS = {"utf-8": "UTF-8", "gb18030": "GB 18030", "marc-8": "MARC-8"}
FORMATS = {"marc21": "MARC 21", "cnmarc": "CNMARC"}


def error(words: Words, name: str, code: str = "wrong") -> str:
    """What is wrong with a field."""
    if code == seen.CHANGED:
        return words.gettext(seen.AT_FIELD)
    return refusal(words, code) if code in REFUSALS else words.gettext(ERRORS.get(name, TOO_LONG))


def state(words: Words, item: Item) -> tuple[str, str]:
    """(tone, words) of a copy's state."""
    tone, text = STATES.get(item.status, ("", item.status))
    return tone, words.gettext(text)


def steps(words: Words, item: Item) -> list[tuple[str, str]]:
    """(action, words) of what can happen to a copy apart from lending."""
    if item.status in ("on_loan", "on_hold_shelf"):
        return []
    return [(step.value, words.gettext(ACTIONS[step])) for step in BY_HAND if next_status(item.status, step)]


def source(words: Words, name: str) -> str:
    """Where a record was found."""
    return words.gettext(SOURCES[name]) if name in SOURCES else name


def problem(language: Language, code: str) -> tuple[str, str]:
    """(what is wrong with a record, what to do)."""
    return PROBLEMS[code].said(language) if code in PROBLEMS else (code, "")
