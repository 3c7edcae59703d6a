"""The worked cases of the documentation give what is written beside them, to the letter, on both databases."""

import itertools
import json
from pathlib import Path
from typing import Any

import psycopg
import pytest

from carrel.cli import main
from tests.server.conftest import Databases
from tests.support.postgres import Cluster
from tests.support.tree import ROOT

FOLDER = ROOT / "docs" / "lending"
FILES = sorted(path for path in FOLDER.glob("*.json") if not path.name.endswith(".expected.json"))
RACE = "one-item-eight-terminals"
names = itertools.count()


def options(databases: Databases) -> list[str]:
    """Where to play: for PostgreSQL a database of its own, empty of tables."""
    if databases.cluster is None:
        return []
    name = f"rehearsal{next(names)}"
    databases.cluster.run(f"CREATE DATABASE {name}")
    return ["--database", databases.cluster.url(name)]


def played(text: str) -> Any:
    """Who wins a race is anybody's guess; that one does is not."""
    told = json.loads(text)
    for case in told:
        if case["id"] == RACE:
            case["results"].sort(key=lambda result: result["result"])
            for state in case["checks"]:
                for entry in (*state["loans"], *state["audit"]):
                    entry.update({key: "whoever" for key in ("patron", "actor") if key in entry})
    return told


@pytest.mark.parametrize("file", FILES, ids=lambda path: path.stem)
def test_a_worked_case_gives_what_is_written_beside_it(
    file: Path, databases: Databases, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["rehearse", str(file), *options(databases)]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    expected = file.with_suffix(".expected.json").read_text(encoding="utf-8")
    assert played(out) == played(expected)
    assert list(json.loads(out)[0]) == sorted(json.loads(out)[0])


def test_there_is_a_dozen_of_them_and_all_are_explained() -> None:
    text = (ROOT / "docs" / "lending-rehearsal.md").read_text(encoding="utf-8")
    assert len(FILES) >= 12
    assert [path.name for path in FILES if f"lending/{path.name}" not in text] == []


@pytest.mark.postgres
def test_nothing_is_left_in_the_database(postgres: Cluster, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    where = options(Databases(tmp_path, postgres))
    assert main(["rehearse", str(FILES[0]), *where]) == 0
    capsys.readouterr()
    with psycopg.connect(where[1].replace("+psycopg", "")) as connection:
        rows = connection.execute("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'rehearsal%'").fetchall()
        tables = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()
    assert (rows, tables) == ([], (0,))
