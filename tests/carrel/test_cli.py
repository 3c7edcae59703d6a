"""`carrel`: a table of commands."""

from __future__ import annotations

import importlib
import importlib.util
import subprocess
import sys

import pytest

from carrel import cli


@pytest.mark.parametrize("words", [[], ["--help"], ["-h"], ["help"]])
def test_help_names_every_command_and_imports_none(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(words) == 0
    said = capsys.readouterr().out
    assert all(f"  {name} " in said for name in cli.COMMANDS)


def test_help_is_instant_because_nothing_is_imported() -> None:
    heavy = ("pydantic", "zigpy", "fastapi", "amqtt", "gateway", "server")
    code = (
        "import sys; from carrel.cli import main; main([]);"
        f"print([name for name in {heavy!r} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"


def test_an_unknown_command_is_one_sentence_with_those_that_exist(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["lend"]) == 2
    assert capsys.readouterr().err == (f"carrel: there is no command 'lend'. There are: {', '.join(cli.COMMANDS)}\n")


def test_a_command_gets_its_words_and_gives_its_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[list[str]] = []
    monkeypatch.setitem(cli.COMMANDS, "broker", (f"{__name__}:_command", "for this test"))
    monkeypatch.setitem(sys.modules, __name__, sys.modules.get(__name__) or importlib.import_module(__name__))
    monkeypatch.setattr(sys.modules[__name__], "_command", lambda words: heard.append(words) or 3, raising=False)
    assert cli.main(["broker", "--config", "x"]) == 3
    assert heard == [["--config", "x"]]
    monkeypatch.setattr(sys.modules[__name__], "_command", lambda words: None, raising=False)
    assert cli.main(["broker"]) == 0


@pytest.mark.parametrize("key", [KeyboardInterrupt, EOFError], ids=["ctrl-c", "ctrl-d"])
def test_ctrl_c_ends_a_command_with_a_word(
    key: type[BaseException], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_given: object) -> None:
        raise key

    monkeypatch.setattr("server.gateways.cli.load", interrupted)  # typer makes other errors of them
    assert cli.main(["gateways", "list"]) == 130
    assert capsys.readouterr().err.strip() == "carrel gateways: ended"


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_command_of_the_table_exists(name: str) -> None:
    module, function = cli.COMMANDS[name][0].split(":")
    assert callable(getattr(importlib.import_module(module), function))
