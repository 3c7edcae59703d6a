"""Imports into an empty library."""

from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event

import pytest
from sqlalchemy.engine import make_url

from server.catalogue import service as catalogue
from server.catalogue.imports import service
from server.catalogue.imports.policy import Options
from server.catalogue.imports.runner import Runner
from server.catalogue.imports.service import Import, Source
from server.catalogue.search.service import Wanted
from server.db import Database
from tests.support.library import ManualClock

Importer = Callable[..., Import]


def titles(database: Database, query: str) -> list[str]:
    with database.reading() as session:
        return [record.title for record in catalogue.search(session, Wanted(query, 50)).records]


@pytest.fixture
def empty(empty_url: str) -> Iterator[Database]:
    opened = Database(make_url(empty_url))
    yield opened
    opened.close()


@pytest.fixture
def runner(empty: Database, clock: ManualClock) -> Runner:
    return Runner(empty, clock, "worker-1", "user:librarian", Event())


@pytest.fixture
def take(runner: Runner, tmp_path: Path) -> Importer:
    """`take(data, **options)` imports bytes to the end."""

    def run(data: bytes, **options: object) -> Import:
        file = tmp_path / "file.mrc"
        file.write_bytes(data)
        wanted = Options(**{"branch": "main"} | options)  # type: ignore[arg-type]
        with runner.database.writing() as session:
            source = Source(file.name, "0" * 64, len(data), "upload")
            job = service.create(session, source, wanted, subject="user:librarian", now=runner.clock.now())
            job = service.claim(session, job.id, runner.worker, runner.clock.now())
        return runner.run(job, file)

    return run
