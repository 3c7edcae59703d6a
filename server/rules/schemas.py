"""Bodies of the rules' endpoints."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from carrel.contracts.actuation import RuleLive
from environment.rulebook.book import RuleBook
from environment.rulebook.findings import Finding
from server.rules.book import Delivery, Stage, Stored
from server.rules.replay import MOST_MOVES, Doing, Outcome


class RuleResponse(RuleLive):
    """A rule as its gateway last told of it, at `at`."""

    gateway: str
    at: AwareDatetime
    simulated: bool


class RulesResponse(BaseModel):
    """Every rule of every gateway that has been heard of, in the order of the file."""

    rules: list[RuleResponse]


class DryRunResponse(BaseModel):
    """`commands` are [time_s, actuator, value, reason], changes only; `notes` tell what was taken otherwise."""

    commands: list[tuple[float, str, int, str]]
    notes: list[str]


class LintRequest(BaseModel):
    """Rules to be read; without any, those the library runs."""

    model_config = ConfigDict(extra="forbid")

    config: dict[str, Any] | None = Field(default=None, description="Keys as in config.toml's [environment].")


class FindingResponse(BaseModel):
    """`code` is stable; `params` and `guard` (0: the condition, or none) are what its words need; `text` is English.

    Rules with an `error` cannot be saved.
    """

    code: str
    rules: list[str]
    text: str
    params: dict[str, str | float]
    guard: int
    error: bool

    @classmethod
    def of(cls, finding: Finding) -> Self:
        """As it is told."""
        return cls(
            code=finding.code,
            rules=list(finding.rules),
            text=finding.text,
            params=dict(finding.params),
            guard=finding.guard,
            error=finding.error,
        )


class LintResponse(BaseModel):
    """Empty when there is nothing to remark."""

    findings: list[FindingResponse]


class VersionResponse(BaseModel):
    """A version of the rules; 0, with neither time nor author, is config.toml's."""

    version: int
    at: AwareDatetime | None
    author: str
    note: str

    @classmethod
    def of(cls, stored: Stored) -> VersionResponse:
        """As it is told."""
        return VersionResponse(version=stored.version, at=stored.at, author=stored.author, note=stored.note)


class VersionsResponse(BaseModel):
    """Newest first."""

    versions: list[VersionResponse]


class BookVersionResponse(VersionResponse):
    """A version with its rules."""

    book: RuleBook


class DeliveryResponse(BaseModel):
    """How far the newest version has come; `running` is the one in force on the gateway, None while it has not told.

    shipped: config.toml's rules run. saved: it waits for the broker. sent: the gateway has not answered. in_force:
    since `at`. refused: `code` and `detail` say why. newer: the gateway runs rules that this server does not know.
    """

    stage: Stage
    online: bool
    running: int | None
    at: AwareDatetime | None
    code: str
    detail: str

    @classmethod
    def of(cls, delivery: Delivery) -> Self:
        """As it is told."""
        return cls(**asdict(delivery))


class BookResponse(BookVersionResponse):
    """The newest version, what lint says of it, and how far it has come."""

    findings: list[FindingResponse]
    delivery: DeliveryResponse


NOTE = Field(default="", max_length=200, description="Why, for those who read the list of versions.")


class SaveRequest(BaseModel):
    """Rules to be saved on top of the version that they were made from."""

    model_config = ConfigDict(extra="forbid")

    expected_version: int = Field(ge=0)
    note: str = NOTE
    book: RuleBook


class RevertRequest(BaseModel):
    """A version to be saved again on top of the present one."""

    model_config = ConfigDict(extra="forbid")

    version: int = Field(ge=0, lt=1 << 31)
    expected_version: int = Field(ge=0)
    note: str = NOTE


class SimulateRequest(BaseModel):
    """Rules to be tried on the last hours."""

    model_config = ConfigDict(extra="forbid")

    book: RuleBook | None = None
    hours: int = Field(default=24, ge=1, le=168)


class DoingResponse(BaseModel):
    """What an actuator did: [instant, value] of its changes, their number, hours away from its default."""

    course: list[tuple[AwareDatetime, float]]
    changes: int
    away_h: float

    @classmethod
    def of(cls, doing: Doing) -> Self:
        """As it is told; the beginning of a very long course."""
        return cls(course=list(doing.course[:MOST_MOVES]), changes=doing.changes, away_h=round(doing.away_h, 3))


class ComparedResponse(BaseModel):
    """An actuator as the rules would have moved it and as it was; `did` is None where it never reported."""

    actuator: str
    would: DoingResponse
    did: DoingResponse | None


class OutcomeResponse(BaseModel):
    """What rules would have done. `values` measurements were there; `finest_s` is 0 for raw values, else means of so
    many seconds were all that is left. `commands` are [instant, actuator, value, reason]."""

    start: AwareDatetime
    end: AwareDatetime
    values: int
    finest_s: int
    commands: list[tuple[AwareDatetime, str, int, str]]
    actuators: list[ComparedResponse]

    @classmethod
    def of(cls, outcome: Outcome) -> Self:
        """As it is told."""
        return cls(
            start=outcome.period.start,
            end=outcome.period.end,
            values=outcome.values,
            finest_s=outcome.finest_s,
            commands=[(move.at, move.actuator, move.value, move.reason) for move in outcome.moves],
            actuators=[
                ComparedResponse(
                    actuator=one.actuator.id,
                    would=DoingResponse.of(one.would),
                    did=DoingResponse.of(one.did) if one.did else None,
                )
                for one in outcome.compared
            ],
        )
