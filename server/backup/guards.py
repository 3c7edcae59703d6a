"""What keeps a restore from doing harm: programs that run, and a library that is there already."""

from __future__ import annotations

import fcntl
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from sqlalchemy import text

from server.backup import tables
from server.backup.errors import BackupError
from server.backup.manifest import Manifest
from server.backup.site import Site
from server.db import Database

CONNECT_S = 1.0
OTHERS = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    " AND backend_type = 'client backend'"
)


def refuse_running(site: Site, stack: ExitStack, *, force: bool) -> None:
    """Keeps `carrel run` and a gateway from starting meanwhile."""
    held = [stack.enter_context(_held(lock)) for lock in (site.run_lock, site.gateway_lock)]
    running = [name for name, mine in zip(("carrel run", "the gateway"), held, strict=True) if not mine]
    host, port = site.settings.server.host, site.settings.server.port
    if not running and port and _accepts(host, port):
        running.append(f"a program on port {port}, where the server listens")
    if running and not force:
        raise BackupError(
            f"still at work on this library: {' and '.join(running)}. End that first, or it would go on with what is "
            "replaced (--force restores all the same)"
        )


def refuse_filled(site: Site, manifest: Manifest, *, force: bool) -> None:
    """What is there already is not replaced by mistake, and what is not ours not at all."""
    url = site.settings.database_url
    there = [str(file) for part in manifest.parts if (file := site.place(part)) and file.exists()]
    if url.get_backend_name() == "sqlite":
        if Path(str(url.database)).exists():
            there.insert(0, str(url.database))
    else:
        there[:0] = _in_postgresql(site, force=force)
    if there and not force:
        raise BackupError(
            f"there is a library here already ({', '.join(there[:3])}{' ...' if there[3:] else ''}): restore on an "
            "empty machine, or add --force to replace it, after a backup of what is there"
        )


def _in_postgresql(site: Site, *, force: bool) -> list[str]:
    database = Database(site.settings.database_url)
    try:
        with database.engine.connect() as connection:
            if strange := tables.foreign(connection):
                raise BackupError(
                    f"the database holds tables of another program ({', '.join(strange[:3])}): "
                    "make one for Carrel alone and name it in 'server.database'"
                )
            if connection.execute(OTHERS).scalar_one() and not force:
                raise BackupError(
                    "other programs are connected with the database: end the server and whatever else uses it, or it "
                    "would go on with what is replaced (--force restores all the same)"
                )
            filled = tables.first_filled(connection)
            return [f"table {filled} of the database"] if filled else []
    finally:
        database.close()


@contextmanager
def _held(lock: Path) -> Iterator[bool]:
    """Hold a program's lock; False while that program has it."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("ab") as opened:
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


def _accepts(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=CONNECT_S).close()
    except OSError:
        return False
    return True
