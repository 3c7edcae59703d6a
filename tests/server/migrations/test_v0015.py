"""The step that lets renewals and payments be undone: there and back, with what stands in the ledger."""

from decimal import Decimal

import pytest
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from server.db import Base, Database
from server.fees import service as fees
from server.migrations.versions import v0015_undo
from tests.support.counter import Counter, codes
from tests.support.library import ALICE, BOOKS, NOW

LEDGER = text("SELECT id, entry, amount FROM fee_entry ORDER BY id")


def test_the_step_goes_back_and_forth_and_the_ledger_stays(database: Database) -> None:
    counter = Counter(database)
    counter.checkout(ALICE, BOOKS[0])
    assert codes(counter.renew(ALICE, BOOKS[0])) == ["ok"]
    alice, by = counter.patron_id(ALICE), {"actor": "user:anna", "at": NOW}
    counter.do(lambda session: fees.charge(session, alice, "damage", Decimal(5), **by))  # type: ignore[arg-type]
    counter.do(lambda session: fees.pay(session, alice, Decimal(2), payment_id="p", means="cash", **by))  # type: ignore[arg-type]
    with database.changing_tables() as connection:
        connection.execute(
            text(
                "INSERT INTO fee_entry"
                " (fee_id, patron_id, entry, amount, at, actor, means, payment_id, reason, reverses)"
                " SELECT fee_id, patron_id, 'reversal', -amount, at, actor, means, payment_id, reason, id"
                " FROM fee_entry WHERE entry = 'payment'"
            )
        )
        context = MigrationContext.configure(connection, opts={"target_metadata": Base.metadata})
        with Operations.context(context):
            v0015_undo.downgrade()
            assert [row.entry for row in connection.execute(LEDGER)] == ["charge", "payment", "refund"]
            v0015_undo.upgrade()
        assert [row.amount for row in connection.execute(LEDGER)] == [500, -200, 200]
        renewal = connection.execute(text("SELECT number, due_before FROM loan_renewal")).one()
        assert tuple(renewal) == (1, None), "that there was a renewal is known, what it changed is not"
    assert counter.owed(ALICE) == Decimal(5)
    for change in ("UPDATE fee_entry SET amount = 1", "DELETE FROM fee_entry"):
        with pytest.raises(DBAPIError, match="append-only"), database.writing() as session:
            session.execute(text(change))
