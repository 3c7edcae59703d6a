"""`carrel account` and `carrel token`: whoever runs the machine needs nobody's password."""

import io
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from carrel.cli import main
from server.app import create_app
from tests.support.library import ManualClock, make_settings, signed_in


@pytest.fixture
def config(tmp_path: Path) -> str:
    make_settings(tmp_path, f"sqlite:///{tmp_path}/library.db")
    return str(tmp_path / "config.toml")


def carrel(config: str, *words: str) -> int:
    return main([*words, "--config", config])


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    return lambda text: monkeypatch.setattr("sys.stdin", io.StringIO(text + "\n"))


def test_the_first_administrator_of_a_fresh_library(config, typed, capsys, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    typed("a good password")
    assert carrel(config, "account", "create", "Root", "--role", "administrator", "--name", "R. Oot") == 0
    typed("another password")
    assert carrel(config, "account", "password", "root") == 0
    app = create_app(make_settings(tmp_path, f"sqlite:///{tmp_path}/library.db"), ManualClock())
    with TestClient(app) as client:
        who = signed_in(client, "root", "another password")
        assert client.get("/api/v1/session", headers=who).json()["name"] == "R. Oot"
    assert "a good password" not in capsys.readouterr().out


def test_mistakes_are_one_sentence(config, typed, capsys) -> None:  # type: ignore[no-untyped-def]
    typed("a good password")
    assert carrel(config, "account", "create", "root", "--role", "king") == 1
    assert "role" in capsys.readouterr().err
    typed("short")
    assert carrel(config, "account", "create", "root", "--role", "administrator") == 1
    assert "too short" in capsys.readouterr().err
    assert carrel(config, "account", "disable", "nobody") == 1
    assert capsys.readouterr().err == "carrel account: There is no account of this name.\n"
    assert carrel(config, "account", "create", "r", "--role", "librarian") == 1
    assert capsys.readouterr().err.startswith("carrel account: user: write 2 to 64 letters, digits,")
    assert main(["account"]) == 2
    assert main(["account", "create", "anna"]) == 2
    assert main(["token", "eat"]) == 2
    missing, unknown = capsys.readouterr().err.splitlines()
    assert missing == "carrel account: Missing option '--role' (carrel account --help says what there is)"
    assert unknown.startswith("carrel token: No such command 'eat'")


def test_accounts_are_listed_disabled_and_enabled(config, typed, capsys) -> None:  # type: ignore[no-untyped-def]
    for name, role in (("root", "administrator"), ("mei", "librarian")):
        typed("a good password")
        carrel(config, "account", "create", name, "--role", role)
    assert carrel(config, "account", "disable", "mei") == 0
    assert carrel(config, "account", "disable", "root") == 1
    capsys.readouterr()
    carrel(config, "account", "list")
    assert [line.split()[:3] for line in capsys.readouterr().out.splitlines()] == [
        ["mei", "librarian", "disabled"], ["root", "administrator", "enabled"],
    ]  # fmt: skip
    assert carrel(config, "account", "enable", "mei") == 0


def test_a_token_is_printed_once_listed_without_itself_and_revoked(config, capsys) -> None:  # type: ignore[no-untyped-def]
    assert carrel(config, "token", "create", "bridge", "--role", "integration", "--days", "30") == 0
    token = capsys.readouterr().out.strip()
    assert token.startswith("carrel_")
    assert carrel(config, "token", "create", "bridge") == 1
    assert carrel(config, "token", "list") == 0
    told = capsys.readouterr().out
    assert "bridge" in told
    assert token not in told
    assert carrel(config, "token", "revoke", "bridge") == 0
    assert carrel(config, "token", "revoke", "bridge") == 1
