"""One request about accounts and tokens: who asks, what is done, and the page afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated
from urllib.parse import quote

from fastapi import Depends
from starlette.responses import RedirectResponse, Response

from carrel.web.words import refusal
from server.auth import accounts, tokens
from server.deps import CoreDep, Principal, Role
from server.errors import DomainError
from server.pages.accounts import words as account_words
from server.pages.patrons.forms import Draft
from server.pages.shell import VisitDep

HERE = "/accounts"
NOTHING = Draft({})


@dataclass(frozen=True, slots=True)
class Secret:
    """A token that was made just now; it is shown this once."""

    name: str
    token: str


class Office:
    """Of one request."""

    def __init__(self, visit: VisitDep, core: CoreDep) -> None:
        self.visit = visit
        self.core = core

    def say(self, error: DomainError) -> str:
        """A refusal in words."""
        return refusal(self.visit.words, error.code, error.params)

    def done(self, code: str) -> str:
        """What was done, in words; empty for what nobody says."""
        return self.visit.words.gettext(account_words.DONE[code]) if code in account_words.DONE else ""

    def list(
        self,
        *,
        account: Draft = NOTHING,
        token: Draft = NOTHING,
        done: str = "",
        refused: str = "",
        secret: Secret | None = None,
    ) -> Response:
        """Everybody and every token; `account` and `token` are the forms as they were sent."""
        with self.core.database.reading() as session:
            people, machines = accounts.listed(session), tokens.listed(session)
        wrong = bool(account.errors or token.errors)
        return self.visit.page(
            "accounts/accounts.html",
            status=422 if wrong else 409 if refused else 200,
            people=people,
            tokens=machines,
            names={f"user:{one.user}": one.name for one in people},
            account=account,
            token=token,
            done=self.done(done),
            refused=refused,
            secret=secret,
            now=self.core.clock.now(),
            cw=account_words,
        )

    def one(self, user: str, *, draft: Draft | None = None, done: str = "", refused: str = "") -> Response:
        """One account; raises UnknownAccountError."""
        with self.core.database.reading() as session:
            found = accounts.find(session, user)
        own = self.visit.caller is not None and self.visit.caller.user == found.user
        return self.visit.page(
            "accounts/account.html",
            status=422 if draft else 409 if refused else 200,
            one=found,
            own=own,
            draft=draft or Draft({"name": found.name, "role": found.role.value}),
            done=self.done(done),
            refused=refused,
            cw=account_words,
        )

    def change(self, caller: Principal, user: str, changes: accounts.Changes, *, done: str) -> Response:
        """Do it, and show the account; who is no administrator any more goes to the overview."""
        try:
            with self.core.database.writing() as session:
                now = accounts.change(session, user, changes, actor=caller.subject, at=self.core.clock.now())
        except DomainError as error:
            return self.one(user, refused=self.say(error))
        if now.user == caller.user and now.role is not Role.ADMINISTRATOR:
            return RedirectResponse("/", 303)
        return self.to(user, done)

    def to(self, user: str, done: str) -> Response:
        """After a form: the account's page."""
        return RedirectResponse(f"{HERE}/{quote(user)}?done={done}", 303)


OfficeDep = Annotated[Office, Depends()]
