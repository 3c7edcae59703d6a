"""PostgreSQL as we use it: a connection that rested while the server was restarted is replaced before it is used."""

from __future__ import annotations

import math
import time
from functools import partial
from typing import Any

from psycopg import OperationalError
from sqlalchemy import Dialect, create_engine, event
from sqlalchemy.engine import URL, Engine
from sqlalchemy.exc import DisconnectionError

from server.db.transaction import RESTED_S, Way

CONNECT_WITHIN_S = 10
"""How long a connection waits for the server to take it."""

HASTY_MS = 100
"""Longer than most transactions take, shorter than the second after which PostgreSQL looks for deadlocks: who hastens
gives up before others are told that they cannot go on."""

_RESTS_SINCE = "carrel_rests_since"


def open_engine(url: URL) -> Engine:
    """Connects when it is first used. The connection given back last is used next: its server process, with plans and
    caches of its own, is the one that is awake."""
    engine = create_engine(
        url, pool_size=10, max_overflow=30, pool_use_lifo=True, connect_args={"connect_timeout": CONNECT_WITHIN_S}
    )
    event.listen(engine, "checkin", _note_rest)
    event.listen(engine, "checkout", partial(_try_rested, engine.dialect))
    return engine


def begin(driver: Any, *, way: Way) -> Any:
    """A cursor; unless the connection sends ahead, the driver begins with the first statement. Raises its errors."""
    if driver.autocommit:
        driver.execute("BEGIN")
    if way == "at_once":
        driver.execute(f"SET LOCAL lock_timeout = {HASTY_MS}")
    return driver.cursor()


def commit(driver: Any, ahead: Any) -> None:
    """Where statements are sent ahead the driver does not know that there is a transaction, and would end none."""
    if ahead is None:
        driver.commit()
        return
    ended = driver.execute("COMMIT")
    ahead.sync()
    if ended.statusmessage != "COMMIT":
        raise OperationalError("the transaction had failed, and was undone")


def send_ahead(driver: Any) -> Any:
    """The pipeline mode of libpq: what is sent is waited for when a row of it is asked for, or at COMMIT. The driver's
    own BEGIN would be waited for."""
    driver.autocommit = True
    return driver.pipeline()


def rest(driver: Any) -> None:
    """As a pool has it."""
    driver.rollback()
    driver.autocommit = False


def _note_rest(_connection: Any, record: Any) -> None:
    record.info[_RESTS_SINCE] = time.monotonic()


def _try_rested(dialect: Dialect, connection: Any, record: Any, _proxy: Any) -> None:
    """A connection that has rested may be dead since the server was restarted; its place is taken by a new one."""
    if time.monotonic() - record.info.get(_RESTS_SINCE, math.inf) < RESTED_S:
        return
    try:
        dialect.do_ping(connection)
    except dialect.loaded_dbapi.Error as error:
        raise DisconnectionError from error
