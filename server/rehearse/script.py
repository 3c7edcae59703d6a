"""A rehearsal's file: tables that cases share, and the cases with their timed actions. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from server.rehearse import values
from server.rehearse.tables import ANY, ItemTable, LibraryTable, PatronTable, RuleTable, Table
from server.rehearse.values import REMARKS, RehearsalError, merged

TABLES = ("library", "policy", "rules", "patrons", "items")
CASE_KEYS = {"id", "setup", "actions", "note", "why", "expect", "title", *TABLES}
FILE_KEYS = {"cases", *CASE_KEYS}
BY_ID = ("patrons", "items")
USUAL_ACTORS = {"replay": "kiosk", "nightly": "nightly"}
"""Who acts where an action does not say; else somebody at the desk."""

T = TypeVar("T", bound=Table)


@dataclass(frozen=True, slots=True)
class Step:
    """One action; `together` holds those of a parallel group. `where` names it in messages."""

    where: str
    at: datetime | None
    actor: str
    cmd: str
    fields: Mapping[str, Any]
    together: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class Case:
    """One play on its own copy of the library; results of `before` are not told."""

    id: str
    library: LibraryTable
    policy: Mapping[str, Any]
    rules: tuple[RuleTable, ...]
    patrons: Mapping[str, PatronTable]
    items: Mapping[str, ItemTable]
    before: tuple[Step, ...]
    actions: tuple[Step, ...]
    unknown: tuple[str, ...] = ()

    @property
    def start(self) -> datetime:
        """When the case begins: its first time."""
        first = next((step.at for step in (*self.before, *self.actions) if step.at), None)
        if first is None:
            raise RehearsalError(f'{named(self.id)}: no action says when it is; write "at": "2026-01-05T10:00"')
        return first


@dataclass(frozen=True, slots=True)
class Mistaken:
    """A case that cannot be played, and what is wrong in it."""

    id: str
    why: RehearsalError

    def told(self) -> dict[str, Any]:
        """As it is printed."""
        return {"id": self.id, "mistake": str(self.why)}


def read_script(data: Any, commands: Collection[str]) -> tuple[Case | Mistaken, ...]:
    """The cases of a file; raises RehearsalError for what is wrong with the file itself."""
    if isinstance(data, list):
        data = {"cases": data}
    if not isinstance(data, dict):
        raise RehearsalError("write an object with library, policy, rules, patrons, items and cases")
    cases = data.get("cases", [data] if "actions" in data else None)
    if isinstance(cases, dict):
        cases = [{"id": key, **case} if isinstance(case, dict) else case for key, case in cases.items()]
    if not isinstance(cases, list) or not cases:
        raise RehearsalError('"cases" holds a list of cases, each with "id" and "actions"')
    shared = {key: data[key] for key in TABLES if key in data}
    above = tuple(key for key in data if key not in FILE_KEYS) if "cases" in data else ()
    found = tuple(_tried(case, number, shared, commands, above=above) for number, case in enumerate(cases, start=1))
    seen: set[str] = set()
    for case in found:
        if case.id in seen:
            raise RehearsalError(f"there are two cases with the id '{case.id}': give each its own")
        seen.add(case.id)
    return found


def remarks(case: Case) -> Iterator[str]:
    """What the file says that nobody heeds."""
    tables: list[tuple[str, Table]] = [("library", case.library)]
    tables += [(f"rules.{n}", rule) for n, rule in enumerate(case.rules)]
    tables += [(f"patrons.{key}", patron) for key, patron in case.patrons.items()]
    tables += [(f"items.{key}", item) for key, item in case.items.items()]
    for key in case.unknown:
        yield f"{named(case.id)}: '{key}' is not known and left out of account"
    branches = {f"rules.{n}": rule.branch for n, rule in enumerate(case.rules)}
    branches |= {f"patrons.{name}": patron.branch or ANY for name, patron in case.patrons.items()}
    for place, branch in branches.items():
        if branch not in (ANY, *case.library.branches):
            yield f"{named(case.id)}: {place} is for '{branch}', which is not among the branches"
    for place, table in tables:
        for key in table.model_extra or {}:
            if key not in REMARKS:
                yield f"{named(case.id)}: {place}.{key} is not known and left out of account"


def named(case_id: str) -> str:
    """How messages call a case."""
    return f"case '{case_id}'"


def _tried(
    data: Any, number: int, shared: Mapping[str, Any], commands: Collection[str], *, above: tuple[str, ...]
) -> Case | Mistaken:
    case_id = str(data.get("id", f"case-{number}")) if isinstance(data, dict) else f"case-{number}"
    try:
        if not isinstance(data, dict):
            raise RehearsalError(f'case {number}: write an object with "id" and "actions"')
        return _case(data, case_id, shared, commands, above=above)
    except RehearsalError as error:
        return Mistaken(case_id, error)


def _case(
    data: dict[str, Any], case_id: str, shared: Mapping[str, Any], commands: Collection[str], *, above: tuple[str, ...]
) -> Case:
    where = named(case_id)
    setup, before = _setup(data.get("setup"), where)
    own = {key: data[key] for key in TABLES if key in data} if "cases" not in data else {}
    tables: dict[str, Any] = {}
    rules: dict[tuple[str, str, str], RuleTable] = {}
    for over, place in ((shared, where), (own, where), (setup, f"{where}, setup")):
        rules |= _rules(over.get("rules", []), place)
        for key, value in over.items():
            tables[key] = _laid_over(tables.get(key), _by_id(value, f"{place}: {key}") if key in BY_ID else value)
    library = _table(LibraryTable, tables.get("library", {}), f"{where}: library")
    actions = data.get("actions")
    if not isinstance(actions, list):
        raise RehearsalError(f'{where}: "actions" holds a list of actions')
    earlier = _steps(before, f"{where}, setup action", library.zone, commands)
    return Case(
        id=case_id,
        library=library,
        policy=_mapping(tables.get("policy", {}), f"{where}: policy"),
        rules=tuple(rules.values()),
        patrons=_entries(PatronTable, tables.get("patrons", {}), f"{where}: patrons"),
        items=_entries(ItemTable, tables.get("items", {}), f"{where}: items"),
        before=earlier,
        actions=_steps(actions, f"{where}, action", library.zone, commands, after=_last(earlier)),
        unknown=(*above, *(key for key in data if key not in CASE_KEYS)),
    )


def _setup(setup: Any, where: str) -> tuple[dict[str, Any], list[Any]]:
    """Tables that a case has otherwise, and what happens before it. A text is for people."""
    if setup is None or isinstance(setup, str):
        return {}, []
    if isinstance(setup, list):
        return {}, setup
    if not isinstance(setup, dict):
        raise RehearsalError(f"{where}: setup is an object of tables, or a list of actions to play before")
    unknown = set(setup) - set(TABLES) - REMARKS - {"actions"}
    if unknown:
        raise RehearsalError(f"{where}: setup has no '{min(unknown)}'; it may hold {', '.join(TABLES)} and actions")
    return {key: setup[key] for key in TABLES if key in setup}, setup.get("actions", [])


def _laid_over(below: Any, over: Any) -> Any:
    if isinstance(below, dict) and isinstance(over, dict):
        return merged(below, over)
    return over


def _mapping(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise RehearsalError(f"{where}: write an object")
    return value


def _by_id(value: Any, where: str) -> Any:
    """A list of entries that hold their own id serves as well."""
    if not isinstance(value, list):
        return value
    keyed = {}
    for entry in (_mapping(one, where) for one in value):
        key = next((entry[name] for name in ("id", "barcode", "card") if name in entry), None)
        if key is None:
            raise RehearsalError(f'{where}: write an object by ID, such as {{"P1": {{...}}}}')
        keyed[str(key)] = {name: field for name, field in entry.items() if name not in ("id", "barcode")}
    return keyed


def _entries(kind: type[T], value: Any, where: str) -> dict[str, T]:
    return {str(key): _table(kind, entry, f"{where}.{key}") for key, entry in _mapping(value, where).items()}


def number_of(key: Any, where: str) -> str:
    """An ID that is also the number on the card or label; raises RehearsalError."""
    try:
        return values.number_on_it(key)
    except ValueError as error:
        raise RehearsalError(f"{where}: {error}") from None


def _rules(value: Any, where: str) -> dict[tuple[str, str, str], RuleTable]:
    """By class, type and branch, of which each may have one only."""
    if not isinstance(value, list):
        raise RehearsalError(f"{where}: rules is a list")
    rules = [_table(RuleTable, entry, f"{where}: rule {number}") for number, entry in enumerate(value, start=1)]
    by_key: dict[tuple[str, str, str], RuleTable] = {}
    for number, rule in enumerate(rules, start=1):
        if rule.key in by_key:
            first = 1 + rules.index(by_key[rule.key])
            raise RehearsalError(
                f"{where}: rules {first} and {number} are both for {' / '.join(rule.key)}: leave one of them out"
            )
        by_key[rule.key] = rule
    return by_key


def _table(kind: type[T], value: Any, where: str) -> T:
    try:
        return kind.model_validate({} if value is None else value)
    except ValidationError as error:
        raise values.mistake(where, error) from None


def _last(steps: Sequence[Step]) -> datetime | None:
    """When the last of these happens."""
    return next((step.at for step in reversed(steps) if step.at), None)


def _steps(
    data: Any, where: str, zone: ZoneInfo, commands: Collection[str], *, after: datetime | None = None
) -> tuple[Step, ...]:
    if not isinstance(data, list):
        raise RehearsalError(f"{where}s: write a list of actions")
    steps: list[Step] = []
    last = after
    for number, entry in enumerate(data, start=1):
        for step in _step(entry, f"{where} {number}", zone, commands):
            if step.at and last and step.at < last:
                raise RehearsalError(
                    f"{step.where}: the clock never goes back; put the actions in order of their times"
                )
            last = step.at or last
            steps.append(step)
    return tuple(steps)


def _step(entry: Any, where: str, zone: ZoneInfo, commands: Collection[str]) -> list[Step]:
    if not isinstance(entry, dict):
        raise RehearsalError(f'{where}: write an object such as {{"at": ..., "actor": "desk", "cmd": "checkout", ...}}')
    if entry.get("cmd") == "check":
        entry = {key: value for key, value in entry.items() if key != "cmd"} | {"check": True}
    at = _at(entry.get("at"), where, zone)
    fields = {key: value for key, value in entry.items() if key not in REMARKS | {"at", "actor", "cmd", "check"}}
    actor = _actor(entry, where, "desk")
    shared = {"actor": actor} if entry.get("actor") is not None else {}
    found = []
    if "parallel" in entry:
        group = fields.pop("parallel")
        if not isinstance(group, list) or not group:
            raise RehearsalError(f"{where}: parallel holds a list of actions")
        at = _at_once(at, group, where, zone)
        members = [
            _command(one, f"{where}, parallel {n}", shared | fields, commands) for n, one in enumerate(group, start=1)
        ]
        found.append(Step(where, at, actor, "parallel", {}, tuple(members)))
    elif "cmd" in entry:
        found.append(_command(entry, where, {}, commands, at=at))
    elif not entry.get("check"):
        raise RehearsalError(f'{where}: write "cmd", "parallel" or "check": true')
    if entry.get("check"):
        found.append(Step(where, at, actor, "check", {}))
    return found


def _command(
    entry: Any, where: str, shared: Mapping[str, Any], commands: Collection[str], *, at: datetime | None = None
) -> Step:
    entry = {**shared, **_mapping(entry, where)}
    cmd = entry.get("cmd")
    if cmd is None:
        told = "a check stands by itself, after the group" if entry.get("check") else '"cmd" is missing'
        raise RehearsalError(f"{where}: {told}")
    if not isinstance(cmd, str) or cmd not in commands:
        near = difflib.get_close_matches(str(cmd), commands, 1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(sorted(commands))}"
        raise RehearsalError(f"{where}: there is no cmd {values.short(cmd)}; {hint}")
    fields = {key: value for key, value in entry.items() if key not in REMARKS | {"at", "actor", "cmd", "check"}}
    return Step(where, at, _actor(entry, where, USUAL_ACTORS.get(cmd, "desk")), cmd, fields)


def _actor(entry: Mapping[str, Any], where: str, usual: str) -> str:
    try:
        return usual if entry.get("actor") is None else values.text(entry["actor"])
    except ValueError:
        what = "write desk, kiosk-1, sip2:hall, reader, nightly or a patron's ID"
        raise RehearsalError(f"{where}: actor: {values.short(entry['actor'])} is not a name: {what}") from None


def _at_once(at: datetime | None, group: Sequence[Any], where: str, zone: ZoneInfo) -> datetime | None:
    """When a parallel group happens; its members may say so too."""
    members = [(f"{where}, parallel {n}", one) for n, one in enumerate(group, start=1) if isinstance(one, dict)]
    said = [_at(one.get("at"), place, zone) for place, one in members]
    times = {one for one in (at, *said) if one is not None}
    if len(times) > 1:
        raise RehearsalError(f"{where}: a parallel group happens at one moment: write one at for all of it")
    return min(times, default=None)


def _at(value: Any, where: str, zone: ZoneInfo) -> datetime | None:
    if value is None:
        return None
    try:
        return values.instant(value, zone)
    except ValueError as error:
        raise RehearsalError(f"{where}: at: {error}") from None
