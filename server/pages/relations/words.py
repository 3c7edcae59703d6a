"""Feedback, suggestions and news in words."""

from __future__ import annotations

from datetime import date, datetime, time

from carrel.web.i18n import N_, Words
from server.pages.relations.forms import BLANK

__all__ = ["BLANK"]

KINDS = {
    "complaint": N_("Complaint"),
    "fault": N_("Something is broken"),
    "question": N_("Question"),
    "idea": N_("Idea"),
    "praise": N_("Praise"),
}
CASE_STATES = {
    "open": ("info", N_("waits for an answer")),
    "reopened": ("info", N_("opened again")),
    "answered": ("ok", N_("answered")),
    "closed": ("", N_("closed")),
}
NOTES = {
    "answer": N_("Answer"),
    "public": N_("Note to the reader"),
    "internal": N_("Note for colleagues"),
    "reader": N_("From the reader"),
}
TOLD_NOTES = {"answer": N_("The library's answer"), "public": N_("From the library"), "reader": N_("You wrote")}
RATINGS = {
    1: N_("not at all"),
    2: N_("hardly"),
    3: N_("partly"),
    4: N_("well"),
    5: N_("very well"),
}
SUGGESTION_STATES = {
    "open": ("info", N_("under review")),
    "ordered": ("warn", N_("ordered")),
    "arrived": ("ok", N_("arrived")),
    "declined": ("", N_("not bought")),
}
REPLIES = {
    "ordered": N_("It is ordered"),
    "arrived": N_("It has arrived"),
    "declined": N_("We do not buy it"),
}
SHOWN = {
    "waiting": N_("Waiting"),
    "mine": N_("Mine"),
    "answered": N_("Answered"),
    "closed": N_("Closed"),
    "all": N_("All"),
}
"""Which cases staff look at."""

DONE = {
    "made": N_("Thank you. Your suggestion is on the list."),
    "voted": N_("Somebody has suggested this before. Your vote was added."),
    "counted": N_("Your vote was added."),
    "voted_before": N_("Your vote for this was counted before."),
    "unvoted": N_("Your vote was taken back."),
    "rated": N_("Thank you for your opinion."),
    "reopened": N_("Thank you. The library looks at it again."),
    "saved": N_("Saved."),
    "removed": N_("Removed."),
}
"""What a page says after a form has done its work."""

CASE_NUMBER = r"\d{4}-\d{4,8}"
NOON = time(12)


def day(words: Words, on: date) -> str:
    """A day of the library's, written out."""
    return words.moment(datetime.combine(on, NOON, words.zone), "date")


def paragraphs(text: str) -> list[list[str]]:
    """Plain text as paragraphs of lines: empty lines part them."""
    found: list[list[str]] = [[]]
    for line in text.split("\n"):
        if line.strip():
            found[-1].append(line)
        elif found[-1]:
            found.append([])
    return [lines for lines in found if lines]
