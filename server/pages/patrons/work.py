"""One request about readers' accounts: who asks, what is done in a transaction of its own, and the page afterwards."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from fastapi import HTTPException
from pydantic import BaseModel, ValidationError
from sqlalchemy.orm import Session
from starlette.responses import Response

from carrel.clock import local_date
from carrel.web.i18n import N_, Words
from carrel.web.words import refusal
from server.deps import CoreDep, Principal
from server.errors import DomainError
from server.fees import service as fees
from server.lending import service as lending
from server.lending.names import Names
from server.lending.occasion import Occasion
from server.lending.place import occasion_of
from server.pages import seen, sent
from server.pages.desk import words as desk_words
from server.pages.desk.panel import panel_of
from server.pages.patrons.forms import Draft, draft_of
from server.pages.shell import VisitDep
from server.patrons import desk, service
from server.patrons.policy import is_minor

FORM_TEMPLATE, LIST_TEMPLATE, ACCOUNT_TEMPLATE = "patrons/new.html", "patrons/list.html", "patrons/patron.html"
FIRST_CLASS = "adult"
AGAIN = N_(
    "This form was sent before: it was carried out then, and not once more. What it showed once is not shown again."
)

A = TypeVar("A", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Told:
    """What came of a form; `pin` is shown once.

    Of forms that were refused `draft` is that of the reader's data, and `typed` any other one, whose address is `form`;
    `wrong` is the field of it that cannot be read.
    """

    said: str = ""
    refused: str = ""
    pin: str = ""
    draft: Draft | None = None
    form: str = ""
    typed: Draft | None = None
    wrong: str = ""

    @property
    def status(self) -> int:
        """Of the answer."""
        if self.draft and seen.CHANGED not in self.draft.errors.values():
            return 422
        return 409 if self.refused else 200


class Accounts:
    """Of one request."""

    def __init__(self, visit: VisitDep, core: CoreDep) -> None:
        self.visit = visit
        self.core = core

    @property
    def words(self) -> Words:
        """In the visitor's language."""
        return self.visit.words

    def occasion(self, caller: Principal) -> Occasion:
        """This caller, now."""
        return occasion_of(self.core, caller)

    def say(self, error: DomainError) -> str:
        """A refusal in words."""
        return refusal(self.words, error.code, error.params)

    def refused(self, draft: Draft, sentence: str, wrong: str = "") -> Told:
        """A form that stays open, as it was sent."""
        return Told(refused=sentence, form=self.visit.request.url.path, typed=draft, wrong=wrong)

    def once(
        self, session: Session, occasion: Occasion, draft: Draft, *, answer: type[A], work: Callable[[], A]
    ) -> A:  # fmt: skip
        """Do the work, unless this form was sent before; raises RequestIdReusedError."""
        return sent.once(
            session, self.visit.request, draft.values, actor=occasion.actor, now=occasion.now, answer=answer, work=work
        )

    def act(self, patron_id: int, draft: Draft, work: Callable[[Session, Occasion], str | Told]) -> Response:
        """Do the work on an account, and show it; `work` gives the sentence that tells of it."""
        caller = self.visit.librarian()
        if caller is None:
            return self.visit.to_sign_in()
        occasion, told = self.occasion(caller), Told(said=self.words.gettext(AGAIN))

        def do() -> sent.Done:
            nonlocal told
            said = work(session, occasion)
            told = Told(said=said) if isinstance(said, str) else said
            return sent.Done()

        try:
            with self.core.database.writing() as session:
                self.once(session, occasion, draft, answer=sent.Done, work=do)
        except DomainError as error:
            told = self.refused(draft, self.say(error))
        except ValidationError as error:
            wrong = next((str(place) for one in error.errors() for place in one["loc"][:1]), "")
            told = self.refused(draft, self.words.gettext(draft.fault(wrong)), wrong)
        return self.account(caller, patron_id, told)

    def list(self, typed: str, *, after: int = 0, told: str = "") -> Response:
        """Those who fit what was typed, a page at a time."""
        if self.visit.librarian() is None:
            return self.visit.to_sign_in()
        with self.core.database.reading() as session:
            found = desk.search(session, typed, after=after)
            classes = desk.class_names(session, self.visit.language)
        following = found[-1].id if len(found) == desk.PAGE else None
        now = self.core.clock.now()
        today = local_date(now, self.words.zone)
        return self.visit.page(
            LIST_TEMPLATE, typed=typed, after=after, found=found, following=following, classes=classes, told=told,
            blocked={one.id for one in found if one.blocked_at(now)},
            over={one.id for one in found if one.expires_on is not None and one.expires_on < today}, dw=desk_words,
        )  # fmt: skip

    def form(self, draft: Draft, *, alike: Sequence[service.Patron] = (), refused: str = "") -> Response:
        """The form of a new reader."""
        with self.core.database.reading() as session:
            classes = desk.class_names(session, self.visit.language)
        wrong = bool(refused or draft.errors)
        return self.visit.page(
            FORM_TEMPLATE, status=409 if wrong else 200, draft=draft, alike=alike, refused=refused, classes=classes,
            dw=desk_words,
        )  # fmt: skip

    def account(self, caller: Principal, patron_id: int, told: Told | None = None) -> Response:
        """Everything about one reader; 404 for nobody and for who was forgotten."""
        told = told or Told()
        with self.core.database.reading() as session:
            patron = service.find_by_id(session, patron_id)
            if patron is None or patron.anonymised_at is not None:
                raise HTTPException(404)
            context = self._about(session, patron, self.occasion(caller))
            draft = told.draft or stored_draft(session, patron)
        return self.visit.page(
            ACCOUNT_TEMPLATE, status=told.status, told=told, draft=draft, dw=desk_words, **context,
        )  # fmt: skip

    def _about(self, session: Session, patron: service.Patron, occasion: Occasion) -> dict[str, Any]:
        panel = panel_of(session, patron.card, occasion, self.words)
        if panel is None:
            raise HTTPException(404)
        today = local_date(occasion.now, occasion.zone)
        guardian = service.find_by_id(session, patron.guardian_id) if patron.guardian_id is not None else None
        return {
            "patron": patron,
            "panel": panel,
            "guardian": guardian,
            "wards": service.wards_of(session, patron.id, today),
            "minor": is_minor(patron.born_on, today),
            "cards": desk.cards_of(session, patron.id),
            "past_blocks": desk.blocks_of(session, patron.id),
            "standing": {block.id for block in panel.blocks},
            "ledger": fees.ledger_of(session, patron.id),
            "alike": [one for one in desk.duplicates(session, patron) if one.id != patron.id],
            "classes": desk.class_names(session, self.visit.language),
            "names": Names(lending.current(session).policy, self.visit.language),
        }


def stored_draft(session: Session, patron: service.Patron) -> Draft:
    """The form with what is stored."""
    guardian = service.find_by_id(session, patron.guardian_id) if patron.guardian_id is not None else None
    return draft_of(patron, guardian.card if guardian else "")
