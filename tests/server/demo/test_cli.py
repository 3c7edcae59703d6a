"""`carrel demo facts`: for programs, for people, and what it says when there is nothing to tell."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from carrel.config import load
from server import hashing
from server.db import Database
from server.demo import fill
from server.demo.cli import main
from server.migrations.apply import upgrade
from server.settings import read_settings
from tests.support.library import NOW
from tests.support.tree import ROOT

SHIPPED = (ROOT / "config.toml").read_text(encoding="utf-8")
PORTS = {
    "zigbee": "/var/run/zigbee",
    "readers": {"kiosk-1": "/var/run/reader-kiosk-1"},
    "io": {"io-1": {"pty": "/var/run/io-1", "rtu_tcp": "127.0.0.1:18702"}},
    "control": "127.0.0.1:18701",
}


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("CARREL_")]:
        monkeypatch.delenv(name)


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The shipped demo library, opened once; nobody's password matters here, so none is hashed slowly."""
    file = tmp_path_factory.mktemp("demo") / "config.toml"
    file.write_text(SHIPPED, encoding="utf-8")
    settings = read_settings(load(file, {}))
    database = Database(settings.database_url)
    upgrade(database)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hashing, "make", lambda secret: "no hash")
        assert fill.fill_if_empty(database, settings, NOW)
    database.close()
    return file


def told(capsys: pytest.CaptureFixture[str], file: Path) -> dict[str, Any]:
    assert main(["facts", "--json", "--config", str(file)]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    found: dict[str, Any] = json.loads(said.out)
    return found


def test_programs_get_one_object_with_the_promised_keys(opened: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = told(capsys, opened)
    assert set(found) == {"dashboard", "kiosk", "api", "accounts", "patrons", "items", "sip2", "rooms", "ports"}
    assert found["dashboard"] == "http://127.0.0.1:8080"
    assert found["kiosk"] == "http://127.0.0.1:8081"
    assert found["api"] == "http://127.0.0.1:8080/api/v1"
    assert found["sip2"] == {
        "host": "127.0.0.1", "port": 6001, "institution": "MAIN",
        "login": "self-check-1", "password": "self-check-demo",
    }  # fmt: skip
    assert {"reading-room", "stacks"} <= set(found["rooms"])
    for name, keys in {
        "accounts": {"user", "password", "role"},
        "patrons": {"card", "pin", "name"},
        "items": {"barcode", "title", "on_loan"},
    }.items():
        assert found[name]
        assert all(set(entry) == keys for entry in found[name]), name
    assert [item["barcode"] for item in found["items"] if item["on_loan"]] == [
        str(number) for number in range(30000201, 30000213)
    ]


def test_ports_are_those_of_the_running_building_or_null(opened: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert told(capsys, opened)["ports"] is None
    file = opened.parent / "var" / "run" / "sim.json"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps(PORTS))
    assert told(capsys, opened)["ports"] == PORTS
    file.write_bytes(b'{"zigbee": "\xff')
    assert told(capsys, opened)["ports"] is None
    file.unlink()
    file.parent.rmdir()


def test_an_address_set_in_the_environment_is_the_one_told(
    opened: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARREL_SERVER__PORT", "9090")
    monkeypatch.setenv("CARREL_GATEWAY__KIOSK__0__PORT", "9091")
    found = told(capsys, opened)
    assert (found["dashboard"], found["kiosk"]) == ("http://127.0.0.1:9090", "http://127.0.0.1:9091")
    monkeypatch.setenv("CARREL_SERVER__SIP2__PORT", "6077")
    assert told(capsys, opened)["sip2"]["port"] == 6077
    monkeypatch.setenv("CARREL_SERVER__SIP2__ENABLED", "false")
    assert told(capsys, opened)["sip2"] is None


def test_people_get_lines_to_read(opened: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["facts", "--config", str(opened)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "kiosk      http://127.0.0.1:8081" in lines
    assert "items      30000001 .. 30000240, 12 on loan" in lines
    assert sum(line.startswith("card       ") for line in lines) == 30
    assert sum(line.startswith("account    ") for line in lines) >= 3
    assert "card       90000001 PIN 0001 " in "\n".join(lines)


@pytest.mark.parametrize("form", [[], ["--json"]])
@pytest.mark.parametrize(
    ("text", "says"),
    [
        (SHIPPED, "has not been opened yet"),
        (SHIPPED.replace("demo = true", "demo = false"), "no demo library"),
        (SHIPPED.replace("demo = true", "demo = 7"), "config.toml line "),
        (None, "config.toml"),
    ],
    ids=["never opened", "no demo", "bad value", "no file"],
)
def test_what_a_person_can_mend_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], form: list[str], text: str | None, says: str
) -> None:
    file = tmp_path / "config.toml"
    if text is not None:
        file.write_text(text, encoding="utf-8")
    assert main(["facts", *form, "--config", str(file)]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("carrel demo: ")
    assert says in said.err
    assert said.err.count("\n") == 1
    assert not (tmp_path / "var" / "server.db").exists(), "a look makes no library, which a restore would not replace"


def test_a_library_that_cannot_be_read_is_not_one_that_was_never_opened(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "config.toml").write_text(SHIPPED, encoding="utf-8")
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "server.db").write_bytes(b"no database at all, but some bytes " * 200)
    assert main(["facts", "--config", str(tmp_path / "config.toml")]) == 1
    assert capsys.readouterr().err == "carrel demo: the database cannot be read: file is not a database\n"


def test_a_wrong_option_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["facts", "--jsn"]) == 2
    assert "--jsn" in capsys.readouterr().err
