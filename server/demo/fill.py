"""Fills an empty database with the demo library, through the same services as any library's daily work."""

from __future__ import annotations

import logging
from datetime import date, datetime, timedelta

from sqlalchemy.orm import Session

from carrel.clock import local_date
from carrel.contracts.circulation import CheckoutRequest, ItemRef, RenewalRequest
from server import hashing
from server.auth import accounts
from server.catalogue import service as catalogue
from server.circulation import service as circulation
from server.db import Database
from server.demo import data
from server.lending import service as lending
from server.lending.occasion import Occasion
from server.patrons import desk
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
        _catalogue(session, settings.common.library.branch, now)
        _people(session, hashes, settings, now)
        lending.set_rules(session, data.rules(), actor=ACTOR, at=now)
        for number, loan in enumerate(data.people().loan):
            _loan(session, loan, settings, number=number, now=now)
    log.info("the database was empty: filled with the demo library")
    return True


def _hashes() -> dict[str, str]:
    """Of every password and PIN."""
    people = data.people()
    secrets = [account.password for account in people.account] + [patron.pin for patron in people.patron]
    return {secret: hashing.make(secret) for secret in secrets}


def _catalogue(session: Session, branch: str, now: datetime) -> None:
    for entry in data.records():
        record_id = catalogue.add_record(session, entry.record, at=now)
        for barcode in entry.barcodes:
            new = catalogue.NewItem(
                barcode,
                location=entry.location,
                call_number=entry.record.call_number,
                branch=branch,
                for_loan=entry.for_loan,
            )
            catalogue.add_item(session, record_id, new)


def _people(session: Session, hashes: dict[str, str], settings: ServerSettings, now: datetime) -> None:
    for account in data.people().account:
        accounts.add(
            session, account.user, hashes[account.password], name=account.name, role=account.role, actor=ACTOR, at=now
        )
    today = local_date(now, settings.common.library.zone)
    branch = settings.common.library.branch
    ids: dict[str, int] = {}
    for patron in data.people().patron:
        patron_id = patrons.add(session, _patron(patron, hashes[patron.pin], today=today, ids=ids, branch=branch), now)
        ids[patron.card] = patron_id
        if patron.blocked:
            desk.block(session, patron_id, desk.NewBlock("manual"), actor=ACTOR, at=now)


def _patron(
    patron: data.DemoPatron, pin_hash: str, *, today: date, ids: dict[str, int], branch: str
) -> patrons.NewPatron:
    """`ids` are the keys of those before, by card: a guardian comes before the child."""
    born = patron.age and today.replace(year=today.year - patron.age, month=1, day=1)
    return patrons.NewPatron(
        card=patron.card,
        name=patron.name,
        pin_hash=pin_hash,
        language=patron.language,
        expires_on=today + timedelta(days=-10 if patron.expired else 3 * 365),
        patron_class=patron.patron_class,
        born_on=born or None,
        branch=branch,
        email=patron.email,
        phone=patron.phone,
        channels=("email",) if patron.email else (),
        guardian_id=ids[patron.guardian] if patron.guardian else None,
        keeps_history=patron.keeps_history,
    )


def _loan(session: Session, loan: data.DemoLoan, settings: ServerSettings, *, number: int, now: datetime) -> None:
    """Lent and renewed at past instants, by the service that lends every day."""
    items = (ItemRef(barcode=loan.barcode),)
    asked = CheckoutRequest(request_id=f"demo-{number}", card=loan.card, items=items)
    circulation.checkout_many(session, asked, _occasion(settings, now - timedelta(days=loan.days_ago)))
    for turn, days in enumerate(loan.renewed_days_ago):
        again = RenewalRequest(request_id=f"demo-{number}-{turn}", card=loan.card, items=items)
        circulation.renew_many(session, again, _occasion(settings, now - timedelta(days=days)))


def _occasion(settings: ServerSettings, at: datetime) -> Occasion:
    library = settings.common.library
    return Occasion(ACTOR, at, library.zone, library.branch)
