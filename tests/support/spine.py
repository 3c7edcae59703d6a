"""Fixtures: a server beside a real broker, with a client that plays the gateway."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from server.app import create_app
from server.db import Database
from server.deps import Role
from server.settings import ServerSettings
from tests.support.acting_gateway import ActingGateway, building_settings, eventually
from tests.support.broker import Broker, running_broker
from tests.support.library import ManualClock, colleague


@dataclass(frozen=True, slots=True)
class House:
    """Everything that a test of the spine touches. The server runs; the edge is connected and has said nothing."""

    client: TestClient
    edge: ActingGateway
    broker: Broker
    clock: ManualClock
    database: Database
    settings: ServerSettings

    def staff(self, role: Role = Role.DUTY_STAFF) -> dict[str, str]:
        """Headers of a colleague."""
        return colleague(self.client, role)

    def room(self, room: str = "reading-room") -> dict[str, object]:
        """As the API tells it."""
        rooms = self.client.get("/api/v1/rooms").json()["rooms"]
        return next(found for found in rooms if found["id"] == room)

    def alarms(self, state: str = "open") -> list[dict[str, object]]:
        """As the API tells them."""
        return list(self.client.get("/api/v1/alarms", params={"state": state}).json()["alarms"])

    def reaches_broker(self) -> bool:
        """Whether the server has a session."""
        return bool(self.client.get("/readyz").json()["checks"]["broker"] == "ok")


@pytest.fixture
def broker() -> Iterator[Broker]:
    with running_broker() as running:
        yield running


@pytest.fixture
def house(broker: Broker, database_url: str, database: Database, clock: ManualClock, tmp_path: Path) -> Iterator[House]:
    settings = building_settings(tmp_path, database_url, broker)
    edge = ActingGateway(broker, clock.now)
    with TestClient(create_app(settings, clock), raise_server_exceptions=False) as client:
        house = House(client, edge, broker, clock, database, settings)
        eventually(house.reaches_broker, "the server's session")
        edge.start()
        try:
            yield house
        finally:
            edge.stop()
