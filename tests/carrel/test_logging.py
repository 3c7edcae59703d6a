"""One log shape for our own and for other people's lines."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest

from carrel.logging import QUIET, configure


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    """Leave the logging of the other tests as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    levels = {name: logging.getLogger(name).level for name in QUIET}
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, before in levels.items():
        logging.getLogger(name).setLevel(before)


def test_the_console_has_a_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    configure("info", "console")
    logging.getLogger("other.people").info("%d items", 5)
    logging.getLogger("other.people").debug("too fine")
    said = capsys.readouterr().err
    assert said.endswith("INFO    other.people: 5 items\n")
    assert said.count("\n") == 1


def test_json_is_one_object_a_line_with_traces_inside(capsys: pytest.CaptureFixture[str]) -> None:
    configure("info", "json")
    try:
        raise ValueError("红楼梦\nsecond line")
    except ValueError:
        logging.getLogger("other.people").exception("failed on %s", "书")
    (line,) = capsys.readouterr().err.splitlines()
    row = json.loads(line)
    assert (row["level"], row["logger"], row["message"]) == ("error", "other.people", "failed on 书")
    assert "ValueError: 红楼梦" in row["error"]
    assert row["ts"].endswith("+00:00")


def test_talkative_libraries_are_quiet_unless_somebody_debugs(capsys: pytest.CaptureFixture[str]) -> None:
    configure("info", "console")
    logging.getLogger("zigpy.application").info("a frame")
    assert capsys.readouterr().err == ""
    logging.getLogger("zigpy.application").warning("a fault")
    assert "a fault" in capsys.readouterr().err
    logging.getLogger("zigpy_znp.uart").error("a frame of noise", exc_info=ValueError("noise"))
    told = capsys.readouterr().err
    assert "a frame of noise" in told
    assert "ValueError" not in told


def test_debugging_shows_everything(capsys: pytest.CaptureFixture[str]) -> None:
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.NOTSET)
    configure("debug", "console")
    logging.getLogger("zigpy.application").debug("a frame")
    assert "a frame" in capsys.readouterr().err
