"""Changes of what the library lends by, when several are made at once."""

import threading
from concurrent.futures import ThreadPoolExecutor

from server.db import Database
from server.lending import service
from server.lending.policy import Rule
from tests.support.library import NOW

AT_ONCE = 4


def test_rules_that_are_added_at_once_are_all_there(database: Database) -> None:
    gate = threading.Barrier(AT_ONCE)
    with database.writing() as session:
        service.set_rules(session, [], actor="tests", at=NOW)

    def add(number: int) -> None:
        gate.wait()
        with database.writing() as session:
            rules = [*service.to_change(session).rules, Rule(item_type=f"type-{number}", days=number + 1)]
            service.set_rules(session, rules, actor="tests", at=NOW)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(add, range(AT_ONCE)))
    with database.reading() as session:
        assert [rule.item_type for rule in service.current(session).rules] == [f"type-{n}" for n in range(AT_ONCE)]
