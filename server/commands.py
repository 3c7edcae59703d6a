"""Commands of the server's domains, as `carrel` starts them."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import typer
from sqlalchemy.exc import DBAPIError

from carrel.config import ConfigError
from server.errors import DomainError

BAD_WORDS = 2


def run(cli: typer.Typer, name: str, argv: Sequence[str] | None) -> int:
    """A command's exit status; what a person can mend is one sentence on standard error. `argv` None: the program's."""
    try:
        words = list(sys.argv[1:] if argv is None else argv)
        return int(cli(args=words, prog_name=name, standalone_mode=False) or 0)
    except ConfigError as error:
        said = str(error)
    except DomainError as error:
        said = error.title
    except DBAPIError as error:
        first = (str(error.orig).strip() or type(error.orig).__name__).splitlines()[0]
        said = f"the database cannot be used: {first}"
    except typer.TyperException as error:
        if str(error):  # without a command typer has printed the help
            typer.echo(f"{name}: {error}", err=True)
        return BAD_WORDS
    typer.echo(f"{name}: {said}", err=True)
    return 1
