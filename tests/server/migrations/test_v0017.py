"""The step that lets SQLite count loans on: there and back, with loans that others refer to."""

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text

from server.db import Base, Database
from server.migrations.versions import v0017_loan_numbers
from tests.support.counter import Counter, codes
from tests.support.library import ALICE, BOOKS

LOANS = text("SELECT id, item_id, patron_id, due_at FROM loan ORDER BY id")


def test_the_step_goes_back_and_forth_and_loans_keep_their_numbers(database: Database) -> None:
    counter = Counter(database)
    counter.checkout(ALICE, *BOOKS[:2])
    assert codes(counter.renew(ALICE, BOOKS[0])) == ["ok"]
    with database.changing_tables() as connection:
        before = connection.execute(LOANS).all()
        context = MigrationContext.configure(connection, opts={"target_metadata": Base.metadata})
        with Operations.context(context):
            v0017_loan_numbers.downgrade()
            assert connection.execute(LOANS).all() == before
            v0017_loan_numbers.upgrade()
        assert connection.execute(LOANS).all() == before
        assert connection.execute(text("SELECT count(*) FROM loan_renewal")).scalar_one() == 1
    counter.cancel(ALICE, BOOKS[1])
    counter.checkout(ALICE, BOOKS[1])
    with database.reading() as session:
        assert [row.id for row in session.execute(LOANS)] == [before[0].id, before[1].id + 1]
