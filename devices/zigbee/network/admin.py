"""Work on a radio that nobody else uses: form a network, back it up, bring one back. For `carrel zigbee`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from zigpy.application import ControllerApplication
from zigpy.backups import NetworkBackup

from devices.errors import NoNetworkError
from devices.zigbee import radio
from devices.zigbee.config import ZigbeeConfig, ZigbeeDeviceConfig
from devices.zigbee.network import backup
from devices.zigbee.network.backup import Backup, BackupError

COUNTER_AHEAD = 10_000
FRAMES_PER_S = 50
"""No network sends more for long: the counter is set ahead by this for each second since the backup, as devices ignore
frames with a counter that they have seen."""
COUNTER_MOST = 0x7FFF_FFFF


@dataclass(frozen=True, slots=True)
class Facts:
    """A network as its radio has it."""

    channel: int
    pan_id: int
    coordinator: str


class NetworkExistsError(Exception):
    """The radio has a network, or the devices belong to one; it is not given up by accident."""


async def take_backup(config: ZigbeeConfig, devices: Sequence[ZigbeeDeviceConfig], now: datetime) -> Path:
    """Back the radio's network up into the folder of backups; raises ConnectionError or OSError."""
    async with _running(config) as app:
        return await _write_backup(app, config, devices, now)


async def form(
    config: ZigbeeConfig, devices: Sequence[ZigbeeDeviceConfig], now: datetime, *, replace: bool
) -> tuple[Facts, Path | None]:
    """Make a new network, with `replace` in place of what there is, which is backed up first; returns both.

    Raises NetworkExistsError, ConnectionError or OSError.
    """
    kept = None
    try:
        async with _running(config) as app:
            if not replace:
                raise NetworkExistsError(_exists(_facts(app)))
            kept = await _write_backup(app, config, devices, now)
    except NoNetworkError as error:
        known = str(error) == radio.HAS_BACKUP or backup.newest_at(config.backups) is not None
        if known and not replace:
            raise NetworkExistsError(radio.HAS_BACKUP) from error
    backup.move_aside(config.database, now)
    async with _connected(config) as app:
        await app.form_network()
    async with _running(config) as app:
        return _facts(app), kept


async def restore(config: ZigbeeConfig, wanted: Backup, now: datetime) -> Facts:
    """Write a backup's network to the radio and its devices to the database; raises BackupError or ConnectionError.

    The database that was there is moved aside. Counters are set well ahead of the backup's.
    """
    try:
        network = NetworkBackup.from_dict(wanted.network)
    except (KeyError, ValueError, TypeError) as error:
        raise BackupError(f"the network in this backup cannot be read: {error!r}; choose another backup") from error
    if not network.is_complete():
        raise BackupError("the network in this backup is not complete; choose another backup")
    radio.check_port(config.path)
    backup.put_database(config.database, wanted, now)
    async with _connected(config) as app:
        await app.backups.restore_backup(network, counter_increment=_ahead(network, wanted.created_at, now))
    async with _running(config) as app:
        return _facts(app)


def _ahead(network: NetworkBackup, made_at: datetime, now: datetime) -> int:
    since_s = max(0, int((now - made_at).total_seconds()))
    room = COUNTER_MOST - int(network.network_info.network_key.tx_counter or 0)
    return max(0, min(COUNTER_AHEAD + since_s * FRAMES_PER_S, room))


async def _write_backup(
    app: ControllerApplication, config: ZigbeeConfig, devices: Sequence[ZigbeeDeviceConfig], now: datetime
) -> Path:
    taken = await app.backups.create_backup()
    made = backup.make(taken.as_open_coordinator_json(), devices, config.database, now)
    return await asyncio.to_thread(backup.write, config.backups, made)


@asynccontextmanager
async def _running(config: ZigbeeConfig) -> AsyncIterator[ControllerApplication]:
    """The radio with its network; raises a ConnectionError, NoNetworkError when it has none."""
    app = await radio.load(config)
    try:
        await radio.start(app, radio.RadioWatch(), form=False)
        yield app
    finally:
        await radio.stop(app)


@asynccontextmanager
async def _connected(config: ZigbeeConfig) -> AsyncIterator[ControllerApplication]:
    """The radio alone, whatever network it has; raises a ConnectionError."""
    app = await radio.load(config)
    try:
        await radio.connect(app)
        yield app
    finally:
        await radio.stop(app)


def _facts(app: ControllerApplication) -> Facts:
    found = app.state.network_info
    return Facts(int(found.channel), int(found.pan_id), str(app.state.node_info.ieee))


def _exists(facts: Facts) -> str:
    return (
        f"the radio has a network already (channel {facts.channel}, PAN 0x{facts.pan_id:04X}); nothing was changed. "
        "With --replace it is backed up and given up: every device must then join anew"
    )
