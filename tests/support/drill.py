"""Places for backups and restores."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from carrel.config import load
from server.backup import making, reading
from server.backup.manifest import Manifest
from server.backup.restoring import Outcome, restore
from server.backup.site import Site, read_site
from server.db import Database

MADE = datetime(2026, 3, 2, 5, 0, tzinfo=UTC)


@dataclass
class Place:
    """A folder with a configuration of its own."""

    folder: Path
    url: str

    @property
    def config(self) -> Path:
        return self.folder / "config.toml"

    @property
    def site(self) -> Site:
        return read_site(load(self.config, {"CARREL_SERVER__DATABASE": self.url}))

    @contextmanager
    def database(self) -> Iterator[Database]:
        opened = Database(make_url(self.url))
        try:
            yield opened
        finally:
            opened.close()


def silent(_line: str) -> None:
    """Nobody watches."""


def back_up(place: Place, file: Path) -> Manifest:
    return making.make(place.site, file, now=MADE, tell=silent)


def bring_back(file: Path, place: Place, *, force: bool = False) -> Outcome:
    with reading.opened(file) as archive:
        return restore(archive, place.config, force=force, tell=silent)


def empty_place(folder: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> Place:
    """Nothing but, for PostgreSQL, a database without tables; the environment names it."""
    folder.mkdir()
    monkeypatch.setenv("CARREL_SERVER__DATABASE", url)
    return Place(folder, url)


def parts_of(place: Place, file: Path) -> dict[str, tuple[int, str]]:
    """Rows and SHA-256 of every table as another backup has them."""
    return {part.stem: (part.rows, part.sha256) for part in back_up(place, file).of("table")}
