"""The lending settings, for administrators. Every form works without scripts; what is refused is told at its field."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from sqlalchemy.orm import Session
from starlette.responses import RedirectResponse, Response

from carrel.clock import local_date
from carrel.web.words import refusal
from server.deps import CoreDep, public
from server.errors import DomainError
from server.lending import service as lending
from server.lending.errors import RuleTwiceError, RuleWithoutTimeError, UnknownBranchError
from server.lending.names import Names
from server.lending.policy import WEEKDAYS, Rule
from server.pages import seen
from server.pages.desk.words import day
from server.pages.lending_settings import forms
from server.pages.lending_settings import words as setting_words
from server.pages.lending_settings.forms import Draft
from server.pages.rules.words import DAYS
from server.pages.shell import VisitDep
from server.patrons import desk as patrons

router = APIRouter(include_in_schema=False, dependencies=[public()])

HERE = "/settings/lending"
NEW = "new"
AT_FIELD: dict[type[DomainError], str] = {
    RuleTwiceError: "patron_class", RuleWithoutTimeError: "days", UnknownBranchError: "branch"
}  # fmt: skip


async def posted(request: Request) -> list[tuple[str, Any]]:
    """The fields of a form, in order."""
    return list((await request.form()).multi_items())


Fields = Annotated[list[tuple[str, Any]], Depends(posted)]


class Settings:
    """Of one request."""

    def __init__(self, visit: VisitDep, core: CoreDep) -> None:
        self.visit = visit
        self.core = core

    @property
    def own(self) -> str:
        """The library's own branch."""
        return self.core.settings.common.library.branch

    def show(
        self, *, edit: str = "", done: str = "", refused: str = "", status: int = 200, **drafts: Draft
    ) -> Response:
        """The page; `drafts` are the forms as they were sent: rule, policy, calendar."""
        with self.core.database.reading() as session:
            now = lending.current(session)
            classes = patrons.class_names(session, self.visit.language)
        names = Names(now.policy, self.visit.language, classes)
        branches = now.branches(self.own)
        edited = next((rule for rule in now.rules if forms.key_of(rule) == edit), None)
        words = self.visit.words
        closed = now.closed_years(self.own, local_date(self.core.clock.now(), words.zone))
        context: dict[str, Any] = {
            "rules": now.rules,
            "branches": branches,
            "closed_years": [(names.branch(branch), day(words, at)) for branch, at in closed.items()],
            "names": names,
            "item_types": sorted({*now.policy.item_type_names, *(rule.item_type for rule in now.rules)} - {"*"}),
            "currency": now.policy.currency,
            "edit": edit if edited or edit == NEW or "rule" in drafts else "",
            "rule": Draft(forms.rule_texts(edited)),
            "policy": _shown(forms.policy_texts(now.policy)),
            "calendar": _shown(forms.calendar_texts(now.calendar, branches)),
            "done": words.gettext(setting_words.DONE[done]) if done in setting_words.DONE else "",
            "refused": refused,
            "key_of": forms.key_of,
            "sw": setting_words,
            "weekdays": [(day, words.gettext(DAYS[day])) for day in WEEKDAYS],
        }
        return self.visit.page("lending_settings/lending.html", status=status, **(context | drafts))

    def again(self, error: DomainError, **more: Any) -> Response:
        """The page with a refusal."""
        return self.show(refused=refusal(self.visit.words, error.code, error.params), status=422, **more)


SettingsDep = Annotated[Settings, Depends()]


@router.get(HERE)
def settings(
    page: SettingsDep,
    edit: Annotated[str, Query(max_length=150)] = "",
    done: Annotated[str, Query(max_length=20)] = "",
) -> Response:
    """The matrix with one row open to be changed, the policy, the calendar."""
    return page.visit.to_sign_in() if page.visit.administrator() is None else page.show(edit=edit, done=done)


@router.post(f"{HERE}/rules")
def save_rule(page: SettingsDep, sent: Fields) -> Response:
    """Save one row: `original` is what it was for, empty for a new one."""
    if (caller := page.visit.administrator()) is None:
        return page.visit.to_sign_in()
    original = str(dict(sent).get("original", ""))
    draft, rule = forms.read_rule(sent)
    if rule is None:
        return page.show(edit=original or NEW, rule=draft, status=422)
    own = page.core.settings.common.library.branch
    try:
        with page.core.database.writing() as session:
            lending.check_rule_branches(lending.current(session), [rule], own=own)
            if not _replaced(session, original, [rule], actor=caller.subject, at=page.core.clock.now()):
                return page.show(refused=page.visit.words.gettext(setting_words.GONE), status=409)
    except DomainError as error:
        field = AT_FIELD.get(type(error))
        if field is None:
            return page.again(error, edit=original or NEW, rule=draft)
        return page.show(edit=original or NEW, rule=Draft(draft.texts, {field: error.code}), status=422)
    return RedirectResponse(f"{HERE}?done=rule#matrix", 303)


@router.post(f"{HERE}/rules/remove")
def remove_rule(page: SettingsDep, sent: Fields) -> Response:
    """Take one row out."""
    if (caller := page.visit.administrator()) is None:
        return page.visit.to_sign_in()
    original = str(dict(sent).get("original", ""))
    with page.core.database.writing() as session:
        removed = original and _replaced(session, original, [], actor=caller.subject, at=page.core.clock.now())
    if not removed:
        return page.show(refused=page.visit.words.gettext(setting_words.GONE), status=409)
    return RedirectResponse(f"{HERE}?done=removed#matrix", 303)


@router.post(f"{HERE}/policy")
def save_policy(page: SettingsDep, sent: Fields) -> Response:
    """Save the values of the policy that the form has changed."""
    if (caller := page.visit.administrator()) is None:
        return page.visit.to_sign_in()
    draft, _ = forms.read_policy(sent)
    with page.core.database.writing() as session:
        stored = forms.policy_texts(lending.to_change(session).policy)
        merged = seen.merge(draft.texts, dict(sent).get(seen.FIELD), stored)
        draft, policy = forms.read_policy(list(merged.texts.items()))
        if policy is not None and not merged.clashes:
            lending.set_policy(session, policy, actor=caller.subject, at=page.core.clock.now())
    if policy is None or merged.clashes:
        return page.show(policy=_judged(draft, merged, stored), status=409 if merged.clashes else 422)
    return RedirectResponse(f"{HERE}?done=policy#policy", 303)


@router.post(f"{HERE}/calendar")
def save_calendar(page: SettingsDep, sent: Fields) -> Response:
    """Save the closed days, of all branches and of each, that the form has changed."""
    if (caller := page.visit.administrator()) is None:
        return page.visit.to_sign_in()
    with page.core.database.writing() as session:
        now = lending.to_change(session)
        branches = now.branches(page.own)
        stored = forms.calendar_texts(now.calendar, branches)
        draft, _ = forms.read_calendar(sent, branches)
        merged = seen.merge(draft.texts, dict(sent).get(seen.FIELD), stored)
        draft, calendar = forms.read_calendar(forms.sent_again(merged.texts), branches)
        if calendar is not None and not merged.clashes:
            lending.set_calendar(session, calendar, actor=caller.subject, at=page.core.clock.now())
    if calendar is None or merged.clashes:
        return page.show(calendar=_judged(draft, merged, stored), status=409 if merged.clashes else 422)
    return RedirectResponse(f"{HERE}?done=calendar#calendar", 303)


def _shown(stored: forms.Texts) -> Draft:
    return Draft(stored, seen=seen.mark(stored))


def _judged(draft: Draft, merged: seen.Merged, stored: forms.Texts) -> Draft:
    """A form that was not saved: what was typed, and beside it what is stored where somebody else was faster."""
    theirs = {name: stored.get(name) or "–" for name in merged.clashes}
    errors, lines = {**draft.errors, **merged.errors}, {**draft.lines, **theirs}
    return replace(draft, errors=errors, lines=lines, seen=seen.mark(stored))


def _replaced(session: Session, original: str, new: Sequence[Rule], *, actor: str, at: datetime) -> bool:
    """Put rules in the place of one, or beside the others; False when that one is not there any more."""
    rules = lending.to_change(session).rules
    kept = [rule for rule in rules if forms.key_of(rule) != original]
    if original and len(kept) == len(rules):
        return False
    lending.set_rules(session, [*kept, *new], actor=actor, at=at)
    return True
