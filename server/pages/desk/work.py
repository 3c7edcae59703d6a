"""One request at the desk: who asks, what is done in a transaction of its own, and the page that tells of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from sqlalchemy.orm import Session
from starlette.responses import Response

from carrel.web.i18n import Words
from carrel.web.words import refusal
from server.deps import CoreDep, Principal
from server.errors import DomainError
from server.lending import service as lending
from server.lending.occasion import Occasion
from server.lending.place import occasion_of
from server.pages.desk import words as desk_words
from server.pages.desk.forms import AtTheDesk, Insisting, PayForm
from server.pages.desk.panel import panel_of
from server.pages.desk.results import Line
from server.pages.shell import VisitDep

REMEMBERED = 8
"""Lines of what was done before, as the page carries them along."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a form has done: a line per item, or a sentence; `card` is the reader who is shown next.

    `payment` is the number of one that was booked just now and can be undone; `unpaid` is one that was refused.
    """

    card: str
    lines: Sequence[Line] = ()
    told: str = ""
    refused: str = ""
    payment: str = ""
    unpaid: PayForm | None = None
    trail: Sequence[str] = ()


Work = Callable[[Session, Occasion], Outcome]


class Desk:
    """Of one request."""

    def __init__(self, visit: VisitDep, core: CoreDep) -> None:
        self.visit = visit
        self.core = core

    @property
    def words(self) -> Words:
        """In the visitor's language."""
        return self.visit.words

    def look(self, card: str) -> Response:
        """The page as it stands, for whoever may see it."""
        caller = self.visit.librarian()
        return self.visit.to_sign_in() if caller is None else self._show(caller, Outcome(card))

    def act(self, form: AtTheDesk, work: Work) -> Response:
        """Do the work, and answer with the page. What is refused as a whole is undone as a whole."""
        caller = self.visit.librarian()
        if caller is None:
            return self.visit.to_sign_in()
        before = form.trail[:REMEMBERED]
        try:
            with self.core.database.writing() as session:
                outcome = work(session, occasion_of(self.core, caller))
        except DomainError as error:
            unpaid = form if isinstance(form, PayForm) else None
            outcome = Outcome(form.card, refused=refusal(self.words, error.code, error.params), unpaid=unpaid)
        kept = before if outcome.card == form.card else []
        given = form.reasons if isinstance(form, Insisting) else ""
        return self._show(caller, replace(outcome, trail=kept), given)

    def _show(self, caller: Principal, outcome: Outcome, given: str = "") -> Response:
        occasion = occasion_of(self.core, caller)
        with self.core.database.reading() as session:
            panel = panel_of(session, outcome.card, occasion, self.words) if outcome.card else None
            undo_s = lending.current(session).policy.undo_s
        unknown = outcome.card and panel is None
        context: dict[str, Any] = {
            "panel": panel,
            "card": outcome.card if panel else "",
            "lines": outcome.lines,
            "told": outcome.told,
            "payment": outcome.payment,
            "unpaid": outcome.unpaid,
            "refused": outcome.refused or (desk_words.rule(self.words, "unknown_card") if unknown else ""),
            "trail": outcome.trail,
            "given": given,
            "next_trail": [*(line.text[:300] for line in outcome.lines), *outcome.trail][:REMEMBERED],
            "undo_s": undo_s,
            "dw": desk_words,
        }
        template = "desk/_desk.html" if self.visit.by_htmx else "desk/desk.html"
        answer = self.visit.page(template, **context)
        if self.visit.by_htmx:
            answer.headers["HX-Replace-Url"] = "/desk" + (f"?{urlencode({'card': outcome.card})}" if panel else "")
        return answer
