"""The live channel as docs/live.md has it, from the edge's message to the browser's socket."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from starlette.testclient import WebSocketTestSession
from starlette.websockets import WebSocketDisconnect

from carrel.contracts.actuation import RuleLive
from carrel.contracts.telemetry import Quantity
from server.live.endpoints import NotASubscriptionError, subscription
from tests.support.acting_gateway import curtain, eventually, fire
from tests.support.sample_network import network, newcomer
from tests.support.spine import House

ROOM = "room:reading-room"


class Page:
    """A browser's end."""

    def __init__(self, socket: WebSocketTestSession) -> None:
        self.socket = socket
        self.seq = 0

    def subscribe(self, *topics: str) -> dict[str, Any]:
        """Returns the full message that answers."""
        self.socket.send_text(json.dumps({"sub": topics}))
        return self.until(lambda message: message.get("full"))

    def next(self) -> dict[str, Any]:
        message: dict[str, Any] = json.loads(self.socket.receive_text())
        assert message["seq"] == self.seq + 1
        self.seq = message["seq"]
        return message

    def until(self, wanted: Any) -> dict[str, Any]:
        """The first message that fits; every message is well-formed."""
        for _ in range(20):
            message = self.next()
            assert set(message) <= {"seq", "full", "old", "now", "patch"}
            if wanted(message):
                return message
        raise AssertionError("it did not come")

    def until_key(self, key: str) -> Any:
        """The next patch of a key."""
        return self.until(lambda message: key in message["patch"])["patch"][key]


@contextmanager
def opened(house: House, **headers: str) -> Iterator[Page]:
    with house.client.websocket_connect("/live", headers=headers) as socket:
        yield Page(socket)


def look(house: House) -> str:
    """The overview as a person gets it."""
    return house.client.get("/", headers={"Accept": "text/html", "Accept-Language": "en"}).text


class TestProtocol:
    def test_a_subscription_is_answered_by_everything_under_its_topics(self, house: House) -> None:
        with opened(house) as page:
            message = page.subscribe(ROOM, "alarms", "health")
        unknown = {"v": None, "t": None}
        patch = message["patch"]
        assert (message["seq"], message["full"]) == (1, True)
        assert message["now"] == int(house.clock.now().timestamp() * 1000)
        assert {key: patch[key] for key in patch if "rev" not in patch[key]} == {
            "reading-room.temp": unknown, "reading-room.rh": unknown, "reading-room.lux": unknown
        }  # fmt: skip
        assert {key for key in patch if set(patch[key]) == {"rev"}} == {
            "reading-room.actuators", "reading-room.rules", "reading-room.devices", "alarms", "health"
        }  # fmt: skip

    def test_a_new_subscription_replaces_the_one_before(self, house: House) -> None:
        with opened(house) as page:
            page.subscribe(ROOM, "alarms")
            assert set(page.subscribe("health")["patch"]) == {"health"}
            house.edge.report("th-1", temp=21.0)
            house.edge.online()
            assert set(page.until(lambda message: message["patch"])["patch"]) == {"health"}

    def test_topics_that_nobody_knows_are_left_out(self, house: House) -> None:
        with opened(house) as page:
            assert set(page.subscribe("room:cellar", "weather", "alarms")["patch"]) == {"alarms"}

    def test_without_a_change_an_empty_message_comes_all_the_same(self, house: House) -> None:
        with opened(house) as page:
            page.subscribe("alarms")
            assert page.next()["patch"] == {}

    @pytest.mark.parametrize(
        "text",
        [
            "", "null", "[]", "{", "{}", '{"sub": "alarms"}', '{"sub": [1]}', '{"sub": null}', "[" * 3000,
            json.dumps({"sub": ["x" * 5000]}), json.dumps({"sub": ["x"] * 65}),
        ],
    )  # fmt: skip
    def test_what_is_no_subscription_is_refused(self, text: str) -> None:
        with pytest.raises(NotASubscriptionError):
            subscription(text)

    @pytest.mark.parametrize("message", [{"text": "hello"}, {"bytes": b"\x00\x01"}])
    def test_anything_else_ends_the_connection(self, house: House, message: dict[str, Any]) -> None:
        with opened(house) as page:
            page.subscribe("alarms")
            page.socket.send({"type": "websocket.receive", **message})
            with pytest.raises(WebSocketDisconnect) as end:
                page.until(lambda _message: False)
            assert end.value.code == 1008

    def test_a_foreign_page_is_refused(self, house: House) -> None:
        with pytest.raises(WebSocketDisconnect), opened(house, origin="http://evil.example"):
            raise AssertionError("it was let in")

    def test_our_own_page_is_let_in(self, house: House) -> None:
        with opened(house, origin="http://testserver") as page:
            assert page.subscribe("alarms")["patch"]

    def test_a_page_that_goes_is_forgotten(self, house: House) -> None:
        feed = house.client.app.state.feed  # type: ignore[attr-defined]
        with opened(house) as page:
            page.subscribe("alarms")
            assert len(feed) == 1
        eventually(lambda: len(feed) == 0, "the goodbye")


class TestChanges:
    def test_a_report_of_the_edge_reaches_the_page(self, house: House) -> None:
        with opened(house) as page:
            page.subscribe(ROOM)
            house.edge.report("th-1", temp=24.31)
            at = int(house.clock.now().timestamp() * 1000)
            assert page.until_key("reading-room.temp") == {"v": 24.31, "t": at}

    def test_a_value_that_grows_stale_becomes_unknown_by_itself(self, house: House) -> None:
        with opened(house) as page:
            page.subscribe(ROOM)
            house.edge.report("th-1", temp=24.31)
            at = page.until_key("reading-room.temp")["t"]
            house.clock.advance(seconds=901)
            assert page.until_key("reading-room.temp") == {"v": None, "t": at}

    def test_a_value_is_old_as_soon_as_its_gateway_is_away(self, house: House) -> None:
        house.edge.online()
        with opened(house) as page:
            page.subscribe(ROOM)
            house.edge.report("th-1", temp=24.31)
            assert "old" not in page.until_key("reading-room.temp")
            house.edge.online("offline")
            assert page.until_key("reading-room.temp")["old"] is True
        whole = house.client.get("/rooms/reading-room", headers={"Accept-Language": "en"}).text
        assert "is-stale" in whole
        assert ">no fresh value<" in whole

    def test_many_changes_come_as_few_messages(self, house: House) -> None:
        with opened(house) as page:
            page.subscribe(ROOM)
            for tenth in range(50):
                house.edge.report("th-1", temp=20 + tenth / 10)
            page.until(lambda message: message["patch"].get("reading-room.temp", {}).get("v") == 24.9)
            assert page.seq <= 5

    def test_an_alarm_comes_at_once_and_its_rev_is_that_of_the_page(self, house: House) -> None:
        with opened(house) as page:
            quiet = page.subscribe("alarms")["patch"]["alarms"]["rev"]
            house.edge.event(fire(house.clock.now()), 1)
            raised = page.until_key("alarms")["rev"]
            house.edge.event(fire(house.clock.now(), version=2, silenced=True), 2)
            silenced = page.until_key("alarms")["rev"]
            assert len({quiet, raised, silenced}) == 3

    def test_what_actuators_do_comes_at_once(self, house: House) -> None:
        with opened(house) as page:
            page.subscribe(ROOM)
            house.edge.table(curtain())
            first = page.until_key("reading-room.actuators")["rev"]
            house.edge.table(curtain(reported=40.0))
            assert page.until_key("reading-room.actuators")["rev"] != first
            assert house.client.app.state.rooms.one("reading-room").rev != first  # type: ignore[attr-defined]

    def test_a_measured_value_in_a_reason_is_no_news(self, house: House) -> None:
        house.edge.table(curtain(params={"metric": "lux", "threshold": 1000.0, "value": 1100.0}))
        rooms = house.client.app.state.rooms  # type: ignore[attr-defined]
        eventually(lambda: rooms.one("reading-room").actuators, "the table")
        before = rooms.actuators_rev("reading-room")
        house.edge.table(curtain(params={"metric": "lux", "threshold": 1000.0, "value": 1200.0}))
        eventually(lambda: rooms.one("reading-room").actuators[0].params["value"] == 1200.0, "the new table")
        assert rooms.actuators_rev("reading-room") == before

    def test_gateways_and_links_come_and_go(self, house: House) -> None:
        with opened(house) as page:
            revs = [page.subscribe("health")["patch"]["health"]["rev"]]
            house.edge.online()
            revs.append(page.until_key("health")["rev"])
            house.edge.links(zigbee="up")
            revs.append(page.until_key("health")["rev"])
            house.edge.links(zigbee="down")
            revs.append(page.until_key("health")["rev"])
            assert len(set(revs)) == 4
        (gateway,) = house.client.app.state.rooms.gateways()  # type: ignore[attr-defined]
        assert (gateway.id, gateway.status.state, gateway.links[0].state) == ("gw-1", "online", "down")

    def test_a_loss_of_the_broker_is_told_and_nothing_is_called_quiet_until_it_is_back(
        self, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("server.live.watch.FORGIVEN_S", 0.5)
        with opened(house) as page:
            page.subscribe("alarms", "health")
            house.edge.online()
            quiet = page.until_key("alarms")["rev"]
            assert "All quiet" in look(house)
            house.broker.stop()
            lost = page.until(lambda message: message.get("old"))
            text = look(house)
            assert "All quiet" not in text
            assert "The server does not reach the message broker." in text
            assert "state unknown: nothing is heard from it" in text
            assert lost["patch"]["alarms"]["rev"] != quiet
            house.broker.start()
            page.until(lambda message: "old" not in message)
            assert "The server does not reach the message broker." not in look(house)
            house.edge.await_connection()
            house.edge.online()
            eventually(lambda: "All quiet" in look(house), "the quiet")

    def test_the_network_tells_when_it_changes_but_not_of_every_word_of_a_device(self, house: House) -> None:
        now = house.clock.now()
        with opened(house) as page:
            revs = [page.subscribe("network")["patch"]["network"]["rev"]]
            house.edge.network(network(now))
            revs.append(page.until_key("network")["rev"])
            house.edge.network(network(now + timedelta(seconds=1), ts=now + timedelta(seconds=1)))
            house.edge.network(network(now, newcomer(now)))
            revs.append(page.until_key("network")["rev"])
            assert len(set(revs)) == 3

    def test_how_rules_stand_is_news_and_what_they_measure_is_not(self, house: House) -> None:
        rule = RuleLive(
            id="shade", zone="reading-room", priority=50, metric="lux", side="above", value=900.0, threshold=1000.0,
            latched=False, active=False, set_value=100, actuators=("reading-curtain",), acting=False,
        )  # fmt: skip
        with opened(house) as page:
            first = page.subscribe(ROOM)["patch"]["reading-room.rules"]["rev"]
            house.edge.table(curtain(), rules=(rule,))
            second = page.until_key("reading-room.rules")["rev"]
            picture = house.client.app.state.rooms.picture  # type: ignore[attr-defined]
            house.edge.table(curtain(), rules=(rule.model_copy(update={"value": 950.0}),))
            eventually(lambda: picture.rules_of("reading-room")[0].value == 950.0, "the new value")
            assert picture.rules_rev("reading-room") == second != first

    def test_the_dew_point_comes_where_temperature_and_humidity_are_measured(self, house: House) -> None:
        rooms = house.client.app.state.rooms  # type: ignore[attr-defined]
        assert Quantity.RH not in rooms.plan.rooms["reading-room"].sensors
        with opened(house) as page:
            assert "reading-room.dew_point" not in page.subscribe(ROOM)["patch"]
