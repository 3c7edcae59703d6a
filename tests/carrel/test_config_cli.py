"""`carrel config`: check the file, show what is in force."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from carrel.config_cli import main
from tests.support.tree import ROOT

SHIPPED = (ROOT / "config.toml").read_text(encoding="utf-8")


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CARREL_SERVER__PORT", "CARREL_MQTT__PORT"):
        monkeypatch.delenv(name, raising=False)


def config(folder: Path, text: str) -> list[str]:
    (folder / "config.toml").write_text(text, encoding="utf-8")
    return ["--config", str(folder / "config.toml")]


def test_the_shipped_file_is_right_and_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(config(tmp_path, SHIPPED)) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["library"]["name_zh"] == "卡雷尔示范图书馆"
    assert shown["modbus"][0]["inputs"] == {"smoke": 0, "flame": 1}


def test_variables_are_part_of_what_is_in_force(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARREL_SERVER__PORT", "9090")
    assert main(config(tmp_path, SHIPPED)) == 0
    assert json.loads(capsys.readouterr().out)["server"]["port"] == 9090


def test_quiet_only_checks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*config(tmp_path, SHIPPED), "--quiet"]) == 0
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("max_loans = 10", "max_lones = 10"),
        ('mode = "both"', 'mode = "sell"'),
        ("speed = 60", "sped = 60"),
        ("min_on_s = 15", "min_on_s = -1"),
        ("port = 18830", "port = 0"),
    ],
)
def test_what_any_program_would_refuse_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], before: str, after: str
) -> None:
    assert before in SHIPPED
    assert main(config(tmp_path, SHIPPED.replace(before, after, 1))) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("carrel config: config.toml line ")
    assert said.err.count("\n") == 1


def test_no_password_is_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (
        SHIPPED.replace('username = ""', 'username = "carrel"')
        .replace('password = ""', 'password = "s3cret"')
        .replace('token = ""', 'token = "s3cret"')
    )
    text = text.replace("sqlite:///var/server.db", "postgresql+psycopg://lib:s3cret@db.example/lib")
    text = text.replace('url = "rtu+tcp://127.0.0.1:18702"', 'url = "rtu+tcp://u:s3cret@127.0.0.1:18702"')
    assert main(config(tmp_path, text)) == 0
    shown = capsys.readouterr().out
    assert "s3cret" not in shown
    assert "postgresql+psycopg://lib:********@db.example/lib" in shown
