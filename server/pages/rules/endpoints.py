"""The rules' page. Staff may look and try; librarians and administrators save. Every form works without scripts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from carrel.web.words import refusal
from environment.rulebook.book import BookRule, RuleBook
from environment.rulebook.presets import PRESETS, find
from server.deps import DESK, Principal, public
from server.errors import DomainError
from server.pages.rules.desk import Desk, Told
from server.pages.rules.forms import Draft, draft_of, read, rule_of
from server.pages.rules.views import PURPOSE_OUTPUTS, free_name, from_preset, strips
from server.rules.book import Change, Stored
from server.rules.errors import BadBookError, BookChangedError

router = APIRouter(include_in_schema=False, dependencies=[public()])

DeskDep = Annotated[Desk, Depends()]
HOURS = 24


async def posted(request: Request) -> list[tuple[str, Any]]:
    """The fields of a form, which this page makes as many as a rule needs."""
    return list((await request.form()).multi_items())


Fields = Annotated[list[tuple[str, Any]], Depends(posted)]


@router.get("/rules")
def rules(desk: DeskDep) -> Response:
    """Every rule, by room, in words."""
    return desk.visit.to_sign_in() if desk.visit.staff() is None else desk.list()


@router.get("/fragments/rulebook")
def way(desk: DeskDep) -> Response:
    """How far the newest version has come."""
    return desk.visit.to_sign_in() if desk.visit.staff() is None else desk.part("rules/_way.html")


@router.get("/rules/new")
def new(
    desk: DeskDep, room: str, *, preset: str = "", purpose: str = "", actuator: str = "", zone: str = ""
) -> Response:
    """Choose what to begin with; then the form of the new rule."""
    if _editor(desk) is None:
        return desk.visit.to_sign_in()
    if room not in desk.choices.rooms:
        raise HTTPException(404)
    output, chosen = desk.choices.output(actuator), find(preset)
    if output is None or purpose not in PURPOSE_OUTPUTS:
        return desk.page("rules/new.html", room=room, presets=PRESETS, purposes=list(PURPOSE_OUTPUTS))
    present, zone = desk.books.present(), zone or room
    rule = from_preset(chosen, purpose, output, zone=zone, book=present.book) if chosen else None
    if rule is not None:
        draft = draft_of(rule, original="")
    else:
        blank = {"id": free_name(f"{zone}-{purpose}", present.book), "zone": zone, "enabled": "on", "priority": "50"}
        blank |= {"when-metric": METRIC_OF[purpose], "when-side": "below" if purpose == "heat" else "above"}
        draft = Draft(
            blank | {"for_s": "60", "release_for_s": "60", "set": str(output.highest)}, {"actuators": (actuator,)}
        )
    return desk.form(draft, present.version, preset=chosen if rule else None)


METRIC_OF = {"cool": "temp", "heat": "temp", "purge": "rh", "dry": "rh", "shade": "lux"}


@router.get("/rules/{rule}/edit")
def edit(rule: str, desk: DeskDep) -> Response:
    """The form of one rule."""
    if _editor(desk) is None:
        return desk.visit.to_sign_in()
    present = desk.books.present()
    return desk.form(draft_of(_known(present.book, rule), original=rule), present.version)


@router.post("/rules/save")
def save(desk: DeskDep, fields: Fields) -> Response:
    """Save one rule, new or changed."""
    if (caller := _editor(desk)) is None:
        return desk.visit.to_sign_in()
    draft, expected = _sent(fields)
    book, errors = _with_rule(desk.books.present().book, draft)
    if book is None:
        return desk.form(draft, expected, Told(errors=errors), status=422)
    note = draft.get("note") or draft.get("id")
    try:
        desk.books.save(book, Change(expected, note, caller))
    except DomainError as error:
        return desk.form(draft, expected, _told(desk, error), status=error.status)
    return RedirectResponse(f"/rules#rule-{draft.get('id')}", 303)


@router.post("/rules/try")
def attempt(desk: DeskDep, fields: Fields) -> Response:
    """What the rules, with this one as it stands in the form, would have done in the last day."""
    if desk.visit.staff() is None:
        return desk.visit.to_sign_in()
    draft, expected = _sent(fields)
    present = desk.books.present().book
    if not draft.get("id"):  # the whole book, from the list
        return _tried(desk, present, desk.list)
    book, errors = _with_rule(present, draft)
    if book is None:
        return desk.form(draft, expected, Told(errors=errors), status=422)
    return _tried(desk, book, lambda told: desk.form(draft, expected, told))


@router.post("/rules/{rule}/{action}")
def change(rule: str, action: Literal["delete", "on", "off"], desk: DeskDep, fields: Fields) -> Response:
    """Remove a rule, or switch it on or off."""
    if (caller := _editor(desk)) is None:
        return desk.visit.to_sign_in()
    book = desk.books.present().book
    old = _known(book, rule)
    if action == "delete":
        kept = tuple(other for other in book.rule if other.id != rule)
    else:
        switched = old.model_copy(update={"enabled": action == "on"})
        kept = tuple(switched if other.id == rule else other for other in book.rule)
    changed = book.model_copy(update={"rule": kept})
    note = {"delete": "- {}", "on": "{}: on", "off": "{}: off"}[action].format(rule)
    expected = _sent(fields)[1]
    return _save(desk, lambda: desk.books.save(changed, Change(expected, note, caller)))


@router.post("/rules/versions/{version}/revert")
def revert(version: int, desk: DeskDep, fields: Fields) -> Response:
    """Save an earlier version again."""
    if (caller := _editor(desk)) is None:
        return desk.visit.to_sign_in()
    draft, expected = _sent(fields)
    note = draft.get("note") or f"← {version}"
    return _save(desk, lambda: desk.books.revert(version, Change(expected, note, caller)))


def _save(desk: Desk, saves: Callable[[], tuple[Stored, Any]]) -> Response:
    try:
        saves()
    except DomainError as error:
        return desk.list(_told(desk, error), status=error.status)
    return RedirectResponse("/rules", 303)


def _tried(desk: Desk, book: RuleBook, show: Callable[[Told], Response]) -> Response:
    try:
        outcome = desk.books.simulate(book, HOURS)
    except DomainError as error:
        return show(_told(desk, error))
    told = Told(outcome=outcome, strips=strips(outcome), findings=desk.books.check(book)[1])
    if desk.visit.by_htmx:
        return desk.part("rules/_tried.html", told)
    return show(told)


def _told(desk: Desk, error: DomainError) -> Told:
    if isinstance(error, BadBookError):
        refused = refusal(desk.visit.words, error.code)
        detail = "" if error.findings else str(error.params["detail"])  # findings are told in the visitor's language
        return Told(findings=error.findings, refused=f"{refused} {detail}".rstrip())
    conflict = isinstance(error, BookChangedError)
    return Told(refused=refusal(desk.visit.words, error.code, error.params), conflict=conflict)


def _editor(desk: Desk) -> Principal | None:
    """The caller if they may change rules; None for nobody; raises 403 for others."""
    caller = desk.visit.staff()
    if caller is not None and not caller.has(*DESK):
        raise HTTPException(403)
    return caller


def _known(book: RuleBook, id_: str) -> BookRule:
    rule = book.find(id_)
    if rule is None:
        raise HTTPException(404)
    return rule


def _sent(fields: list[tuple[str, Any]]) -> tuple[Draft, int]:
    """The form, and the version that it was made from."""
    draft = read(fields)
    text = draft.get("seen")
    if not text.isdecimal() or len(text) > 9:
        raise HTTPException(400)
    return replace(draft, original=draft.get("original")), int(text)


def _with_rule(book: RuleBook, draft: Draft) -> tuple[RuleBook | None, dict[str, str]]:
    """The book with the rule of the form in the place of the one it was made from, or at the end."""
    rule, errors = rule_of(draft)
    if rule is None:
        return None, errors
    if rule.id != draft.original and book.find(rule.id) is not None:
        return None, {"id": "name_taken"}
    if draft.original and book.find(draft.original) is not None:
        kept = tuple(rule if other.id == draft.original else other for other in book.rule)
    else:
        kept = (*book.rule, rule)
    return book.model_copy(update={"rule": kept}), {}
