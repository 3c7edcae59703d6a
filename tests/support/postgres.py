"""A private PostgreSQL cluster for the tests: own folder, free port, gone at the end of the session."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.support.ports import free_port

START_S = 30
ROOM_BYTES = 4 << 30
"""Each of four workers has a cluster, with some databases of 8 MB at a time and what tests write into them."""
SPEED = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=200", "autovacuum=off")


@dataclass(frozen=True, slots=True)
class Cluster:
    """A running cluster; its one user is `carrel`."""

    port: int
    restart: Callable[..., None]
    """`restart(crash=False)`: down and up again on the same port; a crash ends all connections at once."""

    def url(self, name: str) -> str:
        """Of one of its databases."""
        return f"postgresql+psycopg://carrel@127.0.0.1:{self.port}/{name}"

    def run(self, statement: str, database: str = "postgres") -> None:
        """A statement outside any transaction, such as CREATE DATABASE."""
        with psycopg.connect(f"postgresql://carrel@127.0.0.1:{self.port}/{database}", autocommit=True) as connection:
            connection.execute(statement)  # type: ignore[arg-type]  # names are made up by the tests


def binaries() -> Path | None:
    """The newest installed PostgreSQL, as Debian lays it out or as PATH has it."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    on_path = shutil.which("postgres")
    return found[-1].parent if found else Path(on_path).parent if on_path else None


def require_binaries() -> Path:
    """Skip the test by name where PostgreSQL is missing; fail instead where CI=true promises it."""
    folder = binaries()
    if folder is None:
        reason = "PostgreSQL is not installed (Debian: apt-get install postgresql)"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return folder


def _memory() -> Path | None:
    """A file system in memory, if it has room: a disk takes up to half a second to make each of our databases."""
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > ROOM_BYTES
    return memory if roomy else None


@contextmanager
def running_cluster(settings: Sequence[str] = SPEED) -> Iterator[Cluster]:
    """Start a cluster and stop it again; what it holds survives a power cut only with other settings."""
    folder = require_binaries()
    home = Path(tempfile.mkdtemp(prefix="carrel-postgres-", dir=_memory() if settings is SPEED else None))
    owner = pwd.getpwnam("postgres") if os.geteuid() == 0 else None  # PostgreSQL refuses to run as root
    who = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []} if owner else {}
    if owner:
        os.chown(home, owner.pw_uid, owner.pw_gid)
    try:
        make = [folder / "initdb", "-D", home / "data", "-U", "carrel", "-A", "trust", "-E", "UTF8"]
        make += ["--locale=C", "--no-sync"]
        subprocess.run(make, check=True, cwd=home, stdout=subprocess.DEVNULL, **who)
        port = free_port()
        start = [folder / "postgres", "-D", home / "data", "-p", str(port), "-h", "127.0.0.1", "-k", home]
        start += [word for option in settings for word in ("-c", option)]
        running = _start(start, home, port, who)

        def restart(*, crash: bool = False) -> None:
            nonlocal running
            _stop(running, signal.SIGQUIT if crash else signal.SIGINT)
            running = _start(start, home, port, who)

        try:
            yield Cluster(port, restart)
        finally:
            _stop(running, signal.SIGINT)  # its fast shutdown
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _start(command: Sequence[str | Path], home: Path, port: int, who: dict[str, Any]) -> subprocess.Popen[bytes]:
    with (home / "log").open("ab") as log:
        process = subprocess.Popen(command, cwd=home, stdout=log, stderr=log, **who)
    _await_start(process, port, home / "log")
    return process


def _stop(process: subprocess.Popen[bytes], how: int) -> None:
    process.send_signal(how)
    process.wait(timeout=30)


def _await_start(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        try:
            psycopg.connect(f"postgresql://carrel@127.0.0.1:{port}/postgres", connect_timeout=2).close()
        except psycopg.OperationalError:
            if process.poll() is not None:
                break
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"PostgreSQL did not start:\n{log.read_text(errors='replace')}")
