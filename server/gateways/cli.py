"""`carrel gateways list` and `carrel gateways retire`: as the broker knows them, also when the server is ended."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import aiomqtt
import typer

from carrel.config import DEFAULT_FILE, ConfigError, load
from carrel.contracts.health import GatewayStatus
from carrel.sections import Common
from carrel.system_clock import SystemClock
from server.commands import run
from server.db import Database
from server.edge.clearing import retained
from server.gateways.errors import UnknownGatewayError
from server.gateways.service import By, check_gone, forget
from server.migrations.apply import upgrade
from server.settings import read_settings

COMMAND_LINE = By("command_line", "command_line")

cli = typer.Typer(add_completion=False, help="The gateways that the broker knows.", no_args_is_help=True)

Config = Annotated[Path, typer.Option("--config", help="The configuration file.")]


@cli.command("list")
def list_gateways(config: Config = Path(DEFAULT_FILE)) -> None:
    """All gateways: whether each is there, since when, and its version."""
    found = _known(read_settings(load(config)).common)
    for name, status in sorted(found.items()):
        print(f"{name:20} {status.state:8} since {status.since:%Y-%m-%d %H:%M:%SZ}  version {status.version}")
    if not found:
        print("No gateway has told the broker of itself.", file=sys.stderr)


@cli.command()
def retire(
    gateway: Annotated[str, typer.Argument(help="As `carrel gateways list` names it.")],
    config: Config = Path(DEFAULT_FILE),
    *,
    even_if_online: Annotated[
        bool, typer.Option("--even-if-online", help="It is long gone, and the broker still says that it is online.")
    ] = False,
) -> None:
    """Forget a gateway that will not come back: what the broker retains of it is cleared, and its alarms end."""
    settings = read_settings(load(config))
    known = _known(settings.common)
    if gateway not in known:
        raise UnknownGatewayError
    check_gone(known[gateway], even_if_online=even_if_online)
    database = Database(settings.database_url)
    try:
        upgrade(database)
        forget(database, settings.common, gateway, by=COMMAND_LINE, now=SystemClock().now())
    finally:
        database.close()
    print(f"{gateway} is forgotten. Should it speak again, it is back by itself.")


def _known(common: Common) -> dict[str, GatewayStatus]:
    try:
        return asyncio.run(retained(common.mqtt, common.library.branch))
    except (aiomqtt.MqttError, OSError) as error:
        where = f"{common.mqtt.host}:{common.mqtt.port}"
        raise ConfigError(f"the message broker {where} ('mqtt') cannot be asked: {error}") from None


def main(argv: Sequence[str] | None = None) -> int:
    """`carrel gateways`."""
    return run(cli, "carrel gateways", argv)
