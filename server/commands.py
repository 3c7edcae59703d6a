"""Commands of the server's domains, as `carrel` starts them."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import typer
from sqlalchemy.exc import DBAPIError

from carrel.config import ConfigError
from server.errors import DomainError

BAD_WORDS, ENDED = 2, 130


def run(cli: typer.Typer, name: str, argv: Sequence[str] | None) -> int:
    """A command's exit status; what a person can mend is one sentence on standard error. `argv` None: the program's."""
    try:
        words = list(sys.argv[1:] if argv is None else argv)
        status = int(cli(args=words, prog_name=name, standalone_mode=False) or 0)
        if status == ENDED:  # typer keeps Ctrl-C to itself
            raise KeyboardInterrupt
        return status
    except ConfigError as error:
        said = str(error)
    except DomainError as error:
        said = error.title
    except DBAPIError as error:
        first = (str(error.orig).strip() or type(error.orig).__name__).splitlines()[0]
        said = f"the database cannot be used: {first}; `carrel doctor` looks it over"
    except typer.TyperException as error:
        wrong = error.format_message().partition("\n")[0]
        if wrong:  # without a command typer has printed the help
            typer.echo(f"{name}: {wrong.rstrip('.')} ({name} --help says what there is)", err=True)
        return BAD_WORDS
    except typer.Abort:  # the end of the input where something was asked for
        raise KeyboardInterrupt from None
    typer.echo(f"{name}: {said}", err=True)
    return 1
