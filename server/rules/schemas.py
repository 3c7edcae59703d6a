"""Bodies of the rules' endpoints."""

from __future__ import annotations

from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from carrel.contracts.actuation import RuleLive


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
    """`code` is stable; `text` says what happens and what to do."""

    code: str
    rules: list[str]
    text: str


class LintResponse(BaseModel):
    """Empty when there is nothing to remark."""

    findings: list[FindingResponse]
