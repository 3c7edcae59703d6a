"""For tests of pages, which show what services answer: those are tested on every kind of database, pages on one.

A folder's conftest.py takes one of these fixtures as `databases`; half of the folders take each: pages meet both kinds.
"""

from __future__ import annotations

import os
from typing import Any

import pytest

from tests.support.postgres import Cluster, binaries


@pytest.fixture(scope="session")
def on_sqlite(prepared: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Any:
    """SQLite only."""
    return _made("sqlite", prepared, tmp_path_factory, None)


@pytest.fixture(scope="session")
def on_postgresql(
    request: pytest.FixtureRequest, prepared: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> Any:
    """PostgreSQL only; SQLite on a user's machine that has none."""
    if binaries() is None and os.environ.get("CI") != "true":
        return _made("sqlite", prepared, tmp_path_factory, None)
    return _made("postgresql", prepared, tmp_path_factory, request.getfixturevalue("postgres"))


def _made(kind: str, prepared: dict[str, Any], folders: pytest.TempPathFactory, cluster: Cluster | None) -> Any:
    from tests.server.conftest import Databases  # noqa: PLC0415  # that module is pytest's own until tests run

    if kind not in prepared:
        made = Databases(folders.mktemp("databases"), cluster)
        made.prepare()
        prepared[kind] = made
    return prepared[kind]
