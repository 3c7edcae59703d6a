"""What every part of the rules' page needs: the book, what rules can be made of, and what is to be told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated, Any

from fastapi import Depends
from starlette.responses import Response

from carrel.web.i18n import in_language
from environment.config import ActuatorConfig
from environment.rulebook.book import laid_over
from environment.rulebook.devices import COOLER_WORDS, CURTAIN_WORDS, VENT_WORDS
from environment.rulebook.findings import Finding
from environment.rulebook.lint import lint
from environment.rulebook.presets import STATUS_WORDS, Preset
from server.deps import DESK
from server.pages.dashboard import words as building_words
from server.pages.dashboard.views import ActuatorKind
from server.pages.rooms import words as room_words
from server.pages.rules import words as rule_words
from server.pages.rules.forms import Draft
from server.pages.rules.views import Choices, Output, Strip, measured
from server.pages.shell import VisitDep
from server.rooms.endpoints import rooms_of
from server.rooms.service import Rooms
from server.rules.endpoints import BooksDep
from server.rules.replay import Outcome

RoomsDep = Annotated[Rooms, Depends(rooms_of)]
MOST_COMMANDS = 200
NAMED: dict[ActuatorKind, frozenset[str]] = {"curtain": CURTAIN_WORDS, "ac": COOLER_WORDS, "vent": VENT_WORDS}


@dataclass(frozen=True, slots=True)
class Told:
    """What came of a form: wrong fields, a refusal with lint's findings, or what the rules would have done."""

    errors: Mapping[str, str] = field(default_factory=dict)
    refused: str = ""
    conflict: bool = False
    findings: Sequence[Finding] = ()
    outcome: Outcome | None = None
    strips: Sequence[Strip] = ()


class Desk:
    """Of one request."""

    def __init__(self, visit: VisitDep, books: BooksDep, rooms: RoomsDep) -> None:
        self.visit = visit
        self.books = books
        self._rooms = rooms

    @cached_property
    def choices(self) -> Choices:
        """What rules can be made of, in the visitor's language."""
        configs = [plan.config for plan in self._rooms.plan.rooms.values()]
        rooms = {c.id: in_language(self.visit.language, (c.name, c.name_zh)) for c in configs}
        wiring = self.books.wiring()
        kinds = {a.id: self._kind(a) for a in wiring.actuator}
        names = {a.id: self.visit.words.gettext(building_words.KINDS[kinds[a.id]]) for a in wiring.actuator}
        outputs = [
            Output(a.id, f"{names[a.id]} ({a.id})", a.zone, kinds[a.id], 1 if a.type == "switch" else 100)
            for a in wiring.actuator
        ]
        return Choices(rooms, measured(wiring), outputs)

    def list(self, told: Told | None = None, *, status: int = 200) -> Response:
        """The page with every rule."""
        return self.page("rules/list.html", told, status=status)

    def form(
        self, draft: Draft, expected: int, told: Told | None = None, *, preset: Preset | None = None, status: int = 200
    ) -> Response:
        """The form of one rule."""
        return self.page("rules/form.html", told, status=status, draft=draft, expected=expected, preset=preset)

    def part(self, template: str, told: Told | None = None) -> Response:
        """A piece of the page."""
        return self.page(template, told)

    def page(self, template: str, told: Told | None = None, *, status: int = 200, **more: Any) -> Response:
        """Any template of this page, with all that they ask for."""
        present = self.books.present()
        context: dict[str, Any] = {
            "present": present,
            "versions": self.books.versions(),
            "now_hints": lint(laid_over(self.books.wiring(), present.book)),
            "way": self.books.delivery(present.version),
            "rev": self._rooms.picture.config_rev(),
            "choices": self.choices,
            "told": told or Told(),
            "may_edit": self.visit.caller is not None and self.visit.caller.has(*DESK),
            "rb": rule_words,
            "bw": building_words,
            "rw": room_words,
            "status_words": STATUS_WORDS,
            "most_commands": MOST_COMMANDS,
        }
        return self.visit.page(template, status=status, **(context | more))

    def _kind(self, actuator: ActuatorConfig) -> ActuatorKind:
        """As its gateway says; before it has, as its name says."""
        state = self._rooms.picture.actuator(actuator.zone, actuator.id)
        if state is not None:
            return state.kind
        words = set(f"{actuator.id}-{actuator.device}".split("-"))
        return next((kind for kind, names in NAMED.items() if words & names), "other")
