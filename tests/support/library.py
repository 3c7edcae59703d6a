"""A small library for the server's tests: its settings, its people, its books, a clock one can turn."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from carrel.config import load
from server import hashing
from server.auth import accounts
from server.catalogue import service as catalogue
from server.catalogue.service import NewRecord
from server.db import Database
from server.deps import Role
from server.patrons import desk
from server.patrons import service as patrons
from server.patrons.service import NewPatron
from server.settings import ServerSettings, read_settings

NOW = datetime(2026, 3, 2, 4, 30, tzinfo=UTC)  # a Monday, half past noon in Shanghai
TOKEN = "a-machine-token-for-tests"
PIN = "2468"
PASSWORD = "correct horse"
ALICE, BO, BLOCKED, EXPIRED = "90000001", "90000002", "90000003", "90000004"
REFERENCE, MISSING = "30000011", "30000012"
BOOKS = tuple(str(30000001 + n) for n in range(10))

NO_BROKER = 1  # nobody listens there; a broker of a running demo must not be found

CONFIG = """
[library]
timezone = "Asia/Shanghai"
[mqtt]
port = {mqtt_port}
[server]
port = {port}
database = "{database}"
demo = {demo}
token_file = "token"
[server.jobs]
enabled = false
[server.policy]
loan_days = 30
max_loans = 6
max_renewals = 2
"""

_hash = cache(hashing.make)


class ManualClock:
    """Stands still until it is moved."""

    def __init__(self, at: datetime = NOW) -> None:
        self.at = at

    def now(self) -> datetime:
        """Where the hands are."""
        return self.at

    def advance(self, **by: float) -> datetime:
        """Move on by a timedelta's arguments."""
        self.at += timedelta(**by)
        return self.at


def make_settings(
    folder: Path, database: str, *, port: int = 0, demo: bool = False, mqtt_port: int = NO_BROKER
) -> ServerSettings:
    """Settings read from a config.toml written into the folder; the machines' token is TOKEN."""
    file = folder / "config.toml"
    file.write_text(
        CONFIG.format(port=port, mqtt_port=mqtt_port, database=database, demo=str(demo).lower()), encoding="utf-8"
    )
    (folder / "token").write_text(TOKEN, encoding="ascii")
    return read_settings(load(file, {}))


def stock(database: Database) -> None:
    """Two good patrons, a blocked and an expired one, four colleagues' roles, ten books, two that stay in."""
    with database.writing() as session:
        for role in (Role.LIBRARIAN, Role.DUTY_STAFF, Role.ADMINISTRATOR):
            name = f"The {role.value}"
            accounts.add(session, role.value, _hash(PASSWORD), name=name, role=role, actor="tests", at=NOW)
        add_patron(session, ALICE, "Alice Wu", language="en", expires_on=date(2030, 1, 1))
        add_patron(session, BO, "张波", language="zh-CN")
        blocked = add_patron(session, BLOCKED, "Carl Moss")
        desk.block(session, blocked, desk.NewBlock("manual"), actor="user:librarian", at=NOW)
        add_patron(session, EXPIRED, "Dora Lind", expires_on=date(2026, 3, 1))
        for number, barcode in enumerate((*BOOKS, REFERENCE, MISSING), 1):
            record = catalogue.add_record(session, NewRecord(f"Book {number}", f"Author {number}"), at=NOW)
            new = catalogue.NewItem(
                barcode, location="stacks", call_number=f"I0/{number}", branch="main", for_loan=barcode != REFERENCE
            )
            item = catalogue.add_item(session, record, new)
            if barcode == MISSING:
                catalogue.set_status(session, item, "missing")


def add_patron(session: Session, card: str, name: str, **more: Any) -> int:
    """A patron whose PIN is PIN; the key. `more` are fields of NewPatron."""
    return patrons.add(session, NewPatron(card=card, name=name, pin_hash=_hash(PIN), **more), NOW)


def machine() -> dict[str, str]:
    """Headers of kiosk and gateway."""
    return {"Authorization": f"Bearer {TOKEN}"}


def signed_in(client: TestClient, user: str, secret: str) -> dict[str, str]:
    """Headers of somebody who has signed in; the client keeps no cookie."""
    answer = client.post("/api/v1/session", json={"user": user, "password": secret})
    assert answer.status_code == 200, answer.text
    client.cookies.clear()
    return {"Authorization": f"Bearer {answer.json()['token']}"}


def colleague(client: TestClient, role: Role) -> dict[str, str]:
    """Headers of a colleague with this role."""
    return signed_in(client, role.value, PASSWORD)


def reader(client: TestClient, card: str = ALICE) -> dict[str, str]:
    """Headers of a patron."""
    return signed_in(client, card, PIN)


def items(*barcodes: str) -> list[dict[str, str]]:
    """A request's items."""
    return [{"barcode": barcode} for barcode in barcodes]
