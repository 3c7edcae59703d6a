"""What the library itself does: its rules, its items, its nights, and what its kiosks tell afterwards."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from pydantic import ValidationError
from sqlalchemy.orm import Session

from carrel.contracts.circulation import ReplayItem, ReplayRequest, ReplayRow, ReplayRowResult
from server.catalogue.editing import service as editing
from server.catalogue.editing.service import By
from server.catalogue.policy import Trigger
from server.catalogue.service import Item
from server.circulation import nightly as nights
from server.circulation import replay as journals
from server.errors import DomainError
from server.lending import service as lending
from server.lending.occasion import Channel
from server.lending.policy import Lending, LibraryPolicy, Rule
from server.rehearse import values
from server.rehearse.act import Act
from server.rehearse.answers import Answer, in_all, of_batch, ok, refused
from server.rehearse.fields import ITEM, ITEMS, PATRON, Fields
from server.rehearse.library import rule_of
from server.rehearse.tables import RuleTable

USUAL_KIOSK = "kiosk-1"
RULE_KEYS = (("class", "patron_class"), ("type", "item_type"), ("branch", "branch"))
RULE_NAMES = {name for pair in RULE_KEYS for name in pair} | set(RuleTable.model_fields)
POLICY_KEYS = {one.name for one in fields(LibraryPolicy)}
TO = ("to", "to_branch", "transit_to", "destination", "branch")
DUE = ("due", "due_at", "due_date")
KINDS = {"checkout": "checkout", "checkin": "checkin", "renew": "renewal", "renewal": "renewal"}


def set_rule(act: Act) -> Answer:
    """Add a rule, or change the one for the same class, type and branch; also changes of the policy."""
    given = {key: value for key, value in act.fields.table().items() if key not in ("request_id", "request")}
    loose = {key: given.pop(key) for key in POLICY_KEYS & set(given)}
    policy = given.pop("policy", loose or None)
    nested = _listed(given.pop("rules", given.pop("rule", [])))
    wanted = [act.fields.row(number, facts) for number, facts in enumerate(nested, start=1)]
    with act.database.writing() as session:
        if given and not nested:
            _set(act, session, act.fields, given)
        for one in wanted:
            _set(act, session, one, one.table())
        if policy is not None:
            changed = _policy(act, lending.to_change(session), policy)
            lending.set_policy(session, changed, actor=act.actor, at=act.now)
    return ok()


def _set(act: Act, session: Session, said: Fields, facts: Mapping[str, Any]) -> None:
    now = lending.to_change(session)
    rule = _rule(said, now, facts)
    lending.set_rules(
        session, [*(one for one in now.rules if one.key != rule.key), rule], actor=act.actor, at=act.now
    )  # fmt: skip


def _rule(said: Fields, now: Lending, facts: Mapping[str, Any]) -> Rule:
    """What is not said stays as the rule has it."""
    key = tuple(str(facts.get(name, facts.get(other, "*"))) for name, other in RULE_KEYS)
    before = next((asdict(rule) for rule in now.rules if rule.key == key), {})
    if "days" in facts or "hours" in facts:
        before |= {"days": None, "hours": None}
    columns = dict(RULE_KEYS)
    try:
        table = RuleTable.model_validate(before | {columns.get(name, name): value for name, value in facts.items()})
        said.leave_out(table.model_extra or {})
        return rule_of(table, f"{said.where} (set_rule)")
    except ValidationError as error:
        strange = ", ".join(f"'{name}'" for name in sorted(set(facts) - RULE_NAMES))
        raise said.mistake(values.told(error) + (f"; {strange} is not known" if strange else "")) from None


def _policy(act: Act, now: Lending, changes: Any) -> LibraryPolicy:
    before = lending.POLICY.dump_python(now.policy, mode="json")
    if not isinstance(changes, Mapping):
        raise act.fields.mistake("policy: write an object")
    for key in changes:
        if key not in before:
            raise act.fields.mistake(f"policy.{key}: there is no such key; there are {', '.join(before)}")
    try:
        return lending.POLICY.validate_python(before | dict(changes))
    except ValidationError as error:
        raise act.fields.mistake(f"policy.{values.told(error)}") from None


def nightly(act: Act) -> Answer:
    """What the library does by itself once a day."""
    with act.database.writing() as session:
        return ok(**asdict(nights.nightly(session, act.occasion)))


def replay(act: Act) -> Answer:
    """Rows of a kiosk's offline journal; each is recorded, whatever the rules say."""
    written = act.fields.raw("rows", "journal", "actions")
    if not isinstance(written, list) or not written:
        raise act.fields.mistake('"rows" holds a list of journal rows')
    kiosk = act.fields.text("kiosk", default=_kiosk_of(act))
    rows = [_row(act, act.fields.row(number, one), kiosk, number) for number, one in enumerate(written, start=1)]
    try:
        request = ReplayRequest(rows=tuple(rows))
    except ValidationError as error:
        raise act.fields.mistake(values.told(error)) from None
    with act.database.writing() as session:
        told = [_told(act, result) for result in journals.replay(session, request, act.occasion).rows]
    done = sum(one["result"] == "ok" for one in told)
    result = (
        "ok" if done == len(told) else "refused" if not any(one["result"] != "refused" for one in told) else "partial"
    )
    reason = next((one["reason"] for one in told if one["reason"]), None)
    return {"result": result, "reason": reason, "due": None, "rows": told}


def _kiosk_of(act: Act) -> str:
    """The kiosk that tells its own rows, by its name."""
    name = act.door.subject.partition(":")[2] if act.door.channel in (Channel.KIOSK, Channel.REPLAY) else ""
    return name if name not in ("", "kiosk") else USUAL_KIOSK


def _row(act: Act, row: Fields, kiosk: str, number: int) -> ReplayRow:
    """A journal row in the words of an action; without a counter it counts once by its place in the file."""
    kind = KINDS.get(row.text("cmd", "kind", "action", "op", "type"))
    if kind is None:
        raise row.mistake("cmd: write checkout, checkin or renew")
    counter = row.number("counter", "seq", default=None)
    own = None if counter is not None else f"{act.name}-{number}"
    due = row.end(*DUE)
    card = _card(act, row, needed=kind != "checkin")
    try:
        return ReplayRow(
            kiosk=row.text("kiosk", default=kiosk),
            counter=counter,
            at=row.instant("at", "ts", "time", default=act.now) or act.now,
            kind=kind,  # type: ignore[arg-type]  # one of KINDS
            card=card,
            items=tuple(_lent(row, one, due) for one in _listed(row.raw(*ITEMS))),
            request_id=row.text("request_id", default=own or "") or None,
            branch=row.text("branch", default=act.branch),
        )
    except ValidationError as error:
        raise row.mistake(values.told(error)) from None


def _lent(row: Fields, written: Any, due: datetime | None) -> ReplayItem:
    """An item of a row; one that is an object may have a due date of its own."""
    own = Fields(row.where, row.cmd, written if isinstance(written, Mapping) else {"item": written}, row.zone)
    return ReplayItem(barcode=own.text(*ITEM), due=own.end(*DUE, default=due))


def _listed(written: Any) -> list[Any]:
    return written if isinstance(written, list) else [written]


def _card(act: Act, row: Fields, *, needed: bool) -> str | None:
    """The card as it was shown: a patron's ID stands for the card of the file's table."""
    if not needed and not row.has(*PATRON):
        return None
    named = row.text(*PATRON)
    patron = act.case.patrons.get(named)
    return patron.card if patron and patron.card else named


def _told(act: Act, result: ReplayRowResult) -> Answer:
    """`conflicts` are for the staff's list; a row is refused only where nothing could be recorded."""
    answer = of_batch(result.results, act.zone, listed=len(result.results) != 1)
    if result.conflicts and answer["reason"] is None:
        answer["reason"] = result.conflicts[0]
    return answer | {"status": result.status, "conflicts": list(result.conflicts)}


def withdraw(act: Act) -> Answer:
    """Take an item out of the library for good."""
    note, by = act.fields.words("reason") or None, By(act.actor, act.now)
    return _each(act, lambda session, barcode: editing.move_item(session, barcode, Trigger.WITHDRAW, by, note=note))


def send(act: Act) -> Answer:
    """Put an item on its way to another branch; a loan must end first, and what is set aside is somebody's."""
    to, by = act.fields.text(*TO), By(act.actor, act.now)
    here = act.branch if act.fields.has(*TO[:-1]) else None
    if to not in act.case.library.branches:
        return refused("unknown_branch")
    return _each(act, lambda session, barcode: editing.send_item(session, barcode, to, by, here=here))


def _each(act: Act, work: Callable[[Session, str], Item]) -> Answer:
    """Item by item, as the page for titles does it; one refusal does not hinder the rest."""
    told = []
    for barcode in act.fields.texts(*ITEMS):
        try:
            with act.database.writing() as session:
                told.append(ok(status=work(session, barcode).status, item=barcode))
        except DomainError as error:
            told.append(refused(error.code, item=barcode))
    return in_all(told, listed=isinstance(act.fields.raw(*ITEMS), list))
