"""Renewals of before there was a table of them are known from the audit log."""

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text

from server.db import Database
from server.migrations.versions import v0014_lending_reports
from tests.support.counter import Counter, codes
from tests.support.library import ALICE, BOOKS

ROWS = text("SELECT loan_id, number, at FROM loan_renewal ORDER BY loan_id, number")


def test_renewals_are_taken_over_from_the_audit_log(database: Database) -> None:
    counter = Counter(database)
    counter.checkout(ALICE, *BOOKS[:3])
    for later, barcode in ((1, BOOKS[0]), (2, BOOKS[1]), (3, BOOKS[0])):
        assert codes(counter.at(days=later).renew(ALICE, barcode)) == ["ok"]
    counter.cancel(ALICE, BOOKS[1])
    with database.changing_tables() as connection:
        kept = connection.execute(ROWS).all()
        connection.execute(text("DROP TABLE loan_renewal"))
        with Operations.context(MigrationContext.configure(connection)):
            v0014_lending_reports.upgrade()
        assert connection.execute(ROWS).all() == kept
    assert len(kept) == 2, "what was undone is gone"
