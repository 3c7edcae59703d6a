"""`carrel rehearse FILE.json`: try a lending policy before living by it."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from carrel.config import ConfigError
from server.rehearse.commands.table import COMMANDS
from server.rehearse.play import Played, play
from server.rehearse.script import Case, Mistaken, read_script
from server.rehearse.stage import Stage, open_stage
from server.rehearse.values import RehearsalError

BAD_INPUT = 2


def main(argv: Sequence[str]) -> int:
    """Print what each case gave, as JSON; 2 with a sentence for each case that is wrong, or one for the file."""
    parser = argparse.ArgumentParser(
        prog="carrel rehearse",
        description="Play the cases of FILE on a scratch library with a settable clock and the real services. "
        "Prints a JSON list with each case's results and checks; docs/lending-rehearsal.md describes the file.",
    )
    parser.add_argument("file", help="the cases (JSON; - for standard input)")
    parser.add_argument("--database", metavar="URL", help="a PostgreSQL database to play on, in schemas of its own")
    parser.add_argument("--case", action="append", metavar="ID", help="play this case only; may be given again")
    options = parser.parse_args(argv)
    try:
        cases = _chosen(read_script(_read(options.file), COMMANDS), options.case)
        with open_stage(options.database) as stage:
            told = [_tried(case, stage) for case in cases]
        mistaken = [one for one in told if isinstance(one, Mistaken)]
        if len(mistaken) == len(told):
            raise mistaken[0].why
        print(json.dumps([one.told() for one in told], ensure_ascii=False, sort_keys=True, indent=2))
        for one in mistaken:
            _say(str(one.why))
    except (RehearsalError, ConfigError) as error:
        _say(str(error))
        return BAD_INPUT
    except SQLAlchemyError as error:
        _say(f"the scratch database failed: {str(getattr(error, 'orig', error)).strip().splitlines()[0]}")
        return BAD_INPUT
    return BAD_INPUT if mistaken else 0


def _tried(case: Case | Mistaken, stage: Stage) -> Played | Mistaken:
    """One mistake keeps no other case from being played."""
    if isinstance(case, Mistaken):
        return case
    try:
        played = play(case, stage, COMMANDS)
    except RehearsalError as error:
        return Mistaken(case.id, error)
    for remark in played.remarks:
        _say(remark)
    return played


def _chosen(cases: Sequence[Case | Mistaken], wanted: Sequence[str] | None) -> list[Case | Mistaken]:
    known = [case.id for case in cases]
    for name in wanted or ():
        if name not in known:
            raise RehearsalError(f"there is no case '{name}'; there are {', '.join(known)}")
    return [case for case in cases if wanted is None or case.id in wanted]


def _read(file: str) -> Any:
    try:
        written = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8-sig")
        data = json.loads(written)
        json.dumps(data, ensure_ascii=False).encode()
        return data
    except OSError as error:
        raise RehearsalError(f"{file} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise RehearsalError(f"{file} is not UTF-8 text") from None
    except UnicodeEncodeError:
        raise RehearsalError(
            f"{file} has half a character (an escape from \\ud800 to \\udfff): write it whole"
        ) from None
    except (ValueError, RecursionError) as error:  # a number of thousands of digits is no JSONDecodeError
        raise RehearsalError(f"{file} is not JSON: {error}") from None


def _say(text: str) -> None:
    print(f"carrel rehearse: {text}", file=sys.stderr)
