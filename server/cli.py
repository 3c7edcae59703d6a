"""`carrel server`: run the application server until it is told to end."""

from __future__ import annotations

import ctypes
import gc
import logging
import os
import shutil
import signal
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
import uvicorn
from sqlalchemy.engine import URL
from sqlalchemy.exc import OperationalError

from carrel.config import DEFAULT_FILE, ConfigError, load
from carrel.logging import configure
from carrel.system_clock import SystemClock
from server.app import create_app, open_core
from server.commands import run
from server.rooms.plan import read_plan
from server.settings import ServerSettings, read_settings

GOODBYE_S = 3
"""How long open connections are waited for at the end."""

ROOM = 1 << 20
"""Bytes: with less on its disk no database lives."""

M_TRIM_THRESHOLD, M_ARENA_MAX = -1, -8

CHATTY = ("uvicorn.error", "alembic")
"""Their information lines tell nothing that ours do not."""

log = logging.getLogger(__name__)
cli = typer.Typer(add_completion=False, help="The library's application server.")


@cli.command()
def serve(
    config: Annotated[Path, typer.Option("--config", help="The configuration file.")] = Path(DEFAULT_FILE),
) -> None:
    """Serve pages and API until SIGTERM or Ctrl-C."""
    settings = read_settings(load(config))
    configure(settings.common.log.level, settings.common.log.format)
    if settings.common.log.level != "debug":
        for name in CHATTY:
            logging.getLogger(name).setLevel(logging.WARNING)
    read_plan(settings)  # mistakes in it are told before anything is opened
    listener = _listen(settings.server.host, settings.server.port)
    _prepare(settings)
    log.info("listening on http://%s:%d", *listener.getsockname()[:2])
    server = uvicorn.Server(
        uvicorn.Config(
            create_app(settings),
            log_config=None,
            access_log=False,  # paths may hold card numbers
            server_header=False,
            timeout_graceful_shutdown=GOODBYE_S,
            ws_max_size=1 << 16,
        )
    )
    keep_what_is_loaded()
    server.run(sockets=[listener])
    if not server.started:
        raise ConfigError("the server could not start; the reason is in the log above")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; every failure that a person can mend is one sentence on standard error."""
    signal.signal(signal.SIGTERM, _end)
    spare_memory()
    try:
        return run(cli, "carrel server", argv)
    except KeyboardInterrupt:
        return 0


def spare_memory() -> None:
    """Let the C library keep one heap for all threads and give back what is free (glibc, malloc's M_ARENA_MAX and
    M_TRIM_THRESHOLD): with a heap a thread, a library that has just been filled held 20 MiB for nothing.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # other C libraries have none and need none
    if mallopt is not None:
        mallopt(M_ARENA_MAX, 1)
        mallopt(M_TRIM_THRESHOLD, 64 * 1024)


def keep_what_is_loaded() -> None:
    """Programs and routes stay: a full search for cycles would look at all of them, and every request wait 100 ms."""
    gc.collect()
    gc.freeze()


def _end(_signal: int, _frame: Any) -> None:
    """Told to end: that is success."""
    raise SystemExit(0)


def _prepare(settings: ServerSettings) -> None:
    """What the lifespan will need, tried first so that what a person can mend is told in one sentence."""
    url = settings.database_url
    try:
        open_core(settings, SystemClock()).database.close()
    except (OperationalError, OSError) as error:
        reason = str(getattr(error, "orig", error)).strip().splitlines()[0]
        where = url.render_as_string(hide_password=True)
        raise ConfigError(f"cannot open the database {where} ('server.database'): {reason}{_mend(url)}") from None


def _mend(url: URL) -> str:
    """What SQLite's own words leave open: it calls a full disk an I/O error, and a read-only one a missing file."""
    file = Path(str(url.database)).absolute()
    if url.get_backend_name() != "sqlite" or not file.parent.exists():
        return ""
    if shutil.disk_usage(file.parent).free < ROOM:
        return f"; its disk is full: make room for {file.parent} and start again"
    for path in (file.parent, file):
        if path.exists() and not os.access(path, os.W_OK):
            return f"; this user may not write {path}, or its disk is mounted read-only: mend that and start again"
    return ""


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        raise ConfigError(
            f"cannot listen on {host}:{port} ({error.strerror or error}): another program holds it; "
            "end it, or change 'server.port'"
        ) from None
    return listener


if __name__ == "__main__":
    sys.exit(main())
