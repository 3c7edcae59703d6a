"""`carrel account` and `carrel token`: for whoever runs the machine, also when nobody can sign in yet."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from pydantic import BaseModel, ValidationError
from sqlalchemy.orm import Session

from carrel.config import DEFAULT_FILE, ConfigError, load
from carrel.system_clock import SystemClock
from server.auth import accounts, tokens
from server.auth.schemas import AccountRequest, TokenRequest
from server.commands import run
from server.db import Database
from server.deps import Role
from server.migrations.apply import upgrade
from server.settings import read_settings

ACTOR = "command_line"
B = TypeVar("B", bound=BaseModel)

account_cli = typer.Typer(add_completion=False, help="Colleagues' accounts.", no_args_is_help=True)
token_cli = typer.Typer(add_completion=False, help="Tokens for machines and other programs.", no_args_is_help=True)

SHAPES = {
    "user": "write 2 to 64 letters, digits, dots, hyphens or underscores, beginning with a letter",
    "name": "leave out line breaks and other control characters",
}
Config = Annotated[Path, typer.Option("--config", help="The configuration file.")]
User = Annotated[str, typer.Argument(help="The name to sign in with.")]


@account_cli.command("create")
def create_account(
    user: User,
    role: Annotated[str, typer.Option(help="librarian, duty_staff or administrator.")],
    name: Annotated[str, typer.Option(help="The name that others see; without it, the name to sign in with.")] = "",
    config: Config = Path(DEFAULT_FILE),
) -> None:
    """Make an account. The password is asked for, or read from a pipe."""
    _checked(AccountRequest, user=user, role=role, name=name or user, password="not-yet-known")  # noqa: S106  # only the other fields are judged
    hashed = accounts.hash_password(_password(), user)
    with _writing(config) as (session, now):
        accounts.add(session, user, hashed, name=name or user, role=Role(role), actor=ACTOR, at=now)
    print(f"{user} can sign in as {role}.")


@account_cli.command("list")
def list_accounts(config: Config = Path(DEFAULT_FILE)) -> None:
    """All accounts."""
    with _writing(config) as (session, _now):
        for one in accounts.listed(session):
            state = "disabled" if one.disabled_at else "enabled"
            print(f"{one.user:20} {one.role:14} {state:9} account:{one.id:<4} {one.name}")


@account_cli.command("password")
def password(user: User, config: Config = Path(DEFAULT_FILE)) -> None:
    """Set a password; it is asked for, or read from a pipe."""
    hashed = accounts.hash_password(_password(), user)
    with _writing(config) as (session, now):
        accounts.set_password(session, user, hashed, actor=ACTOR, at=now)
    print(f"{user} has a new password.")


@account_cli.command("disable")
def disable(user: User, config: Config = Path(DEFAULT_FILE)) -> None:
    """Sign somebody out and let them in no more."""
    with _writing(config) as (session, now):
        accounts.change(session, user, accounts.Changes(disabled=True), actor=ACTOR, at=now)
    print(f"{user} can no longer sign in.")


@account_cli.command("enable")
def enable(user: User, config: Config = Path(DEFAULT_FILE)) -> None:
    """Let somebody in again."""
    with _writing(config) as (session, now):
        accounts.change(session, user, accounts.Changes(disabled=False), actor=ACTOR, at=now)
    print(f"{user} can sign in again.")


@token_cli.command("create")
def create_token(
    name: Annotated[str, typer.Argument(help="What calls with it, such as ha-bridge.")],
    role: Annotated[str, typer.Option(help="kiosk, gateway or integration.")] = "integration",
    days: Annotated[int, typer.Option(min=0, max=36_500, help="How long it is good; 0: until it is revoked.")] = 0,
    config: Config = Path(DEFAULT_FILE),
) -> None:
    """Make a token and print it, this once."""
    asked = _checked(TokenRequest, name=name, role=role)
    with _writing(config) as (session, now):
        until = now + timedelta(days=days) if days else None
        _made, secret = tokens.create(session, asked.name, Role(role), actor=ACTOR, at=now, expires_at=until)
    print(secret)


@token_cli.command("list")
def list_tokens(config: Config = Path(DEFAULT_FILE)) -> None:
    """All tokens that are not revoked; the tokens themselves are not kept."""
    with _writing(config) as (session, _now):
        for one in tokens.listed(session):
            print(
                f"{one.name:20} {one.role:12} made {_day(one.created_at)}"
                f"  good until {_day(one.expires_at)}  last used {_day(one.last_used_at)}"
            )


@token_cli.command("revoke")
def revoke_token(name: str, config: Config = Path(DEFAULT_FILE)) -> None:
    """Let nobody be known by this token any more."""
    with _writing(config) as (session, now):
        found = [one.id for one in tokens.listed(session) if one.name == name]
        tokens.revoke(session, found[0] if found else 0, actor=ACTOR, at=now)
    print(f"The token {name} is worth nothing any more.")


def _checked(kind: type[B], **values: Any) -> B:
    """The values as the page would send them; raises ConfigError."""
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        field = str(first["loc"][0])
        what = SHAPES.get(field) if first["type"] == "string_pattern_mismatch" else None
        raise ConfigError(f"{field}: {what or first['msg']}") from None


@contextmanager
def _writing(config: Path) -> Iterator[tuple[Session, datetime]]:
    """A transaction on the library's database, brought up to date: a fresh library needs its first account."""
    database = Database(read_settings(load(config)).database_url)
    try:
        upgrade(database)
        with database.writing() as session:
            yield session, SystemClock().now()
    finally:
        database.close()


def _password() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    first = getpass.getpass("Password: ")
    if getpass.getpass("Once more: ") != first:
        raise ConfigError("the two passwords differ, nothing was changed")
    return first


def _day(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d}" if at else "-"


def account(argv: Sequence[str] | None = None) -> int:
    """`carrel account`."""
    return run(account_cli, "carrel account", argv)


def token(argv: Sequence[str] | None = None) -> int:
    """`carrel token`."""
    return run(token_cli, "carrel token", argv)
