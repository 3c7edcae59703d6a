"""For tests of pages, which show what services answer: those are tested on every kind of database, pages on one.

A folder's conftest.py takes the fixture with `from tests.support.one_database import databases`.
"""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture(scope="session")
def databases(prepared: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Any:
    """SQLite only."""
    from tests.server.conftest import Databases  # noqa: PLC0415  # that module is pytest's own until tests run

    if "sqlite" not in prepared:
        made = Databases(tmp_path_factory.mktemp("databases"), None)
        made.prepare()
        prepared["sqlite"] = made
    return prepared["sqlite"]
