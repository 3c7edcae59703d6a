"""The work lists in words."""

from __future__ import annotations

from carrel.web.i18n import N_, Words
from carrel.web.words import REFUSALS, refusal
from server.pages.desk.words import BARRED, rule
from server.tasks.schemas import TaskResponse

LISTS = {
    "pull_list": N_("Fetch from the shelf"),
    "hold_shelf": N_("On the hold shelf"),
    "hold_shelf_expired": N_("Off the hold shelf"),
    "no_copy": N_("Nothing left to wait for"),
    "transit": N_("On the way"),
    "conflict": N_("Conflicts of kiosks"),
    "unknown_row": N_("Unknown cards or items"),
    "lost": N_("Lost"),
    "incomplete": N_("Incomplete"),
    "notice": N_("Notices that failed"),
}
"""In the order of a working day."""

ADVICE = {
    "pull_list": N_("Fetch these from their shelves and scan them at the desk without a card: they go to who waits."),
    "hold_shelf": N_("These wait for their readers. Lending them takes them off this list."),
    "hold_shelf_expired": N_("Take these off the hold shelf and scan them at the desk without a card."),
    "no_copy": N_(
        "These readers wait for what no copy can serve any longer: it is missing, lost, withdrawn or not for loan. Buy"
        " or find a copy, or tell them and cancel the hold on their page."
    ),
    "transit": N_("These were sent to another branch. Scanning them there takes them off this list."),
    "conflict": N_("A kiosk lent or took back while it was cut off, against a rule. The loan counts; look at each."),
    "unknown_row": N_("A kiosk that was cut off saw a card or an item that nobody knows. Find out what it was."),
    "lost": N_("Loans that ended as lost. Buy another copy, or withdraw the item."),
    "incomplete": N_(
        "A part was missing when these came back, so they are set aside for nobody. Ask the last reader, or look on the"
        " shelf; when one is complete, scan it at the desk without a card: it goes to who waits, or to its shelf."
    ),
    "notice": N_("These could not be delivered. Correct the address, or tell the reader yourself."),
}
CODES = {
    "hold_expired": N_("The reader did not come."),
    "hold_cancelled": N_("The hold is cancelled."),
    "item_lost": N_("Declared lost."),
}
AGAINST = {
    "card_expired": N_("The membership had ended."),
    "fee_limit": N_("More was owed than the rules allow."),
    "loan_limit": N_("The reader had as many loans as the rules allow."),
    "overdue_items": N_("The reader had more overdue loans than the rules allow."),
    "on_loan": N_("It was on loan to another reader."),
}
"""Rules that a kiosk lent against, where the desk's own words have numbers or tell of now."""
RESOLUTIONS = {
    "done": N_("Done"), "found": N_("Found"), "not_found": N_("Not found"), "no_action": N_("Nothing to be done"),
}  # fmt: skip
NOTED = ("hold_shelf_expired", "conflict", "unknown_row", "lost", "incomplete", "notice")
"""Lists whose entries people take off; the others empty themselves."""


def why(words: Words, task: TaskResponse) -> str:
    """Why something is on its list."""
    if barred := task.detail.get("barred"):
        return words.gettext(BARRED, why=rule(words, barred["code"], barred["params"]))
    if task.kind not in NOTED:
        return ""
    if task.kind in ("conflict", "unknown_row"):
        codes = task.detail.get("codes") or [task.code]
        return " ".join(words.gettext(AGAINST[code]) if code in AGAINST else rule(words, code) for code in codes)
    if task.code in CODES:
        return words.gettext(CODES[task.code])
    if task.kind == "incomplete":
        return rule(words, task.code, task.detail)
    return refusal(words, task.code) if task.code in REFUSALS else task.code


def card_of(task: TaskResponse) -> str:
    """The card that a kiosk or terminal saw, of a row that could not be recorded."""
    row = task.detail.get("row")
    card = row.get("card") if isinstance(row, dict) else task.detail.get("card")
    return str(card or "")
