"""The server's database, token file, InfluxDB, terminals' port, and a restore that was cut off."""

from __future__ import annotations

import stat
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from carrel.clock import local_date
from carrel.config import Document
from carrel.doctor.finding import Finding, bad, ok, warn
from carrel.doctor.machine import space
from carrel.doctor.ports import port
from carrel.doctor.sqlite import examine
from carrel.system_clock import SystemClock
from server.audit import service as audit
from server.audit.values import Wanted
from server.auth.machine_token import MIN_LENGTH
from server.backup import tables
from server.backup.site import read_site
from server.db import Database
from server.lending import service as lending
from server.lending.names import Names
from server.migrations.apply import head, known
from server.settings import ServerSettings
from server.sip2.part import MEND, STRANGE, strange_branches
from server.telemetry.influx import InfluxClient

APART = timedelta(minutes=5)
"""Clocks of several machines are not the same."""


def look(document: Document) -> Iterator[Finding]:
    """All of it."""
    site = read_site(document)
    settings = site.settings
    yield from database(settings)
    if site.unfinished.exists():
        mend = "run `carrel restore FILE --force` again: some files may be of the backup and some not"
        yield bad("restore", "a restore was cut off while it put things in their places", mend)
    yield token(settings.token_file)
    sip2 = settings.server.sip2
    if sip2.enabled and sip2.port:
        yield port(sip2.host, sip2.port, "[server.sip2] port", config=document.file)
    if settings.common.telemetry.influx.url:
        yield influx(settings)


def database(settings: ServerSettings) -> Iterator[Finding]:
    """Whether it opens, is whole, has this program's tables, and nothing in them that cannot be."""
    url = settings.database_url
    if url.get_backend_name() == "sqlite":
        file = Path(str(url.database))
        whole = examine("database", file)
        yield whole
        if not file.is_relative_to(settings.common.var):
            yield space(file.parent)
        if whole.verdict == "bad" or not file.exists():
            return
    opened = Database(url)
    try:
        with tables.snapshot(opened) as connection:
            revision = tables.revision(connection)
            yield schema(revision, tables.foreign(connection))
            if connection.dialect.name == "postgresql":
                yield postgresql(connection)
        if revision == head():
            with opened.reading() as session:
                yield from contents(session, settings)
    except SQLAlchemyError as error:
        said = str(getattr(error, "orig", error)).strip().splitlines()[0]
        where = url.render_as_string(hide_password=True)
        yield bad("database", f"{where} does not answer: {said}", "start it, or correct 'server.database'")
    finally:
        opened.close()


def contents(session: Session, settings: ServerSettings) -> Iterator[Finding]:
    """What is wrong in tables of this program's version."""
    now = SystemClock().now()
    yield from last_written(session, now)
    yield from calendar(session, settings, now)
    if settings.server.sip2.enabled:
        yield terminals(session, settings)


def terminals(session: Session, settings: ServerSettings) -> Finding:
    """Whether they are of branches that the library has."""
    strange = strange_branches(session, settings)
    if strange:
        return warn("terminals", f"{STRANGE}: {'; '.join(strange)}", MEND)
    return ok("terminals", "every terminal is of a branch that the library has")


def schema(revision: str | None, foreign: Sequence[str] = ()) -> Finding:
    """The version of the tables against this program's; `foreign` are there without being Carrel's."""
    if foreign:
        mend = "name a database of Carrel's own in 'server.database', or restore a backup"
        return bad("schema", f"the database holds tables that are not Carrel's: {', '.join(foreign)[:80]}", mend)
    if revision is None:
        return ok("schema", "no tables yet; the first start makes them")
    if revision == head():
        return ok("schema", f"version {revision}")
    if known(revision):
        mend = "`carrel backup` first, then start the server, which brings it up to date"
        return warn("schema", f"version {revision}, this program's is {head()}", mend)
    mend = "install the newer Carrel, or restore a backup from before it"
    return bad("schema", f"version {revision} is of a newer Carrel; this one knows {head()}", mend)


def last_written(session: Session, now: datetime) -> Iterator[Finding]:
    """A clock that stands before what was written last was put back, or was ahead then."""
    for line in audit.page(session, Wanted(), 1):
        last = line.entry.at
        if last > now + APART:
            what = f"the clock says {now:%Y-%m-%d %H:%M} UTC, but the log's last line is of {last:%Y-%m-%d %H:%M}"
            mend = "set the time; if it is right now, what was written while it was ahead has wrong times"
            yield bad("clock", what, mend)


def calendar(session: Session, settings: ServerSettings, now: datetime) -> Iterator[Finding]:
    """Whether every branch opens, since loans fall due on open days."""
    library = settings.common.library
    lends = lending.current(session)
    names, closed = Names(lends.policy, "en"), lends.closed_years(library.branch, local_date(now, library.zone))
    for branch, day in closed.items():
        told = f"{names.branch(branch)} does not open for a year from {day} on, so nothing falls due on an open day"
        yield warn("calendar", told, "correct the closed days on the page /settings/lending")


def token(file: Path) -> Finding:
    """The machines' secret, which is for its owner only."""
    try:
        mode, length = file.stat().st_mode, len(file.read_bytes().strip())
    except FileNotFoundError:
        return ok("token", f"{file} is not there yet; the first start makes it")
    except OSError as error:
        mend = "give it to who runs Carrel: chown"
        return bad("token", f"{file} cannot be read: {error.strerror}", mend)
    if length < MIN_LENGTH:
        return bad("token", f"{file} holds no token", "delete it and start the server again, then kiosk and gateway")
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        mend = f"chmod 600 {file}; if others may have read it, delete it and start everything again"
        return bad("token", f"{file} can be read by others (mode {stat.S_IMODE(mode):o})", mend)
    return ok("token", f"{file} is for its owner only")


def influx(settings: ServerSettings) -> Finding:
    """Whether it answers."""
    config = settings.common.telemetry.influx
    client = InfluxClient(config)
    try:
        trouble = client.probe()
    finally:
        client.close()
    if trouble:
        mend = "start it, or correct [telemetry.influx] url; measurements wait on the gateway meanwhile"
        return bad("influx", f"{config.url} does not answer: {trouble}", mend)
    return ok("influx", f"{config.url} answers")


def postgresql(connection: Connection) -> Finding:
    """Whether it is one that may be written."""
    facts = "SELECT pg_is_in_recovery(), has_schema_privilege(current_schema(), 'CREATE'), version()"
    standby, may, version = connection.execute(text(facts)).one()
    name = " ".join(str(version).split()[:2])
    if standby:
        return bad("database", f"{name} is a standby that only reads", "name the primary in 'server.database'")
    if not may:
        mend = "make the user of 'server.database' the database's owner: ALTER DATABASE ... OWNER TO ..."
        return bad("database", f"{name} lets this user make no tables", mend)
    return ok("database", f"{name} answers and may be written")
