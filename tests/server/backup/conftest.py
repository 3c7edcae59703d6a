"""A house with something of everything that a backup holds."""

import sqlite3
from contextlib import closing
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import text

from carrel.contracts.telemetry import Quantity, TelemetryPoint
from gateway.store import Store
from server.fees import service as fees
from server.telemetry.database import DatabaseStore
from tests.support.counter import Counter
from tests.support.drill import Place
from tests.support.library import ALICE, BO, BOOKS, NOW, make_settings


def measured(n: int) -> TelemetryPoint:
    """The n-th value."""
    at = NOW + timedelta(seconds=n)
    return TelemetryPoint(ts=at, device="th-1", zone="stacks", quantity=Quantity.TEMP, value=n / 7)


@pytest.fixture
def house(tmp_path: Path, database_url: str) -> Place:
    """A stocked library with a gateway, a radio's database, a backup of its network, money, holds and measurements."""
    folder = tmp_path / "old"
    folder.mkdir()
    make_settings(folder, database_url)
    place = Place(folder, database_url)
    store = Store(folder / "var" / "gateway.db")
    store.save("fire", {"latched": True})
    store.close()
    with closing(sqlite3.connect(folder / "var" / "zigbee.db")) as radio:
        radio.execute("CREATE TABLE devices (ieee TEXT)")
        radio.execute("INSERT INTO devices VALUES ('00:11')")
        radio.commit()
    (folder / "var" / "backups" / "zigbee").mkdir(parents=True)
    (folder / "var" / "backups" / "zigbee" / "zigbee-20260301T000000000000Z.json").write_text("{}")
    with place.database() as database:
        counter = Counter(database)
        counter.checkout(ALICE, *BOOKS[:2])
        counter.hold(BO, BOOKS[0])
        with database.writing() as session:
            patron = session.execute(text("SELECT patron_id FROM card WHERE number = :card"), {"card": ALICE}).scalar()
            assert patron is not None
            guarded = "UPDATE patron SET guardian_id = (SELECT max(id) FROM patron) WHERE id = :id"
            session.execute(text(guarded), {"id": patron})  # who refers to a row that comes later
            fees.charge(session, patron, "overdue", Decimal("3.50"), at=NOW, actor="user:anna")
        with database.writing() as session:
            fees.pay(session, patron, Decimal("1.25"), payment_id="p-1", means="cash", actor="user:anna", at=NOW)
        DatabaseStore(database).append([measured(n) for n in range(1500)])
    return place
