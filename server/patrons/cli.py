"""`carrel patrons import FILE`: a CSV file of any size, without the limits of a request."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from carrel.clock import local_date
from carrel.config import DEFAULT_FILE, ConfigError, load
from carrel.system_clock import SystemClock
from server.commands import run
from server.db import Database
from server.migrations.apply import upgrade
from server.patrons import importing
from server.settings import read_settings

cli = typer.Typer(add_completion=False, help="Patrons.", no_args_is_help=True)


@cli.callback()
def _group() -> None:
    """Keep `import` a command of its own."""


@cli.command("import")
def import_csv(
    file: Annotated[Path, typer.Argument(help="CSV in UTF-8 or GB18030; the first line names the columns.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Find out what would happen and store nothing.")] = False,
    config: Annotated[Path, typer.Option("--config", help="The configuration file.")] = Path(DEFAULT_FILE),
) -> int:
    """Register and change patrons; prints every row with an error or a possible duplicate, then the counts.

    Exit code 1 when any row has an error. Importing a file again changes nothing.
    """
    settings = read_settings(load(config))
    try:
        table = importing.read(file.read_bytes())
    except OSError as error:
        raise ConfigError(f"cannot read {file}: {error.strerror}") from None
    library, now = settings.common.library, SystemClock().now()
    work = importing.Run("command_line", now, local_date(now, library.zone), branch=library.branch, dry_run=dry_run)
    counts: Counter[str] = Counter()
    database = Database(settings.database_url)
    try:
        upgrade(database)
        for row in importing.run(database, table, work):
            counts[row.outcome] += 1
            if row.outcome == "error":
                print(f"line {row.line}: {row.code}" + (f" ({row.column})" if row.column else ""))
            elif row.possible_duplicate:
                print(f"line {row.line}: somebody alike is registered, please look")
    finally:
        database.close()
    _sum_up(table, counts, dry_run)
    return 1 if counts["error"] else 0


def _sum_up(table: importing.Table, counts: Counter[str], dry_run: bool) -> None:
    if table.ignored:
        print(f"columns not understood: {', '.join(table.ignored)}")
    told = ", ".join(f"{counts[kind]} {kind}" for kind in ("new", "changed", "same", "error"))
    print(f"{sum(counts.values())} rows ({table.encoding}): {told}" + ("; nothing was stored" if dry_run else ""))


def main(argv: Sequence[str] | None = None) -> int:
    """`carrel patrons`."""
    return run(cli, "carrel patrons", argv)
