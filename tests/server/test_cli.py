"""`carrel server` as a process: how it starts, refuses and ends, and what a kill in mid-checkout leaves."""

import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import httpx
import psycopg
import pytest
from sqlalchemy import func, select
from sqlalchemy.engine import URL, make_url

from server import cli
from server.circulation.models import LoanRow
from server.db import Database
from server.migrations.apply import upgrade
from tests.support.library import ALICE, BOOKS, items, machine, make_settings
from tests.support.ports import free_port
from tests.support.server_process import ROOT, ServerProcess

pytestmark = pytest.mark.process

BODY = {"request_id": "kiosk-1:42", "card": ALICE, "items": items(*BOOKS[:5])}
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
CHECKOUTS = "/api/v1/circulation/checkouts"


def wait_until(true, what: str) -> None:  # type: ignore[no-untyped-def]
    deadline = time.monotonic() + 30
    while not true():
        assert time.monotonic() < deadline, f"waited in vain until {what}"
        time.sleep(0.005)


class Library:
    """A configured library whose server is started and killed."""

    def __init__(self, folder: Path, database_url: str) -> None:
        self.port = free_port()
        self.config = make_settings(folder, database_url, port=self.port).document.file
        self.url: URL = make_url(database_url)
        self.database = Database(self.url)
        self.running: list[ServerProcess] = []

    def start(self) -> ServerProcess:
        self.running.append(ServerProcess(self.config, self.port))
        return self.running[-1]

    def loans(self) -> int:
        with self.database.reading() as session:
            return session.scalar(select(func.count()).select_from(LoanRow)) or 0

    def close(self) -> None:
        for process in self.running:
            process.kill()
        self.database.close()


@pytest.fixture
def library(tmp_path: Path, database_url: str) -> Iterator[Library]:
    made = Library(tmp_path, database_url)
    yield made
    made.close()


def checkout(url: str) -> httpx.Response:
    return httpx.post(url + CHECKOUTS, json=BODY, headers=machine(), timeout=30)


def hold_the_first_item(url: URL) -> "sqlite3.Connection | psycopg.Connection":
    """Another transaction that makes a checkout of it wait; closing the connection lets go."""
    if url.get_backend_name() == "sqlite":
        connection = sqlite3.connect(str(url.database), isolation_level=None)
        connection.execute("BEGIN IMMEDIATE")
        return connection
    plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
    held = psycopg.connect(plain)
    held.execute("SELECT * FROM item WHERE barcode = %s FOR UPDATE", (BOOKS[0],))
    return held


def send_and_forget(port: int) -> socket.socket:
    """A checkout whose answer is never read."""
    request = httpx.Request("POST", f"http://127.0.0.1:{port}{CHECKOUTS}", json=BODY, headers=machine())
    lines = [f"POST {CHECKOUTS} HTTP/1.1", *(f"{name}: {value}" for name, value in request.headers.items())]
    wire = socket.create_connection(("127.0.0.1", port))
    wire.sendall("\r\n".join([*lines, "", ""]).encode() + request.read())
    return wire


def unanswered(wire: socket.socket) -> bool:
    """The other end has gone without a word."""
    try:
        return wire.recv(1) == b""
    except ConnectionResetError:
        return True


def test_killed_before_the_commit_nothing_is_lost_or_doubled_by_a_retry(library: Library) -> None:
    server = library.start()
    held = hold_the_first_item(library.url)
    wire = send_and_forget(library.port)
    for _ in range(2):  # answered after the request above was taken in: one loop reads both
        assert httpx.get(f"{server.url}/healthz").status_code == 200
    if isinstance(held, psycopg.Connection):
        wait_until(lambda: held.execute(WAITING).fetchone() == (1,), "the checkout waits for the item")
    server.kill()
    assert unanswered(wire)
    wire.close()
    held.close()
    assert library.loans() == 0

    answer = checkout(library.start().url)
    assert [result["status"] for result in answer.json()["results"]] == ["ok"] * 5
    assert library.loans() == 5


def test_killed_after_the_commit_a_retry_gets_the_first_answer(library: Library) -> None:
    server = library.start()
    wire = send_and_forget(library.port)
    wait_until(lambda: library.loans() == 5, "the loans are stored")
    server.kill()
    wire.close()

    server = library.start()
    first, second = checkout(server.url), checkout(server.url)
    assert first.status_code == 200
    assert [result["status"] for result in first.json()["results"]] == ["ok"] * 5
    assert first.json() == second.json()
    assert library.loans() == 5


def test_told_to_end_it_ends_well(library: Library) -> None:
    server = library.start()
    assert server.end() == 0
    assert "Traceback" not in server.log.read_text()


def test_a_taken_port_is_one_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        config = make_settings(tmp_path, f"sqlite:///{tmp_path}/x.db", port=port).document.file
        assert run("--config", str(config)) == (1, 1)


def run(*words: str) -> tuple[int, int]:
    """(exit code, lines on standard error) of a server that does not start."""
    done = subprocess.run(
        [sys.executable, "-m", "server.cli", *words], cwd=ROOT, check=False, capture_output=True, text=True, timeout=60
    )
    assert done.stderr.startswith("carrel server: "), done.stderr
    return done.returncode, len(done.stderr.splitlines())


@pytest.mark.parametrize(
    ("database", "sentence"),
    [
        ("postgresql://me:hidden@127.0.0.1:1/x", "cannot open the database postgresql+psycopg://me:***@127.0.0.1:1/x"),
        ("sqlite:////proc/no/such.db", "cannot open the database"),
        ("mysql://me:hidden@h/x", "'mysql' is not served"),
    ],
)
def test_a_database_that_cannot_be_used_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *, database: str, sentence: str
) -> None:
    monkeypatch.setattr(cli.signal, "signal", lambda *_: None)  # keep the test runner's own handlers
    monkeypatch.setattr(cli, "configure", lambda *_: None)
    monkeypatch.setenv("CARREL_SERVER__DATABASE", database)
    config = make_settings(tmp_path, "sqlite:///x.db").document.file
    assert cli.main(["--config", str(config)]) == 1
    told = capsys.readouterr().err
    assert sentence in told
    assert "hidden" not in told
    assert len(told.splitlines()) == 1


@pytest.mark.parametrize(("free", "mend"), [(0, "its disk is full: make room for"), (1 << 30, "readonly database\n")])
def test_a_database_that_takes_nothing_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *, free: int, mend: str
) -> None:
    """Of a library whose tables are there: what fails is the first row that is written."""
    settings = make_settings(tmp_path, f"sqlite:///{tmp_path}/server.db")
    database = Database(settings.database_url)
    upgrade(database)
    database.close()

    def prepare(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None
        connection.execute("PRAGMA query_only = ON")

    monkeypatch.setattr("server.db.sqlite._prepare", prepare)
    monkeypatch.setattr(cli.shutil, "disk_usage", lambda _: SimpleNamespace(free=free))
    monkeypatch.setattr(cli.signal, "signal", lambda *_: None)
    monkeypatch.setattr(cli, "configure", lambda *_: None)
    assert cli.main(["--config", str(settings.document.file)]) == 1
    told = capsys.readouterr().err
    assert told.startswith("carrel server: cannot open the database")
    assert mend in told
    assert len(told.splitlines()) == 1


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (["--config", "/no/such/file"], 1, "no configuration file at /no/such/file"),
        (["--bogus"], 2, "--bogus"),
    ],
)
def test_wrong_words_are_one_sentence(
    words: list[str], code: int, sentence: str, *, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cli.signal, "signal", lambda *_: None)
    assert cli.main(words) == code
    assert sentence in capsys.readouterr().err
