"""Fills an empty database with the demo library, through the same services as any library's daily work."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from carrel.clock import local_date
from carrel.contracts.circulation import CheckoutRequest, ItemRef, RenewalRequest
from server import hashing
from server.auth import service as auth
from server.catalogue import service as catalogue
from server.circulation import policy
from server.circulation import service as circulation
from server.db import Database
from server.demo import data
from server.patrons import service as patrons
from server.settings import ServerSettings

log = logging.getLogger(__name__)

ACTOR = "demo"


def fill_if_empty(database: Database, settings: ServerSettings, now: datetime) -> bool:
    """Whether the database was empty and now holds the demo library; all of it or nothing."""
    with database.reading() as session:
        if patrons.any_exist(session):
            return False
    hashes = _hashes()
    with database.writing() as session:
        if patrons.any_exist(session):
            return False
        _catalogue(session)
        _people(session, hashes, settings, now)
        for number, loan in enumerate(data.people().loan):
            _loan(session, loan, settings, number=number, now=now)
    log.info("the database was empty: filled with the demo library")
    return True


def _hashes() -> dict[str, str]:
    """Of every password and PIN."""
    people = data.people()
    secrets = [account.password for account in people.account] + [patron.pin for patron in people.patron]
    return {secret: hashing.make(secret) for secret in secrets}


def _catalogue(session: Session) -> None:
    for entry in data.records():
        record_id = catalogue.add_record(session, entry.record)
        for barcode in entry.barcodes:
            catalogue.add_item(
                session,
                record_id,
                barcode,
                location=entry.location,
                call_number=entry.record.call_number,
                for_loan=entry.for_loan,
            )


def _people(session: Session, hashes: dict[str, str], settings: ServerSettings, now: datetime) -> None:
    for account in data.people().account:
        auth.add_account(session, account.user, hashes[account.password], name=account.name, role=account.role)
    today = local_date(now, settings.common.library.zone)
    for patron in data.people().patron:
        patrons.add(
            session,
            patron.card,
            hashes[patron.pin],
            name=patron.name,
            language=patron.language,
            expires_on=today + timedelta(days=-10 if patron.expired else 3 * 365),
            blocked=patron.blocked,
        )


def _loan(session: Session, loan: data.DemoLoan, settings: ServerSettings, *, number: int, now: datetime) -> None:
    """Lent and renewed at past instants, by the service that lends every day."""
    items = (ItemRef(barcode=loan.barcode),)
    asked = CheckoutRequest(request_id=f"demo-{number}", card=loan.card, items=items)
    circulation.checkout_many(session, asked, _occasion(settings, now - timedelta(days=loan.days_ago)))
    for turn, days in enumerate(loan.renewed_days_ago):
        again = RenewalRequest(request_id=f"demo-{number}-{turn}", card=loan.card, items=items)
        circulation.renew_many(session, again, _occasion(settings, now - timedelta(days=days)))


def _occasion(settings: ServerSettings, at: datetime) -> circulation.Occasion:
    rules = policy.Rules(settings.server.policy.loan_days, max_loans=100, max_renewals=100)  # whatever the limits are
    return circulation.Occasion(ACTOR, at, settings.common.library.zone, rules)
