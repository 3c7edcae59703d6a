"""What every page's frame needs: who is visiting, in which language, and where to go after signing in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import SplitResult, quote, urlsplit

from fastapi import Depends, HTTPException, Request
from pydantic import StringConstraints
from starlette.datastructures import URL
from starlette.responses import HTMLResponse, RedirectResponse, Response

from carrel.web.i18n import Language, Words
from carrel.web.pages import Pages
from server.deps import DESK, STAFF, Principal, Role, public
from server.pages.sent import fresh_id

NEXT_MOST = 4000
"""Characters of an address to come back to: a search for 200 Chinese ones, as addresses write them, and filters."""


@dataclass(frozen=True, slots=True)
class Visit:
    """One request for a page or a fragment of one."""

    request: Request
    caller: Principal | None
    pages: Pages

    @property
    def language(self) -> Language:
        """The visitor's language."""
        return self.pages.language(self.request)

    @property
    def words(self) -> Words:
        """Messages, dates and numbers in the visitor's language."""
        return self.pages.words(self.language)

    @property
    def is_staff(self) -> bool:
        """Whether the caller may control the building and answer alarms."""
        return self.caller is not None and self.caller.has(*STAFF)

    def staff(self) -> Principal | None:
        """The caller if they may act; None for nobody; raises 403 for a reader."""
        if self.caller is not None and not self.is_staff:
            raise HTTPException(403)
        return self.caller

    @property
    def is_librarian(self) -> bool:
        """Whether the caller may lend, and see readers' accounts."""
        return self.caller is not None and self.caller.has(*DESK)

    def librarian(self) -> Principal | None:
        """The caller if they work at the desk; None for nobody; raises 403 for everybody else."""
        if self.caller is not None and not self.is_librarian:
            raise HTTPException(403)
        return self.caller

    def administrator(self) -> Principal | None:
        """The caller if they run the library; None for nobody; raises 403 for everybody else."""
        if self.caller is not None and not self.caller.has(Role.ADMINISTRATOR):
            raise HTTPException(403)
        return self.caller

    @property
    def by_htmx(self) -> bool:
        """Whether a script asks for a fragment; otherwise a browser asks for a page."""
        return "HX-Request" in self.request.headers

    def page(self, template: str, *, status: int = 200, **context: Any) -> HTMLResponse:
        """A template in the common frame; what a person sees who signed in is kept by no cache."""
        answer = self.pages.response(
            self.request, template, status=status, caller=self.caller, staff=self.is_staff,
            librarian=self.is_librarian, fresh=fresh_id, **context,
        )  # fmt: skip
        if self.caller is not None:
            answer.headers["Cache-Control"] = "no-store"
        return answer

    def to_sign_in(self) -> Response:
        """Send the visitor to the sign-in page, which tells that a form was not done, and back afterwards.

        htmx is told to leave its page.
        """
        sent = self.request.method != "GET"
        address = f"/sign-in?next={quote(self._referer('/') if sent or self.by_htmx else _address(self.request.url))}"
        address += "&undone=1" if sent else ""
        return Response(None, 204, {"HX-Redirect": address}) if self.by_htmx else RedirectResponse(address, 303)

    def back(self, fallback: str) -> RedirectResponse:
        """After a form was sent without scripts: to the page that it stood on."""
        return RedirectResponse(self._referer(fallback), 303)

    def _referer(self, fallback: str) -> str:
        return safe_next(_address(urlsplit(self.request.headers.get("referer", fallback))))


def visit(request: Request, caller: Annotated[Principal | None, public()]) -> Visit:
    """The present visit; `carrel.web.pages.mount` has put the templates into the application's state."""
    pages = request.app.state.pages
    assert isinstance(pages, Pages)
    return Visit(request, caller, pages)


VisitDep = Annotated[Visit, Depends(visit)]
Next = Annotated[str, StringConstraints(max_length=NEXT_MOST)]


def safe_next(address: str) -> str:
    """An address of ours or /; never another site's, however it is written."""
    ours = address.startswith("/") and not address.startswith(("//", "/\\")) and address.isprintable()
    return address if ours else "/"


def _address(of: URL | SplitResult) -> str:
    """Path and query; the path alone where that would be longer than is taken back."""
    whole = f"{of.path}?{of.query}" if of.query else of.path
    return whole if len(whole) <= NEXT_MOST else of.path
