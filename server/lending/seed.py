"""What a fresh library lends by: as config.toml says, until it is changed on the page."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from server.lending import service
from server.lending.policy import Calendar, Lending, LibraryPolicy, Rule
from server.settings import LendingPolicyConfig, ServerSettings


def seed(session: Session, settings: ServerSettings, now: datetime) -> bool:
    """Give a library that has no rules yet those of its configuration; whether it had none."""
    return service.seed(session, first_lending(settings.server.policy), now=now)


def first_lending(config: LendingPolicyConfig) -> Lending:
    """One rule for everything and everybody."""
    rule = Rule(
        days=config.loan_days,
        renewals=config.max_renewals,
        fee_per_open_day=config.fee_per_open_day,
        grace_open_days=config.grace_open_days,
        cap=config.fee_cap,
    )
    policy = LibraryPolicy(
        currency=config.currency,
        max_loans=config.max_loans,
        loan_days=config.loan_days,
        fee_limit=config.fee_limit,
        hold_limit=config.hold_limit,
        hold_shelf_days=config.hold_shelf_days,
        forget_after_days=config.forget_after_days,
    )
    return Lending(policy, (rule,), Calendar(closed_weekdays=config.closed_weekdays))
