"""The listener among hostile and slow clients, over TLS, and when its port is taken."""

from __future__ import annotations

import socket
import ssl
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from carrel.config import load
from server.app import create_app
from server.db import Database
from server.deps import Role
from server.lending import service as lending
from server.lending.policy import LibraryPolicy
from server.settings import ServerSettings, read_settings
from server.sip2 import session as visits
from server.sip2.wire.messages import F
from server.sip2.work import desk
from tests.support.library import ALICE, BOOKS, NOW, PIN, ManualClock, colleague
from tests.support.sip2 import DATE, Client

pytestmark = pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
Connect = Callable[..., Client]


def reread(settings: ServerSettings, old: str, new: str) -> ServerSettings:
    file = settings.document.file
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    return read_settings(load(file, {}))


def closed(client: Client) -> bool:
    """Whether the library ends the connection."""
    try:
        while client.socket.recv(4096):
            pass
    except ConnectionError:
        pass
    return True


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visits, "FAILED_LOGIN_PAUSE_S", 0.0)


def test_a_megabyte_without_an_end_costs_its_sender_the_line(connect: Connect) -> None:
    other = connect()
    flood = connect(None)
    try:
        for _ in range(64):
            flood.send(b"9" * 16384)
    except ConnectionError:
        pass
    assert closed(flood)
    assert other.item(BOOKS[0]).get(F.TITLE) == "Book 1"


def test_half_sent_requests_hold_nobody_up(connect: Connect) -> None:
    slow = [connect() for _ in range(5)]
    for client in slow:
        client.send(b"11NN2026")
    other = connect()
    assert other.item(BOOKS[0]).get(F.TITLE) == "Book 1"
    for byte in f"0302    123000{' ' * 18}AOMAIN|AA{ALICE}|AB{BOOKS[0]}|AC|AD{PIN}|\r".encode():
        slow[0].send(bytes([byte]))
    assert slow[0].receive()[:3] == b"121"


def test_frames_that_come_together_are_answered_one_by_one(connect: Connect) -> None:
    client = connect()
    client.send(b"".join(f"17{DATE}AOMAIN|AB{book}|\r\n".encode() for book in BOOKS))
    assert [client.receive().split(b"|")[0][-8:].decode() for _ in BOOKS] == list(BOOKS)


def test_three_wrong_logins_end_the_connection(connect: Connect, caplog: pytest.LogCaptureFixture) -> None:
    client = connect(None)
    for _ in range(3):
        assert client.ask("9300CNself-1|COwrong|").fixed["ok"] == "0"
    assert closed(client)
    assert "three wrong logins" in caplog.text
    assert "wrong|" not in caplog.text


def test_a_stranger_has_to_sign_in_in_time(settings: ServerSettings, clock: ManualClock) -> None:
    with TestClient(create_app(reread(settings, "login_within_s = 5", "login_within_s = 1"), clock)) as house:
        port = house.app.state.sip2.port  # type: ignore[attr-defined]
        known, stranger = Client(port).login(), Client(port)
        stranger.send(b"9900802.0")
        assert closed(stranger)
        assert known.item(BOOKS[0]).get(F.TITLE) == "Book 1"
        known.close()


def test_strangers_make_room_for_terminals(settings: ServerSettings, clock: ManualClock) -> None:
    few = reread(settings, "login_within_s = 5", "login_within_s = 60\nconnections = 2")
    with TestClient(create_app(few, clock)) as house:
        port = house.app.state.sip2.port  # type: ignore[attr-defined]
        known, stranger = Client(port).login(), Client(port)
        assert stranger.ask("9900802.00").fixed["online"] == "Y"
        second = Client(port).login()
        assert closed(stranger)
        full = Client(port)
        assert closed(full)
        assert known.item(BOOKS[0]).id == second.item(BOOKS[0]).id == "18"
        known.close()
        second.close()


def test_sixty_four_terminals_are_served_at_once(connect: Connect) -> None:
    clients = [connect("trusted") for _ in range(64)]
    for client in clients:
        client.send(f"17{DATE}AOMAIN|AB{BOOKS[0]}|\r".encode())
    assert all(client.receive().startswith(b"1803") for client in clients)


def test_a_client_that_vanishes_is_forgotten(connect: Connect, house: TestClient) -> None:
    gone = connect()
    gone.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # resets the connection
    gone.close()
    staff = colleague(house, Role.LIBRARIAN)
    deadline = time.monotonic() + 10
    while any(one["online"] for one in house.get("/api/v1/sip2/terminals", headers=staff).json()["terminals"]):
        assert time.monotonic() < deadline


def test_a_fault_of_ours_is_answered_and_told(
    connect: Connect, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_task: object) -> object:
        raise RuntimeError("a fault")

    client = connect()
    monkeypatch.setattr(desk, "READING", {**desk.READING, "17": broken})
    refused = client.item(BOOKS[0])
    assert (refused.id, refused.get(F.TITLE)) == ("18", "")
    assert "could not be carried out" in caplog.text
    monkeypatch.undo()
    assert client.item(BOOKS[0]).get(F.TITLE) == "Book 1"


def test_a_taken_port_does_not_stop_the_server(
    settings: ServerSettings, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
        taken = reread(settings, "enabled = true\nport = 0", f"enabled = true\nport = {port}")
        with TestClient(create_app(taken, clock)) as house:
            ready = house.get("/readyz")
            assert ready.status_code == 200
            assert f"cannot serve terminals on 127.0.0.1:{port}" in ready.json()["checks"]["sip2"]
            assert "change [server.sip2] in config.toml" in caplog.text


def test_a_terminal_of_a_branch_that_the_library_does_not_have_is_told_and_served(
    settings: ServerSettings, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    database = Database(settings.database_url)
    with database.writing() as session:
        lending.set_policy(session, LibraryPolicy(branches=("north",)), actor="tests", at=NOW)
    database.close()
    with TestClient(create_app(reread(settings, 'id = "gbk"', 'id = "gbk"\nbranch = "nroth"'), clock)) as house:
        told = house.get("/api/v1/sip2/terminals", headers=colleague(house, Role.LIBRARIAN)).json()
    assert told["listening"]
    assert "branches that the library does not have, and books would be sent there: gbk: nroth" in caplog.text


def test_a_server_without_terminals_listens_to_none(settings: ServerSettings, clock: ManualClock) -> None:
    with TestClient(create_app(reread(settings, "enabled = true", "enabled = false"), clock)) as house:
        told = house.get("/api/v1/sip2/terminals", headers=colleague(house, Role.LIBRARIAN)).json()
    assert (told["listening"], told["terminals"]) == (None, [])


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Of localhost, signed by itself; its key lies beside it."""
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    command += ["-addext", "subjectAltName=DNS:localhost", "-keyout", str(tmp_path / "key.pem")]
    subprocess.run([*command, "-out", str(tmp_path / "cert.pem")], check=True, capture_output=True)
    return tmp_path / "cert.pem"


def test_terminals_may_speak_tls(settings: ServerSettings, clock: ManualClock, certificate: Path) -> None:
    files = 'enabled = true\ntls_cert = "cert.pem"\ntls_key = "key.pem"'
    with TestClient(create_app(reread(settings, "enabled = true", files), clock)) as house:
        port = house.app.state.sip2.port  # type: ignore[attr-defined]
        secret = Client(port, tls=ssl.create_default_context(cafile=str(certificate))).login()
        assert secret.item(BOOKS[0]).get(F.TITLE) == "Book 1"
        secret.close()
        plain = Client(port)
        plain.send(b"9900802.00\r")
        assert closed(plain)


def test_a_certificate_that_cannot_be_used_is_told(
    settings: ServerSettings, clock: ManualClock, tmp_path: Path
) -> None:
    for name in ("cert.pem", "key.pem"):
        (tmp_path / name).write_text("nonsense")
    files = 'enabled = true\ntls_cert = "cert.pem"\ntls_key = "key.pem"'
    with TestClient(create_app(reread(settings, "enabled = true", files), clock)) as house:
        assert "cannot serve terminals" in house.get("/readyz").json()["checks"]["sip2"]
