"""Jobs in a running server, kept by APScheduler in the server's own database."""

import sqlite3
import threading
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import event, select
from sqlalchemy.engine import Engine
from sqlalchemy.exc import OperationalError

from carrel.config import load
from server.app import create_app
from server.db import Database
from server.feedback import service as feedback
from server.jobs import part
from server.jobs.models import STORE, JobRow, TurnRow
from server.lending.occasion import Occasion
from server.notices.sending import Office
from server.settings import ServerSettings, read_settings
from tests.support.counter import Counter
from tests.support.library import ALICE, BOOKS, NOW, ManualClock

WEBHOOK = '[server.notices.webhook]\nurl = "http://127.0.0.1:1/"\nsecret = "a-secret-of-sixteen"\n'


@pytest.fixture(autouse=True)
def begin_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(part, "FIRST_AFTER", timedelta(0))


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> dict[str, threading.Event]:
    """Set when a job has been done."""
    events = {"night": threading.Event(), "plan": threading.Event(), "send": threading.Event()}
    night, plan, send = part._night, Office.plan, Office.send

    def noted(name: str, work):  # type: ignore[no-untyped-def]
        def run(*arguments):  # type: ignore[no-untyped-def]
            result = work(*arguments)
            events[name].set()
            return result

        return run

    monkeypatch.setattr(part, "_night", noted("night", night))
    monkeypatch.setattr(Office, "plan", noted("plan", plan))
    monkeypatch.setattr(Office, "send", noted("send", send))
    return events


def settings_with(settings: ServerSettings, text: str) -> ServerSettings:
    file = settings.document.file
    file.write_text(
        file.read_text(encoding="utf-8").replace("enabled = false", "enabled = true") + text, encoding="utf-8"
    )
    return read_settings(load(Path(file), {}))


def names(database: Database) -> set[str]:
    with database.reading() as session:
        return set(session.scalars(select(JobRow.id)))


def test_the_nights_work_is_done_and_kept_in_mind(
    settings: ServerSettings, database: Database, done: dict[str, threading.Event]
) -> None:
    counter = Counter(database)
    hold = counter.hold(ALICE, BOOKS[0], expires_on=NOW.date())
    told = Occasion("anonymous", NOW, ZoneInfo("Asia/Shanghai"))
    with database.writing() as session:
        case = feedback.open_case(session, feedback.NewCase("fault", "Cold."), told, days=1)
    app = create_app(settings_with(settings, ""), ManualClock(NOW + timedelta(days=2)))
    with TestClient(app):
        assert done["night"].wait(30)
    assert counter.get_hold(hold.hold).state == "expired"
    with database.reading() as session:
        assert feedback.get(session, case.number).escalated_at == NOW + timedelta(days=2)
    assert names(database) == {"nightly"}
    with database.reading() as session:
        assert session.scalars(select(TurnRow.slot)).all() == ["2026-03-04"]


def test_notices_are_planned_and_sent_where_the_library_says_how(
    settings: ServerSettings, database: Database, done: dict[str, threading.Event]
) -> None:
    with TestClient(create_app(settings_with(settings, WEBHOOK), ManualClock())):
        assert all(event.wait(30) for event in done.values())
    assert names(database) == {"nightly", "plan notices", "send notices"}
    done["night"].clear()
    text = settings.document.file.read_text(encoding="utf-8").replace(WEBHOOK, "")
    settings.document.file.write_text(text, encoding="utf-8")
    later = ManualClock(NOW + timedelta(days=1))
    with TestClient(create_app(read_settings(load(settings.document.file, {})), later)):
        assert done["night"].wait(30)
    assert names(database) == {"nightly"}


def test_a_server_that_is_not_to_do_jobs_does_none(settings: ServerSettings, database: Database) -> None:
    with TestClient(create_app(settings, ManualClock())) as client:
        assert client.get("/healthz").status_code == 200
    assert names(database) == set()


def test_jobs_wait_for_a_database_that_takes_nothing_and_people_are_served(
    settings: ServerSettings,
    done: dict[str, threading.Event],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(part, "BEGIN_AGAIN_S", 0.05)
    full, asked = threading.Event(), threading.Semaphore(0)
    full.set()

    def refuse(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if full.is_set() and statement.startswith(f"INSERT INTO {STORE}"):
            asked.release()
            raise OperationalError(statement, None, sqlite3.OperationalError("database or disk is full"))

    event.listen(Engine, "before_cursor_execute", refuse)
    try:
        with TestClient(create_app(settings_with(settings, ""), ManualClock())) as client:
            assert all(asked.acquire(timeout=30) for _ in range(3)), "it is tried again"
            assert client.get("/healthz").status_code == 200
            full.clear()
            assert done["night"].wait(30)
    finally:
        event.remove(Engine, "before_cursor_execute", refuse)
    (told,) = [record for record in caplog.records if record.name == part.__name__]
    assert told.getMessage().endswith("the database does not answer: database or disk is full")
    assert told.exc_info is None
