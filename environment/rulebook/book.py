"""The rules as people edit them: a book of rules, each with a switch, laid over the wiring of config.toml. Pure.

Wiring is sensors, actuators with their protection times, and how often rules are looked at. Rules, interlocks and
exclusive groups are the book's; a library without a book runs those of config.toml.
"""

import json
from collections.abc import Iterable
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from environment.config import EnvironmentConfig, ExclusiveConfig, InterlockConfig, RuleConfig
from environment.rulebook.case import sentence_of
from environment.rulebook.findings import Finding
from environment.rulebook.lint import lint

MOST_RULES = 500


class BookError(ValueError):
    """These rules cannot be in force: `code` is malformed, does_not_fit or rules_contradict; `detail` says which.

    `findings` are lint's errors, for rules_contradict.
    """

    def __init__(self, code: str, detail: str, findings: Iterable[Finding] = ()) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.findings = tuple(findings)


class BookRule(RuleConfig):
    """A rule that people can switch off without losing it."""

    enabled: bool = True


class RuleBook(BaseModel):
    """All that decides; keys as in config.toml's [environment]."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    rule: Annotated[tuple[BookRule, ...], Field(max_length=MOST_RULES)] = ()
    interlock: Annotated[tuple[InterlockConfig, ...], Field(max_length=MOST_RULES)] = ()
    exclusive: ExclusiveConfig = ExclusiveConfig()

    @model_validator(mode="after")
    def _names_once(self) -> Self:
        seen: set[str] = set()
        for rule in self.rule:
            if rule.id in seen:
                raise ValueError(f"rule id '{rule.id}' is used twice: choose another name")
            seen.add(rule.id)
        return self

    def find(self, id_: str) -> BookRule | None:
        """The rule of this id."""
        return next((rule for rule in self.rule if rule.id == id_), None)


def book_of(config: EnvironmentConfig) -> RuleBook:
    """The rules that a configuration comes with."""
    rules = tuple(BookRule.model_validate(rule.model_dump(by_alias=True)) for rule in config.rule)
    return RuleBook(rule=rules, interlock=config.interlock, exclusive=config.exclusive)


def laid_over(wiring: EnvironmentConfig, book: RuleBook) -> EnvironmentConfig:
    """The wiring with the rules of the book that are switched on, not checked yet: see `checked`."""
    rules = tuple(_plain(rule) for rule in book.rule if rule.enabled)
    return wiring.model_copy(update={"rule": rules, "interlock": book.interlock, "exclusive": book.exclusive})


def checked(wiring: EnvironmentConfig, book: RuleBook) -> tuple[EnvironmentConfig, list[Finding]]:
    """What would be in force, with lint's hints; raises BookError when it must not be."""
    laid = laid_over(wiring, book)
    parts = {name: getattr(laid, name) for name in EnvironmentConfig.model_fields}
    try:
        config = EnvironmentConfig(**parts)
    except ValidationError as error:
        raise BookError("does_not_fit", sentence_of(error)) from None
    findings = lint(config)
    errors = [finding for finding in findings if finding.error]
    if errors:
        raise BookError("rules_contradict", errors[0].text, errors)
    return config, findings


def _plain(rule: BookRule) -> RuleConfig:
    return RuleConfig.model_validate(rule.model_dump(by_alias=True, exclude={"enabled"}))


def to_text(book: RuleBook) -> str:
    """As JSON, the same for the same book."""
    data = book.model_dump(mode="json", by_alias=True, exclude_none=True)
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def from_text(text: str) -> RuleBook:
    """What `to_text` wrote; raises BookError (malformed)."""
    try:
        return RuleBook.model_validate_json(text)
    except ValidationError as error:
        raise BookError("malformed", sentence_of(error)) from None
