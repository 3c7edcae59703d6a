"""Every test that asks for a database runs on SQLite and on PostgreSQL, each with a fresh copy of a stocked library."""

import itertools
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.engine import make_url

from server.app import create_app
from server.db import Database
from server.migrations.apply import upgrade
from server.settings import ServerSettings
from tests.support.library import ManualClock, make_settings, stock
from tests.support.postgres import Cluster, running_cluster

EMPTY, STOCKED = "template_empty", "template_stocked"
numbers = itertools.count()


@dataclass(frozen=True, slots=True)
class Databases:
    """Makes databases of one kind."""

    folder: Path
    cluster: Cluster | None
    made: set[str] = field(default_factory=set)
    """Names of templates."""

    def url(self, name: str) -> str:
        return self.cluster.url(name) if self.cluster else f"sqlite:///{self.folder}/{name}.db"

    def create(self, template: str | None = None) -> str:
        """The URL of a new database, a copy of the template if one is named."""
        name = f"t{next(numbers)}"
        self._make(name, template)
        return self.url(name)

    def drop(self, url: str) -> None:
        """Thousands of databases are more than a disk should have to hold."""
        name = url.rpartition("/")[2]
        if self.cluster:
            self.cluster.run(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        else:
            for file in self.folder.glob(f"{name}*"):
                file.unlink()

    def prepare(self) -> None:
        """Make the templates that nearly every test copies."""
        self.template(EMPTY)
        self.template(STOCKED, stock)

    def template(self, name: str, fill: Callable[[Database], None] | None = None) -> str:
        """The name again, of a database to copy, which holds what `fill` puts in; made when first asked for."""
        if name not in self.made:
            self._make(name, None)
            with closing(Database(make_url(self.url(name)))) as database:
                upgrade(database)
                if fill:
                    fill(database)
            if self.cluster:  # threads of what has filled it may hold a connection still
                self.cluster.run(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
            self.made.add(name)
        return name

    def _make(self, name: str, template: str | None) -> None:
        if self.cluster:
            self.cluster.run(f"CREATE DATABASE {name} TEMPLATE {template or 'template0'}")
        elif template:
            shutil.copyfile(self.folder / f"{template}.db", self.folder / f"{name}.db")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    with running_cluster() as cluster:
        yield cluster


@pytest.fixture(scope="session")
def prepared() -> dict[str, Databases]:
    """Kinds that are met; a parametrised fixture is made anew whenever its parameter comes round again."""
    return {}


@pytest.fixture(scope="session", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def databases(
    request: pytest.FixtureRequest, prepared: dict[str, Databases], tmp_path_factory: pytest.TempPathFactory
) -> Databases:
    if request.param not in prepared:
        cluster = request.getfixturevalue("postgres") if request.param == "postgresql" else None
        made = prepared[request.param] = Databases(tmp_path_factory.mktemp("databases"), cluster)
        made.prepare()
    return prepared[request.param]


@pytest.fixture
def database_url(databases: Databases) -> Iterator[str]:
    """Of a stocked library."""
    url = databases.create(STOCKED)
    yield url
    databases.drop(url)


@pytest.fixture
def empty_url(databases: Databases) -> Iterator[str]:
    """Of a library with tables and nothing in them."""
    url = databases.create(EMPTY)
    yield url
    databases.drop(url)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = Database(make_url(database_url))
    yield opened
    opened.close()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> ServerSettings:
    return make_settings(tmp_path, database_url)


@pytest.fixture
def client(settings: ServerSettings, clock: ManualClock) -> Iterator[TestClient]:
    """Talks to a running application; faults come back as answers, as they do to people."""
    with TestClient(create_app(settings, clock), raise_server_exceptions=False) as talking:
        yield talking
