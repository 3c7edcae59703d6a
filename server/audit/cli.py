"""`carrel audit verify` and `carrel audit show`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Annotated

import typer

from carrel.config import DEFAULT_FILE, load
from server.audit import service
from server.audit.values import Wanted
from server.commands import run
from server.db import Database, looked_at
from server.settings import read_settings

NONE_YET = "there is no audit log yet: start the library once with `carrel run`"

cli = typer.Typer(add_completion=False, help="The audit log.", no_args_is_help=True)

Config = Annotated[Path, typer.Option("--config", help="The configuration file.")]


@cli.command()
def verify(
    config: Config = Path(DEFAULT_FILE),
    head: Annotated[
        str, typer.Option(help="SEQ:HASH as an earlier run printed it: that row must still be there.")
    ] = "",
) -> int:
    """Check the whole chain; exit code 1 when it is broken."""
    if head and not re.fullmatch(r"[0-9]+:[0-9a-f]{64}", head):
        raise typer.BadParameter("write SEQ:HASH as an earlier run printed it", param_hint="--head")
    with _database(config) as database:
        verdict = service.verify(database, noted=head or None)
    if verdict.broken:
        print(f"broken: {verdict.broken}.")
        print(f"{verdict.checked} rows before it are in order. Compare with a backup to see what was there.")
        return 1
    print(f"in order: {verdict.checked} rows checked, the last is {verdict.head.seq}:{verdict.head.hash}")
    print("Note that last row somewhere else: `carrel audit verify --head SEQ:HASH` finds out if rows were cut off.")
    return 0


@cli.command()
def show(
    config: Config = Path(DEFAULT_FILE),
    actor: Annotated[str, typer.Option(help="Such as user:librarian.")] = "",
    target: Annotated[str, typer.Option(help="Such as patron:12, or a kind alone: patron:")] = "",
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="How many rows, from the newest back.")] = 50,
) -> None:
    """Print the newest rows, oldest first."""
    with _database(config) as database, database.reading() as session:
        rows = service.page(session, Wanted(actor or None, target or None), limit)
    for row in reversed(rows):
        entry = row.entry
        print(f"{row.seq:>8} {entry.at:%Y-%m-%d %H:%M:%SZ} {entry.actor} {entry.action} {entry.target} {entry.detail}")


def _database(config: Path) -> AbstractContextManager[Database]:
    return looked_at(read_settings(load(config)).database_url, none_yet=NONE_YET)


def main(argv: Sequence[str] | None = None) -> int:
    """`carrel audit`."""
    return run(cli, "carrel audit", argv)
