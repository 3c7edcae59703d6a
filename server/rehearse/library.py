"""Furnishes a scratch library from a case's tables, through the services that a real one is run with."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any, get_args

from pydantic import TypeAdapter, ValidationError
from sqlalchemy.orm import Session

from server import hashing
from server.catalogue import service as catalogue
from server.fees import service as fees
from server.lending import service as lending
from server.lending.policy import Calendar, LibraryPolicy, Rule
from server.patrons import desk
from server.patrons import service as patrons
from server.patrons.errors import CardTakenError
from server.rehearse import values
from server.rehearse.script import Case, named, number_of
from server.rehearse.tables import ItemTable, PatronTable, RuleTable
from server.rehearse.values import RehearsalError

SETUP = "setup"
"""Whom the audit log names for what a file's tables say."""

POLICY = TypeAdapter(LibraryPolicy)
RULE = TypeAdapter(Rule)
STATUSES = {status: status for status in get_args(catalogue.Status)} | {"in_stock": "on_shelf", "available": "on_shelf"}

pin_hash = cache(hashing.make)


@dataclass(slots=True)
class World:
    """What the file's names stand for in the scratch database."""

    patrons: dict[str, int] = field(default_factory=dict)
    items: dict[str, int] = field(default_factory=dict)
    records: dict[str, int] = field(default_factory=dict)
    meant: dict[tuple[str, str, str], Any] = field(default_factory=dict)
    """What an actor's request has meant by words whose meaning changes, such as a kind of fee."""

    def patron_name(self, key: int | None) -> str | None:
        """The file's ID of a patron."""
        return next((name for name, known in self.patrons.items() if known == key), None)

    def record_name(self, key: int) -> str:
        """What the file calls a record."""
        return next((name for name, known in self.records.items() if known == key), str(key))


def furnish(session: Session, case: Case, at: datetime) -> World:
    """Library, policy, rules, patrons and items of a case; raises RehearsalError naming what cannot be."""
    world = World()
    lending.set_policy(session, _policy(case), actor=SETUP, at=at)
    lending.set_calendar(session, _calendar(case), actor=SETUP, at=at)
    rules = [rule_of(rule, f"{named(case.id)}: rule {' / '.join(rule.key)}") for rule in case.rules]
    lending.set_rules(session, rules, actor=SETUP, at=at)
    for name in _guardians_first(case):
        _patron(session, case, name, world=world, at=at)
    for barcode, item in case.items.items():
        _item(session, case, barcode, item=item, world=world, at=at)
    return world


def rule_of(table: RuleTable, where: str) -> Rule:
    """A rule as the service knows it."""
    given = table.model_dump(exclude_none=True, exclude=set(table.model_extra or ()))
    try:
        return RULE.validate_python(given)
    except ValidationError as error:
        raise values.mistake(where, error) from None


def _policy(case: Case) -> LibraryPolicy:
    where = f"{named(case.id)}: policy"
    known = [one.name for one in dataclasses.fields(LibraryPolicy)]
    for key in case.policy:
        if key not in known:
            raise RehearsalError(f"{where}.{key}: there is no such key; there are {', '.join(known)}")
    given = {"currency": case.library.currency, "branches": tuple(case.library.branches)} | dict(case.policy)
    try:
        return POLICY.validate_python(given)
    except ValidationError as error:
        table = "policy" if error.errors()[0]["loc"][0] in case.policy else "library"
        raise values.mistake(f"{named(case.id)}: {table}", error) from None


def _calendar(case: Case) -> Calendar:
    table = case.library
    given = {
        "closed_weekdays": table.closed_weekdays,
        "closed_dates": table.closed_dates,
        "closed_weekdays_by_branch": table.closed_weekdays_by_branch,
        "closed_dates_by_branch": table.closed_dates_by_branch,
    }
    try:
        return lending.CALENDAR.validate_python(given)
    except ValidationError as error:
        raise values.mistake(f"{named(case.id)}: library", error) from None


def _guardians_first(case: Case) -> list[str]:
    """Names of the patrons; a guardian must be there before the child."""
    order: list[str] = []
    for name in sorted(case.patrons, key=lambda one: bool(case.patrons[one].guardian)):
        line = [name]
        while guardian := case.patrons[line[-1]].guardian:
            if guardian not in case.patrons or guardian in line:
                what = "is nobody" if guardian not in case.patrons else "would be guardian of themselves"
                raise RehearsalError(f"{named(case.id)}: patrons.{line[-1]}.guardian: '{guardian}' {what}")
            line.append(guardian)
        order += [one for one in reversed(line) if one not in order]
    return order


def _patron(session: Session, case: Case, name: str, *, world: World, at: datetime) -> None:
    table = case.patrons[name]
    where = f"{named(case.id)}: patrons.{name}"
    new = patrons.NewPatron(
        card=table.card or number_of(name, where),
        name=table.name or name,
        pin_hash=pin_hash(table.pin) if table.pin else patrons.NO_PIN,
        language=table.language,
        expires_on=table.expires,
        patron_class=table.patron_class,
        born_on=table.born,
        branch=table.branch or case.library.branches[0],
        email=table.email or "",
        phone=table.phone or "",
        channels=tuple(table.channels),
        guardian_id=world.patrons.get(table.guardian or ""),
        keeps_history=table.keeps_history,
    )
    try:
        world.patrons[name] = patron_id = patrons.add(session, new, at)
    except CardTakenError:
        raise RehearsalError(
            f"{where}.card: '{new.card}' is somebody else's; give each patron a card of their own"
        ) from None
    for block in _blocks(table, where):
        desk.block(session, patron_id, block, actor=SETUP, at=at)
    if table.owes > 0:
        fees.charge(session, patron_id, "admin", table.owes, at=at, actor=SETUP, reason="owed before")


def _blocks(table: PatronTable, where: str) -> list[desk.NewBlock]:
    """true, a reason, or several."""
    written = table.blocked if isinstance(table.blocked, list) else [table.blocked]
    blocks = []
    for one in written:
        if one in (False, None):
            continue
        if isinstance(one, Mapping):
            blocks.append(desk.NewBlock(str(one.get("reason", "manual")), str(one.get("note", ""))))
        elif one is True or isinstance(one, str):
            blocks.append(desk.NewBlock("manual" if one is True else one[:40]))
        else:
            raise RehearsalError(f"{where}.blocked: write true, a reason or a list of reasons")
    return blocks


def _item(session: Session, case: Case, barcode: str, *, item: ItemTable, world: World, at: datetime) -> None:
    where = f"{named(case.id)}: items.{barcode}"
    number_of(barcode, where)
    status = STATUSES.get(item.status or "on_shelf")
    if status is None or status == "on_loan":
        raise RehearsalError(
            f"{where}.status: '{item.status}' cannot be set; lend it by a checkout in setup, or write one of "
            + ", ".join(sorted(set(STATUSES) - {"on_loan"}))
        )
    branch = item.branch or case.library.branches[0]
    for one in (branch, item.at_branch or branch):
        if one not in case.library.branches:
            raise RehearsalError(f"{where}: '{one}' is not among the branches {', '.join(case.library.branches)}")
    new = catalogue.NewItem(
        barcode,
        location=item.location,
        call_number=item.call_number,
        branch=branch,
        type=item.type,
        for_loan=item.for_loan,
        price=item.price,
        tags=max(1, item.tags),
    )
    record = _record(session, barcode, item, where=where, world=world, at=at)
    world.items[barcode] = item_id = catalogue.add_item(session, record, new)
    if status != "on_shelf" or item.at_branch:
        catalogue.set_status(session, item_id, status, at_branch=item.at_branch)


def _record(session: Session, barcode: str, item: ItemTable, *, where: str, world: World, at: datetime) -> int:
    """The record of this name; a new one when no item before named it."""
    written: Any = item.record if item.record is not None else barcode
    facts = written if isinstance(written, Mapping) else {"title": written}
    try:
        name = values.text(facts.get("id", facts.get("title", barcode)))
        title = values.text(facts.get("title", name))
    except ValueError as error:
        raise RehearsalError(f"{where}.record: {error}") from None
    if name not in world.records:
        author = str(facts.get("author", item.author))
        world.records[name] = catalogue.add_record(session, catalogue.NewRecord(title, author), at=at)
    return world.records[name]
