"""The library's rules, policy and calendar: reading them at every loan, changing them seldom."""

from __future__ import annotations

import uuid
from collections import Counter, OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal
from threading import Lock
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy.orm import Session

from server.audit import service as audit
from server.fees.policy import major, minor
from server.lending import repository
from server.lending.errors import RuleTwiceError, RuleWithoutTimeError, UnknownBranchError
from server.lending.models import RuleRow
from server.lending.policy import ANY, Calendar, Lending, LibraryPolicy, Rule

POLICY: TypeAdapter[LibraryPolicy] = TypeAdapter(LibraryPolicy)
CALENDAR: TypeAdapter[Calendar] = TypeAdapter(Calendar)
MONEY = ("fee_per_open_day", "cap")

_KEPT = 16
_known: OrderedDict[str, Lending] = OrderedDict()
"""What a token stands for never changes, in whichever database it was read."""
_lock = Lock()


TOKEN = repository.TOKEN
"""A column that stands for the present state, for those who read it along with what they need anyway."""


def current(session: Session) -> Lending:
    """By what the library lends now; one small look at the database unless it has just been changed."""
    return by_token(session, repository.token(session))


def by_token(session: Session, token: str | None) -> Lending:
    """The same for who has read `TOKEN` in this transaction."""
    if token is None:
        return Lending()
    with _lock:
        if token in _known:
            return _known[token]
    lending = _read(session)
    with _lock:
        _known[token] = lending
        while len(_known) > _KEPT:
            _known.popitem(last=False)
    return lending


def to_change(session: Session) -> Lending:
    """The same for who makes something new of it: others who change it wait until then, so that no change is lost."""
    repository.lock_settings(session)
    return current(session)


def knows_branch(lending: Lending, branch: str | None, *, own: str) -> bool:
    """Whether a request may name this branch: the library's own one, one of the policy's, any where it names none."""
    return branch is None or branch == own or not lending.policy.branches or branch in lending.policy.branches


def check_branch(lending: Lending, branch: str | None, *, own: str) -> None:
    """Raises UnknownBranchError for a branch that the library does not have: books would be sent there."""
    if not knows_branch(lending, branch, own=own):
        raise UnknownBranchError(branch=branch or "")


def check_rule_branches(now: Lending, rules: Iterable[Rule], *, own: str) -> None:
    """The same for the rules that are to be; branches that rules name already stay. Raises UnknownBranchError."""
    for branch in sorted({rule.branch for rule in rules} - {rule.branch for rule in now.rules} - {ANY}):
        check_branch(now, branch, own=own)


def check_calendar_branches(now: Lending, calendar: Calendar, *, own: str) -> None:
    """The same for closed days. Raises UnknownBranchError."""
    for branch in sorted(calendar.branches - now.calendar.branches):
        check_branch(now, branch, own=own)


def seed(session: Session, lending: Lending, *, now: datetime) -> bool:
    """Give a library that has no rules of its own these; whether it had none."""
    if repository.token(session) is not None or not repository.claim_settings(session, _row(lending, "config", now)):
        return False
    repository.replace_rules(session, (_columns(rule) for rule in lending.rules))
    return True


def set_rules(session: Session, rules: Sequence[Rule], *, actor: str, at: datetime) -> None:
    """Lend by these rules from now on; loans keep their promises. Raises RuleTwiceError, RuleWithoutTimeError."""
    twice = [key for key, count in Counter(rule.key for rule in rules).items() if count > 1]
    if twice:
        raise RuleTwiceError(rule=" / ".join(twice[0]))
    for rule in rules:
        if (rule.days is None) == (rule.hours is None) and (rule.allowed or rule.days is not None):
            raise RuleWithoutTimeError(rule=" / ".join(rule.key))
    before = to_change(session)
    _change(session, before, {}, actor=actor, at=at)
    repository.replace_rules(session, (_columns(rule) for rule in rules))
    removed, added = set(before.rules) - set(rules), set(rules) - set(before.rules)
    told = {"removed": _told(removed), "added": _told(added)}
    audit.record(session, actor=actor, action="lending.rules", target="lending", at=at, detail=told)


def set_policy(session: Session, policy: LibraryPolicy, *, actor: str, at: datetime) -> None:
    """Follow this policy from now on."""
    before = to_change(session)
    _change(session, before, {"policy": POLICY.dump_json(policy).decode()}, actor=actor, at=at)
    old, new = POLICY.dump_python(before.policy, mode="json"), POLICY.dump_python(policy, mode="json")
    changed = [name for name in new if getattr(before.policy, name) != getattr(policy, name)]  # 0 is 0.00
    told = {name: _apart(old[name], new[name]) for name in changed}
    audit.record(session, actor=actor, action="lending.policy", target="lending", at=at, detail=told)


def set_calendar(session: Session, calendar: Calendar, *, actor: str, at: datetime) -> None:
    """Count these days as closed from now on; due dates that were promised stay."""
    told = CALENDAR.dump_python(calendar, mode="json")
    _change(session, to_change(session), {"calendar": CALENDAR.dump_json(calendar).decode()}, actor=actor, at=at)
    audit.record(session, actor=actor, action="lending.calendar", target="lending", at=at, detail=told)


def _change(session: Session, before: Lending, row: Mapping[str, Any], *, actor: str, at: datetime) -> None:
    """A change of anything changes the token; a library without a row of its own gets one first."""
    if repository.token(session) is None:
        seed(session, before, now=at)
    changed = {"token": uuid.uuid4().hex, "changed_at": at, "changed_by": actor[:80], **row}
    repository.change_settings(session, changed)


def _read(session: Session) -> Lending:
    row = repository.settings(session)
    assert row is not None
    return Lending(
        policy=POLICY.validate_json(row.policy),
        rules=tuple(_rule(rule) for rule in repository.rules(session)),
        calendar=CALENDAR.validate_json(row.calendar),
    )


def _row(lending: Lending, actor: str, at: datetime) -> dict[str, Any]:
    return {
        "token": uuid.uuid4().hex,
        "policy": POLICY.dump_json(lending.policy).decode(),
        "calendar": CALENDAR.dump_json(lending.calendar).decode(),
        "changed_at": at,
        "changed_by": actor[:80],
    }


def _apart(old: Any, new: Any) -> list[Any]:
    """Before and after; of names only those that were changed."""
    if not isinstance(old, dict):
        return [old, new]
    return [{code: one[code] for code in one if old.get(code) != new.get(code)} for one in (old, new)]


def _columns(rule: Rule) -> dict[str, Any]:
    values = asdict(rule)
    return values | {name: None if values[name] is None else minor(values[name]) for name in MONEY}


def _rule(row: RuleRow) -> Rule:
    return Rule(
        row.patron_class, row.item_type, row.branch, row.days, row.hours, row.renewals, row.max,
        fee_per_open_day=major(row.fee_per_open_day),
        grace_open_days=row.grace_open_days,
        cap=None if row.cap is None else major(row.cap),
        allowed=row.allowed,
    )  # fmt: skip


def _told(rules: set[Rule]) -> list[dict[str, Any]]:
    def word(value: object) -> object:
        return str(value) if isinstance(value, Decimal) else value

    return [{name: word(value) for name, value in asdict(rule).items()} for rule in sorted(rules, key=lambda r: r.key)]
