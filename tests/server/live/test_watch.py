"""When the loss of the broker counts, and what is known of the gateways meanwhile and afterwards."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import cast

import pytest

from carrel.contracts.health import GatewayStatus
from server.edge.connection import Connection
from server.live.watch import FORGIVEN_S, Watch
from server.rooms.picture import Picture


class Server:
    """A watch with its connection, and a time that a test turns."""

    def __init__(self) -> None:
        self.picture = Picture()
        self.connected = False
        self.seconds = 100.0
        self.on_session: Callable[[], None] = lambda: None
        self.shown: list[str] = []
        self.watch = Watch(self.picture, cast("Connection", self), self.show, seconds=lambda: self.seconds)

    def show(self) -> None:
        self.shown.append(self.picture.watch_rev())

    def connect(self) -> None:
        self.connected = True
        self.on_session()

    def lose(self) -> None:
        self.connected = False
        self.watch.look()

    def pass_time(self, seconds: float) -> None:
        self.seconds += seconds
        self.watch.look()

    def hear(self, state: str = "online") -> None:
        status = GatewayStatus(state=state, since=datetime.now(UTC), session=1, version="0")
        self.picture.set_status("gw-1", status, status.since)

    def standing(self) -> str:
        return self.picture.standing("gw-1")


@pytest.fixture
def server() -> Server:
    made = Server()
    made.connect()
    made.hear()
    made.pass_time(FORGIVEN_S)
    return made


def test_a_gateway_that_was_heard_in_this_session_stays_known(server: Server) -> None:
    server.pass_time(86400)
    assert (server.standing(), server.picture.unreached) == ("online", False)


def test_a_short_loss_changes_nothing(server: Server) -> None:
    before = server.picture.watch_rev()
    server.lose()
    server.pass_time(FORGIVEN_S - 0.1)
    server.connect()
    server.pass_time(FORGIVEN_S - 0.1)
    assert server.picture.watch_rev() == before
    server.hear()
    server.pass_time(0.1)
    assert server.picture.watch_rev() == before


def test_without_its_broker_the_server_knows_of_no_gateway(server: Server) -> None:
    before = server.picture.watch_rev()
    server.lose()
    server.pass_time(FORGIVEN_S)
    assert (server.standing(), server.picture.unreached) == ("unknown", True)
    assert server.shown[-1] == server.picture.watch_rev() != before


def test_after_a_short_loss_a_gateway_that_does_not_come_back_is_unknown(server: Server) -> None:
    server.lose()
    server.connect()
    server.pass_time(FORGIVEN_S)
    assert (server.standing(), server.picture.unreached) == ("unknown", False)


def test_after_a_long_loss_a_gateway_is_unknown_until_it_is_heard(server: Server) -> None:
    server.lose()
    server.pass_time(FORGIVEN_S)
    server.connect()
    assert (server.standing(), server.picture.unreached) == ("unknown", False)
    server.hear()
    assert server.standing() == "online"


def test_a_server_that_never_reached_its_broker_says_so_too() -> None:
    server = Server()
    server.pass_time(FORGIVEN_S - 0.1)
    assert not server.picture.unreached
    server.pass_time(0.1)
    assert server.picture.unreached
