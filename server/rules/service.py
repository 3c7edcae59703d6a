"""Rules as they stand, tried on given samples, and read for mistakes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from carrel.config import Document
from carrel.contracts.actuation import RuleLive
from environment.config import EnvironmentConfig
from environment.rulebook.case import Case, CaseError, read_case, read_config, run_case
from environment.rulebook.findings import Finding
from environment.rulebook.lint import lint
from server.rooms.picture import Picture
from server.rules.errors import BadCaseError, TooLongError

MOST_INSTANTS = 300_000
"""A month of ticks every 10 s and its samples: some seconds of one processor."""


@dataclass(frozen=True, slots=True)
class Told:
    """A rule as its gateway told of it."""

    gateway: str
    at: datetime
    rule: RuleLive


def live(picture: Picture) -> Iterator[Told]:
    """Every rule that has been heard of."""
    for name, gateway in sorted(picture.gateways().items()):
        if gateway.rules is not None:
            yield from (Told(name, gateway.rules.ts, rule) for rule in gateway.rules.rules)


def dry_run(body: Any, document: Document) -> tuple[list[list[Any]], list[str]]:
    """Commands and notes; without a time zone the library's own. Raises BadCaseError, TooLongError."""
    if isinstance(body, Mapping) and "timezone" not in body:
        body = {**body, "timezone": document.data.get("library", {}).get("timezone", "Asia/Shanghai")}
    try:
        case, notes = read_case(body)
        if _instants(case) > MOST_INSTANTS:
            raise TooLongError(most=MOST_INSTANTS)
        return run_case(case, ZoneInfo), notes
    except CaseError as error:
        raise BadCaseError(detail=str(error)) from None


def findings(config: Mapping[str, Any] | None, present: EnvironmentConfig) -> list[Finding]:
    """What lint says of the given rules, or of the present ones. Raises BadCaseError."""
    if config is None:
        return lint(present)
    try:
        return lint(read_config(config))
    except CaseError as error:
        raise BadCaseError(detail=str(error)) from None


def _instants(case: Case) -> float:
    return case.end_s / case.config.tick_s + len(case.samples) + len(case.overrides)
