"""`carrel zigbee`: form a network, back it up, bring it back, and see who has which name."""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

from carrel.config import ConfigError, load
from carrel.system_clock import SystemClock
from devices.zigbee.network import admin, backup
from devices.zigbee.network.admin import Facts, NetworkExistsError
from devices.zigbee.network.backup import BackupError
from gateway.control.network import read_roster
from gateway.control.roster import MEMORY, Roster, from_json, restored, to_json
from gateway.settings import GatewaySettings, read_settings
from gateway.store import Store, StoreError


class UsageError(Exception):
    """A person has to do something else first; the message says what."""


def main(argv: list[str]) -> int:
    """Run one command; 1 with a sentence when it cannot be done."""
    arguments = _parser().parse_args(argv)
    try:
        settings = read_settings(load(arguments.config))
        if not settings.zigbee.path:
            raise UsageError(f"{arguments.config} names no radio: set zigbee.path")
        arguments.run(settings, arguments)
    except (ConfigError, StoreError, UsageError, NetworkExistsError, BackupError, OSError, sqlite3.Error) as error:
        print(f"carrel zigbee: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="carrel zigbee", description="The Zigbee network and its devices.")
    parser.add_argument("--config", metavar="FILE")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    form = commands.add_parser("form", help="make a network on a radio that has none")
    form.add_argument("--replace", action="store_true", help="give up the network there is; it is backed up first")
    form.set_defaults(run=_form)
    take = commands.add_parser("backup", help="back the network up, and copy the backup to FILE")
    take.add_argument("file", nargs="?", type=Path, metavar="FILE")
    take.set_defaults(run=_backup)
    bring = commands.add_parser("restore", help="write a backup to the radio, for example to a new one")
    bring.add_argument("file", type=Path, metavar="FILE")
    bring.add_argument("--yes", action="store_true", help="do not ask")
    bring.set_defaults(run=_restore)
    shown = commands.add_parser("list", help="devices with their names, and the backups")
    shown.set_defaults(run=_list)
    for command in (form, take, bring, shown):  # before or after the command, as people happen to write it
        command.add_argument("--config", metavar="FILE", default=argparse.SUPPRESS)
    return parser


def _form(settings: GatewaySettings, arguments: argparse.Namespace) -> None:
    with closing(_alone(settings)) as store:
        roster = read_roster(store)
        devices = roster.devices(settings.zigbee.device)
        now = SystemClock().now()
        facts, kept = asyncio.run(admin.form(settings.zigbee, devices, now, replace=arguments.replace))
    if kept is not None:
        print(f"the network that was there is kept in {kept}")
    print(f"a network is formed: {_words(facts)}. Start the gateway and let devices join on the devices page.")


def _backup(settings: GatewaySettings, arguments: argparse.Namespace) -> None:
    try:
        store = Store(settings.store)
    except StoreError:
        newest = backup.newest(settings.zigbee.backups)
        if newest is None:
            raise UsageError("the gateway is running and has made no backup yet: press Back up on its page") from None
        file, found = newest
        print(f"the gateway is using the radio; its newest backup is of {found.created_at:%Y-%m-%d %H:%M} UTC: {file}")
    else:
        with closing(store):
            devices = read_roster(store).devices(settings.zigbee.device)
            file = asyncio.run(admin.take_backup(settings.zigbee, devices, SystemClock().now()))
        print(f"backed up to {file}")
    if arguments.file is not None:
        shutil.copyfile(file, arguments.file)
        arguments.file.chmod(0o600)  # it holds the network's key
        print(f"copied to {arguments.file}; whoever has this file can join the network")


def _restore(settings: GatewaySettings, arguments: argparse.Namespace) -> None:
    wanted = backup.read(arguments.file)
    with closing(_alone(settings)) as store:
        if not arguments.yes:
            _ask(f"Write the network of {wanted.created_at:%Y-%m-%d %H:%M} UTC to the radio at {settings.zigbee.path}?")
        facts = asyncio.run(admin.restore(settings.zigbee, wanted, SystemClock().now()))
        store.save(MEMORY, to_json(restored(settings.zigbee.device, wanted.devices)))
    print(f"the network is in the radio: {_words(facts)}, {len(wanted.devices)} named devices. Start the gateway.")
    print("The radio that had this network before must not be used beside it.")


def _list(settings: GatewaySettings, _arguments: argparse.Namespace) -> None:
    roster = _roster_beside_gateway(settings.store)
    for device in roster.devices(settings.zigbee.device):
        origin = "page" if device.ieee in roster.entries else "config.toml"
        print(f"{device.id:24} {device.zone:20} {device.kind:8} {device.ieee}  {origin}")
    for device in settings.zigbee.device:
        if device.ieee in roster.removed:
            print(f"{device.id:24} {'-':20} {device.kind:8} {device.ieee}  removed on the page")
    files = sorted(settings.zigbee.backups.glob(backup.PATTERN), reverse=True)
    print(f"\nbackups, newest first: {', '.join(str(file) for file in files) or 'none'}")


def _alone(settings: GatewaySettings) -> Store:
    try:
        return Store(settings.store)
    except StoreError as error:
        raise UsageError(f"{error}. The radio serves one program at a time: end `carrel run` or the gateway") from error


def _ask(question: str) -> None:
    if not sys.stdin.isatty():
        raise UsageError("say --yes to do this without being asked")
    if input(f"{question} Type yes: ").strip().lower() not in ("yes", "y"):
        raise UsageError("nothing was changed")


def _words(facts: Facts) -> str:
    return f"channel {facts.channel}, PAN 0x{facts.pan_id:04X}, coordinator {facts.coordinator}"


def _roster_beside_gateway(file: Path) -> Roster:
    """What people changed, read while the gateway may be running."""
    if not file.exists():
        return Roster()
    with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as db:
        row = db.execute("SELECT value FROM memory WHERE name = ?", (MEMORY,)).fetchone()
    return from_json(json.loads(row[0])) if row else Roster()
