"""Backups of network and devices: one file each, written whole or not at all, the last seven kept.

A file is JSON: the network in the open coordinator backup format (which other Zigbee programs read too), the named
devices, and a copy of zigpy's database.
"""

from __future__ import annotations

import base64
import gzip
import json
import os
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from devices.zigbee.config import ZigbeeDeviceConfig

FORMAT = "carrel-zigbee-backup"
VERSION = 1
KEPT = 7
PATTERN = "zigbee-*.json"


class BackupError(Exception):
    """A backup that cannot be used or written; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Backup:
    """One backup; `network` is an open coordinator backup, `database` zigpy's SQLite file."""

    created_at: datetime
    network: dict[str, Any]
    devices: tuple[ZigbeeDeviceConfig, ...]
    database: bytes


def write(folder: Path, backup: Backup) -> Path:
    """Write a backup under a new name and remove all but the last seven; raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"zigbee-{backup.created_at.astimezone(UTC):%Y%m%dT%H%M%S%fZ}.json"
    save_whole(file, _encode(backup))
    for old in _files(folder)[KEPT:]:
        old.unlink(missing_ok=True)
    return file


def read(file: Path) -> Backup:
    """Read one backup; raises BackupError."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        if found.get("format") != FORMAT or found.get("version") != VERSION:
            raise ValueError(f"not a {FORMAT} of version {VERSION}")
        database = gzip.decompress(base64.b64decode(found["database"])) if found["database"] else b""
        devices = tuple(ZigbeeDeviceConfig.model_validate(entry) for entry in found["devices"])
        backup = Backup(datetime.fromisoformat(found["created_at"]), dict(found["network"]), devices, database)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, EOFError) as error:
        raise BackupError(f"{file} cannot be used: {error}; choose another backup") from error
    if backup.database and not _is_sound(backup.database):
        raise BackupError(f"{file} cannot be used: its copy of the database is damaged; choose another backup")
    return backup


def newest(folder: Path) -> tuple[Path, Backup] | None:
    """The newest backup that can be read."""
    for file in _files(folder):
        try:
            return file, read(file)
        except BackupError:
            continue
    return None


def newest_at(folder: Path) -> datetime | None:
    """When the newest backup was made, by its name."""
    for file in _files(folder):
        try:
            return datetime.strptime(file.stem, "zigbee-%Y%m%dT%H%M%S%fZ").replace(tzinfo=UTC)
        except ValueError:
            continue
    return None


def make(network: dict[str, Any], devices: Sequence[ZigbeeDeviceConfig], database: Path, at: datetime) -> Backup:
    """A backup of what is there now; the database may be in use. Raises sqlite3.Error."""
    copied = b""
    if database.exists():
        with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(":memory:")) as copy:
            source.backup(copy)
            copied = _out_of_wal(copy.serialize())
    return Backup(at, network, tuple(devices), copied)


def put_database(file: Path, backup: Backup, now: datetime) -> Path | None:
    """Put a backup's database in place of `file`, which is moved aside with its companions; returns where to."""
    aside = move_aside(file, now)
    if backup.database:
        file.parent.mkdir(parents=True, exist_ok=True)
        save_whole(file, backup.database)
    return aside


def move_aside(file: Path, now: datetime) -> Path | None:
    """Keep a database under another name, its WAL with it; None when there is none."""
    suffix = f".{now.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    for companion in ("-wal", "-shm"):
        beside = file.with_name(file.name + companion)
        if beside.exists():
            beside.rename(file.with_name(file.name + suffix + companion))
    if not file.exists():
        return None
    aside = file.with_name(file.name + suffix)
    file.rename(aside)
    return aside


def mend(database: Path, backups: Path, now: datetime) -> str:
    """Move a damaged database aside and put the newest good backup in its place; returns what happened, in words."""
    found = newest(backups)
    if found is None:
        aside = move_aside(database, now)
        return (
            f"{database} was damaged and there is no backup in {backups}: it was moved to {aside}; "
            "the network itself is in the radio, and devices are taken up again as they speak"
        )
    file, backup = found
    aside = put_database(database, backup, now)
    return (
        f"{database} was damaged: it was moved to {aside}, and the devices of {file.name} "
        f"({backup.created_at:%Y-%m-%d %H:%M} UTC) are in its place; the network was not touched"
    )


def save_whole(file: Path, data: bytes) -> None:
    """Write a file so that after a power cut it is there whole or not at all; raises OSError."""
    part = file.with_name(f"{file.name}.part")
    with part.open("wb") as out:
        os.chmod(part, 0o600)  # it holds the network's key
        out.write(data)
        out.flush()
        os.fsync(out.fileno())
    part.replace(file)
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _encode(backup: Backup) -> bytes:
    document = {
        "format": FORMAT,
        "version": VERSION,
        "created_at": backup.created_at.astimezone(UTC).isoformat(),
        "network": backup.network,
        "devices": [device.model_dump(mode="json", exclude_none=True) for device in backup.devices],
        "database": base64.b64encode(gzip.compress(backup.database, mtime=0)).decode() if backup.database else "",
    }
    return json.dumps(document, ensure_ascii=False, indent=1).encode()


def _out_of_wal(database: bytes) -> bytes:
    """A copy in memory cannot be in WAL mode; who opens the file next puts it there again. SQLite file format 1.3."""
    return database[:18] + b"\x01\x01" + database[20:]


def _files(folder: Path) -> list[Path]:
    """Newest first, by name."""
    return sorted(folder.glob(PATTERN), reverse=True)


def _is_sound(database: bytes) -> bool:
    try:
        with closing(sqlite3.connect(":memory:")) as copy:
            copy.deserialize(database)
            return bool(copy.execute("PRAGMA integrity_check").fetchone()[0] == "ok")
    except sqlite3.Error:
        return False
