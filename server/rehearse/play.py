"""Plays cases: each on a fresh copy of its set-up, its actions in order, those of a parallel group at the same time."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from server.db import Database
from server.errors import DomainError
from server.patrons import service as patrons
from server.rehearse import state
from server.rehearse.act import Act, Command
from server.rehearse.answers import Answer, local, plain, refused
from server.rehearse.doors import FOR_A_CHILD, door_of
from server.rehearse.fields import PATRON, Fields
from server.rehearse.library import World, furnish
from server.rehearse.script import Case, Step, remarks
from server.rehearse.stage import Stage, StageClock

TOGETHER = 64
"""More would wait for a database connection, not for each other."""


@dataclass(slots=True)
class Played:
    """What a case gave; `remarks` are for whoever wrote the file."""

    id: str
    results: list[Answer] = field(default_factory=list)
    checks: list[Answer] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def told(self) -> dict[str, Any]:
        """As it is printed."""
        return {"id": self.id, "results": self.results, "checks": self.checks}


def play(case: Case, stage: Stage, commands: Mapping[str, Command]) -> Played:
    """One case from its set-up to its end; raises RehearsalError."""
    played = Played(case.id, remarks=list(remarks(case)))
    clock = StageClock(case.start)
    with stage.scratch() as database:
        with database.writing() as session:
            world = furnish(session, case, clock.now())
        company = _Company(database, case, world, clock, commands)
        for number, step in enumerate(case.before):
            company.answer(step, f"setup-{number}", played)
        first_line = company.last_audit_line()
        for number, step in enumerate(case.actions):
            if step.cmd == "check":
                company.forward(step)
                played.checks.append(state.look(database, case, world, clock.now(), after=first_line))
            else:
                played.results += company.answer(step, f"action-{number}", played)
    return played


@dataclass(frozen=True, slots=True)
class _Company:
    """Who acts on this scratch library."""

    database: Database
    case: Case
    world: World
    clock: StageClock
    commands: Mapping[str, Command]

    def forward(self, step: Step) -> None:
        """The clock as this step has it."""
        if step.at is not None:
            self.clock.forward(step.at)

    def last_audit_line(self) -> int:
        """Lines of the log up to this one are the set-up's."""
        return state.last_line(self.database)

    def answer(self, step: Step, name: str, played: Played) -> list[Answer]:
        """The results of one step, in the order written."""
        self.forward(step)
        if step.cmd == "check":
            return []
        acts = [self._act(one, f"{name}-{n}") for n, one in enumerate(step.together or (step,))]
        answers = [self._play(acts[0])] if len(acts) == 1 else self._all_at_once(acts)
        for act, answer in zip(acts, answers, strict=True):
            played.remarks += act.fields.remarks
            if answer["result"] != "refused":  # a refusal may come before all was read
                played.remarks += act.fields.unheeded()
        return answers

    def _act(self, step: Step, name: str) -> Act:
        fields = Fields(step.where, step.cmd, step.fields, self.case.library.zone)
        return Act(
            self.database, self.case, self.world, door_of(step.actor, self.case.patrons),
            fields=fields, now=self.clock.now(), name=name,
        )  # fmt: skip

    def _all_at_once(self, acts: Iterable[Act]) -> list[Answer]:
        """In threads that start together; each has its own connection, as different programs have."""
        waiting = list(acts)
        answers: list[Answer] = []
        for start in range(0, len(waiting), TOGETHER):
            group = waiting[start : start + TOGETHER]
            gate = threading.Barrier(len(group))

            def one(act: Act, gate: threading.Barrier = gate) -> Answer:
                gate.wait()
                return self._play(act)

            with ThreadPoolExecutor(len(group)) as pool:
                answers += pool.map(one, group)
        return answers

    def _play(self, act: Act) -> Answer:
        """What the services answer; their refusals of a whole request are results too."""
        told = {"at": local(act.now, act.zone), "cmd": act.fields.cmd}
        if code := _barred(act):
            return refused(code) | told
        try:
            return self.commands[act.fields.cmd](act) | told
        except DomainError as error:
            answer = refused(error.code, params=plain(error.params, act.zone)) if error.params else refused(error.code)
            return answer | told


def _barred(act: Act) -> str | None:
    """Why this cannot be asked for through this door, whatever it is about."""
    if not act.door.allows(act.fields.cmd):
        return "not_permitted"
    mine = act.world.patrons.get(act.door.patron or "")
    if mine is None or not act.fields.has(*PATRON):
        return None
    with act.database.reading() as session:
        patron = act.patron(session)
        child = patrons.may_act_for(session, mine, act.card(session), act.today) and act.fields.cmd in FOR_A_CHILD
    return None if child or (patron is not None and patron.id == mine) else "not_your_card"
