import pytest

from server.db import Database
from tests.support.counter import Counter


@pytest.fixture
def counter(database: Database) -> Counter:
    return Counter(database)
